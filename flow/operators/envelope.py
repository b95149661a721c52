"""Levels that rise at once and fall at an even pace: what all dynamics are made of.

Levels are whole numbers of `STEP` dB. Whole numbers add up exactly in any order, so that the
result does not depend on how sound is cut into blocks; and a running maximum of a falling line is
one pass of numpy, where the textbook's recursion would be a Python loop over samples.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..units import Decibels, Frames

PER_DECIBEL = 2**32
"""Steps in a dB: 200 dB and ten years at 48 kHz stay within 64 bit."""
LOWEST: Decibels = -200.0

Levels: TypeAlias = NDArray[np.int64]


def peaks(samples: Samples) -> NDArray[np.float64]:
    """The loudest channel's |sample| of each frame, (frames,)."""
    size = np.abs(samples)
    return (size[:, 0] if size.shape[1] == 1 else size.max(axis=1)).astype(np.float64)


def decibels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of amplitudes, at least LOWEST."""
    return 20.0 * np.log10(np.maximum(values, 1e-10))


def steps(levels: NDArray[np.float64]) -> Levels:
    """dB as whole steps, rounded up: a limiter must never take too little."""
    return np.ceil(levels * PER_DECIBEL).astype(np.int64)


class Falling:
    """max(level now, what was before less the fall of one frame)."""

    __slots__ = ("_fall", "_held", "_frames")

    def __init__(self, decibels_a_second: float, rate: int, start: Decibels) -> None:
        self._fall = max(1, round(decibels_a_second / rate * PER_DECIBEL))
        self._held = np.int64(round(start * PER_DECIBEL))

    def __call__(self, levels: Levels) -> Levels:
        if not len(levels):
            return levels
        line = np.arange(1, len(levels) + 1, dtype=np.int64) * self._fall
        out = levels + line
        out[0] = max(out[0], self._held)
        np.maximum.accumulate(out, out=out)
        out -= line
        self._held = out[-1]
        return out


def running_max(levels: Levels, size: Frames) -> Levels:
    """The maximum of each `size` consecutive levels: (n,) → (n - size + 1,)."""
    # Doubling: log2(size) passes instead of size.
    out, have = levels, 1
    while have < size:
        step = min(have, size - have)
        out = np.maximum(out[:-step], out[step:])
        have += step
    return out
