"""A steady tone."""

from __future__ import annotations

import math

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples
from ..durations import Length, Time
from ..units import Decibels, Frames, Hertz
from .spans import Fill, generated


def tone(
    hertz: Hertz = 440.0,
    seconds: Time | None = 1.0,
    *,
    rate: int = 48_000,
    level: Decibels = -12.0,
    block: Length = "20 ms",
) -> Observable[Block]:
    """A mono sine of `hertz`, its peak at `level` dB, beginning at 0. seconds=None never ends."""
    peak = 10 ** (level / 20)

    def make(rate: int) -> Fill:
        def fill(start: Frames, stop: Frames) -> Samples:
            # Turns, not radians: the phase stays exact however long it sounds.
            turns = np.arange(start, stop) * (hertz / rate) % 1.0
            return (peak * np.sin(2 * math.pi * turns)).astype(np.float32)[:, None]

        return fill

    return generated(make, seconds, rate, block)
