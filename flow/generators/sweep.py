"""A tone that rises through all frequencies."""

from __future__ import annotations

import math

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples
from ..durations import Length, Time, seconds_of
from ..operators.operator import check
from ..units import Decibels, Frames, Hertz
from .spans import Fill, generated


def sweep(
    low: Hertz = 20.0,
    high: Hertz = 20_000.0,
    seconds: Time = 1.0,
    *,
    rate: int = 48_000,
    level: Decibels = -12.0,
    block: Length = "20 ms",
) -> Observable[Block]:
    """A mono sine from `low` to `high` Hz, each octave as long, its peak at `level` dB.

    Source: Farina, Simultaneous measurement of impulse response and distortion with a swept-sine
    technique, AES 2000.
    """
    check(0 < low < high, f"low {low} Hz must lie between 0 and high {high} Hz")
    length = seconds_of(seconds)
    check(length > 0, "a sweep takes some time; seconds is above 0")
    peak = 10 ** (level / 20)
    growth = math.log(high / low)

    def make(rate: int) -> Fill:
        def fill(start: Frames, stop: Frames) -> Samples:
            passed = np.arange(start, stop) / rate / length
            turns = low * length / growth * np.expm1(passed * growth) % 1.0
            return (peak * np.sin(2 * math.pi * turns)).astype(np.float32)[:, None]

        return fill

    return generated(make, length, rate, block)
