"""The outline of a whole long sound from a thousandth of it, long before all of it is decoded.

It seeks to places all over the file and looks at a tenth of a second at each. What lies between is
not seen, so that a true outline is never lower; a seek may also miss by a little. Only to be shown
while the true one is made.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ...flow.samples import Int16, to_int16
from .peaks import VALUES, PeakScan
from .soundfiles import SoundFile, reading, refusing

WORTH = 1 << 24  # frames, some six minutes; shorter sounds are decoded in half a second
CELLS = 1024
_LOOKED = 4608  # frames at each place: four of an mp3
_RUN_UP = 1152  # frames before it: a decoder that was just sent there needs some
_STEPS = ((1, 4), (3, 4), (0, 2))
"""First cell and step of each round: a quarter of the cells, another one, the rest."""


class Survey:
    """One file, which is complete. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable for what libsndfile does not open."""
        self._files = ExitStack()
        self._file: SoundFile = self._files.enter_context(reading(path))
        self.frames, self.channels = self._file.frames, self._file.channels
        self._cells: Int16 = np.zeros((self.channels, CELLS, VALUES), np.int16)
        self._round = 0

    @property
    def width(self) -> int:
        """Columns that are known, of equal length over the whole; 0 before the first look."""
        return CELLS >> (len(_STEPS) - self._round) if self._round else 0

    def look(self) -> None:
        """One more round. Raises Unreadable where the file turns out to be none."""
        if self._round == len(_STEPS) or self.frames < WORTH:
            return
        first, step = _STEPS[self._round]
        with refusing():
            for cell in range(first, CELLS, step):
                self._see(cell)
        self._round += 1

    def _see(self, cell: int) -> None:
        # In the middle of its cell, so that a seek that misses still lands in it.
        at = int((cell + 0.5) * self.frames / CELLS) - _LOOKED // 2
        self._file.seek(at - _RUN_UP)
        self._file.read(_RUN_UP, dtype="float32")
        found = to_int16(self._file.read(_LOOKED, dtype="float32"))
        if found.shape[0]:
            scan = PeakScan(found.shape[0], self.channels, 1)
            scan.feed(found)
            self._cells[:, cell] = scan.result()[:, 0]

    def columns(self) -> Int16:
        """(channels, width, 3) minimum, maximum and RMS of what was seen of each part."""
        seen = self._cells
        while seen.shape[1] > self.width:  # two cells are one, and of two one was seen
            left, right = seen[:, ::2], seen[:, 1::2]
            seen = np.where(left.astype(np.int32) ** 2 >= right.astype(np.int32) ** 2, left, right)
        return seen

    def close(self) -> None:
        """Let go of the file."""
        self._files.close()
