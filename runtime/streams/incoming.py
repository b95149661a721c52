"""A recording that arrives while it is made: order kept, losses named."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, END, STALE, Block, float32, from_int16, int16
from ...flow.tape import Tape
from ...flow.units import Frames, Seconds
from .frame import DTYPES, HEADER, INT16, PLACE, PLACE_AT, Frame, FrameError, kind_of
from .metrics import SourceMetrics

_HEAD, _INT16, _FAR = HEADER.size, DTYPES[INT16], sys.float_info.max

Given = tuple[Frames, float, Seconds]
"""Of a block: its index, when that was captured in ms of the front end's clock, and how much later
than the quickest it came."""

DRIFT = 0.001
"""How much faster than ours the front end's clock may run: a sound's age is known by the least
delay that was ever seen, which therefore must be forgotten slowly."""
LONG: Seconds = 1.0
"""Late for longer than it takes to work off a stall: the loop is overloaded, or the way longer."""
LATE: Seconds = 0.2
"""Seconds from which on sound that came late is told as such."""
NOW: Seconds = 0.05
"""Sound no later than this is that of now: down to it is left out what the loop is behind with."""
STILL: Seconds = 0.2
"""To leave sound out costs nothing, so what the loop's load made late is caught up at once: what is
late for so long in spite of it has a longer way."""
PATIENCE: Seconds = LONG
"""Late sound that operators get nevertheless: that of a stall, which so leaves them as they are."""
REGAIN = 1 / 9
"""Seconds of patience that a second gives back, after the first that nothing was late: one stall in
ten seconds. What is always behind has none: what its operators got late would not be heard."""
AWAY: Seconds = 90.0
"""Sound that may be lost at once, beside what the recording has lasted: its first frame may have
waited for a line, and a page that slept says of a minute at most that it did. Of more it could not
know, and the silence in its place would take memory and the loop's time."""
MOST_DEBT: Seconds = 4.0
"""Sound that may wait for operators which lead to functions: what comes later is left out before
them, down to that of now. The page takes its line for dead a little later."""


