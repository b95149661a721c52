"""The frames of a generated source, cut into blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reactivex import Observable

from ..blocks import Block, Samples
from ..bounds import checked_rate
from ..durations import Length, Time, frames_of, seconds_of
from ..units import Frames
from .source import source

Fill = Callable[[Frames, Frames], Samples]
"""Frames start..stop, (frames, channels); asked for in order, each once."""


def generated(
    make: Callable[[int], Fill], seconds: Time | None, rate: int, block: Length
) -> Observable[Block]:
    """A source whose samples follow from the frame number; endless where `seconds` is None."""
    hertz = checked_rate(rate)
    size = frames_of(block, hertz)
    total = None if seconds is None else round(seconds_of(seconds) * hertz)

    def blocks() -> Iterator[Block]:
        fill = make(hertz)
        at = 0
        while total is None or at < total:
            stop = at + size if total is None else min(at + size, total)
            yield Block(fill(at, stop), hertz, at)
            at = stop

    return source(blocks)
