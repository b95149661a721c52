"""How loud each frequency is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block, Samples
from ..durations import Length, frames_of
from ..units import Frames
from .operator import Form, Operator, machine
from .window import Shape, window_of
from .windows import Windows, mixed


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The frequencies of one window of sound, all channels mixed."""

    index: Frames
    """Of the window's first frame."""
    rate: int
    magnitudes: NDArray[np.float32]
    """(size // 2 + 1,) from 0 Hz to half the rate; a full-scale sine gives 1.0 at its bin."""

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """In Hz, of each magnitude."""
        return np.linspace(0, self.rate / 2, len(self.magnitudes))

    @property
    def decibels(self) -> NDArray[np.float32]:
        """The magnitudes in dB, at least -200."""
        return np.float32(20) * np.log10(np.maximum(self.magnitudes, np.float32(1e-10)))


class Transform:
    """Windows of one size to magnitudes."""

    __slots__ = ("_window", "_scale")

    def __init__(self, shape: Shape, size: Frames) -> None:
        window = window_of(shape, size)
        self._window = window.astype(np.float32)
        # A sine's energy stands half at +f, half at -f; at 0 Hz and half the rate it does not.
        scale = np.full(size // 2 + 1, 2 / window.sum())
        scale[0] /= 2
        if size % 2 == 0:
            scale[-1] /= 2
        self._scale = scale.astype(np.float32)

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        data = np.fft.rfft(mixed(samples) * self._window)
        return (np.abs(data) * self._scale).astype(np.float32)


def spectrum(
    size: Length = 2048, hop: Length | None = None, window: Shape = "hann"
) -> Operator[Block, Spectrum]:
    """Magnitudes of each frequency, one window every `hop` frames (default: half a window).

    What is left at END and fills no window is left out. Latency size - 1.
    """
    window_of(window, 1)

    def make(form: Form) -> Windows[Spectrum]:
        length = frames_of(size, form.rate)
        step = max(1, length // 2) if hop is None else frames_of(hop, form.rate)
        transform = Transform(window, length)
        rate = form.rate
        return Windows(form, length, step, lambda x, i: Spectrum(i, rate, transform(x)))

    return machine("spectrum", make, latency=lambda rate: frames_of(size, rate) - 1)
