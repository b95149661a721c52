"""One piece of sound as it travels: a 32-byte header and samples.

Little-endian throughout. The header is a multiple of the samples' size, so that a front end can
look at the samples where they lie.

| at | type | what |
|---|---|---|
| 0 | u8 | version, 1 |
| 1 | u8 | kind: 1 sound |
| 2 | u8 | format: 1 int16, 2 float32 |
| 3 | u8 | channels |
| 4 | u16 | node that the stream belongs to |
| 6 | u16 | flags, those of a `Block` added up |
| 8 | u32 | in: sequence number; out: when the sound it was made of was captured, see below |
| 12 | u32 | rate in Hz |
| 16 | u64 | index of the first frame on the source's own sample clock |
| 24 | f64 | in: when it was captured, in ms; out: the stream's epoch |

Live sound that goes out says when the front end captured what it was made of: in tenths of a
millisecond of the front end's own clock, modulo 2^32. So it can tell how late it is, exactly and
without a clock that both ends share. 0 is not known.
"""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, END, FLUSH, START, all_finite

HEADER = struct.Struct("<BBBBHHIIQd")
_PACK, _UNPACK, _SIZE = HEADER.pack, HEADER.unpack_from, HEADER.size
KIND_SIZE = 8
_KIND = struct.Struct("<BBBBHH").pack
PLACE = struct.Struct("<IQd").unpack_from
"""Rate, index and time of capture, which stand at `PLACE_AT` of a frame."""
PLACE_AT = 12
VERSION, SOUND = 1, 1
INT16, FLOAT32 = 1, 2
DTYPES: dict[int, np.dtype[Any]] = {INT16: np.dtype("<i2"), FLOAT32: np.dtype("<f4")}

MAX_CHANNELS = 8
RATES = range(3_000, 384_001)
"""Hz: what an AudioContext may have (Web Audio 1.1, BaseAudioContext)."""
MAX_BYTES = 1 << 20
"""Of one frame: over five seconds of 48 kHz stereo."""


FLAGS = START | END | DISCONTINUITY | FLUSH


class FrameError(ValueError):
    """A frame that cannot be one. The text says what is wrong with it and may be shown."""


def kind_of(node: int, channels: int) -> bytes:
    """The first `KIND_SIZE` bytes of each frame of 16 bit that goes on without a flag."""
    return _KIND(VERSION, SOUND, INT16, channels, node, 0)


@dataclass(slots=True, eq=False)
class Frame:
    """A piece of sound of one stream. samples: (frames, channels), int16 or float32.

    Not frozen: that would cost a microsecond for each, three times as much as all else in it.
    """

    node: int
    flags: int
    seq: int
    rate: int
    index: int
    time: float
    samples: NDArray[Any]

    def pack(self) -> bytes:
        """The frame as bytes."""
        return packed(
            self.node, self.flags, self.seq, self.rate, self.index, self.time, self.samples
        )


def packed(
    node: int, flags: int, seq: int, rate: int, index: int, time: float, samples: NDArray[Any]
) -> bytes:
    """The same of what a frame is made of."""
    kind = FLOAT32 if samples.dtype.kind == "f" else INT16
    channels = samples.shape[1]
    head = _PACK(VERSION, SOUND, kind, channels, node, flags, seq & 0xFFFFFFFF, rate, index, time)
    if sys.byteorder != "little":
        samples = samples.astype(DTYPES[kind])
    return head + samples.tobytes()


def unpack(data: bytes) -> Frame:
    """A frame from bytes. Raises FrameError saying what is wrong; nothing of it is trusted."""
    length = len(data)
    if length < _SIZE:
        raise FrameError(f"a frame of {length} bytes is shorter than its header.")
    if length > MAX_BYTES:
        raise FrameError(f"a frame of {length} bytes is longer than {MAX_BYTES}.")
    version, kind, form, channels, node, flags, seq, rate, index, time = _UNPACK(data)
    if version != VERSION or kind != SOUND:
        raise FrameError(f"version {version}, kind {kind} is not known.")
    dtype = DTYPES.get(form)
    if dtype is None:
        raise FrameError(f"sample format {form} is not known; 1 is int16, 2 is float32.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise FrameError(f"{channels} channels; 1 to {MAX_CHANNELS} can be taken.")
    if rate not in RATES:
        raise FrameError(f"{rate} Hz is not a rate between {RATES[0]} and {RATES[-1]}.")
    if index >= 1 << 53:
        raise FrameError(f"sample {index} is farther than any recording goes.")
    size = dtype.itemsize * channels
    if (length - _SIZE) % size:
        raise FrameError(f"{length - _SIZE} bytes are no whole frames of {size} bytes.")
    count = (length - _SIZE) // size
    # Not frombuffer and reshape, which are two steps for one; bytes make it read-only.
    samples: NDArray[Any] = np.ndarray((count, channels), dtype, data, _SIZE)
    if form == FLOAT32 and not all_finite(samples):
        raise FrameError("the samples are not all finite.")
    if not math.isfinite(time):
        raise FrameError("the time of capture is not finite.")
    return Frame(node, flags & FLAGS, seq, rate, index, time, samples)
