"""Sound on its way to a listener: sent a little ahead of what was heard, and never more.

TCP would hide over forty seconds of sound before it pushed back; so the front end acknowledges
what it has played, and no more than `AHEAD` seconds are under way. What was not sent yet is not
lost: the whole sound stays on its tape, because at its end it becomes the component's value.

Live sound is another thing: what waits is lateness. Beyond `LATE` seconds the oldest is dropped
and counted, nothing is kept that was sent, and a front end that comes back hears what is new.
What was made of sound that itself came that late is dropped at once, but for the newest: after a
stall a listener gets the sound of now, not of the stall.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import END, START
from ...flow.tape import Tape
from ...flow.units import Seconds
from .frame import packed
from .metrics import SinkMetrics

AHEAD = 0.6
"""Seconds that may be sent and not yet heard: a player's target and some stalls of the machine."""
LATE = 0.2
"""Seconds of live sound that may wait to be sent, its newest piece always; and that what it was
made of may have been late."""
LONGEST = 12 * 3600.0
"""Seconds that are kept of sound that has no tape of its own."""
PIECE = 0.1
"""Seconds of one frame at most, so that a flush never waits behind a long one."""


class Outgoing:
    """One stream of one node to one front end.

    node: whose sound it is. epoch: of this stream; a front end drops frames of an older one.
    """

    __slots__ = (
        "node", "epoch", "rate", "channels", "live", "counters", "ended", "flushed", "_tape",
        "_keeps", "_pieces", "_offset", "_said_start", "_said_end", "_gaps", "_left",
        "_most_ahead", "_most_piece", "_most_late",
    )  # fmt: skip

    def __init__(
        self,
        node: int,
        epoch: int,
        rate: int,
        channels: int,
        live: bool = False,
        metrics: SinkMetrics | None = None,
        tape: Tape | None = None,
    ) -> None:
        """tape: where sound that is not live can be read; without one it is kept in memory."""
        self.node, self.epoch, self.rate, self.channels = node, epoch, rate, channels
        self.live = live
        self.counters = metrics or SinkMetrics(node, rate, channels, live)
        self.ended = False
        self.flushed = False
        self._tape = tape or Tape(rate, channels, most=LONGEST)
        self._keeps = tape is None and not live
        self._pieces = list[tuple[NDArray[np.int16], float | None]]()
        self._offset = 0  # frames of the first that were sent
        self._said_start = self._said_end = False
        self._gaps = deque[tuple[int, int]]()  # where something was left out, that was not reached
        self._left = 0  # frames of all of these
        self._most_ahead = round(AHEAD * rate)
        self._most_piece = round(PIECE * rate)
        self._most_late = round(LATE * rate)

    @property
    def total(self) -> int:
        """Sample frames given so far."""
        return self.counters.total

    def push(
        self, samples: NDArray[np.int16], captured: float | None = None, age: Seconds = 0.0
    ) -> None:
        """More sound, (frames, channels).

        captured: when the front end captured the sound that it was made of, in ms of its clock.
        age: how long that sound had waited when it came; live only.
        """
        count = len(samples)
        if not count:
            return
        counters = self.counters
        counters.total += count
        if self._keeps:
            self._tape.append(samples)
        if self.live:
            self._pieces.append((samples, captured))
            if age > LATE:
                self._drop(0)
            elif counters.total - counters.sent > self._most_late:
                self._drop(max(self._most_late, count))
        if counters.total - counters.sent > counters.most_waiting:
            counters.most_waiting = counters.total - counters.sent

    def at_once(
        self, samples: NDArray[np.int16], captured: float | None, age: Seconds
    ) -> bytes | None:
        """The frame of one more live piece; None, and nothing is done, where it has to be pushed:
        the first, one that must wait, one that is late, one that is longer than a frame."""
        counters, count = self.counters, len(samples)
        start = counters.total
        if (
            counters.sent != start
            or age > LATE
            or not 0 < count <= self._most_piece
            or not self._said_start
            or self.ended
            or start - counters.heard >= self._most_ahead
        ):
            return None
        counters.total = counters.sent = start + count
        stamp = 0 if captured is None else _stamp(captured, 0.0)
        return packed(self.node, 0, stamp, self.rate, start, self.epoch, samples)

    def end(self) -> None:
        """Nothing more comes."""
        self.ended = True

    def flush(self) -> None:
        """Send nothing more of it: the listener is to hear silence at once."""
        self.flushed = self.ended = True
        self.counters.flushed = self.total - self.counters.heard

    def heard(self, frames: int, underruns: int = 0) -> None:
        """The front end has played so many frames."""
        self.counters.heard = max(self.counters.heard, min(frames, self.counters.sent))
        self.counters.underruns = max(self.counters.underruns, underruns)
        while self._gaps and self._gaps[0][1] <= self.counters.heard:
            start, end = self._gaps.popleft()
            self._left -= end - start

    @property
    def finished(self) -> bool:
        """The listener has heard the end."""
        return self.ended and not self.flushed and self.counters.heard >= self.total

    def rewind(self) -> None:
        """A front end that lost its line plays on from what it has heard; live, from now."""
        self._said_end = False
        self._gaps.clear()
        self._left = 0
        self.counters.resumed += 1
        if self.live:
            self.counters.heard = self.counters.sent  # what was under way is void
            return
        self.counters.sent = self.counters.heard

    def due(self) -> Iterator[bytes]:
        """The frames that may be sent now."""
        if self.flushed:
            return
        counters = self.counters
        if not self.live:  # a full disk takes back what it could not keep
            counters.total = min(counters.total, self._tape.frames)
        while counters.sent < counters.total:
            if self._under_way() >= self._most_ahead:
                return
            samples, stamp = self._taken() if self.live else self._read()
            flags = 0
            if self.ended and counters.sent + len(samples) == counters.total:
                self._said_end, flags = True, END
            yield self._frame(samples, flags, stamp)
        if self.ended and not self._said_end:
            self._said_end = True
            yield self._frame(np.zeros((0, self.channels), np.int16), END, 0)

    def _under_way(self) -> int:
        """Frames that were sent and not heard yet; what was left out between them is not."""
        flying = self.counters.sent - self.counters.heard
        if not self._gaps:
            return flying
        return flying - self._left + max(0, self.counters.heard - self._gaps[0][0])

    def _read(self) -> tuple[NDArray[np.int16], int]:
        """The next samples of what is kept, as many as one frame may have."""
        sent = self.counters.sent
        return self._tape.read(sent, min(self.total, sent + self._most_piece)), 0

    def _taken(self) -> tuple[NDArray[np.int16], int]:
        """The next samples of live sound, which are not kept any more."""
        samples, captured = self._pieces[0]
        stamp, offset = 0, self._offset
        if captured is not None:
            stamp = _stamp(captured, offset / self.rate if offset else 0.0)
        if offset or len(samples) > self._most_piece:
            samples = samples[offset : offset + self._most_piece]
        self._advance(len(samples))
        return samples, stamp

    def _advance(self, frames: int) -> None:
        self._offset += frames
        if self._offset == len(self._pieces[0][0]):
            self._offset = 0
            del self._pieces[0]

    def _drop(self, most: int) -> None:
        """Leave out the oldest of what was not sent; the index of what follows tells of it."""
        counters = self.counters
        extra = counters.total - counters.sent - most
        if extra > 0:
            goes_on = self._gaps and self._gaps[-1][1] == counters.sent
            begin = self._gaps.pop()[0] if goes_on else counters.sent
            self._gaps.append((begin, counters.sent + extra))
            self._left += extra
        while extra > 0:
            part = min(extra, len(self._pieces[0][0]) - self._offset)
            self._advance(part)
            counters.sent += part
            counters.dropped += part
            extra -= part

    def _frame(self, samples: NDArray[np.int16], flags: int, stamp: int) -> bytes:
        if not self._said_start:
            self._said_start = True
            flags |= START
        counters = self.counters
        start = counters.sent
        if len(samples):
            counters.sent = start + len(samples)
        return packed(self.node, flags, stamp, self.rate, start, self.epoch, samples)


def _stamp(captured: float, later: Seconds) -> int:
    """A time of capture as it travels: tenths of a millisecond, never 0, which is not known."""
    return round(10 * captured + 10_000 * later) % (1 << 32) or 1
