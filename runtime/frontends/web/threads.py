"""Blocking work of the web front end, in threads of its own, always awaited to its end.

Its own threads, because those of the loop's default pool may all be busy with the app's functions,
and a page that cannot even load its waveform looks dead. To the end, because a thread cannot be
stopped: a handler that was cancelled must not free what its thread still uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST = 8  # disk and decoders, not many cores; a slow client holds none


class Threads:
    """A small pool; `close` at the end of the server."""

    def __init__(self, most: int = MOST) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="ossicle-web")

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call(...)` in a thread; if the waiter is cancelled, it still waits, then goes."""
        future = asyncio.wrap_future(self._pool.submit(call, *args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # seen: else asyncio complains that nobody looked
            raise

    def close(self) -> None:
        """Take no more work; what runs is short."""
        self._pool.shutdown(wait=False, cancel_futures=True)
