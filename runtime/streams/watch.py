"""Measures how late the loop is and how much sound comes, and rests when none does."""

from __future__ import annotations

import asyncio

from ...flow.units import Seconds
from .gathering import Gathering
from .metrics import Lag

EVERY: Seconds = 0.1


class Watch:
    """A timer that looks how late it is called. An idle server has none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lag: Lag) -> None:
        self.gathering = Gathering(loop, lag)
        self._loop, self._lag = loop, lag
        self._timer: asyncio.TimerHandle | None = None
        self._looked: Seconds = 0.0  # when the timer did, and how many frames there had been
        self._frames = 0

    def sounds(self) -> None:
        """A frame of live sound came."""
        self.gathering.frames += 1
        if self._timer is None:
            self._looked = self._loop.time()
            self._timer = self._loop.call_later(EVERY, self._look)

    @property
    def ticking(self) -> bool:
        return self._timer is not None

    def close(self) -> None:
        self.gathering.on = False
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._timer
        now = self._loop.time()
        self._lag.add(max(0.0, now - self._timer.when()))
        self._timer = None
        came = self.gathering.frames - self._frames
        self.gathering.pace(came / max(EVERY / 2, now - self._looked))
        self._frames, self._looked = self.gathering.frames, now
        if came:
            self._timer = self._loop.call_later(EVERY, self._look)
