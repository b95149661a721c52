"""Faster or slower at the same pitch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples, float32
from ..units import Frames
from .operator import BlockOperator, Form, Kernel, check, sound
from .window import window_of
from .windows import mixed

HALF = 0.015  # seconds: half a window, and the hop of the output
REACH = 0.0075  # seconds a window may move to meet what is there: a period of 133 Hz and up


class Stretch:
    """WSOLA: windows are taken at the new pace, each moved to where it fits the one before.

    Frame k covers `half` frames on each side of k · half in the output, and of k · half · speed in
    the input: so frame 0 of both is the same moment, and the rest follows to within `reach`.
    """

    def __init__(self, speed: float, form: Form) -> None:
        self._speed = speed
        self.half = max(8, round(HALF * form.rate))
        self.reach = max(4, round(REACH * form.rate))
        self._window = window_of("hann", 2 * self.half).astype(np.float32)[:, None]
        self._fft = 1 << (2 * self.half + 2 * self.reach).bit_length()
        # The buffer begins before the first frame, with silence.
        self._start = -(2 * self.half + 2 * self.reach)
        self._data = np.zeros((-self._start, form.channels), np.float32)
        self._end = 0  # of the input, so far
        self._frame = 0  # the next k
        self._place: int | None = None  # the middle of the last window, in the input
        self._sum = np.zeros((self.half, form.channels), np.float32)  # of the second halves

    def latency(self) -> Frames:
        """Frames of input held back, at most."""
        return math.ceil(self.half * max(1.0, self._speed)) + self.reach + self.half

    def push(self, samples: Samples) -> Samples:
        """Take frames; returns those of the output that are done."""
        self._data = np.concatenate((self._data, samples)) if len(samples) else self._data
        self._end += len(samples)
        out: list[Samples] = []
        half = self.half
        while True:
            middle = round(self._frame * half * self._speed)
            natural = middle if self._place is None else self._place + half
            if max(middle + self.reach, natural) + half > self._end:
                break
            place = middle if self._place is None else self._fit(middle, natural)
            piece = self._cut(place - half, 2 * half) * self._window
            if self._frame:  # frame 0's first half lies before the beginning
                out.append(float32(self._sum + piece[:half]))
            self._sum, self._place = piece[half:], place
            self._frame += 1
        self._forget()
        return np.concatenate(out) if out else self._data[:0]

    def _fit(self, middle: int, natural: int) -> int:
        """The place around `middle` that sounds most like what would come next anyway."""
        size = 2 * self.half
        wanted = mixed(self._cut(natural - self.half, size)).astype(np.float64)
        around = mixed(self._cut(middle - self.half - self.reach, size + 2 * self.reach))
        around = around.astype(np.float64)
        product: NDArray[np.float64] = np.fft.irfft(
            np.fft.rfft(around, self._fft) * np.conj(np.fft.rfft(wanted, self._fft)), self._fft
        )[: 2 * self.reach + 1]
        total = np.concatenate((np.zeros(1), np.cumsum(np.square(around))))
        energy = total[size:] - total[: 2 * self.reach + 1]
        # A whisper below the last bit of 24 keeps silence from being fitted to its rounding.
        likeness = product / np.sqrt(energy + size * 1e-14)
        best = int(np.argmax(likeness))
        if likeness[best] <= likeness[self.reach]:
            best = self.reach  # nothing gained by moving
        return middle + best - self.reach

    def _cut(self, start: int, size: int) -> Samples:
        return self._data[start - self._start : start - self._start + size]

    def _forget(self) -> None:
        middle = round(self._frame * self.half * self._speed)
        least = min(middle, self._place or 0) - self.half - self.reach
        if least > self._start:
            self._data = self._data[least - self._start :]
            self._start = least


class _Tempo(Kernel):
    def __init__(self, speed: float, form: Form) -> None:
        self._stretch = Stretch(speed, form)
        self._speed = speed
        self._channels = form.channels
        self._taken = self._given = 0

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        return self._count(self._stretch.push(samples))

    def finish(self) -> Samples | None:
        wanted = round(self._taken / self._speed) - self._given
        parts: list[Samples] = []
        have = 0
        silence = np.zeros((self._stretch.latency(), self._channels), np.float32)
        while have < wanted:
            parts.append(self._stretch.push(silence))
            have += len(parts[-1])
        return np.concatenate(parts)[:wanted] if wanted > 0 else None

    def _count(self, samples: Samples) -> Samples:
        self._given += len(samples)
        return samples


def tempo(speed: float) -> BlockOperator:
    """Play `speed` times as fast, 0.25 to 4, at the same pitch; all channels move together.

    It gives frames / speed frames; from here on `index` counts on a clock of its own. Latency
    about 38 ms. FFmpeg's atempo gives other samples for other block sizes, so this is our own.
    Source: Verhelst and Roelands, An overlap-add technique based on waveform similarity (WSOLA),
    ICASSP 1993; 30 ms windows.
    """
    check(0.25 <= speed <= 4, f"speed {speed} is out of reach; choose 0.25 to 4")
    return sound(
        "tempo",
        lambda form: _Tempo(speed, form),
        latency=lambda rate: Stretch(speed, Form(rate, 1)).latency(),
    )
