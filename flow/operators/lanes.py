"""Several streams side by side by index: what mix, merge and crossfade share.

Frames of one index meet, however late or early their blocks come. Where one stream has nothing
(it has not begun, has ended, or lost something) it is silent. A stream that falls further behind
than `hold` is silent up to there, and its frames are dropped when they come: counted in `late`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from ..blocks import END, FLUSH, START, Block, BlockError, Samples
from ..durations import Time, seconds_of
from ..follow import Values, lent
from ..units import Frames
from .operator import BlockOperator, Form, Operator

Combine = Callable[[Sequence[Samples]], Samples]
"""As many frames of each lane, (frames, channels) → what goes out. New for each stretch."""


class _Lane:
    __slots__ = ("parts", "end", "open", "channels", "done")

    def __init__(self) -> None:
        self.parts: deque[tuple[Frames, Samples]] = deque()
        self.end: Frames | None = None  # how far it has come; None before its first block
        self.open = True
        self.channels = 1
        self.done = False

    def take(self, start: Frames, stop: Frames) -> Samples:
        """Frames start..stop, silent where there are none; they are gone then."""
        parts = self.parts
        if parts and parts[0][0] == start and len(parts[0][1]) == stop - start:
            return parts.popleft()[1]
        out = np.zeros((stop - start, self.channels), np.float32)
        while parts and parts[0][0] < stop:
            index, samples = parts.popleft()
            if index < start:
                samples, index = samples[start - index :], start
            here = min(len(samples), stop - index)
            out[index - start : index - start + here] = samples[:here]
            if here < len(samples):
                parts.appendleft((index + here, samples[here:]))
        return out

    def forget(self, before: Frames) -> Frames:
        """Let go of what is before a frame; returns how much that was."""
        gone, parts = 0, self.parts
        while parts and parts[0][0] < before:
            index, samples = parts.popleft()
            here = min(len(samples), before - index)
            gone += here
            if here < len(samples):
                parts.appendleft((before, samples[here:]))
        return gone


class _Meeting:
    """One subscription to all streams."""

    def __init__(
        self,
        name: str,
        count: int,
        make: Callable[[Form], Combine],
        hold: float,
        observer: abc.ObserverBase[Block],
    ) -> None:
        self.name, self.make, self.hold, self.observer = name, make, hold, observer
        self.lanes = [_Lane() for _ in range(count)]
        self.combine: Combine | None = None
        self.at: Frames | None = None
        self.rate = 0
        self.epoch = 0
        self.flags = 0
        self.late: Frames = 0
        """Frames that came when theirs had gone out without them."""
        # Without a clock a source gives all it has while it is subscribed to: nothing is behind
        # before all of them are.
        self.joined = False
        self.values: Values = lent()

    @property
    def held(self) -> Frames:
        """Frames that whoever is furthest ahead waits with for the others."""
        ends = [lane.end for lane in self.lanes if lane.end is not None and lane.parts]
        if not ends:
            return 0
        first = self.at
        if first is None:
            first = min(lane.parts[0][0] for lane in self.lanes if lane.parts)
        return max(0, max(ends) - first)

    def on_next(self, number: int, block: Block) -> None:
        if block.epoch < self.epoch:
            return
        lane = self.lanes[number]
        if block.flags & FLUSH or block.epoch > self.epoch:
            self._flush(block.epoch)
        if not self.rate or (self.at is None and all(x.end is None for x in self.lanes)):
            self.rate = block.rate
        if block.rate != self.rate:
            self.observer.on_error(
                BlockError(
                    f"{self.name}: streams at {self.rate} and {block.rate} Hz meet; put "
                    f"resample({self.rate}) into one of them"
                )
            )
            return
        lane.open = True
        lane.channels = block.channels
        index, samples = block.index, block.samples
        low = self.at if self.at is not None else index
        if lane.end is not None:
            low = max(low, lane.end)
        if index < low:
            gone = min(low - index, len(samples))
            self.late += gone
            samples, index = samples[gone:], index + gone
        if len(samples):
            lane.parts.append((index, samples))
        lane.end = max(block.end, lane.end or block.end)
        if block.flags & END:
            lane.open = False
        self._advance()

    def on_completed(self, number: int) -> None:
        lane = self.lanes[number]
        lane.open, lane.done = False, True
        if self.joined:
            self._settle()

    def join(self) -> None:
        """All streams are subscribed to."""
        self.joined = True
        self._settle()

    def cut(self) -> None:
        """The take that is the first stream has ended: the others are heard no further."""
        end = self.lanes[0].end
        if end is None:
            return
        if self.at is None:
            starts = [lane.parts[0][0] for lane in self.lanes if lane.parts]
            self.at, self.flags = min(starts, default=end), START
        self._give(max(end, self.at), True)

    def _settle(self) -> None:
        self._advance()
        if all(lane.done for lane in self.lanes):
            self.observer.on_completed()

    def _flush(self, epoch: int) -> None:
        for lane in self.lanes:
            lane.parts.clear()
            if not lane.done:
                lane.end, lane.open = None, True
        self.at, self.combine = None, None
        self.epoch = epoch
        self.observer.on_next(Block(np.zeros((0, 1), np.float32), self.rate or 1, 0, FLUSH, epoch))

    def _advance(self) -> None:
        begun = [lane for lane in self.lanes if lane.end is not None]
        if not begun or not self.joined:
            return
        furthest = max(lane.end for lane in begun if lane.end is not None)
        # As far as all that are still coming have come; those too far behind are not waited for.
        least = furthest - round(self.hold * self.rate)
        if self.at is None:
            starts = [
                lane.parts[0][0]
                for lane in begun
                if lane.parts and (not lane.open or (lane.end or 0) >= least)
            ]
            first = min(starts, default=furthest)
            waiting = any(lane.open and lane.end is None for lane in self.lanes)
            if waiting and first > least:
                return
            self.at, self.flags = first, START
            self.late += sum(lane.forget(first) for lane in begun)
        ends = [max(lane.end or least, least) for lane in self.lanes if lane.open]
        stop = min(ends, default=furthest)
        over = all(not lane.open for lane in self.lanes)
        if stop > self.at or over:
            self._give(max(stop, self.at), over)

    def _give(self, stop: Frames, over: bool) -> None:
        assert self.at is not None
        start, flags = self.at, self.flags | (END if over else 0)
        parts = [lane.take(start, stop) for lane in self.lanes]
        try:
            if self.combine is None:
                channels = max(lane.channels for lane in self.lanes)
                form = Form(self.rate, channels, start, values=self.values)
                self.combine = self.make(form)
            samples = self.combine(parts)
        except Exception as error:
            error.add_note(f"in operator {self.name!r}, at frames {start}..{stop}")
            self.observer.on_error(error)
            return
        self.at, self.flags = stop, 0
        if over:
            self.at, self.combine = None, None
            for lane in self.lanes:
                lane.parts.clear()
                lane.end, lane.open = None, not lane.done
        self.observer.on_next(Block(samples, self.rate, start, flags, self.epoch))


def meeting(
    name: str,
    others: Sequence[Observable[Block]],
    make: Callable[[Form], Combine],
    hold: Time,
    follows: Iterable[object] = (),
) -> BlockOperator:
    """An operator that combines its source with others, frame by frame."""
    most = seconds_of(hold)

    def begin(count: int, observer: abc.ObserverBase[Block]) -> _Meeting:
        return _Meeting(name, count, make, most, observer)

    return Meets(name, lambda source: _Met(begin, (source, *others)), follows=follows)


class Meets(Operator[Block, Block]):
    """Other streams come into it. In a session they begin and end with each take, so that frames
    of one index are of one moment: a stream that ran since the page was opened would be far ahead.
    """

    __slots__ = ()
    per_take = True


class _Met(Observable[Block]):
    """What comes out where streams meet."""

    def __init__(
        self,
        begin: Callable[[int, abc.ObserverBase[Block]], _Meeting],
        sources: Sequence[Observable[Block]],
    ) -> None:
        super().__init__(self._join)
        self._begin, self._sources = begin, sources

    def watched(self, keep: Callable[[object], object]) -> _Met:
        """The same, and each subscription's moving part is handed to `keep`: for its figures."""

        def begin(count: int, observer: abc.ObserverBase[Block]) -> _Meeting:
            met = self._begin(count, observer)
            keep(met)
            return met

        return _Met(begin, self._sources)

    def _join(
        self, observer: abc.ObserverBase[Block], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        met = self._begin(len(self._sources), observer)
        group = CompositeDisposable()

        def join(number: int, stream: Observable[Block]) -> None:
            group.add(
                stream.subscribe(
                    lambda block: met.on_next(number, block),
                    observer.on_error,
                    lambda: met.on_completed(number),
                    scheduler=scheduler,
                )
            )

        for number, stream in enumerate(self._sources):
            join(number, stream)
        met.join()
        return group


def spread(samples: Samples, channels: int, name: str) -> Samples:
    """Mono on all channels; anything else must fit."""
    if samples.shape[1] == channels:
        return samples
    if samples.shape[1] != 1:
        raise BlockError(
            f"{name}: streams of {samples.shape[1]} and {channels} channels meet; put mono() or "
            "channel() into one of them"
        )
    return np.repeat(samples, channels, axis=1)
