"""Silence between what is loud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Decibels
from .decibels import factor_of
from .envelope import peaks
from .operator import BlockOperator, Form, Kernel, check, sound


class _Gate(Kernel):
    def __init__(
        self,
        opens: float,
        closes: float,
        attack: float,
        hold: float,
        release: float,
        floor: float,
        form: Form,
    ) -> None:
        self._opens, self._closes, self._floor = opens, closes, floor
        self._hold = round(hold * form.rate)
        way = 1.0 - floor
        self._up = way / max(1, round(attack * form.rate))
        self._down = way / max(1, round(release * form.rate))
        self._at = 0
        self._open = False  # the detector's last word
        self._last = -1 - self._hold  # the last frame at which it was open
        # The gain runs in a straight line from (since, start), up or down.
        self._rising, self._since, self._start = False, 0, floor

    def process(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        wanted = self._wanted(peaks(samples))
        gain = np.empty(len(samples))
        edges = [*(np.flatnonzero(np.diff(wanted)) + 1).tolist(), len(samples)]
        start = 0
        for end in edges:
            rising = bool(wanted[start])
            if rising != self._rising:
                self._start = self._gain_at(self._at + start)
                self._rising, self._since = rising, self._at + start
            gain[start:end] = self._line(self._at + start, self._at + end)
            start = end
        self._at += len(samples)
        return samples * gain.astype(np.float32)[:, None]

    def _wanted(self, size: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where the gate should stand open: hysteresis, then hold."""
        said = np.where(size >= self._opens, 1, np.where(size < self._closes, 0, -1))
        index = np.arange(len(size))
        # Between the two thresholds the last word holds.
        word = np.maximum.accumulate(np.where(said >= 0, index, -1))
        is_open = np.where(word >= 0, said[word] == 1, self._open)
        self._open = bool(is_open[-1])
        frames = index + self._at
        last = np.maximum.accumulate(np.where(is_open, frames, self._last))
        self._last = int(last[-1])
        return frames - last <= self._hold

    def _gain_at(self, frame: int) -> float:
        return float(self._line(frame, frame + 1)[0])

    def _line(self, start: int, end: int) -> NDArray[np.float64]:
        passed = np.arange(start - self._since, end - self._since)
        if self._rising:
            return np.minimum(1.0, self._start + (passed + 1) * self._up)
        return np.maximum(self._floor, self._start - (passed + 1) * self._down)


def gate(
    threshold: Decibels = -40.0,
    *,
    hysteresis: Decibels = 6.0,
    attack: Time = "2 ms",
    hold: Time = "100 ms",
    release: Time = "50 ms",
    depth: Decibels = 80.0,
) -> BlockOperator:
    """Take `depth` dB off while the peak stays below `threshold`; all channels alike. Latency 0.

    It opens at `threshold`, closes `hysteresis` below it after `hold`. attack and release are the
    whole way of the gain, a straight line: no click at either end.
    """
    check(hysteresis >= 0 and depth > 0, "hysteresis is 0 dB or more, depth more than 0 dB")
    times = seconds_of(attack), seconds_of(hold), seconds_of(release)
    opens, closes = factor_of(threshold), factor_of(threshold - hysteresis)
    return sound("gate", lambda form: _Gate(opens, closes, *times, factor_of(-depth), form))
