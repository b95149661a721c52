"""An asyncio loop whose time jumps: what would be waited for is skipped, nothing else differs."""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any, TypeVar

from ...flow.errors import OssicleError
from ...flow.units import Seconds

T = TypeVar("T")
PATIENCE: Seconds = 30.0
"""Real seconds that a thread may work while time stands; beyond them somebody waits in a circle."""
MOST_AT_ONCE = 1_000_000
"""Rounds of the loop at one instant; an honest app of a thousand sessions needs a few hundred."""

Timer = tuple[Seconds, int, asyncio.TimerHandle]
"""When it is due, its number, and what to run."""


class StuckError(OssicleError, RuntimeError):
    """Time cannot go on: everybody waits for something that will not come, or nobody ever waits."""


class _Selector(selectors.DefaultSelector):
    """Leaves the waiting to the loop."""

    loop: AutojumpLoop
    registered = 0
    """Sockets and pipes that are asked."""

    def register(self, *args: Any, **kwargs: Any) -> selectors.SelectorKey:
        key = super().register(*args, **kwargs)
        self.registered += 1
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self.registered -= 1
        return key

    def select(self, timeout: float | None = None) -> Any:
        return self.loop.wait(super().select, timeout)


class AutojumpLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0.0 and moves only when every task waits: then it jumps to the next timer.

    So `await asyncio.sleep(3600)` takes no time, and what happens happens in the same order each
    time. (Model: trio's autojump clock.)

    While threads work that came in by `run_in_executor` or `hold`, time stands and the loop really
    waits for them: a thread's work takes no virtual time. Sockets and pipes are asked at every jump
    but not waited for, unless `threshold` real seconds are given. `patience`: real seconds after
    which waiting for a thread raises StuckError.
    """

    # Of asyncio's loops, which its stubs leave out; so do they `_run_once`.
    _ready: deque[asyncio.Handle]
    _closed: bool
    _check_closed: Callable[[], None]

    def __init__(self, *, threshold: Seconds = 0.0, patience: Seconds = PATIENCE) -> None:
        selector = _Selector()
        selector.loop = self
        self.now: Seconds = 0.0
        """What `time()` tells; only the loop sets it."""
        self._due: list[Timer] = []
        self._timers = 0
        self._steps = 0
        self._single = False
        self._limit: Seconds | None = None
        self._working = 0
        self._rounds = 0
        self._ready_now = True
        self._free: Seconds = -math.inf
        """Before it nothing is due, as far as was looked."""
        self._threshold = threshold
        self._patience = patience
        self._asked = selector
        self._own = 1_000
        super().__init__(selector)
        self._own = selector.registered  # the pipe that wakes the loop from other threads

    def time(self) -> Seconds:
        return self.now

    def call_at(
        self,
        when: Seconds,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        # Kept here and not by the base class, where timers of one instant run in any order, and
        # where a jump would be a difference, one rounding away from the time that was asked for.
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers += 1
        heapq.heappush(self._due, (when, self._timers, handle))
        if when < self._free:
            self._free = when
        return handle

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        # As the base class does it, at half the price: a request takes three of these.
        self._ready_now, self._free = True, -math.inf
        if self._closed:
            self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._ready_now, self._free = True, -math.inf
        return super().call_soon_threadsafe(callback, *args, context=context)

    # -- moving on from outside ----------------------------------------------------------------

    def run_until(self, seconds: Seconds) -> None:
        """Do all that is due up to and including that time, and stand there.

        math.inf: until no timer is left. Raises RuntimeError from inside the loop.
        """
        self._limit = max(seconds, self.now)
        try:
            self.run_forever()
        finally:
            self._limit, self._free = None, -math.inf

    def settle(self) -> None:
        """Do all that is ready now; no time passes."""
        self.run_until(self.now)

    def step(self, until: Seconds) -> bool:
        """One round of what is ready, or one jump and a round. False: nothing is due by `until`."""
        self._limit, self._single = until, True
        jumped = self._steps
        try:
            self.run_forever()
        finally:
            self._limit, self._single = None, False
        return self._steps > jumped

    def call_first(self, when: Seconds, callback: Callable[..., object], *args: Any) -> None:
        """As `call_at`, but before all other timers of that instant."""
        handle = asyncio.TimerHandle(when, callback, args, self)
        heapq.heappush(self._due, (when, -1, handle))
        self._free = min(self._free, when)

    def hop(self, when: Seconds) -> bool:
        """From inside a callback: move time on to `when` if nothing at all would happen before.

        For what comes at a steady pace, like the blocks of a microphone: a jump through the loop
        costs several times as much. False: nothing was done; use `call_at`.
        """
        if self.now <= when < self._free:
            self.now = when
            return True
        if self._ready_now or self._working or self._single:
            return False
        if self._limit is None or when > self._limit or when < self.now:
            return False
        due = self._next()
        if due <= when:
            return False
        self._free = min(due, self._limit)
        self.now = when
        return True

    def pace(self, due: Iterator[tuple[Seconds, T]], give: Callable[[Iterator[T]], object]) -> None:
        """Give each when it is due; those in a row at once that nothing else happens between.

        give: takes all that it is given. Time moves on as it asks for the next.
        """

        def come(first: T) -> None:
            give(in_a_row(first))

        def in_a_row(first: T) -> Iterator[T]:
            yield first
            for at, following in due:
                if self.now <= at < self._free:  # as `hop` begins; an hour has 180,000 blocks
                    self.now = at
                elif not self.hop(at):
                    self.call_at(at, come, following)
                    return
                yield following

        for at, first in due:
            self.call_at(at, come, first)
            return

    # -- threads -------------------------------------------------------------------------------

    def hold(self) -> Callable[[], None]:
        """Time stands until the returned function is called, from any thread."""
        self._begins_working()

        def release() -> None:
            self._working -= 1

        def from_anywhere() -> None:
            try:
                self.call_soon_threadsafe(release)
            except RuntimeError:
                if not self.is_closed():
                    raise  # a closed loop has no time that could stand

        return from_anywhere

    def _begins_working(self) -> None:
        self._working += 1
        self._free = -math.inf

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """As every loop's; time stands still while a thread works."""
        self._begins_working()
        future = super().run_in_executor(executor, func, *args)

        def done(_: object) -> None:
            self._working -= 1

        future.add_done_callback(done)
        return future

    # -- the heart -----------------------------------------------------------------------------

    def _run_once(self) -> None:
        """A round of what is ready, or else of what is due next. The base class asks the system
        first what came from outside, and that takes longer than most of it; here nothing comes."""
        ready = self._ready
        if self._working or self._asked.registered > self._own:
            super()._run_once()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
            return
        if ready:
            self._round()
        elif (due := self._next()) < math.inf and self._limit is not None and due <= self._limit:
            self._jump(due)
            self._step()
        else:
            super()._run_once()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
            return
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def wait(self, poll: Callable[[float | None], Any], timeout: float | None) -> Any:
        """What the selector does instead of waiting. `timeout` None: there is no timer."""
        external = self._asked.registered > self._own
        if timeout is not None:  # something is ready
            self._round()
            return poll(0) if external or self._working else ()
        events = poll(self._threshold if external else 0)
        if events:
            return events
        if self._working:
            return self._for_threads(poll)
        due = self._next()
        if self._limit is not None and due > self._limit or due == self._limit == math.inf:
            return self._stand()
        if due == math.inf:
            return poll(None) if external else self._for_strangers(poll)
        self._jump(due)
        self._step()
        return ()

    def _round(self) -> None:
        """Count one more round at this instant."""
        self._steps += 1
        if self._single:
            self.stop()
        self._rounds += 1
        if self._rounds > MOST_AT_ONCE:
            self._rounds = 0
            raise StuckError(
                f"no time passes at {self.now:g} s: something goes on without ever waiting,"
                " like a generator without an end. Await asyncio.sleep() in it, or let it take"
                " virtual time (lab.takes)."
            )

    def _step(self) -> None:
        self._steps += 1
        if self._single:
            self.stop()

    def _next(self) -> Seconds:
        """When the next timer is due; math.inf if there is none."""
        while self._due:
            when, _, handle = self._due[0]
            if not handle._cancelled:
                return when
            heapq.heappop(self._due)
        return math.inf

    def _jump(self, due: Seconds) -> None:
        self._rounds = 0
        self.now = max(self.now, due)
        count = 0
        while self._due and self._due[0][0] <= due:
            handle = heapq.heappop(self._due)[2]
            if not handle._cancelled:
                # one that another of this instant cancels by then does not run either
                self._ready.append(handle)
                count += 1
        self._ready_now = count > 1
        self._free = -math.inf

    def _stand(self) -> Any:
        if self._limit is not None and self._limit < math.inf:
            self.now = max(self.now, self._limit)
        self._rounds = 0
        self.stop()
        return ()

    def _for_threads(self, poll: Callable[[float | None], Any]) -> Any:
        events = poll(self._patience)
        if not events:
            raise StuckError(
                f"time stands at {self.now:g} s because a thread has been working for"
                f" {self._patience:g} real seconds; it may wait for something that is due later."
            )
        return events

    def _for_strangers(self, poll: Callable[[float | None], Any]) -> Any:
        """Nothing is due; only a thread that nobody announced could still wake us."""
        # With no other thread left, one may just have ended: what it said last is polled for.
        events = poll(self._patience if threading.active_count() > 1 else 0)
        if not events:
            raise StuckError(
                f"nothing will ever happen after {self.now:g} s: every task waits, and no timer,"
                " thread or socket is left to wake one."
            )
        return events
