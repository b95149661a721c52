"""Waveforms of an exact width: minimum, maximum and RMS of equal parts, from 16-bit blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...flow.samples import Int16, Samples, to_int16

MAX_WIDTH = 8192  # twice the pixels of a 4K screen: more cannot be seen
VALUES = 3  # of each part: minimum, maximum, RMS


class PeakScan:
    """Collects blocks in order and keeps minimum, maximum and RMS of `width` equal parts.

    Part i covers frames i*frames//width up to (i+1)*frames//width; a width beyond the frame
    count is lowered to it, so no part is empty.
    """

    def __init__(self, frames: int, channels: int, width: int) -> None:
        self.frames = frames
        self.width = max(1, min(width, frames, MAX_WIDTH))
        # Whole numbers beyond 2**63 are no concern: frames < 2**46, width < 2**13.
        self._edges: NDArray[np.int64] = (
            np.arange(self.width + 1, dtype=np.int64) * frames // self.width
        )
        self._low = np.full((channels, self.width), 32767, np.int16)
        self._high = np.full((channels, self.width), -32768, np.int16)
        self._power = np.zeros((channels, self.width))
        self.at = 0

    def feed(self, block: Int16) -> None:
        """The next (frames,) or (frames, channels) samples; frames beyond the length are left."""
        length = min(block.shape[0], self.frames - self.at)
        if length <= 0:
            return
        rows = rows_of(block[:length])
        edges = self._edges
        ends = np.array([self.at + 1, self.at + length])
        first, last = (int(i) for i in np.searchsorted(edges, ends, side="left"))
        first -= 1
        starts = np.maximum(edges[first:last] - self.at, 0)
        part = slice(first, last)
        low, high = self._low[:, part], self._high[:, part]
        np.minimum(low, np.minimum.reduceat(rows, starts, axis=1), out=low)
        np.maximum(high, np.maximum.reduceat(rows, starts, axis=1), out=high)
        squares = np.square(rows, dtype=np.float64)
        self._power[:, part] += np.add.reduceat(squares, starts, axis=1)
        self.at += length

    def result(self) -> Int16:
        """(channels, width, 3): minimum, maximum and RMS of each part."""
        return packed(self._low, self._high, self._power / np.diff(self._edges))


def peaks_of(blocks: Iterable[Samples], frames: int, channels: int, width: int) -> Int16:
    """(channels, width, 3) minimum, maximum and RMS of each of `width` parts of the sound."""
    scan = PeakScan(frames, channels, width)
    for block in blocks:
        scan.feed(to_int16(block))
    return scan.result()


def rows_of(block: Int16) -> Int16:
    """(channels, frames), contiguous: reducing strided columns is 20 times slower."""
    return np.ascontiguousarray(block.T).reshape(-1, block.shape[0])


def packed(low: Int16, high: Int16, power: NDArray[np.floating]) -> Int16:
    """(channels, n, 3) of minimum, maximum and mean square, which becomes RMS."""
    out: Int16 = np.empty((*low.shape, VALUES), np.int16)
    out[..., 0] = low
    out[..., 1] = high
    # -32768 throughout has an RMS that int16 cannot say.
    out[..., 2] = np.minimum(np.rint(np.sqrt(power)), 32767)
    return out
