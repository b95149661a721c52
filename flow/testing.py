"""Virtual time for tests: a clock that only moves when told, and an executor that runs in place."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from itertools import count
from types import GeneratorType
from typing import Any, cast

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from .calls import Call
from .cancel import CancelToken
from .clock import Clock
from .injected import telling
from .notices import Notice, Report
from .scheduler import Step
from .units import Seconds
from .work import Work

Steps = Generator[Any, Any, Any]


class VirtualClock(Clock):
    """Seconds from 0.0. Only `run_until` moves it; what is due at one instant runs in order.

    Own, because reactivex 6.1's VirtualTimeScheduler moves its clock by a whole second after about
    a hundred actions at one instant, and skips what is due now when asked to advance to now.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seconds: Seconds = 0.0
        self._due: list[tuple[Seconds, int, Callable[[], Any]]] = []
        self._ids = count()
        self._gone = set[int]()

    @property
    def seconds(self) -> Seconds:
        return self._seconds

    def at(self, seconds: Seconds, action: Callable[[], Any]) -> abc.DisposableBase:
        id = next(self._ids)
        heapq.heappush(self._due, (max(seconds, self._seconds), id, action))
        return Disposable(lambda: self._gone.add(id))

    @property
    def due(self) -> int:
        """How many actions still stand on the clock."""
        return sum(id not in self._gone for _, id, _ in self._due)

    def run_until(self, seconds: Seconds) -> None:
        """Do all that is due up to and including that time, and stand there."""
        while self._due and self._due[0][0] <= seconds:
            self._seconds, id, action = heapq.heappop(self._due)
            if id in self._gone:
                self._gone.discard(id)
                continue
            action()
        self._gone.intersection_update(id for _, id, _ in self._due)
        self._seconds = max(self._seconds, seconds)


def inline(clock: VirtualClock, takes: Callable[[Call], Seconds] | None = None) -> Any:
    """An executor that calls the function in place, on virtual time.

    `takes` says how long a call lasts, in virtual seconds; for a generator, each step does. Plain
    functions and generators only.
    """

    def execute(call: Call, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        def begin(observer: abc.ObserverBase[Any]) -> None:
            lasts = takes(call) if takes else 0.0
            calling = _Calling(clock, call, cancel, observer, lasts)
            calling.attempt(calling.begin)

        return Work(begin)

    return execute


class _Calling:
    """One call under way in virtual time."""

    __slots__ = ("call", "cancel", "clock", "lasts", "observer")

    def __init__(
        self,
        clock: VirtualClock,
        call: Call,
        cancel: CancelToken,
        observer: abc.ObserverBase[Any],
        lasts: Seconds,
    ) -> None:
        self.clock, self.call, self.cancel = clock, call, cancel
        self.observer, self.lasts = observer, lasts

    def attempt(self, action: Callable[..., None], *args: object) -> None:
        try:
            action(*args)
        except (Exception, SystemExit) as error:
            self.observer.on_error(error)  # pyright: ignore[reportArgumentType]

    def later(self, action: Callable[..., None], *args: object) -> None:
        self.clock.at(self.clock.seconds + self.lasts, lambda: self.attempt(action, *args))

    def told(self, work: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        token = telling.set(self.observer.on_next)
        try:
            return work(*args, **kwargs)
        finally:
            telling.reset(token)

    def begin(self) -> None:
        call = self.call
        faults = call.prepare()
        if faults:
            self.observer.on_next(faults)
        if call.fn is None or not call.alive or self.cancel.requested:
            self.observer.on_completed()
            return
        value = self.told(call.fn, *call.args, **call.kwargs)
        if isinstance(value, GeneratorType):
            self.step(cast("Steps", value))
        elif self.lasts:
            self.later(self.give, value)
        else:
            self.give(value)

    def give(self, value: object) -> None:
        if not self.cancel.requested:
            self.observer.on_next(self.call.step(value))
        self.observer.on_completed()

    def step(self, values: Steps) -> None:
        if self.cancel.requested:
            values.close()
            self.observer.on_completed()
            return
        try:
            value = self.told(next, values)
        except StopIteration:
            self.observer.on_completed()
        else:
            self.later(self.show, values, value)

    def show(self, values: Steps, value: object) -> None:
        if not self.cancel.requested:
            try:
                self.observer.on_next(self.call.step(value, more=True))
            except Exception:
                values.close()
                raise
        self.step(values)
