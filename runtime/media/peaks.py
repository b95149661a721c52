"""Waveforms as min/max pairs, made from 16-bit blocks so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...flow.audio import Clip, Int16, Samples, to_int16

MAX_WIDTH = 8192  # twice the pixels of a 4K screen: more cannot be seen


class PeakScan:
    """Collects blocks in order and keeps min and max of `width` equal parts of the sound.

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
        self.at = 0

    def feed(self, block: Int16) -> None:
        """The next (frames,) or (frames, channels) samples; frames beyond the length are left."""
        length = min(block.shape[0], self.frames - self.at)
        if length <= 0:
            return
        # Rows must be contiguous: reducing strided columns is 20 times slower.
        rows = np.ascontiguousarray(block[:length].T).reshape(-1, length)
        edges = self._edges
        ends = np.array([self.at + 1, self.at + length])
        first, last = (int(i) for i in np.searchsorted(edges, ends, side="left"))
        first -= 1
        starts = np.maximum(edges[first:last] - self.at, 0)
        part = slice(first, last)
        low, high = self._low[:, part], self._high[:, part]
        np.minimum(low, np.minimum.reduceat(rows, starts, axis=1), out=low)
        np.maximum(high, np.maximum.reduceat(rows, starts, axis=1), out=high)
        self.at += length

    def result(self) -> NDArray[np.int16]:
        """(channels, width, 2): minimum and maximum of each part."""
        return np.stack((self._low, self._high), axis=2)


def peaks_of(
    blocks: Iterable[Samples], frames: int, channels: int, width: int
) -> NDArray[np.int16]:
    """(channels, width, 2) minimum and maximum of each of `width` parts of the sound."""
    scan = PeakScan(frames, channels, width)
    for block in blocks:
        scan.feed(to_int16(block))
    return scan.result()


def clip_peaks(clip: Clip, width: int) -> NDArray[np.int16]:
    """The waveform of a whole clip; see `peaks_of`."""
    return peaks_of(clip.blocks(), clip.frames, clip.channels, width)
