"""Sound on its way to a listener: sent a little ahead of what was heard, and never more.

TCP would hide over forty seconds of sound before it pushed back; so the front end acknowledges
what it has played, and no more than `AHEAD` seconds are under way. What was not sent yet is not
lost: the whole sound stays here, because at its end it becomes the component's value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frame import Flag, Frame

AHEAD = 0.6
"""Seconds that may be sent and not yet heard: a player's target and some stalls of the machine."""
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


class Outgoing:
    """One stream of one node to one front end.

    node: whose sound it is. epoch: of this stream; a front end drops frames of an older one.
    """

    def __init__(self, node: int, epoch: int, rate: int, channels: int) -> None:
        self.node, self.epoch, self.rate, self.channels = node, epoch, rate, channels
        self.counters = Counters()
        self.ended = False
        self.flushed = False
        self.total = 0
        """Sample frames given so far."""
        self._pieces = list[NDArray[np.int16]]()
        self._at = 0  # the piece that is sent next
        self._offset = 0  # frames of it that were sent
        self._seq = 0
        self._said_end = False

    def push(self, samples: NDArray[np.int16]) -> None:
        """More sound, (frames, channels)."""
        if len(samples):
            self._pieces.append(samples)
            self.total += len(samples)

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

    @property
    def finished(self) -> bool:
        """The listener has heard the end."""
        return self.ended and not self.flushed and self.counters.heard >= self.total

    def rewind(self) -> None:
        """A front end that lost its line plays on from what it has heard."""
        self.counters.sent = self.counters.heard
        self._said_end = False
        self._at = self._offset = 0
        left = self.counters.heard
        for piece in self._pieces:
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
            if self.counters.sent - self.counters.heard >= AHEAD * self.rate:
                return
            piece = self._pieces[self._at]
            part = piece[self._offset : self._offset + most]
            self._offset += len(part)
            if self._offset == len(piece):
                self._at, self._offset = self._at + 1, 0
            last = self.ended and self._at == len(self._pieces)
            self._said_end |= last
            yield self._frame(part, Flag.END if last else Flag(0))
        if self.ended and not self._said_end:
            self._said_end = True
            yield self._frame(np.zeros((0, self.channels), np.int16), Flag.END)

    def _frame(self, samples: NDArray[np.int16], flags: Flag) -> bytes:
        if self.counters.sent == 0:
            flags |= Flag.START
        frame = Frame(
            self.node, flags, self._seq, self.rate, self.counters.sent, self.epoch, samples
        )
        self._seq += 1
        self.counters.sent += len(samples)
        return frame.pack()
