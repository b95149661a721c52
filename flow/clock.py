"""Time as an argument: an Rx scheduler that also tells and takes seconds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reactivex import abc, typing
from reactivex.scheduler.periodicscheduler import PeriodicScheduler

from .units import Seconds

State = TypeVar("State")
EPOCH = datetime.fromtimestamp(0, UTC)


class Clock(PeriodicScheduler):
    """Seconds from some origin, never backwards. Always passed in, never a default.

    `flow.testing.VirtualClock` and `runtime.clock.LoopClock` implement it; both must give the same
    timed outcomes (tests/conformance). "Scheduler" is our own word for what decides what runs, so
    an Rx scheduler is called a clock here.
    """

    @property
    @abstractmethod
    def seconds(self) -> Seconds:
        """Now."""

    @abstractmethod
    def at(self, seconds: Seconds, action: Callable[[], object]) -> abc.DisposableBase:
        """Call `action` at that time; when it has passed, after what is due already."""

    # -- the same for Rx operators -----------------------------------------------------------

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def schedule(
        self, action: abc.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        return self._later(self.seconds, action, state)

    def schedule_relative(
        self,
        duetime: typing.RelativeTime,
        action: abc.ScheduledAction[State],
        state: State | None = None,
    ) -> abc.DisposableBase:
        return self._later(self.seconds + self.to_seconds(duetime), action, state)

    def schedule_absolute(
        self,
        duetime: typing.AbsoluteTime,
        action: abc.ScheduledAction[State],
        state: State | None = None,
    ) -> abc.DisposableBase:
        return self._later(self.to_seconds(duetime), action, state)

    def _later(
        self, seconds: Seconds, action: abc.ScheduledAction[State], state: State | None
    ) -> abc.DisposableBase:
        return self.at(seconds, lambda: self.invoke_action(action, state))
