"""What the executors on the loop share: a task that prepares, runs and tells how it ended.

A cancelled one is allowed to finish, like a plain function (rule C2); with `interrupt=True` it gets
CancelledError at its next await (rule C3).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from reactivex import Observable, abc

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.injected import telling
from ...flow.notices import Notice, Report
from ...flow.program import Execute
from ...flow.scheduler import Step
from ...flow.work import Work
from .pool import Pool
from .tqdm_bars import follow

Body = Callable[[Call, CancelToken, Callable[[Step], None]], Awaitable[None]]


def as_task(pool: Pool, body: Body) -> Execute:
    """An executor that runs `body` for each call; it ends when the task has really ended."""

    def execute(call: Call, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        def begin(observer: abc.ObserverBase[Any]) -> None:
            here = threading.get_ident()

            def tell(what: Notice | Report) -> None:
                if threading.get_ident() == here:  # at once, or it would come after the end
                    observer.on_next(what)
                else:
                    pool.post(observer.on_next, what)

            async def work() -> None:
                telling.set(tell)
                try:
                    faults = await pool.convert(call.prepares_quickly, call.prepare)
                    if faults:
                        observer.on_next(faults)
                    if call.alive and not cancel.requested:
                        task = asyncio.current_task()
                        if task and call.listener.interrupt:
                            cancel.on_request(task.cancel)
                        follow(call.args, call.kwargs)
                        await body(call, cancel, observer.on_next)
                except asyncio.CancelledError as error:
                    if not cancel.requested:  # not ours: the loop is going down
                        observer.on_error(error)  # pyright: ignore[reportArgumentType]
                        raise
                    observer.on_completed()
                except (
                    Exception,
                    SystemExit,
                ) as error:  # a function that exits has failed, no more
                    observer.on_error(error)  # pyright: ignore[reportArgumentType]
                else:
                    observer.on_completed()

            pool.begin(work())

        return Work(begin)

    return execute
