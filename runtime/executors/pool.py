"""The threads that functions and conversions run in, and the way back to the loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ...flow.injected import Tell, telling

T = TypeVar("T")

MAX_THREADS = 40
"""As many as the peers allow; a thread that waits costs little."""
AHEAD = 64
"""Steps that a generator elsewhere may be ahead of the loop; then it waits (policy: block)."""


class Pool:
    """Threads of one app, and its loop. A thread starts when it is first needed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_threads: int = MAX_THREADS) -> None:
        self.loop = loop
        self.posted: Callable[[], None] | None = None
        """Called when the loop was given something to do: by `post` in its thread, by `begin`."""
        self._closing = list[Callable[[], None]]()
        self._tasks = set[asyncio.Task[None]]()
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="ossicle")

    def submit(self, work: Callable[[], None], tell: Tell) -> None:
        """Run `work` in a thread, with `tell` as the way to reach the people who asked."""
        context = contextvars.copy_context()
        context.run(telling.set, tell)
        self._threads.submit(context.run, work)

    def post(self, action: Callable[..., None], *args: object) -> None:
        """Have the loop do something soon; from any thread."""
        try:
            self.loop.call_soon_threadsafe(action, *args)
        except RuntimeError:
            if not self.loop.is_closed():
                raise  # a closed loop is an app that has ended; nobody is left to tell
        if self.posted:
            self.posted()

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and wait for it without holding up the loop."""
        return await self.loop.run_in_executor(self._threads, work)

    def ahead(self, work: Callable[[], object]) -> None:
        """Do in a thread what will be needed soon, and nobody waits for. What fails of it fails
        again where it is needed, and is told there; an app that ends leaves it out."""
        self._threads.submit(work)

    async def convert(self, quick: bool, work: Callable[[], T]) -> T:
        """Run a conversion of values: here if it is quick, else in a thread."""
        return work() if quick else await self.run(work)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a task on the loop, at once: it does not wait for sound to gather."""
        self.keep(self.loop.create_task(work))
        if self.posted:
            self.posted()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a running task; asyncio itself would let it be collected."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def on_close(self, action: Callable[[], None]) -> None:
        """Call `action` when the app ends."""
        self._closing.append(action)

    def close(self) -> None:
        """Let running functions finish on their own; start none that waits."""
        for action in self._closing:
            action()
        self._threads.shutdown(wait=False, cancel_futures=True)
