"""Samples of any block size as windows of one size: what framing and analysis share."""

from __future__ import annotations

import numpy as np

from ..blocks import Samples
from ..units import Frames


class Gather:
    """Collects frames until windows of `size`, one every `hop` frames, are complete."""

    __slots__ = ("size", "hop", "_parts", "_have", "_skip")

    def __init__(self, size: Frames, hop: Frames) -> None:
        self.size = size
        self.hop = hop
        self._parts: list[Samples] = []
        self._have = 0
        self._skip = 0  # frames between windows, where hop > size

    def push(self, samples: Samples) -> tuple[Samples, int]:
        """Take frames; returns an array and how many complete windows begin in it.

        They begin at 0, hop, 2 hop and so on. The array may be the one that came.
        """
        if self._skip:
            gone = min(self._skip, len(samples))
            self._skip -= gone
            samples = samples[gone:]
        if len(samples):
            # Parts, joined only when a window is full: joining each time is quadratic.
            self._parts.append(samples)
            self._have += len(samples)
        if self._have < self.size:
            return samples, 0
        data = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        count = (self._have - self.size) // self.hop + 1
        used = count * self.hop
        self._skip = max(0, used - self._have)
        rest = data[used:]
        self._parts = [rest] if len(rest) else []
        self._have = len(rest)
        return data, count

    def rest(self) -> Samples | None:
        """The frames from the next window's begin on; None where it would hold no new frame."""
        if not self._have:
            return None
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
