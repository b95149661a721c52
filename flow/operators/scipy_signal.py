"""The one door to scipy.signal: loaded when a chain is written, typed where it enters.

Not when its sound begins: loading takes a second, in which live sound would be lost.
"""

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

    __slots__ = ("_lfilter", "_parts", "_states", "_past")

    def __init__(
        self, operator: str, sections: Sequence[Section], channels: int, moving: bool = False
    ) -> None:
        self._lfilter = signal(operator).lfilter
        shape = (2, channels) if channels > 1 else (2,)
        self._parts = [(np.array(s[:3]), np.array(s[3:])) for s in sections]
        self._states = [np.zeros(shape) for _ in sections]
        # The last two values before the first section and behind each, where they may be needed.
        self._past = [np.zeros(shape) for _ in range(len(sections) + 1)] if moving else None

    def change(self, sections: Sequence[Section]) -> None:
        """Other coefficients from here on; `moving` must have been said.

        The state is made anew from what went in and came out (as direct form I keeps it): the old
        one belongs to the old coefficients, and would click.
        """
        assert self._past is not None
        for n, section in enumerate(sections):
            _, b1, b2, _, a1, a2 = section
            (x2, x1), (y2, y1) = self._past[n], self._past[n + 1]
            self._parts[n] = (np.array(section[:3]), np.array(section[3:]))
            self._states[n] = np.array([b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2, b2 * x1 - a2 * y1])

    def __call__(self, samples: NDArray[Any]) -> Floats:
        """Filter (frames, channels); returns float64 of the same shape."""
        if not len(samples):
            return samples.astype(np.float64)
        mono = samples.shape[1] == 1
        # As lfilter would convert it itself, but in a fifth of the time.
        data = samples[:, 0].astype(np.float64) if mono else samples
        self._keep(0, data)
        for n, (b, a) in enumerate(self._parts):
            data, self._states[n] = self._lfilter(b, a, data, axis=0, zi=self._states[n])
            self._keep(n + 1, data)
        out = cast(Floats, data)
        return out[:, None] if mono else out

    def _keep(self, place: int, data: NDArray[Any]) -> None:
        if self._past is not None:
            last = data[-2:].astype(np.float64)
            self._past[place] = (
                last if len(last) == 2 else np.stack((self._past[place][1], last[0]))
            )


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
