"""Run plain functions in place, on virtual time: no threads, the same order each time."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Generator, Iterator
from types import GeneratorType
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.clock import Clock
from ...flow.injected import telling
from ...flow.notices import Notice, Report
from ...flow.program import Execute
from ...flow.scheduler import Step
from ...flow.units import Seconds
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
        def subscribe(
            observer: abc.ObserverBase[Any], _: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            context = contextvars.copy_context()
            context.run(telling.set, observer.on_next)
            times = itertools.chain(lasting(call), itertools.repeat(0.0))

            def users(work: Callable[[], T]) -> T:
                running = asyncio._get_running_loop()  # pyright: ignore
                asyncio._set_running_loop(None)  # pyright: ignore
                try:
                    return context.run(work)
                finally:
                    asyncio._set_running_loop(running)  # pyright: ignore

            def later(lasts: Seconds, work: Callable[[], None]) -> None:
                clock.at(clock.seconds + lasts, lambda: guarded(work))

            def guarded(work: Callable[[], None]) -> None:
                try:
                    work()
                except (Exception, SystemExit) as error:
                    observer.on_error(error)  # pyright: ignore[reportArgumentType]

            def begin() -> None:
                faults = users(call.prepare)
                if faults:
                    observer.on_next(faults)
                fn = call.fn
                if fn is None or not call.alive or cancel.requested:
                    observer.on_completed()
                    return
                context.run(follow, call.args, call.kwargs)
                try:
                    value = users(lambda: fn(*call.args, **call.kwargs))
                except (Exception, SystemExit) as error:
                    fall(error)
                    return
                if isinstance(value, GeneratorType):
                    advance(value)  # pyright: ignore[reportUnknownArgumentType]
                else:
                    lasts = next(times)
                    if lasts:
                        later(lasts, lambda: show(value))
                    else:
                        show(value)

            def fall(error: Any) -> None:
                """A function takes its time whether it returns or raises."""
                lasts = next(times)
                tell: Callable[[Any], None] = observer.on_error  # a SystemExit is one, too
                if lasts:
                    later(lasts, lambda: tell(error))
                else:
                    tell(error)

            def show(value: object) -> None:
                if not cancel.requested:
                    observer.on_next(users(lambda: call.step(value)))
                observer.on_completed()

            def advance(values: Steps) -> None:
                try:
                    value = users(lambda: next(values, END))
                except (Exception, SystemExit) as error:
                    fall(error)
                    return
                if value is END:
                    observer.on_completed()
                else:
                    later(next(times), lambda: hand(values, value))

            def hand(values: Steps, value: object) -> None:
                if not cancel.requested:
                    try:
                        step = users(lambda: call.step(value, more=True))
                    except Exception:
                        users(values.close)
                        raise
                    observer.on_next(step)
                if cancel.requested:
                    users(values.close)
                    observer.on_completed()
                else:
                    advance(values)

            # Not at once: the other listeners of the event are asked before any function runs.
            clock.at(clock.seconds, lambda: guarded(begin))
            return Disposable()

        return Observable(subscribe)

    return execute
