"""Ticks at every multiple of a period, on the clock, without drift and without piling up."""

from __future__ import annotations

import math
from collections.abc import Callable

from reactivex.abc import DisposableBase

from .clock import Clock
from .units import Seconds

SLACK: Seconds = 1e-6
"""Rx clocks round to microseconds: a tick that comes so much early is on time."""


class Ticker:
    """Calls `fire` at begin + n * period for n = 1, 2, … (rule M1).

    If the clock was late, the ticks it missed are left out, not made up for (rule M2).
    """

    def __init__(
        self,
        clock: Clock,
        period: Seconds,
        fire: Callable[[], None],
        begin: Seconds | None = None,
    ) -> None:
        """begin: now, or when it was; what would have been before now is left out."""
        self._clock, self._period, self._fire = clock, period, fire
        self._begin = clock.seconds if begin is None else begin
        self._next: DisposableBase | None = None
        self._alive = True
        self._arm_next()

    def _arm_next(self) -> None:
        passed = (self._clock.seconds - self._begin + SLACK) / self._period
        n = math.floor(passed) + 1
        self._next = self._clock.at(self._begin + n * self._period, self._tick)

    def _tick(self) -> None:
        if not self._alive:
            return
        self._arm_next()
        self._fire()

    def pause(self) -> None:
        """Nothing is due until `resume`; the multiples stay where they are."""
        if self._next:
            self._next.dispose()
            self._next = None

    def resume(self) -> None:
        """Go on at the next multiple."""
        if self._alive and not self._next:
            self._arm_next()

    def dispose(self) -> None:
        self._alive = False
        self.pause()
