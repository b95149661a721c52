"""Virtual time for tests: a clock that only moves when told, and an executor that runs in place."""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any, cast

from reactivex import Observable, abc

from .calls import Call
from .cancel import CancelToken
from .injected import telling
from .notices import Notice, Report
from .scheduler import Step
from .units import Seconds
from .virtual_clock import VirtualClock as VirtualClock
from .work import Work

Steps = Generator[Any, Any, Any]


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
