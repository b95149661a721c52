"""A clip as a stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from reactivex import Observable

from ..audio import Clip
from ..blocks import Block, Samples
from ..clip_pieces import pieces_of
from ..durations import Length, frames_of
from ..operators.operator import check
from ..units import Frames, Seconds
from .source import source

LARGE = 8192
"""Frames read at a time where nobody asks for a size: enough to make a call's cost small."""
SHORT: Seconds = 0.18
"""What such a block may last: a block comes when it is full, and `mix` and its like wait 0.2 s."""


def size_of(block: Length | None, rate: int) -> Frames:
    """The frames of one block; None is as many as are good for a file."""
    return min(LARGE, round(SHORT * rate)) if block is None else frames_of(block, rate)


def clip_blocks(
    clip: Clip, block: Length | None = None, *, start: Frames = 0, loops: int | None = 1
) -> Observable[Block]:
    """The sound of a clip from frame `start` on, `loops` times, for ever with None.

    Blocks have exactly `block` frames (None: 8,192, or 0.18 s) but for the last, across the
    seam of a loop as well; `index` goes on counting there. 1.0 is 32768 of 16 bit. A clip on
    disk is read as it is needed.
    """
    check(0 <= start < clip.frames, f"start {start} lies outside 0..{clip.frames}")
    check(loops is None or loops >= 1, "a clip is played once or more; loops=None never ends")
    size = size_of(block, clip.rate)

    def blocks() -> Iterator[Block]:
        index = start
        parts: list[Samples] = []
        have = 0
        for piece in pieces_of(clip, start, size, loops):
            parts.append(piece)
            have += piece.shape[0]
            while have >= size:
                data = np.concatenate(parts) if len(parts) > 1 else parts[0]
                yield Block(data[:size], clip.rate, index)
                index += size
                have -= size
                parts = [data[size:]] if have else []
        if have:
            data = np.concatenate(parts) if len(parts) > 1 else parts[0]
            yield Block(data, clip.rate, index)

    return source(blocks)
