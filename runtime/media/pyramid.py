"""Waveforms of any part at any zoom: minimum, maximum and RMS of buckets, in several sizes.

Made in one pass without knowing the length: a bucket has 256 frames until there are too many, then
neighbours are joined. So a pyramid takes about 2 MB at most, for a second of sound or for 12 hours.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from ...flow.samples import Int16
from .peaks import packed, rows_of

FINEST = 256  # frames in a bucket of a short sound
MOST = 1 << 18  # buckets of the finest level, all channels together
_FACTOR = 4  # buckets that are one in the next level
_TOP = 1024  # buckets of the coarsest level at least, where there are as many


class PyramidScan:
    """Collects blocks in order, of any length; another thread may look at what is there so far."""

    def __init__(self, channels: int, *, size: int = FINEST, most: int = MOST) -> None:
        self._size = size
        self._most = max(2, most // channels // 2 * 2)  # even: they are joined in pairs
        self._rest: Int16 = np.empty((channels, 0), np.int16)
        self._parts: list[Int16] = [np.empty((channels, 0, 3), np.int16)]
        self._count = 0
        # Around what `snapshot` looks at, not around the work: the one who feeds waits for nobody.
        self._lock = threading.Lock()

    def feed(self, block: Int16) -> None:
        """The next (frames,) or (frames, channels) samples."""
        rows = rows_of(block)
        if self._rest.shape[1]:
            rows = np.concatenate((self._rest, rows), axis=1)
        count = rows.shape[1] // self._size
        # An even number of buckets at any time: a pair that is joined must be complete.
        count -= (self._count + count) % 2
        if count > 0:
            whole = count * self._size
            made = _reduced(rows[:, :whole], self._size)
            with self._lock:
                self._parts.append(made)
                self._count += count
            # A copy: a view would keep the whole block.
            rows = rows[:, whole:].copy()
        self._rest = rows
        while self._count >= self._most and self._count % 2 == 0:
            pairs = joined(np.concatenate(self._parts, axis=1), 2)
            with self._lock:
                self._parts = [pairs]
                self._count //= 2
                self._size *= 2

    def snapshot(self) -> Pyramid | None:
        """What was collected so far, in whole buckets; None before there is one. From any thread.

        It covers `buckets * size` frames from the beginning, and stays as it is.
        """
        with self._lock:
            parts, size, count = list(self._parts), self._size, self._count
        return Pyramid(np.concatenate(parts, axis=1), size) if count else None

    def result(self) -> Pyramid:
        """What was collected, once at the end; at least one frame must have come."""
        rest, size = self._rest, self._size
        parts = list(self._parts)
        for at in range(0, rest.shape[1], size):
            end = min(at + size, rest.shape[1])
            parts.append(_reduced(rest[:, at:end], end - at))
        return Pyramid(np.concatenate(parts, axis=1), size)


class Pyramid:
    """The levels: (channels, buckets, 3) each, minimum, maximum and RMS, finest first."""

    def __init__(self, finest: Int16, size: int) -> None:
        self.size = size
        """Frames in a bucket of the finest level; the last one may have fewer."""
        self.levels = [finest]
        while self.levels[-1].shape[1] >= _TOP * _FACTOR:
            self.levels.append(joined(self.levels[-1], _FACTOR))

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return sum(level.nbytes for level in self.levels)

    def columns(self, start: int, end: int, width: int) -> Int16:
        """(channels, width, 3) for `width` equal parts of frames start..end.

        A part takes in every bucket that it touches: up to a bucket more on either side, and of
        buckets that is at most half a part, unless a part is less than two of the finest.
        """
        per = (end - start) // width
        level, size = self.levels[0], self.size
        for coarser in self.levels[1:]:
            if size * _FACTOR * 2 > per:
                break
            level, size = coarser, size * _FACTOR
        edges = start + np.arange(width + 1, dtype=np.int64) * (end - start) // width
        first = edges[:-1] // size
        last = np.maximum(-(-edges[1:] // size), first + 1)
        base = int(first[0])
        part = level[:, base : int(last[-1])]
        # reduceat wants pairs from..to, each inside: one bucket more gives the last `to` a place.
        part = np.concatenate((part, part[:, -1:]), axis=1)
        pairs = np.stack((first - base, last - base), axis=1).ravel()
        low = np.minimum.reduceat(part[..., 0], pairs, axis=1)[:, ::2]
        high = np.maximum.reduceat(part[..., 1], pairs, axis=1)[:, ::2]
        squares = np.square(part[..., 2], dtype=np.float64)
        power = np.add.reduceat(squares, pairs, axis=1)[:, ::2] / (last - first)
        return packed(low, high, power)


def _reduced(rows: Int16, size: int) -> Int16:
    """(channels, n, 3) of n * size frames."""
    buckets = rows.reshape(rows.shape[0], -1, size)
    # float32 is enough: its error in a sum of some thousand squares is far below one step.
    exact: NDArray[np.float32] = buckets.astype(np.float32)
    power = np.einsum("cks,cks->ck", exact, exact) / np.float32(size)
    return packed(buckets.min(axis=2), buckets.max(axis=2), power)


def joined(level: Int16, factor: int) -> Int16:
    """One bucket of every `factor`; missing ones at the end count as the last one does."""
    channels, count, _ = level.shape
    missing = -count % factor
    if missing:
        level = np.concatenate((level, np.repeat(level[:, -1:], missing, axis=1)), axis=1)
    groups = level.reshape(channels, -1, factor, 3)
    squares = np.square(groups[..., 2], dtype=np.float32)
    return packed(groups[..., 0].min(axis=2), groups[..., 1].max(axis=2), squares.mean(axis=2))