class Incoming:
    """One recording of one node. Feed it frames in any order that a socket may bring them."""

    __slots__ = (
        "node", "rate", "channels", "kind", "counters", "tape", "next", "age", "behind", "given",
        "overdue", "_now", "_begun", "_debt", "_quickest", "_late_since", "_behind_since",
        "_patience", "_patient",
    )  # fmt: skip

    def __init__(
        self,
        rate: int,
        channels: int,
        tape: Tape | None = None,
        metrics: SourceMetrics | None = None,
        now: Callable[[], Seconds] = time.monotonic,
        node: int = 0,
    ) -> None:
        """tape: keeps the take. now: a clock that never runs back, for the age of what comes."""
        self.rate = rate
        self.channels = channels
        self.node = node
        self.kind = kind_of(node, channels)
        """How frames begin that may only go on."""
        self.counters = metrics or SourceMetrics(rate=rate, channels=channels)
        self.tape = tape or Tape(rate, channels)
        """All that came; what was lost is silence in it."""
        self.next = 0
        """The index that comes next."""
        self.age: Seconds = 0.0
        """How much later than the quickest the newest frame came: what it waited on its way."""
        self.behind = False
        """The newest frame is one of those to leave out where sound is heard as it comes."""
        self.overdue = False
        """What comes is to be left out also before operators that lead to functions."""
        self.given: Given = (0, 0.0, 0.0)
        """Of the newest block that went on."""
        self._now = now
        self._begun = now()
        self._debt: Seconds = 0.0
        self._quickest: tuple[Seconds, Seconds] | None = None  # least delay, and when it was
        self._late_since: Seconds | None = None
        self._behind_since: Seconds = 0.0
        self._patience: Seconds = PATIENCE
        self._patient: Seconds = 0.0  # when that was so

    def push(self, frame: Frame) -> bool:
        """Take a frame, which is cut to what is new of it; False if all of it came before.

        Raises FrameError if rate or channels change on the way.
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
                    return False
                if not count:
                    return True  # an empty frame may still carry END
                counters.repeated -= lost
                frame.samples = samples = samples[-lost:]
                frame.index, count, lost = self.next, len(samples), 0
            elif lost > self.rate * (AWAY + self._now() - self._begun):
                raise FrameError(f"sample {frame.index} came where {self.next} was next.")
            else:
                counters.lost += lost
                counters.discontinuities += 1
                frame.flags |= DISCONTINUITY
        counters.received += count
        self.next = frame.index + count
        self.age = self._waited(frame.time / 1000, count)
        if lost:
            self.tape.silence(lost)
        self.tape.append(to_int16(samples))
        counters.untaken = self.tape.untaken
        return True

    def goes_on(self, data: bytes) -> NDArray[np.int16] | None:
        """The samples of a frame that begins with `kind`, if it is one of nearly all: it is whole
        and goes on where the last one ended, in time. Then `given` is of this frame. Else None, and
        nothing is done: see `push`."""
        rate, index, time = PLACE(data, PLACE_AT)
        count, odd = divmod(len(data) - _HEAD, 2 * self.channels)
        if (
            index != self.next
            or rate != self.rate
            or odd
            or self.behind
            or not (-_FAR < time < _FAR)  # and not when it is not a number
        ):
            return None
        samples: NDArray[np.int16] = np.ndarray((count, self.channels), _INT16, data, _HEAD)
        counters = self.counters
        counters.pieces += 1
        counters.received += count
        self.next = index + count
        self.age = age = self._waited(time / 1000, count)
        self.given = index, time, age
        self.tape.append(samples)
        if self.tape.untaken:
            counters.untaken = self.tape.untaken
        return samples

    def block(self, index: Frames, flags: int, samples: NDArray[Any], behind: bool) -> Block:
        """Sound of it as a block. samples: int16 or float32, (frames, channels). behind: where it
        is heard as it comes it is to be left out."""
        if behind and not flags & END:  # at the end operators give what they hold
            flags |= STALE
        made = from_int16(samples) if samples.dtype.kind == "i" else float32(samples)
        return Block(made, self.rate, index, flags)

    def worked(self, spent: Seconds, lasts: Seconds) -> None:
        """The app worked so long on so much sound: what that took longer than it lasts waits.

        No page's clock has a say in it, so a page that slept or lost its line owes nothing.
        """
        if spent <= lasts and not self._debt:
            return  # nearly always
        self._debt = debt = max(0.0, self._debt + spent - lasts)
        if debt > MOST_DEBT:
            self.overdue = True
        elif debt <= NOW:
            self.overdue = False

    def captured(self, second: Seconds) -> float:
        """When a place of the recording was captured, in ms of the front end's clock."""
        index, time, _ = self.given
        return time + 1000 * (second - index / self.rate)

    def _waited(self, captured: Seconds, count: int) -> Seconds:
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
                if self.behind and (waited <= NOW or now - self._behind_since >= STILL):
                    self.behind = False
                if waited > 0:
                    return waited
            elif not self._longer_way(now, count / self.rate):
                return waited
        self._quickest = delay, now
        self.behind = False
        return 0.0

    def _longer_way(self, now: Seconds, duration: Seconds) -> bool:
        """Look why the newest frame is late: a stall, the loop's own load, or a longer way."""
        self.counters.late += 1
        if self._late_since is None:
            self._late_since = now
        since = now - self._late_since
        calm = max(0.0, now - self._patient - LONG)
        self._patient = now
        if self.behind:
            return since >= LONG
        self._patience = min(PATIENCE, self._patience + REGAIN * calm) - duration
        if self._patience < -1e-9 or since >= LONG - STILL:  # not for what floats lose
            self._patience = 0.0
            self.behind, self._behind_since = True, now
        return False


def to_int16(samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int16]:
    """At 16 bit: int16 as it is, float rounded to the nearest step and clipped at full scale."""
    if samples.dtype.kind == "i":
        return samples.astype(np.int16, copy=False)
    return int16(samples.astype(np.float32, copy=False))
