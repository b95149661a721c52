"""Run async generators as tasks on the loop, one step after the other.

A cancelled one is closed when its current step is done, and closing is awaited (rule C2); with
`interrupt=True` the step itself gets CancelledError (rule C3).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.program import Execute
from .pool import Pool
from .task import as_task


def async_generator_executor(pool: Pool) -> Execute:
    """An executor for `async def` functions that yield."""

    async def body(call: Call, cancel: CancelToken, give: Any) -> None:
        assert call.fn is not None
        values: AsyncGenerator[Any, None] = call.fn(*call.args, **call.kwargs)
        try:
            async for value in values:
                if cancel.requested:
                    return
                quick = call.yields_quickly(value)
                step, rest = await pool.convert(quick, lambda value=value: call.yielded(value))
                while step is not None:
                    give(step)
                    await asyncio.sleep(0)  # one that never waits must not hold up the loop
                    if cancel.requested:
                        return
                    step = rest and await pool.run(lambda rest=rest: next(rest, None))
        finally:
            await values.aclose()

    return as_task(pool, body)
