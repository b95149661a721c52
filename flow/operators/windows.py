"""Windows of sound, measured one after another: what most analysing operators are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..blocks import Samples
from ..units import Frames
from .gather import Gather
from .operator import Form

T = TypeVar("T")

Measure = Callable[[Samples, Frames], T]
"""A window (frames, channels) and the index of its first frame → a value."""


class Windows(Generic[T]):
    """A machine that measures each window of `size`, one every `hop` frames.

    `tail`: what is left at the end is measured too, though shorter; otherwise it is left out.
    """

    __slots__ = ("_gather", "_measure", "_index", "_tail")

    def __init__(
        self, form: Form, size: Frames, hop: Frames, measure: Measure[T], tail: bool = False
    ) -> None:
        self._gather = Gather(size, hop)
        self._measure = measure
        self._index = form.index
        self._tail = tail

    def feed(self, samples: Samples, last: bool) -> Sequence[T]:
        gather = self._gather
        data, count = gather.push(samples)
        size, hop = gather.size, gather.hop
        out: list[T] = []
        for n in range(count):
            start = n * hop
            out.append(self._measure(data[start : start + size], self._index))
            self._index += hop
        if last:
            out.extend(self.finish())
        return out

    def finish(self) -> Sequence[T]:
        rest = self._gather.rest() if self._tail else None
        return () if rest is None else (self._measure(rest, self._index),)


def mixed(samples: Samples) -> Samples:
    """The mean of the channels, (frames,): what is analysed when channels do not matter."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    total = samples[:, 0] + samples[:, 1]
    for channel in range(2, samples.shape[1]):
        total += samples[:, channel]
    total /= samples.shape[1]
    return total
