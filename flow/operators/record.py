"""A take as one clip."""

from __future__ import annotations

import numpy as np
from reactivex import Observable, abc

from ..audio import Clip
from ..blocks import END, FLUSH, START, Block, BlockError
from ..samples import Int16, to_int16
from ..units import Frames, Seconds
from .operator import Operator, check


class _Take:
    """Not a machine: a gap does not end a recording, it is a silence in it."""

    def __init__(self, most: Seconds, name: str, observer: abc.ObserverBase[Clip]) -> None:
        self._most, self._name, self._observer = most, name, observer
        self._parts: list[Int16] = []
        self._begin: Frames | None = None  # the index of the first frame; None between takes
        self._next: Frames = 0
        self._end = 0
        self._rate = self._channels = 0
        self._epoch = 0
        self._full = False

    def on_next(self, block: Block) -> None:
        if block.epoch < self._epoch:
            return
        self._epoch = block.epoch
        if block.flags & (START | FLUSH):
            self._give()
            self._full = False
        if not self._full:
            try:
                self._keep(block)
            except BlockError as error:
                self._observer.on_error(error)
                return
        if block.flags & END:
            self._give()
            self._full = False

    def _keep(self, block: Block) -> None:
        samples, index = block.samples, block.index
        if not len(samples):
            return
        if self._begin is None:
            self._begin = self._next = index
            self._rate, self._channels = block.rate, block.channels
            self._end = index + round(self._most * block.rate)
        elif (block.rate, block.channels) != (self._rate, self._channels):
            raise BlockError(
                f"record: the take began with {self._channels} channels at {self._rate} Hz, now "
                f"{block.channels} at {block.rate} Hz came; put resample() or mono() before it"
            )
        if index < self._next:
            samples, index = samples[self._next - index :], self._next
        stop = min(index, self._end)
        if stop > self._next:
            self._parts.append(np.zeros((stop - self._next, self._channels), np.int16))
            self._next = stop
        samples = samples[: max(0, self._end - index)]
        if len(samples):
            self._parts.append(to_int16(samples))
            self._next = index + len(samples)
        if self._next >= self._end:
            self._give()
            self._full = True

    def _give(self) -> None:
        parts, self._parts, self._begin = self._parts, [], None
        if parts:
            self._observer.on_next(Clip.of(self._rate, np.concatenate(parts), name=self._name))

    def on_completed(self) -> None:
        self._give()
        self._observer.on_completed()


def record(max_seconds: Seconds = 600.0, name: str = "recording") -> Operator[Block, Clip]:
    """Each take as a Clip of 16-bit samples, when it ends: at END, FLUSH, or the last block.

    Lost frames are silence, so that the take keeps its length; overlapping ones are taken once.
    After `max_seconds` the clip is given and the rest of the take is not kept. What lies beyond
    full scale is cut. Raises BlockError if rate or channels change within a take.
    """
    check(max_seconds > 0, "a recording takes some time; max_seconds is above 0")

    def attach(source: Observable[Block]) -> Observable[Clip]:
        def subscribe(
            observer: abc.ObserverBase[Clip], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            take = _Take(max_seconds, name, observer)
            return source.subscribe(
                take.on_next, observer.on_error, take.on_completed, scheduler=scheduler
            )

        return Observable(subscribe)

    return Operator("record", attach)
