"""Measures how late the loop is while sound comes in, and rests when none does."""

from __future__ import annotations

import asyncio

from ...flow.units import Seconds
from .metrics import Lag

EVERY: Seconds = 0.1


class Watch:
    """A timer that looks how late it is called. An idle server has none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lag: Lag) -> None:
        self._loop, self._lag = loop, lag
        self._timer: asyncio.TimerHandle | None = None
        self._sounded = False

    def sounds(self) -> None:
        """There is live sound."""
        self._sounded = True
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY, self._look)

    @property
    def ticking(self) -> bool:
        return self._timer is not None

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._timer
        self._lag.add(max(0.0, self._loop.time() - self._timer.when()))
        self._timer = None
        if self._sounded:
            self._sounded = False
            self._timer = self._loop.call_later(EVERY, self._look)
