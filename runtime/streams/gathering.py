"""Lets sound gather before the loop takes it, where there is much: as a network card does with its
interrupts.

With a hundred microphones a loop wakes thousands of times a second, each time for one frame, and to
fall asleep and wake again costs more than the frame. So from `OFTEN` frames a second the loop is
held between two looks at its sockets, for `PAUSE` or a little longer where still more come, and
finds several frames at each. Sound is later by so much at most; nothing is lost, threads go on
meanwhile, and what a function in one of them gives ends the pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

from ...flow.units import Seconds
from .metrics import Lag

OFTEN = 2000
"""Frames a second from which on they gather: those of forty microphones."""
PAUSE: Seconds = 0.001
MANY = 5000
"""Frames a second up to which that is it; beyond, it grows with them, `LONGEST` at most."""
LONGEST: Seconds = 0.003
ENOUGH = 16
"""Frames since the last pause, for each `PAUSE` of it, after which there is none: the loop has no
time to lose."""


class Gathering:
    """Holds a loop between its looks at the sockets while it is `on`.

    Only what every event loop has is used, so it works on asyncio's, on uvloop's, and on a loop of
    the app's own.

    lag: counts the pauses. hold: keeps this thread for so many seconds, or until `woken` is set.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        lag: Lag,
        hold: Callable[[Seconds], object] | None = None,
    ) -> None:
        self.woken = Event()
        """Set by whoever has given the loop something to do from another thread."""
        self.on = False
        self.frames = 0
        """So many were taken so far: who takes one adds it."""
        self._loop, self._lag, self._hold = loop, lag, hold or self.woken.wait
        self._seen = 0  # of these, at the last look
        self._scheduled = False
        self._pauses = 1.0  # `PAUSE`, so many times

    def pace(self, rate: float) -> None:
        """So many frames come in a second."""
        self.on = rate >= OFTEN
        self._pauses = min(max(1.0, rate / MANY), LONGEST / PAUSE)
        if self.on and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._pause)

    def _pause(self) -> None:
        if not self.on:
            self._scheduled = False
            return
        if self.frames - self._seen < ENOUGH * self._pauses:
            self._lag.pauses += 1
            self._hold(PAUSE * self._pauses)
        self._seen = self.frames
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        """What is called now came before the sockets that this turn found ready: these are next,
        and the pause is behind them. What was given from elsewhere until now, too."""
        self.woken.clear()
        self._loop.call_soon(self._pause)
