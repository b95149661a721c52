"""A recording that arrives while it is made: order kept, losses named."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, int16
from ...flow.tape import Tape
from ...flow.units import Seconds
from .frame import Frame, FrameError
from .metrics import SourceMetrics

DRIFT = 0.001
"""How much faster than ours the front end's clock may run: a sound's age is known by the least
delay that was ever seen, which therefore must be forgotten slowly."""
LONG: Seconds = 1.0
"""Sound that is late for longer than it takes to work off a stall has a longer way now."""
LATE: Seconds = 0.2
"""Seconds from which on sound that came late is told as such."""


class Incoming:
    """One recording of one node. Feed it frames in any order that a socket may bring them."""

    def __init__(
        self,
        rate: int,
        channels: int,
        tape: Tape | None = None,
        metrics: SourceMetrics | None = None,
        now: Callable[[], Seconds] = time.monotonic,
    ) -> None:
        """tape: keeps the take. now: a clock that never runs back, for the age of what comes."""
        self.rate = rate
        self.channels = channels
        self.counters = metrics or SourceMetrics(rate=rate, channels=channels)
        self.tape = tape or Tape(rate, channels)
        """All that came; what was lost is silence in it."""
        self.next = 0
        """The index that comes next."""
        self.age: Seconds = 0.0
        """How much later than the quickest the newest frame came: what it waited on its way."""
        self._now = now
        self._captured = (0, 0.0)  # a frame's index and when it was captured, in ms
        self._quickest: tuple[Seconds, Seconds] | None = None  # least delay, and when it was
        self._late_since: Seconds | None = None

    def push(self, frame: Frame) -> tuple[Frame, int] | None:
        """The part of a frame that is new, and how many sample frames were lost before it.

        None if all of it came before. Raises FrameError if rate or channels change on the way.
        """
        samples = frame.samples
        if frame.rate != self.rate or samples.shape[1] != self.channels:
            raise FrameError(
                f"{frame.rate} Hz with {samples.shape[1]} channels came in a recording of"
                f" {self.rate} Hz with {self.channels}; stop it and start a new one."
            )
        count = len(samples)
        counters = self.counters
        counters.pieces += 1
        lost = frame.index - self.next
        if lost:
            if lost < 0:
                if frame.index + count <= self.next and count:
                    counters.repeated += count
                    return None
                if not count:
                    return frame, 0  # an empty frame may still carry END
                counters.repeated -= lost
                frame.samples = samples = samples[-lost:]
                frame.index, count, lost = self.next, len(samples), 0
            elif lost > self.rate * 3600:
                raise FrameError(f"sample {frame.index} came where {self.next} was next.")
            else:
                counters.lost += lost
                counters.discontinuities += 1
                frame.flags |= DISCONTINUITY
        counters.received += count
        self._captured = frame.index, frame.time
        self.next = frame.index + count
        self.age = self._waited(frame.time / 1000)
        if lost:
            self.tape.silence(lost)
        self.tape.append(to_int16(samples))
        counters.untaken = self.tape.untaken
        return frame, lost

    def captured(self, second: Seconds) -> float:
        """When a place of the recording was captured, in ms of the front end's clock."""
        index, time = self._captured
        return time + 1000 * (second - index / self.rate)

    def _waited(self, captured: Seconds) -> Seconds:
        """Two clocks that are not the same: only differences of the delay mean anything."""
        if not captured:
            return 0.0  # a front end that does not say it
        now = self._now()
        delay = now - captured
        if self._quickest is not None:
            least, at = self._quickest
            waited = delay - least - (now - at) * DRIFT
            if waited <= LATE:
                self._late_since = None
                if waited > 0:
                    return waited
            else:
                self.counters.late += 1
                if self._late_since is None:
                    self._late_since = now
                if now - self._late_since < LONG:
                    return waited
        self._quickest = delay, now
        return 0.0


def to_int16(samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int16]:
    """At 16 bit: int16 as it is, float rounded to the nearest step and clipped at full scale."""
    if samples.dtype.kind == "i":
        return samples.astype(np.int16, copy=False)
    return int16(samples.astype(np.float32, copy=False))
