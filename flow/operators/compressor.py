"""Loud passages made softer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Decibels
from .decibels import factor_of
from .envelope import PER_DECIBEL, Falling, decibels, peaks, steps
from .operator import BlockOperator, Form, Kernel, check, sound
from .scipy_signal import OnePole, signal


class _Compressor(Kernel):
    def __init__(
        self,
        threshold: Decibels,
        ratio: float,
        knee: Decibels,
        attack: float,
        release: float,
        makeup: Decibels,
        form: Form,
    ) -> None:
        self._threshold, self._knee = threshold, knee
        self._slope = 1.0 - 1.0 / ratio
        self._falling = Falling(10.0 / max(release, 1e-6), form.rate, 0.0)
        keep = math.exp(-1.0 / (attack * form.rate)) if attack > 0 else 0.0
        self._smooth = OnePole("compressor", keep)
        self._makeup = factor_of(makeup)

    def process(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        reduction = self._falling(steps(self._curve(decibels(peaks(samples)))))
        smooth = self._smooth(reduction / PER_DECIBEL)
        factor = self._makeup * np.power(10.0, smooth / -20.0)
        return (samples * factor[:, None]).astype(np.float32)

    def _curve(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """dB to take away: none below the knee, the ratio's share above, a parabola between."""
        over = level - self._threshold
        if self._knee <= 0:
            return np.maximum(over, 0.0) * self._slope
        half = self._knee / 2
        bend = np.square(np.clip(over + half, 0.0, self._knee)) / (2 * self._knee)
        return np.where(over > half, over, bend) * self._slope


def compressor(
    threshold: Decibels = -18.0,
    ratio: float = 4.0,
    *,
    knee: Decibels = 6.0,
    attack: Time = "5 ms",
    release: Time = "100 ms",
    makeup: Decibels = 0.0,
) -> BlockOperator:
    """Above `threshold`, let `ratio` dB in give 1 dB out; all channels alike. Latency 0.

    Level is the peak of the loudest channel. attack: time constant of the gain; release: the time
    in which 10 dB are given back. Needs the extra `dsp`.
    Source: Giannoulis, Massberg, Reiss, Digital Dynamic Range Compressor Design, JAES 2012: feed
    forward, soft knee, smooth decoupled peak detector, its release in dB.
    """
    check(ratio >= 1, f"ratio {ratio} would make loud sound louder; choose 1 or more")
    rise, fall = seconds_of(attack), seconds_of(release)
    signal("compressor")
    return sound(
        "compressor",
        lambda form: _Compressor(threshold, ratio, knee, rise, fall, makeup, form),
    )
