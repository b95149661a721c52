"""Which executor runs a function: by what kind of function it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from ...flow.calls import Call
from ...flow.program import Execute
from .async_generator import async_generator_executor
from .coroutine import coroutine_executor
from .in_process import InProcess
from .nothing import nothing
from .pool import Pool
from .thread import thread_executor


def by_kind(pool: Pool, plain_executor: Execute | None = None) -> Execute:
    """Coroutines and async generators run on the loop, everything else in the pool's threads.

    What is marked with `in_process` runs in processes. plain_executor: runs
    all that is not async instead.
    """
    coroutine = coroutine_executor(pool)
    async_generator = async_generator_executor(pool)
    thread = plain_executor or thread_executor(pool)
    # By where its function stands: a part that is made anew marks the same one again each time.
    processes = dict[tuple[str, str], Execute]()
    known = dict[int, Execute]()  # by listener: looking at a function takes longer than calling it

    def pick(fn: object) -> Execute:
        if fn is None:
            return nothing
        if isinstance(fn, InProcess) and plain_executor is None:
            from .process import process_executor  # loads multiprocessing, which few apps use

            return process_executor(pool, cast("InProcess[..., Any]", fn))
        fn = cast("Callable[..., Any]", fn)
        # an instance with __call__ is what its __call__ is
        plain = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004
        inner = getattr(fn, "func", plain)  # functools.partial
        if any(map(inspect.isasyncgenfunction, (fn, plain, inner))):
            return async_generator
        if any(map(inspect.iscoroutinefunction, (fn, plain, inner))):
            return coroutine
        return thread

    def pick_once(fn: object) -> Execute:
        """Processes are kept for the next call, so their executor must be the same one."""
        if not isinstance(fn, InProcess):
            return pick(fn)
        address = cast("InProcess[..., Any]", fn).address
        kept = processes.get(address)
        if kept is None:
            kept = processes[address] = pick(cast("object", fn))
        return kept

    def execute(call: Call, cancel: Any) -> Any:
        id = call.listener.id
        executor = known.get(id)
        if executor is None:
            if call.listener.part:  # its id is only its session's
                return pick_once(call.fn)(call, cancel)
            executor = known[id] = pick_once(call.fn)
        return executor(call, cancel)

    return execute
