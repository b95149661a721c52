"""The one door to scipy.signal: loaded when a stretch begins, typed where it enters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .needs import missing

Floats = NDArray[np.float64]
Section = tuple[float, float, float, float, float, float]
"""b0, b1, b2, a0, a1, a2 of one second-order section, a0 = 1."""


def signal(operator: str) -> Any:
    """The module scipy.signal. Raises MissingExtra where scipy is not installed."""
    try:
        import scipy.signal as module
    except ImportError as error:
        raise missing(operator, "scipy", "dsp") from error
    return module


class Sections:
    """Second-order sections in a row whose state is kept, in double precision.

    lfilter for each section rather than sosfilt for all: the same arithmetic (transposed direct
    form II), a third of the overhead a call (10 against 32 µs for 960 frames and one section).
    """

    __slots__ = ("_lfilter", "_parts", "_states")

    def __init__(self, operator: str, sections: Sequence[Section], channels: int) -> None:
        self._lfilter = signal(operator).lfilter
        self._parts: list[tuple[Floats, Floats]] = []
        shape = (2, channels) if channels > 1 else (2,)
        self._states = [np.zeros(shape) for _ in sections]
        self.change(sections)

    def change(self, sections: Sequence[Section]) -> None:
        """Other coefficients for the same state."""
        self._parts = [(np.array(s[:3]), np.array(s[3:])) for s in sections]

    def __call__(self, samples: NDArray[Any]) -> Floats:
        """Filter (frames, channels); returns float64 of the same shape."""
        if not len(samples):
            return samples.astype(np.float64)
        mono = samples.shape[1] == 1
        data = samples[:, 0] if mono else samples
        for n, (b, a) in enumerate(self._parts):
            data, self._states[n] = self._lfilter(b, a, data, axis=0, zi=self._states[n])
        out = cast(Floats, data)
        return out[:, None] if mono else out


class OnePole:
    """y[n] = (1 - keep) x[n] + keep y[n-1] over (frames,), state kept."""

    __slots__ = ("_lfilter", "_a", "_b", "_state")

    def __init__(self, operator: str, keep: float) -> None:
        self._lfilter = signal(operator).lfilter
        self._b = np.array([1.0 - keep])
        self._a = np.array([1.0, -keep])
        self._state = np.zeros(1)

    def __call__(self, values: NDArray[Any]) -> Floats:
        if not len(values):
            return values.astype(np.float64)
        out, self._state = self._lfilter(self._b, self._a, values, zi=self._state)
        return cast(Floats, out)
