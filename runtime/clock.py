"""The asyncio loop's time as our clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reactivex import abc

from ..flow.clock import Clock
from ..flow.units import Seconds


class LoopClock(Clock):
    """Seconds of `loop.time()`: the same clock that `asyncio.sleep` sleeps by.

    Own, because reactivex's asyncio schedulers take `now` from the wall clock, so that periodic
    work drifts when the loop's time is not the wall's. Call it from the loop's thread only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop

    @property
    def seconds(self) -> Seconds:
        return self.loop.time()

    def at(self, seconds: Seconds, action: Callable[[], object]) -> abc.DisposableBase:
        if seconds <= self.loop.time():
            handle: asyncio.Handle = self.loop.call_soon(action)
        else:
            handle = self.loop.call_at(seconds, action)
        return Due(handle)


class Due(abc.DisposableBase):
    """What will happen unless it is disposed of. Rx's own makes a lock for it, which is dear."""

    __slots__ = ("_handle",)

    def __init__(self, handle: asyncio.Handle) -> None:
        self._handle = handle

    def dispose(self) -> None:
        self._handle.cancel()
