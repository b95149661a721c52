"""Nothing louder than a ceiling."""

from __future__ import annotations

import numpy as np

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Decibels, Frames
from .decibels import factor_of
from .envelope import PER_DECIBEL, Falling, Levels, decibels, peaks, running_max, steps
from .operator import BlockOperator, Form, Kernel, check, sound


class _Limiter(Kernel):
    """The gain for frame n is the mean, over the look-ahead, of what the coming peaks need.

    Each term of that mean has seen the peak at n (the window of the maximum is as long as the
    mean's), so none is below its need, and the gain moves in a ramp instead of a jump.
    """

    def __init__(self, ceiling: Decibels, release: float, ahead: Frames, form: Form) -> None:
        self._ceiling = ceiling
        self._top = np.float32(factor_of(ceiling))
        self._ahead = ahead
        self._falling = Falling(10.0 / max(release, 1e-6), form.rate, 0.0)
        self._held = np.zeros((0, form.channels), np.float32)
        # Before the first frame nothing was needed: 2 · ahead of it, for the two windows.
        self._needs = np.zeros(ahead, np.int64)
        self._means = np.zeros(ahead, np.int64)

    def process(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        need = steps(np.maximum(decibels(peaks(samples)) - self._ceiling, 0.0))
        return self._advance(samples, self._falling(need))

    def finish(self) -> Samples | None:
        if not len(self._held):
            return None
        return self._advance(self._held[:0], self._falling(np.zeros(self._ahead, np.int64)))

    def _advance(self, samples: Samples, needs: Levels) -> Samples:
        ahead = self._ahead
        held = np.concatenate((self._held, samples)) if len(samples) else self._held
        seen = np.concatenate((self._needs, needs))
        self._needs = seen[len(seen) - ahead :]
        # tops[i] is the need of frames i .. i + ahead, where i counts from `ahead` frames ago.
        tops = running_max(seen, ahead + 1)
        window = np.concatenate((self._means, tops))
        self._means = window[len(window) - ahead :]
        total = np.cumsum(np.concatenate((np.zeros(1, np.int64), window)))
        mean = (total[ahead + 1 :] - total[: -ahead - 1]) / ((ahead + 1) * PER_DECIBEL)
        # mean[i] is the gain of the frame `ahead` before the i-th that came now.
        ready = len(held) - (ahead if len(samples) else 0)
        if ready <= 0:
            self._held = held
            return samples[:0]
        mean = mean[len(mean) - ready :]
        out = (held[:ready] * np.power(10.0, mean / -20.0)[:, None]).astype(np.float32)
        self._held = held[ready:]
        return np.clip(out, -self._top, self._top)


def limiter(
    ceiling: Decibels = -1.0, *, release: Time = "50 ms", ahead: Time = "5 ms"
) -> BlockOperator:
    """Hold every sample within `ceiling`, by a gain that sees peaks coming; all channels alike.

    release: the time in which 10 dB are given back. Latency: `ahead`. Sample peaks, not peaks
    between samples. Source: the look-ahead limiter of moving maximum and moving average (Zölzer,
    DAFX, 2nd ed., 4.2.1; Geraint Luff, Designing a straightforward limiter, 2022).
    """
    check(ceiling <= 0, f"a ceiling of {ceiling} dB lies above full scale; choose 0 or less")
    fall, look = seconds_of(release), seconds_of(ahead)
    return sound(
        "limiter",
        lambda form: _Limiter(ceiling, fall, max(1, round(look * form.rate)), form),
        latency=lambda rate: max(1, round(look * rate)),
    )
