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
        def work(observer: abc.ObserverBase[Any]) -> None:
            lasts = takes(call) if takes else 0.0

            def attempt(action: Callable[[], None]) -> None:
                try:
                    action()
                except Exception as error:
                    observer.on_error(error)

            def later(action: Callable[[], None]) -> None:
                clock.at(clock.seconds + lasts, lambda: attempt(action))

            def told(work: Callable[[], Any]) -> Any:
                token = telling.set(observer.on_next)
                try:
                    return work()
                finally:
                    telling.reset(token)

            def begin() -> None:
                faults = call.prepare()
                if faults:
                    observer.on_next(faults)
                if call.fn is None or not call.alive or cancel.requested:
                    observer.on_completed()
                    return
                fn = call.fn
                value = told(lambda: fn(*call.args, **call.kwargs))
                if isinstance(value, GeneratorType):
                    step(cast("Generator[Any, Any, Any]", value))
                elif lasts:
                    later(lambda: give(value))
                else:
                    give(value)

            def give(value: object) -> None:
                if not cancel.requested:
                    observer.on_next(call.step(value))
                observer.on_completed()

            def step(values: Generator[Any, Any, Any]) -> None:
                if cancel.requested:
                    values.close()
                    observer.on_completed()
                    return
                try:
                    value = told(lambda: next(values))
                except StopIteration:
                    observer.on_completed()
                else:
                    later(lambda: show(values, value))

            def show(values: Generator[Any, Any, Any], value: object) -> None:
                if not cancel.requested:
                    try:
                        observer.on_next(call.step(value, more=True))
                    except Exception:
                        values.close()
                        raise
                step(values)

            attempt(begin)

        return Work(work)

    return execute
