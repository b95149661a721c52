"""Time that stands still until it is moved: of tests, and of what runs with a take."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from reactivex import abc
from reactivex.disposable import Disposable

from .clock import Clock
from .units import Seconds


class VirtualClock(Clock):
    """Seconds from 0.0. Only `run_until` moves it; what is due at one instant runs in order.

    Own, because reactivex 6.1's VirtualTimeScheduler moves its clock by a whole second after about
    a hundred actions at one instant, and skips what is due now when asked to advance to now.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seconds: Seconds = 0.0
        self._due: list[tuple[Seconds, int, Callable[[], Any]]] = []
        self._ids = count()
        self._gone = set[int]()

    @property
    def seconds(self) -> Seconds:
        return self._seconds

    def at(self, seconds: Seconds, action: Callable[[], Any]) -> abc.DisposableBase:
        id = next(self._ids)
        heapq.heappush(self._due, (max(seconds, self._seconds), id, action))
        return Disposable(lambda: self._gone.add(id))

    @property
    def due(self) -> int:
        """How many actions still stand on the clock."""
        return sum(id not in self._gone for _, id, _ in self._due)

    def run_until(self, seconds: Seconds) -> None:
        """Do all that is due up to and including that time, and stand there.

        Raises ValueError for a time that is over.
        """
        if not seconds >= self._seconds:
            raise ValueError(
                f"run_until({seconds!r}): it is {self._seconds:g} s; time goes forward."
            )
        while self._due and self._due[0][0] <= seconds:
            self._seconds, id, action = heapq.heappop(self._due)
            if id in self._gone:
                self._gone.discard(id)
                continue
            action()
        self._gone.intersection_update(id for _, id, _ in self._due)
        self._seconds = max(self._seconds, seconds)
