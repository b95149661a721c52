"""Splices without a click."""

from __future__ import annotations

import numpy as np

from ..blocks import DISCONTINUITY, FLUSH, Block, Samples, float32
from ..durations import Time, seconds_of
from .operator import BlockOperator, Heard, Step, check, step


class _Declick(Step[Block]):
    __slots__ = ("_fade", "_last", "_offset", "_passed", "_epoch")

    def __init__(self, fade: float, observer: Heard[Block]) -> None:
        super().__init__(observer)
        self._fade = fade
        self._last: Samples | None = None  # the last frame that went out, (channels,)
        self._offset: Samples | None = None
        self._passed = 0
        self._epoch = 0

    def on_next(self, block: Block) -> None:
        if block.epoch < self._epoch:
            return
        self._epoch = block.epoch
        samples = block.samples
        if self._offset is None and not block.flags and len(samples):  # nearly always
            self._last = samples[-1]
            self.observer.on_next(block)
            return
        if not len(samples):
            self.observer.on_next(block)
            return
        if block.flags & (DISCONTINUITY | FLUSH) and self._last is not None:
            if len(self._last) == samples.shape[1]:
                self._offset, self._passed = self._last - samples[0], 0
        if self._offset is not None:
            length = max(1, round(self._fade * block.rate))
            if len(self._offset) == samples.shape[1] and self._passed < length:
                here = np.arange(self._passed, self._passed + len(samples))
                share = np.maximum(0.0, 1.0 - here / length).astype(np.float32)
                block = block.with_samples(float32(samples + share[:, None] * self._offset))
                self._passed += len(samples)
            else:
                self._offset = None
        self._last = block.samples[-1]
        self.observer.on_next(block)


def declick(fade: Time = "5 ms") -> BlockOperator:
    """After a discontinuity, go from where sound broke off to where it goes on within `fade`.

    It adds the step between the two, fading it out: no step is left, nothing is delayed.
    Put it where sound leaves the chain. Latency 0.
    """
    seconds = seconds_of(fade)
    check(seconds > 0, "a fade needs some time; declick(fade=...) is above 0")
    return step("declick", lambda observer: _Declick(seconds, observer))
