"""White noise."""

from __future__ import annotations

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples
from ..durations import Length, Time
from ..units import Decibels, Frames
from .spans import Fill, generated


def noise(
    seconds: Time | None = 1.0,
    *,
    rate: int = 48_000,
    level: Decibels = -20.0,
    channels: int = 1,
    seed: int = 0,
    block: Length = "20 ms",
) -> Observable[Block]:
    """Gaussian noise with an RMS of `level` dB; the same for the same seed, in blocks of any size.

    Channels are independent. seconds=None never ends.
    """
    rms = np.float32(10 ** (level / 20))

    def make(_: int) -> Fill:
        random = np.random.default_rng(seed)

        def fill(start: Frames, stop: Frames) -> Samples:
            return random.standard_normal((stop - start, channels), np.float32) * rms

        return fill

    return generated(make, seconds, rate, block)
