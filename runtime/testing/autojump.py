"""An asyncio loop whose time jumps: what would be waited for is skipped, nothing else differs."""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from ...flow.errors import OssicleError
from ...flow.units import Seconds

PATIENCE: Seconds = 30.0
"""Real seconds that a thread may work while time stands; beyond them somebody waits in a circle."""
MOST_AT_ONCE = 1_000_000
"""Rounds of the loop at one instant; an honest app of a thousand sessions needs a few hundred."""


class StuckError(OssicleError, RuntimeError):
    """Time cannot go on: everybody waits for something that will not come, or nobody ever waits."""


class _Selector(selectors.DefaultSelector):
    """Leaves the waiting to the loop."""

    loop: AutojumpLoop

    def select(self, timeout: float | None = None) -> Any:
        return self.loop.wait(super().select, len(self.get_map()), timeout)


class AutojumpLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0.0 and moves only when every task waits: then it jumps to the next timer.

    So `await asyncio.sleep(3600)` takes no time, and what happens happens in the same order each
    time. (Model: trio's autojump clock.)

    While threads work that came in by `run_in_executor` or `hold`, time stands and the loop really
    waits for them: a thread's work takes no virtual time. Sockets and pipes are asked at every jump
    but not waited for, unless `threshold` real seconds are given. `patience`: real seconds after
    which waiting for a thread raises StuckError.
    """

    def __init__(self, *, threshold: Seconds = 0.0, patience: Seconds = PATIENCE) -> None:
        selector = _Selector()
        selector.loop = self
        self._now: Seconds = 0.0
        self._due: list[Seconds] = []
        self._limit: Seconds | None = None
        self._working = 0
        self._rounds = 0
        self._threshold = threshold
        self._patience = patience
        self._own = 1_000
        super().__init__(selector)
        self._own = len(selector.get_map())  # the pipe that wakes the loop from other threads

    def time(self) -> Seconds:
        return self._now

    def call_at(
        self,
        when: Seconds,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        # The base class passes on differences only; a jump lands on the very number that was asked.
        heapq.heappush(self._due, when)
        return super().call_at(when, callback, *args, context=context)

    # -- moving on from outside ----------------------------------------------------------------

    def run_until(self, seconds: Seconds) -> None:
        """Do all that is due up to and including that time, and stand there.

        math.inf: until no timer is left. Raises RuntimeError from inside the loop.
        """
        self._limit = max(seconds, self._now)
        try:
            self.run_forever()
        finally:
            self._limit = None

    def settle(self) -> None:
        """Do all that is ready now; no time passes."""
        self.run_until(self._now)

    # -- threads -------------------------------------------------------------------------------

    def hold(self) -> Callable[[], None]:
        """Time stands until the returned function is called, from any thread."""
        self._working += 1

        def release() -> None:
            self._working -= 1

        def from_anywhere() -> None:
            try:
                self.call_soon_threadsafe(release)
            except RuntimeError:
                if not self.is_closed():
                    raise  # a closed loop has no time that could stand

        return from_anywhere

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        self._working += 1
        future = super().run_in_executor(executor, func, *args)

        def done(_: object) -> None:
            self._working -= 1

        future.add_done_callback(done)
        return future

    # -- the heart -----------------------------------------------------------------------------

    def wait(
        self, poll: Callable[[float | None], Any], registered: int, timeout: float | None
    ) -> Any:
        """What the selector does instead of waiting. `timeout` None: there is no timer."""
        external = registered > self._own
        if timeout is not None and timeout <= 0:  # something is ready
            self._rounds += 1
            if self._rounds > MOST_AT_ONCE:
                self._rounds = 0
                raise StuckError(
                    f"no time passes at {self._now:g} s: something goes on without ever waiting,"
                    " like a generator without an end. Await asyncio.sleep() in it, or let it take"
                    " virtual time (lab.takes)."
                )
            return poll(0) if external or self._working else ()
        events = poll(self._threshold if external else 0)
        if events:
            return events
        if self._working:
            return self._for_threads(poll)
        if timeout is None:
            self._due.clear()
            if self._limit is not None:
                return self._stand(self._limit)
            return poll(None) if external else self._for_strangers(poll)
        due = self._next(self._now + timeout)
        if self._limit is not None and due > self._limit:
            return self._stand(self._limit)
        self._rounds = 0
        self._now = due
        return ()

    def _next(self, about: Seconds) -> Seconds:
        """The time that was asked for by the timer that is due `about` then."""
        while self._due and self._due[0] < about - 1e-9:
            heapq.heappop(self._due)  # cancelled, or done
        if self._due and self._due[0] <= about + 1e-9:
            return self._due[0]
        return about

    def _stand(self, limit: Seconds) -> Any:
        if limit < math.inf:
            self._now = max(self._now, limit)
        self._rounds = 0
        self.stop()
        return ()

    def _for_threads(self, poll: Callable[[float | None], Any]) -> Any:
        events = poll(self._patience)
        if not events:
            raise StuckError(
                f"time stands at {self._now:g} s because a thread has been working for"
                f" {self._patience:g} real seconds; it may wait for something that is due later."
            )
        return events

    def _for_strangers(self, poll: Callable[[float | None], Any]) -> Any:
        """Nothing is due; only a thread that nobody announced could still wake us."""
        events = poll(self._patience) if threading.active_count() > 1 else ()
        if not events:
            raise StuckError(
                f"nothing will ever happen after {self._now:g} s: every task waits, and no timer,"
                " thread or socket is left to wake one."
            )
        return events
