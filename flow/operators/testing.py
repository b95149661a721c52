"""For tests of operators: sound cut into blocks, a chain fed with them, and what it holds back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from typing import Any

from numpy.typing import NDArray
from reactivex import Observable, Subject

from ..blocks import END, START, Block, float32
from ..units import Frames
from .operator import Operator


def cut(
    samples: NDArray[Any],
    sizes: Iterable[Frames] = (960,),
    *,
    rate: int = 48_000,
    index: Frames = 0,
    flags: int = START,
    end: bool = True,
    epoch: int = 0,
) -> list[Block]:
    """Samples (frames,) or (frames, channels) as blocks of these sizes, over and over.

    `flags` stand on the first block, END on the last. A size of 0 gives a block without frames.
    The samples cannot be written to, so that an operator which changes its input fails.
    """
    data = float32(samples if samples.ndim == 2 else samples[:, None]).copy()
    data.flags.writeable = False
    blocks: list[Block] = []
    at = 0
    for size in cycle(sizes):
        last = at + size >= len(data)
        marks = (0 if blocks else flags) | (END if end and last else 0)
        blocks.append(Block(data[at : at + size], rate, index + at, marks, epoch))
        at += size
        if last:
            return blocks
    raise AssertionError("unreachable: cycle() ends only when there are no sizes")


def through(blocks: Iterable[Block], *chain: Operator[Any, Any]) -> list[Any]:
    """All that a chain gives for these blocks, before the source completes; raises its error."""
    feeder = Feeder(*chain)
    for block in blocks:
        feeder.feed(block)
    return feeder.values


class Feeder:
    """A chain that is fed by hand."""

    def __init__(self, *chain: Operator[Any, Any]) -> None:
        self.values: list[Any] = []
        self.completed = False
        self._errors: list[Exception] = []
        self._source = Subject[Block]()
        out: Observable[Any] = self._source
        for operator in chain:
            out = operator(out)
        out.subscribe(self.values.append, self._errors.append, self._done)

    def feed(self, block: Block) -> list[Any]:
        """What this block brought."""
        before = len(self.values)
        self._source.on_next(block)
        self._raise()
        return self.values[before:]

    def complete(self) -> list[Any]:
        """What the end of the source brought."""
        before = len(self.values)
        self._source.on_completed()
        self._raise()
        return self.values[before:]

    def _done(self) -> None:
        self.completed = True

    def _raise(self) -> None:
        if self._errors:
            raise self._errors[0]


def held_back(
    operator: Operator[Block, Any],
    samples: NDArray[Any],
    *,
    rate: int = 48_000,
    pace: float = 1.0,
    skip: int = 0,
) -> Frames:
    """The measured latency: the most frames that had to come in before a frame went out.

    The samples are fed one by one. pace: input frames a frame of output stands for, beyond what
    the rates say. The first `skip` values do not count: a filter may fill up once.
    """
    feeder = Feeder(operator)
    ratio = rate / operator.rate(rate) * pace
    waits: list[float] = []
    for block in cut(samples, (1,), rate=rate, end=False):
        for value in feeder.feed(block):
            waits.append(block.index - value.index * ratio)
    return round(max(waits[skip:]))
