"""Sound on its way to a listener: sent a little ahead of what was heard, and never more.

TCP would hide over forty seconds of sound before it pushed back; so the front end acknowledges
what it has played, and no more than `AHEAD` seconds are under way. What was not sent yet is not
lost: the whole sound stays here, because at its end it becomes the component's value.

Live sound is another thing: what waits is lateness. Beyond `LATE` seconds the oldest is dropped
and counted, nothing is kept that was sent, and a front end that comes back hears what is new.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...flow.units import Seconds
from .frame import Flag, Frame

AHEAD = 0.6
"""Seconds that may be sent and not yet heard: a player's target and some stalls of the machine."""
LATE = 0.2
"""Seconds of live sound that may wait to be sent; its newest piece may always."""
PIECE = 0.1
"""Seconds of one frame at most, so that a flush never waits behind a long one."""

SendBytes = Callable[[bytes], None]


@dataclass(slots=True)
class Counters:
    """What happened to one stream on its way out. Frames are sample frames."""

    sent: int = 0
    heard: int = 0
    underruns: int = 0
    flushed: int = 0
    dropped: int = 0


class Outgoing:
    """One stream of one node to one front end.

    node: whose sound it is. epoch: of this stream; a front end drops frames of an older one.
    """

    def __init__(self, node: int, epoch: int, rate: int, channels: int, live: bool = False) -> None:
        self.node, self.epoch, self.rate, self.channels = node, epoch, rate, channels
        self.live = live
        self.counters = Counters()
        self.ended = False
        self.flushed = False
        self.total = 0
        """Sample frames given so far."""
        self._pieces = list[tuple[NDArray[np.int16], float | None]]()
        self._at = 0  # the piece that is sent next
        self._offset = 0  # frames of it that were sent
        self._said_start = self._said_end = False
        self._sent = deque[tuple[int, int]]()  # first and last index of what is under way

    def push(self, samples: NDArray[np.int16], captured: float | None = None) -> None:
        """More sound, (frames, channels).

        captured: when the front end captured the sound that it was made of, in ms of its clock.
        """
        if not len(samples):
            return
        self._pieces.append((samples, captured))
        self.total += len(samples)
        if self.live:
            self._drop(max(LATE, len(samples) / self.rate))

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
        while self._sent and self._sent[0][1] <= self.counters.heard:
            self._sent.popleft()

    @property
    def finished(self) -> bool:
        """The listener has heard the end."""
        return self.ended and not self.flushed and self.counters.heard >= self.total

    def rewind(self) -> None:
        """A front end that lost its line plays on from what it has heard; live, from now."""
        self._said_end = False
        self._sent.clear()
        if self.live:
            self.counters.heard = self.counters.sent  # what was under way is void
            return
        self.counters.sent = self.counters.heard
        self._at = self._offset = 0
        left = self.counters.heard
        for piece, _ in self._pieces:
            if left < len(piece):
                break
            left -= len(piece)
            self._at += 1
        self._offset = left

    def due(self) -> Iterator[bytes]:
        """The frames that may be sent now."""
        if self.flushed:
            return
        most = round(PIECE * self.rate)
        while self._at < len(self._pieces):
            if self._under_way() >= AHEAD * self.rate:
                return
            piece, captured = self._pieces[self._at]
            stamp = _stamp(captured, self._offset / self.rate)
            part = piece[self._offset : self._offset + most]
            self._advance(len(part))
            last = self.ended and self._at == len(self._pieces)
            self._said_end |= last
            yield self._frame(part, Flag.END if last else Flag(0), stamp)
        if self.ended and not self._said_end:
            self._said_end = True
            yield self._frame(np.zeros((0, self.channels), np.int16), Flag.END, 0)

    def _under_way(self) -> int:
        """Frames that were sent and not heard yet; what was dropped between them is not."""
        heard = self.counters.heard
        return sum(end - max(start, heard) for start, end in self._sent)

    def _advance(self, frames: int) -> None:
        self._offset += frames
        if self._offset == len(self._pieces[self._at][0]):
            self._offset = 0
            if self.live:
                del self._pieces[0]
            else:
                self._at += 1

    def _drop(self, most: Seconds) -> None:
        """Leave out the oldest of what was not sent; the index of what follows tells of it."""
        extra = self.total - self.counters.sent - round(most * self.rate)
        while extra > 0:
            part = min(extra, len(self._pieces[0][0]) - self._offset)
            self._advance(part)
            self.counters.sent += part
            self.counters.dropped += part
            extra -= part

    def _frame(self, samples: NDArray[np.int16], flags: Flag, stamp: int) -> bytes:
        if not self._said_start:
            self._said_start = True
            flags |= Flag.START
        frame = Frame(self.node, flags, stamp, self.rate, self.counters.sent, self.epoch, samples)
        start = self.counters.sent
        self.counters.sent += len(samples)
        if len(samples):
            self._sent.append((start, self.counters.sent))
        return frame.pack()


def _stamp(captured: float | None, later: Seconds) -> int:
    """A time of capture as it travels: tenths of a millisecond, never 0, which is not known."""
    return 0 if captured is None else round(10 * captured + 10_000 * later) % (1 << 32) or 1
