"""Run plain functions in place, on virtual time: no threads, the same order each time."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Generator, Iterator
from types import GeneratorType
from typing import Any, TypeVar

from reactivex import Observable, abc

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.clock import Clock
from ...flow.injected import telling
from ...flow.notices import Notice, Report
from ...flow.program import Execute
from ...flow.scheduler import Step
from ...flow.units import Seconds
from ...flow.work import Work
from ..executors.pool import Pool
from ..executors.tqdm_bars import follow

T = TypeVar("T")
Steps = Generator[Any, Any, Any]
END = object()

Lasting = Callable[[Call], Iterator[Seconds]]
"""How long a call takes: one number for a function, one for each step of a generator."""


class InPlace(Pool):
    """A pool without threads: conversions run where they are asked for."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()


def in_place(clock: Clock, lasting: Lasting) -> Execute:
    """An executor for functions that are not async, with the outcomes that a thread would have.

    A function's body runs when its job starts; what it returns comes when its time is over. It sees
    no running loop, as in a thread, so that `asyncio.run` works in it.
    """

    def execute(call: Call, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        def begin(observer: abc.ObserverBase[Any]) -> None:
            run = _Run(call, cancel, clock, observer, lasting)
            # Not at once: the other listeners of the event are asked before any function runs.
            clock.at(clock.seconds, run.begin)

        return Work(begin)

    return execute


class _Run:
    """One call under way."""

    __slots__ = ("_call", "_cancel", "_clock", "_context", "_observer", "_times")

    def __init__(
        self,
        call: Call,
        cancel: CancelToken,
        clock: Clock,
        observer: abc.ObserverBase[Any],
        lasting: Lasting,
    ) -> None:
        self._call, self._cancel, self._clock, self._observer = call, cancel, clock, observer
        self._context = contextvars.copy_context()
        self._context.run(telling.set, observer.on_next)
        self._times = itertools.chain(lasting(call), itertools.repeat(0.0))

    def begin(self) -> None:
        try:
            self._begin()
        except (Exception, SystemExit) as error:
            self._observer.on_error(error)  # pyright: ignore[reportArgumentType]

    def _guarded(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        except (Exception, SystemExit) as error:
            self._observer.on_error(error)  # pyright: ignore[reportArgumentType]

    def _users(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run what the user wrote."""
        running = asyncio._get_running_loop()  # pyright: ignore
        asyncio._set_running_loop(None)  # pyright: ignore
        try:
            return self._context.run(work, *args, **kwargs)
        finally:
            asyncio._set_running_loop(running)  # pyright: ignore

    def _later(self, lasts: Seconds, work: Callable[..., None], *args: object) -> None:
        at = self._clock.seconds + lasts
        self._clock.at(at, lambda: self._guarded(work, *args))

    def _begin(self) -> None:
        call = self._call
        faults = self._users(call.prepare)
        if faults:
            self._observer.on_next(faults)
        if call.fn is None or not call.alive or self._cancel.requested:
            self._observer.on_completed()
            return
        if call.listener.signature.tracks:
            self._context.run(follow, call.args, call.kwargs)
        try:
            value = self._users(call.fn, *call.args, **call.kwargs)
        except (Exception, SystemExit) as error:
            self._fall(error)
            return
        if isinstance(value, GeneratorType):
            self._advance(value)  # pyright: ignore[reportUnknownArgumentType]
        elif lasts := next(self._times):
            self._later(lasts, self._show, value)
        else:
            self._show(value)

    def _fall(self, error: Any) -> None:
        """A function takes its time whether it returns or raises."""
        if lasts := next(self._times):
            self._later(lasts, self._observer.on_error, error)
        else:
            self._observer.on_error(error)  # a SystemExit is one, too

    def _show(self, value: object) -> None:
        if not self._cancel.requested:
            self._observer.on_next(self._users(self._call.step, value))
        self._observer.on_completed()

    def _advance(self, values: Steps) -> None:
        try:
            value = self._users(next, values, END)
        except (Exception, SystemExit) as error:
            self._fall(error)
            return
        if value is END:
            self._observer.on_completed()
        else:
            self._later(next(self._times), self._hand, values, value)

    def _hand(self, values: Steps, value: object) -> None:
        if not self._cancel.requested:
            try:
                step = self._users(self._call.step, value, more=True)
            except Exception:
                self._users(values.close)
                raise
            self._observer.on_next(step)
        if self._cancel.requested:
            self._users(values.close)
            self._observer.on_completed()
        else:
            self._advance(values)
