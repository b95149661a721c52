"""Run async functions as tasks on the loop.

A cancelled one is allowed to finish, like a plain function (rule C2); with `interrupt=True` it gets
CancelledError at its next await (rule C3).
"""

from __future__ import annotations

import asyncio
from typing import Any

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.program import Execute
from .pool import Pool
from .task import as_task
from .tqdm_bars import follow


def coroutine_executor(pool: Pool) -> Execute:
    """An executor for `async def` functions that return."""

    async def body(call: Call, cancel: CancelToken, give: Any) -> None:
        assert call.fn is not None
        task = asyncio.current_task()
        if task and call.listener.interrupt:
            cancel.on_request(task.cancel)
        follow(call.args, call.kwargs)
        value = await call.fn(*call.args, **call.kwargs)
        if not cancel.requested:
            give(await pool.convert(call, lambda: call.step(value)))

    return as_task(pool, body)
