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
| 6 | u16 | flags, see `Flag` |
| 8 | u32 | in: sequence number; out: when the sound it was made of was captured, see below |
| 12 | u32 | rate in Hz |
| 16 | u64 | index of the first frame on the source's own sample clock |
| 24 | f64 | in: when it was captured, in ms; out: the stream's epoch |

Live sound that goes out says when the front end captured what it was made of: in tenths of a
millisecond of the front end's own clock, modulo 2^32. So it can tell how late it is, exactly and
without a clock that both ends share. 0 is not known.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<BBBBHHIIQd")
VERSION, SOUND = 1, 1
INT16, FLOAT32 = 1, 2
DTYPES = {INT16: np.dtype("<i2"), FLOAT32: np.dtype("<f4")}

MAX_CHANNELS = 8
RATES = range(3_000, 384_001)
"""Hz: what an AudioContext may have (Web Audio 1.1, BaseAudioContext)."""
MAX_BYTES = 1 << 20
"""Of one frame: over five seconds of 48 kHz stereo."""


class Flag(IntFlag):
    """What is special about a frame; the same bits as of a `Block`."""

    START = 1
    END = 2
    DISCONTINUITY = 4
    FLUSH = 8


class FrameError(ValueError):
    """A frame that cannot be one. The text says what is wrong with it and may be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A piece of sound of one stream. samples: (frames, channels), int16 or float32."""

    node: int
    flags: Flag
    seq: int
    rate: int
    index: int
    time: float
    samples: NDArray[Any]

    def pack(self) -> bytes:
        """The frame as bytes."""
        kind = INT16 if self.samples.dtype == np.int16 else FLOAT32
        head = HEADER.pack(
            VERSION,
            SOUND,
            kind,
            self.samples.shape[1],
            self.node,
            int(self.flags),
            self.seq & 0xFFFFFFFF,
            self.rate,
            self.index,
            self.time,
        )
        return head + self.samples.astype(DTYPES[kind], copy=False).tobytes()


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
    if (len(data) - HEADER.size) % size:
        raise FrameError(f"{len(data) - HEADER.size} bytes are no whole frames of {size} bytes.")
    samples = np.frombuffer(data, dtype, offset=HEADER.size).reshape(-1, channels)
    if form == FLOAT32 and not np.isfinite(samples).all():
        raise FrameError("the samples are not all finite.")
    return Frame(node, Flag(flags & 15), seq, rate, index, time, samples)
