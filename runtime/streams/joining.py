"""Frames of sound that came in one read, put together: a loop that is behind works on them at once.

Most of what a frame costs is the same for 20 ms and for 100, so the further a server is behind, the
less a second of sound costs it, and it catches up by itself, without leaving anything out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import DISCONTINUITY, END, FLUSH, START, Block
from ...flow.units import Frames, Seconds
from .incoming import LATE, Given, Incoming

LONGEST: Seconds = 0.1
"""Of sound that is put together: what waits longer than this would be late for it."""
_BEGINS = START | DISCONTINUITY | FLUSH


class Joining:
    """Frames that go on where the one before them ended.

    stream: that they came in. given: as in `Incoming`, of the first of them. samples: int16 or
    float32, (frames, channels).
    """

    __slots__ = ("stream", "given", "_behind", "_flags", "_parts", "_end", "_most")

    def __init__(self, stream: Incoming, given: Given, flags: int, samples: NDArray[Any]) -> None:
        self.stream, self.given = stream, given
        self._behind, self._flags = stream.behind, flags
        self._parts: list[NDArray[Any]] = [samples]
        count = samples.shape[0]
        self._end: Frames = given[0] + count
        self._most: Frames = round(LONGEST * stream.rate) - count

    @property
    def open(self) -> bool:
        """More may come."""
        return self._most > 0 and not self._flags & END

    def add(self, index: Frames, flags: int, samples: NDArray[Any]) -> bool:
        """Put one more behind them; False, and nothing is done, where a block of its own is due.

        That is also where sound begins to be, or is no more, so late that it is left out: some of
        a block cannot be.
        """
        stream, count = self.stream, samples.shape[0]
        if (
            index != self._end
            or flags & _BEGINS
            or count > self._most
            or samples.dtype != self._parts[0].dtype
            or stream.behind != self._behind
            or (self._behind and flags & END)  # which is not left out
            or (stream.age > LATE) != (self.given[2] > LATE)
        ):
            return False
        self._parts.append(samples)
        self._end += count
        self._most -= count
        self._flags |= flags
        return True

    def block(self) -> Block:
        """All of them as one."""
        parts = self._parts
        samples = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return self.stream.block(self.given[0], self._flags, samples, self._behind)
