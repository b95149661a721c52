"""Frames of sound that came in one read, put together: a loop that is behind works on them at once.

Most of what a frame costs is the same for 20 ms and for 100, so the further a server is behind, the
less a second of sound costs it, and it catches up by itself, without leaving anything out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, END, FLUSH, START
from ...flow.units import Seconds
from .frame import Frame
from .incoming import LATE, Incoming

LONGEST: Seconds = 0.1
"""Of sound that is put together: what waits longer than this would be late for it."""
_BEGINS = START | DISCONTINUITY | FLUSH


class Joining:
    """Frames that go on where the one before them ended. stream: that they came in."""

    __slots__ = ("stream", "given", "behind", "frame", "_parts", "_end", "_most")

    def __init__(self, stream: Incoming, frame: Frame) -> None:
        self.stream, self.frame = stream, frame
        self.given = frame.index, frame.time, stream.age
        """As in `Incoming`: of the first of them."""
        self.behind = stream.behind
        self._parts: list[NDArray[Any]] = [frame.samples]
        self._end = frame.index + len(frame.samples)
        self._most = round(LONGEST * frame.rate) - len(frame.samples)

    @property
    def open(self) -> bool:
        """More may come."""
        return self._most > 0 and not self.frame.flags & END

    def add(self, frame: Frame) -> bool:
        """Put one more behind them; False, and nothing is done, where a block of its own is due.

        That is also where sound begins to be, or is no more, so late that it is left out: some of
        a block cannot be.
        """
        first, stream = self.frame, self.stream
        count = len(frame.samples)
        if (
            frame.index != self._end
            or frame.flags & _BEGINS
            or count > self._most
            or frame.samples.dtype != first.samples.dtype
            or stream.behind != self.behind
            or (self.behind and frame.flags & END)  # which is not left out
            or (stream.age > LATE) != (self.given[2] > LATE)
        ):
            return False
        self._parts.append(frame.samples)
        self._end += count
        self._most -= count
        first.flags |= frame.flags
        return True

    def joined(self) -> Frame:
        """All of them as one."""
        if len(self._parts) > 1:
            self.frame.samples = np.concatenate(self._parts)
        return self.frame
