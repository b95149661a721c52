"""The sound of a clip, piece by piece, as it goes into a stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .audio import Clip, pieces
from .blocks import Samples, float32
from .samples import Samples as Raw
from .units import Frames


def pieces_of(clip: Clip, start: Frames, size: Frames, loops: int | None) -> Iterator[Samples]:
    """The sound from frame `start` on, (frames, channels), 1.0 = full scale, `loops` times.

    At most `size` frames at a time; for ever where `loops` is None. A clip on disk is read as it is
    needed.
    """
    played = 0
    while loops is None or played < loops:
        reading = clip.blocks(size)
        for piece in pieces(reading, start, clip.frames) if start and not played else reading:
            yield _scaled(piece)
        played += 1


def _scaled(samples: Raw) -> Samples:
    data = samples[:, None] if samples.ndim == 1 else samples
    if data.dtype == np.int16:
        return np.multiply(data, np.float32(2**-15), dtype=np.float32)
    if data.dtype == np.int32:
        return float32(np.multiply(data, 2.0**-31))
    return float32(data)
