"""Run async functions as tasks on the loop."""

from __future__ import annotations

from typing import Any

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.program import Execute
from .pool import Pool
from .task import as_task


def coroutine_executor(pool: Pool) -> Execute:
    """An executor for `async def` functions that return."""

    async def body(call: Call, cancel: CancelToken, give: Any) -> None:
        assert call.fn is not None
        value = await call.fn(*call.args, **call.kwargs)
        if not cancel.requested:
            quick = call.steps_quickly(value)
            give(await pool.convert(quick, lambda: call.step(value)))

    return as_task(pool, body)
