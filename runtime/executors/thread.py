"""Run plain functions and generators in a thread of the pool.

A function that runs cannot be stopped: it finishes, and holds its slot until then (rule Q3). A
generator is closed at its current step, in the thread that ran it, so its `finally` runs once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any, cast

from reactivex import Observable, abc

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.notices import Notice, Report
from ...flow.program import Execute
from ...flow.scheduler import Step
from ...flow.work import Work
from .pool import AHEAD, Pool
from .tqdm_bars import follow


def thread_executor(pool: Pool) -> Execute:
    """An executor for functions that are not async. Results come on the loop's thread."""

    def execute(call: Call, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        def begin(observer: abc.ObserverBase[Any]) -> None:
            ahead = threading.Semaphore(AHEAD)
            cancel.on_request(lambda: ahead.release(AHEAD))  # nobody is left to wait for

            def tell(what: Notice | Report) -> None:
                pool.post(observer.on_next, what)

            def show(step: Step) -> None:
                observer.on_next(step)
                ahead.release()

            def give(value: object) -> None:
                if cancel.requested:
                    return
                for step in call.steps(value):
                    ahead.acquire()
                    if cancel.requested:
                        return
                    pool.post(show, step)

            def end(last: Step | None) -> None:
                """A result and the end behind it, with one wake-up of the loop."""
                if last is not None:
                    observer.on_next(last)
                observer.on_completed()

            def work() -> None:
                last: Step | None = None
                try:
                    faults = call.prepare()
                    if faults:
                        pool.post(observer.on_next, faults)
                    if call.fn is not None and call.alive and not cancel.requested:
                        follow(call.args, call.kwargs)
                        value: Any = call.fn(*call.args, **call.kwargs)
                        if isinstance(value, GeneratorType):
                            _iterate(cast("Generator[Any, Any, Any]", value), give, cancel)
                        elif not cancel.requested:
                            last = call.step(value)
                except BaseException as error:
                    pool.post(observer.on_error, error)
                else:
                    pool.post(end, last)

            pool.submit(work, tell)

        return Work(begin)

    return execute


def _iterate(
    values: Generator[Any, Any, Any], give: Callable[[object], None], cancel: CancelToken
) -> None:
    try:
        for value in values:
            if cancel.requested:
                return
            give(value)
            if cancel.requested:
                return
    finally:
        values.close()
