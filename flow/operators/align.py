"""Gaps as silence, and nothing twice."""

from __future__ import annotations

import numpy as np

from ..blocks import DISCONTINUITY, FLUSH, START, Block
from ..durations import Time, seconds_of
from .operator import BlockOperator, Heard, Step, step


class _Align(Step[Block]):
    __slots__ = ("_most", "_next", "_form", "_epoch")

    def __init__(self, most: float, observer: Heard[Block]) -> None:
        super().__init__(observer)
        self._most = most
        self._next: int | None = None
        self._form: tuple[int, int] = (0, 0)
        self._epoch = 0

    def on_next(self, block: Block) -> None:
        if block.epoch < self._epoch:
            return
        if (
            not block.flags
            and block.index == self._next
            and block.epoch == self._epoch
            and (block.rate, block.samples.shape[1]) == self._form
        ):  # nearly always
            self._next += block.samples.shape[0]
            self.observer.on_next(block)
            return
        form = (block.rate, block.channels)
        fresh = (
            self._next is None
            or block.flags & (START | FLUSH)
            or block.epoch != self._epoch
            or form != self._form
        )
        self._form, self._epoch = form, block.epoch
        if fresh or self._next is None:
            self._pass(block)
            return
        missing = block.index - self._next
        if missing > self._most * block.rate:
            self._pass(block if block.flags & DISCONTINUITY else _marked(block))
            return
        samples = block.samples
        if missing > 0:
            silence = np.zeros((missing, block.channels), np.float32)
            samples = np.concatenate((silence, samples))
        elif missing < 0:
            samples = samples[-missing:]
            if not len(samples) and not block.flags & ~DISCONTINUITY:
                return
        flags = block.flags & ~DISCONTINUITY
        self._pass(Block(samples, block.rate, self._next, flags, block.epoch))

    def _pass(self, block: Block) -> None:
        self._next = block.end
        self.observer.on_next(block)


def _marked(block: Block) -> Block:
    flags = block.flags | DISCONTINUITY
    return Block(block.samples, block.rate, block.index, flags, block.epoch)


def align(max_gap: Time = "1 s") -> BlockOperator:
    """Fill lost frames with silence and drop those that came already: no gap is left by index.

    A gap longer than `max_gap` stays one, marked DISCONTINUITY: an index that jumps by an hour
    must not become an hour of zeros. Latency 0.
    """
    most = seconds_of(max_gap)
    return step("align", lambda observer: _Align(most, observer))
