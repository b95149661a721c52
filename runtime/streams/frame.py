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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, END, FLUSH, START, all_finite

HEADER = struct.Struct("<BBBBHHIIQd")
VERSION, SOUND = 1, 1
INT16, FLOAT32 = 1, 2
DTYPES = {INT16: np.dtype("<i2"), FLOAT32: np.dtype("<f4")}

MAX_CHANNELS = 8
RATES = range(3_000, 384_001)
"""Hz: what an AudioContext may have (Web Audio 1.1, BaseAudioContext)."""
MAX_BYTES = 1 << 20
"""Of one frame: over five seconds of 48 kHz stereo."""


FLAGS = START | END | DISCONTINUITY | FLUSH


class FrameError(ValueError):
    """A frame that cannot be one. The text says what is wrong with it and may be shown."""


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
    kind = INT16 if samples.dtype == np.int16 else FLOAT32
    channels = samples.shape[1]
    head = HEADER.pack(
        VERSION, SOUND, kind, channels, node, flags, seq & 0xFFFFFFFF, rate, index, time
    )
    return head + samples.astype(DTYPES[kind], copy=False).tobytes()


def unpack(data: bytes) -> Frame:
    """A frame from bytes. Raises FrameError saying what is wrong; nothing of it is trusted."""
    if len(data) < HEADER.size:
        raise FrameError(f"a frame of {len(data)} bytes is shorter than its header.")
    if len(data) > MAX_BYTES:
        raise FrameError(f"a frame of {len(data)} bytes is longer than {MAX_BYTES}.")
    version, kind, form, channels, node, flags, seq, rate, index, time = HEADER.unpack_from(data)
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
    count, rest = divmod(len(data) - HEADER.size, size)
    if rest:
        raise FrameError(f"{len(data) - HEADER.size} bytes are no whole frames of {size} bytes.")
    # Not frombuffer and reshape, which are two steps for one; bytes make it read-only.
    samples = np.ndarray[Any, np.dtype[Any]]((count, channels), dtype, data, HEADER.size)
    if form == FLOAT32 and not all_finite(samples):
        raise FrameError("the samples are not all finite.")
    if not math.isfinite(time):
        raise FrameError("the time of capture is not finite.")
    return Frame(node, flags & FLAGS, seq, rate, index, time, samples)
