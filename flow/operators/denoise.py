"""Steady noise made softer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..units import Decibels, Frames
from .gather import Gather
from .operator import BlockOperator, Form, Kernel, check, sound
from .window import window_of

SMOOTH = 0.85  # of the power, over windows: less of it, and single bins twitter
SEARCH = 1.5  # seconds in which speech leaves each frequency alone at least once (Martin)
PARTS = 6  # the search window moves in so many steps
BIAS = 3.05  # the mean of white noise over the minimum that is found with these; measured


def _size(rate: int) -> Frames:
    """About 21 ms, a power of two: 1024 at 48 kHz."""
    return 1 << round(math.log2(rate * 0.0213))


class _Denoise(Kernel):
    def __init__(self, floor: float, over: float, form: Form) -> None:
        self._size = _size(form.rate)
        self._hop = self._size // 4
        # The square of this window, at a hop of a quarter, sums up to 2: half of it goes out.
        self._window = window_of("sqrt_hann", self._size)[:, None]
        self._gather = Gather(self._size, self._hop)
        self._floor, self._over = floor, over
        self._sum = np.zeros((self._size, form.channels))
        self._power: NDArray[np.float64] | None = None
        self._parts = 1 + round(SEARCH * form.rate / self._hop / PARTS)
        self._count = 0
        self._minima: list[NDArray[np.float64]] = []
        self._taken = self._given = 0
        self._skip = self._size - self._hop  # frames before the first
        self._gather.push(np.zeros((self._skip, form.channels), np.float32))

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        return self._run(samples)

    def finish(self) -> Samples | None:
        rest = self._taken - self._given
        out = self._run(np.zeros((self._size, self._sum.shape[1]), np.float32))
        return out[:rest] if rest else None

    def _run(self, samples: Samples) -> Samples:
        data, count = self._gather.push(samples)
        out = np.empty((count * self._hop, self._sum.shape[1]), np.float32)
        for n in range(count):
            start = n * self._hop
            self._step(data[start : start + self._size])
            out[start : start + self._hop] = self._sum[: self._hop]
            self._sum[: -self._hop] = self._sum[self._hop :]
            self._sum[-self._hop :] = 0
        gone = min(self._skip, len(out))
        self._skip -= gone
        out = out[gone:]
        self._given += len(out)
        return out

    def _step(self, samples: Samples) -> None:
        spectrum = np.fft.rfft(samples * self._window, axis=0)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        last = self._power
        self._power = power if last is None else SMOOTH * last + (1 - SMOOTH) * power
        noise = self._noise(self._power)
        share = 1.0 - self._over * noise / np.maximum(self._power, 1e-20)
        gain = np.sqrt(np.maximum(share, self._floor))
        back = np.fft.irfft(spectrum * gain, self._size, axis=0)
        self._sum += back * self._window * 0.5

    def _noise(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        # The first windows hold silence from before the sound: a minimum to be kept out.
        if self._count < 4:
            self._count += 1
            return np.zeros_like(power)
        if (self._count - 4) % self._parts == 0:
            self._minima = [*self._minima[1 - PARTS :], power]
        else:
            self._minima[-1] = np.minimum(self._minima[-1], power)
        self._count += 1
        return BIAS * np.minimum.reduce(self._minima)


def denoise(reduction: Decibels = 15.0, strength: float = 1.5) -> BlockOperator:
    """Take up to `reduction` dB off what never pauses: hiss, hum, fans.

    Noise is what is left in each frequency at its quietest within 1.5 s, so it learns by itself
    and follows slowly. strength: how many times the noise is subtracted; more takes more of soft
    sound with it. Latency one window, about 21 ms.
    Source: spectral subtraction with a floor (Boll 1979; Berouti, Schwartz, Makhoul 1979), noise by
    minimum statistics (Martin 2001, without its optimal smoothing).
    """
    check(reduction >= 0 and strength > 0, "reduction is 0 dB or more, strength above 0")
    floor = 10 ** (-reduction / 10)
    return sound(
        "denoise",
        lambda form: _Denoise(floor, strength, form),
        latency=lambda rate: _size(rate) - 1,
    )
