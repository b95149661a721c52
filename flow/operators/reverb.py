"""A room around the sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from .delay import Line
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Glide, Number
from .scipy_signal import OnePole, signal

# Freeverb's lengths, in frames at 44.1 kHz; the right channel's are 23 longer.
COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALLPASSES = (556, 441, 341, 225)
SPREAD = 23
INPUT = 0.015
WET = 3.0


class _Comb:
    def __init__(self, frames: int, feedback: float, damp: float) -> None:
        self._line = Line(np.zeros(frames))
        self._feedback = feedback
        self._damp = OnePole("reverb", damp)

    def add(self, samples: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        at = 0
        while at < len(samples):
            late = self._line.oldest(len(samples) - at)
            end = at + len(late)
            out[at:end] += late
            self._line.write(samples[at:end] + self._damp(late) * self._feedback)
            at = end


class _Allpass:
    def __init__(self, frames: int) -> None:
        self._line = Line(np.zeros(frames))

    def change(self, samples: NDArray[np.float64]) -> None:
        at = 0
        while at < len(samples):
            late = self._line.oldest(len(samples) - at).copy()
            end = at + len(late)
            self._line.write(samples[at:end] + late * 0.5)
            samples[at:end] = late - samples[at:end]
            at = end


class _Room:
    """One channel's combs, side by side, and allpasses, in a row."""

    def __init__(self, spread: int, feedback: float, damp: float, rate: int) -> None:
        def frames(length: int) -> int:
            return max(1, round((length + spread) * rate / 44_100))

        self._combs = [_Comb(frames(n), feedback, damp) for n in COMBS]
        self._allpasses = [_Allpass(frames(n)) for n in ALLPASSES]

    def __call__(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros(len(samples))
        for comb in self._combs:
            comb.add(samples, out)
        for allpass in self._allpasses:
            allpass.change(out)
        return out


class _Reverb(Kernel):
    def __init__(self, size: float, damping: float, mix: Number, form: Form) -> None:
        feedback = 0.7 + 0.28 * size
        self._rooms = [
            _Room(SPREAD * (channel % 2), feedback, 0.4 * damping, form.rate)
            for channel in range(form.channels)
        ]
        self._mix = Glide(mix, form)

    def process(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        total = samples[:, 0].astype(np.float64)
        for channel in range(1, samples.shape[1]):
            total += samples[:, channel]
        # Freeverb adds two channels; a mono source counts twice there.
        total *= INPUT * 2 / samples.shape[1]
        wet = np.stack([room(total) for room in self._rooms], axis=1) * WET
        mix = self._mix.step(len(samples))
        share = mix[:, None] if isinstance(mix, np.ndarray) else mix
        return (samples * (1.0 - share) + wet * share).astype(np.float32)


def reverb(size: float = 0.5, damping: float = 0.5, mix: Number = 0.3) -> BlockOperator:
    """A room: size and damping 0 to 1, `mix` the share of the room in what is heard. Latency 0.

    What has not died away at END is cut off: let silence follow where it should ring out.
    Needs the extra `dsp`. Source: Freeverb (Jezar at Dreampoint, 2000, public domain): 8 damped
    feedback combs and 4 allpasses a channel, after Schroeder and Moorer.
    """
    check(0 <= size <= 1 and 0 <= damping <= 1, "size and damping lie between 0 and 1")
    signal("reverb")
    return sound("reverb", lambda form: _Reverb(size, damping, mix, form), follows=[mix])
