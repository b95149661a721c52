"""Which note is played or sung."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block, Samples
from ..durations import Length, frames_of
from ..units import Frames, Hertz
from .operator import Form, Operator, check, machine
from .windows import Windows, mixed

_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class Pitch:
    """The pitch of one window of sound."""

    index: Frames
    rate: int
    hertz: Hertz | None
    """None where nothing repeats: silence, noise, consonants."""
    clarity: float
    """0 (noise) to 1 (repeats exactly)."""

    @property
    def midi(self) -> float | None:
        """Semitones, A4 (440 Hz) = 69."""
        return None if self.hertz is None else 69 + 12 * math.log2(self.hertz / 440.0)

    @property
    def note(self) -> str | None:
        """The nearest note, as "A4"."""
        if self.midi is None:
            return None
        nearest = round(self.midi)
        return f"{_NOTES[nearest % 12]}{nearest // 12 - 1}"

    @property
    def cents(self) -> float | None:
        """How far above the nearest note, -50 to 50."""
        return None if self.midi is None else 100 * (self.midi - round(self.midi))


class _Yin:
    def __init__(self, low: Hertz, high: Hertz, threshold: float, rate: int) -> None:
        self._rate = rate
        self._threshold = threshold
        self._shortest = max(2, math.floor(rate / high))
        self._longest = math.ceil(rate / low) + 1
        self.size = 2 * self._longest  # the window of the sum is the longest period
        self._fft = 1 << (self.size + self._longest).bit_length()

    def measure(self, samples: Samples, index: Frames) -> Pitch:
        x = mixed(samples).astype(np.float64)
        # Digital silence and far below the last bit: rounding would look like a period.
        if float(np.abs(x).max()) < 1e-5:
            return Pitch(index, self._rate, None, 0.0)
        difference = self._difference(x)
        clarity = 1.0 - float(difference[self._shortest :].min())
        below = np.flatnonzero(difference[self._shortest : self._longest] < self._threshold)
        if not len(below):
            return Pitch(index, self._rate, None, max(0.0, clarity))
        lag = int(below[0]) + self._shortest
        while lag + 1 < self._longest and difference[lag + 1] < difference[lag]:
            lag += 1  # the first dip, down to its ground
        clarity = 1.0 - float(difference[lag])
        return Pitch(index, self._rate, self._rate / _dip(difference, lag), min(1.0, clarity))

    def _difference(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Steps 2 and 3: squared difference for each lag, over its mean so far; (longest + 1,)."""
        width = self._longest
        spectrum = np.fft.rfft(x, self._fft)
        head = np.fft.rfft(x[:width], self._fft)
        product = np.fft.irfft(spectrum * np.conj(head), self._fft)[: width + 1]
        total = np.concatenate((np.zeros(1), np.cumsum(np.square(x))))
        energy = total[width : 2 * width + 1] - total[: width + 1]
        raw = np.maximum(energy[0] + energy - 2 * product, 0.0)
        mean = np.cumsum(raw[1:]) / np.arange(1, width + 1)
        out = np.ones(width + 1)
        np.divide(raw[1:], mean, out=out[1:], where=mean > 0)
        return out


def _dip(values: NDArray[np.float64], at: int) -> float:
    """Step 5: the lowest point of the parabola through a dip and its neighbours."""
    if not 0 < at < len(values) - 1:
        return float(at)
    before, here, after = (float(v) for v in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return at + (0.5 * (before - after) / bend if bend > 0 else 0.0)


def pitch_track(
    low: Hertz = 60.0, high: Hertz = 1200.0, hop: Length = "10 ms", threshold: float = 0.15
) -> Operator[Block, Pitch]:
    """The pitch between `low` and `high` Hz, every `hop`, of one voice; channels are mixed.

    Window and latency: two periods of `low` (33 ms at 60 Hz). threshold: how far from an exact
    repetition is still a pitch, 0 to 1.
    Source: de Cheveigné and Kawahara, YIN, JASA 2002, steps 1 to 5 (not 6, the local search).
    """
    check(0 < low < high, f"low {low} Hz must lie between 0 and high {high} Hz")

    def make(form: Form) -> Windows[Pitch]:
        yin = _Yin(low, high, threshold, form.rate)
        return Windows(form, yin.size, frames_of(hop, form.rate), yin.measure)

    return machine("pitch_track", make, latency=lambda rate: 2 * (math.ceil(rate / low) + 1) - 1)
