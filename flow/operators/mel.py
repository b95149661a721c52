"""Spectra in bands as wide as the ear's: what speech models take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block
from ..durations import Length, frames_of
from ..units import Frames, Hertz
from .operator import Form, Operator, check, machine
from .spectrum import Transform
from .windows import Windows


@dataclass(frozen=True, slots=True, eq=False)
class Mel:
    """The bands of one window of sound, all channels mixed."""

    index: Frames
    rate: int
    bands: NDArray[np.float32]
    """(bands,), power: squared magnitudes summed over each band's triangle."""


def to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """HTK's formula (Young et al., The HTK Book; after O'Shaughnessy 1987)."""
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def from_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (np.power(10.0, mel / 2595.0) - 1.0)


@lru_cache(16)
def triangles(bands: int, size: Frames, rate: int, low: Hertz, high: Hertz) -> NDArray[np.float64]:
    """(bands, size // 2 + 1): each 1 at its middle, 0 at its neighbours' middles."""
    ends = to_mel(np.array([low, high]))
    middles = from_mel(np.linspace(float(ends[0]), float(ends[1]), bands + 2))
    bins = np.linspace(0, rate / 2, size // 2 + 1)
    width = np.diff(middles)[:, None]
    rising = (bins - middles[:-2, None]) / width[:-1]
    falling = (middles[2:, None] - bins) / width[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


def mel(
    bands: int = 80,
    size: Length = "25 ms",
    hop: Length = "10 ms",
    low: Hertz = 0.0,
    high: Hertz | None = None,
) -> Operator[Block, Mel]:
    """Power in `bands` mel bands between `low` and `high` Hz (default: half the rate).

    Hann window, no padding; what fills no window at END is left out. Latency size - 1.
    """
    check(bands >= 1, "there must be 1 band or more")

    def make(form: Form) -> Windows[Mel]:
        length, rate = frames_of(size, form.rate), form.rate
        transform = Transform("hann", length)
        weights = triangles(bands, length, rate, low, rate / 2 if high is None else high)

        def measure(samples: NDArray[np.float32], index: Frames) -> Mel:
            power = np.square(transform(samples).astype(np.float64))
            # Not `@`: BLAS may add in another order on another run.
            return Mel(index, rate, np.einsum("ij,j->i", weights, power).astype(np.float32))

        return Windows(form, length, frames_of(hop, rate), measure)

    return machine("mel", make, latency=lambda rate: frames_of(size, rate) - 1)
