"""Loudness as people hear it, in LUFS."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block, Samples
from ..units import Frames
from .operator import Form, Operator, machine
from .scipy_signal import Section, Sections, signal
from .windows import Windows

LUFS = float
SILENCE: LUFS = -120.0
"""What silence is called; the gate of the standard is at -70."""

STEP = 0.1  # seconds: momentary blocks of 400 ms overlap by 75 %
MOMENTARY, SHORT = 4, 30  # steps: 400 ms and 3 s
BIN = 0.01  # LU: blocks of about the same loudness are counted together


@dataclass(frozen=True, slots=True)
class Loudness:
    """A reading every 100 ms. `index` is the first frame of its last 100 ms."""

    index: Frames
    rate: int
    momentary: LUFS
    """Over the last 400 ms."""
    short_term: LUFS
    """Over the last 3 s."""
    integrated: LUFS
    """Over all since the take began, silence and quiet passages gated out."""


def k_weighting(rate: int) -> list[Section]:
    """The two filters of BS.1770, head and high pass, for any rate.

    The standard gives coefficients for 48 kHz only; these come from the analogue filters behind
    them, whose numbers are those of libebur128 and of the EBU's reference material.
    """
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    head = (
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    )
    k = math.tan(math.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    a0 = 1 + k / q + k * k
    return [head, (1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)]


def _weights(channels: int) -> NDArray[np.float64]:
    """Surround counts 1.5 dB more, the low-frequency channel not at all (5.1: L R C LFE l r)."""
    if channels == 6:
        return np.array([1.0, 1.0, 1.0, 0.0, 1.41, 1.41])
    if channels == 5:
        return np.array([1.0, 1.0, 1.0, 1.41, 1.41])
    return np.ones(channels)


def _lufs(energy: float) -> LUFS:
    return max(SILENCE, -0.691 + 10 * math.log10(energy)) if energy > 0 else SILENCE


class _Meter:
    def __init__(self, form: Form) -> None:
        self._rate = form.rate
        self._weights = _weights(form.channels)
        self._filter = Sections("loudness", k_weighting(form.rate), form.channels)
        self._steps: list[float] = []  # energies of the last 3 s, 100 ms each
        # Momentary blocks by loudness from -70 up: a day of them takes no more memory than these.
        bins = round((70 + 30) / BIN)
        self._counts = np.zeros(bins, np.int64)
        self._energies = np.zeros(bins)

    def read(self, samples: Samples, index: Frames) -> Loudness:
        weighted = self._filter(samples)
        energy = float((np.square(weighted).mean(axis=0) * self._weights).sum())
        self._steps.append(energy)
        del self._steps[:-SHORT]
        momentary = sum(self._steps[-MOMENTARY:]) / MOMENTARY
        if len(self._steps) >= MOMENTARY:
            self._count(momentary)
        return Loudness(
            index,
            self._rate,
            _lufs(momentary),
            _lufs(sum(self._steps) / SHORT),
            self._integrated(),
        )

    def _count(self, energy: float) -> None:
        lufs = _lufs(energy)
        if lufs > -70:
            n = min(int((lufs + 70) / BIN), len(self._counts) - 1)
            self._counts[n] += 1
            self._energies[n] += energy

    def _integrated(self) -> LUFS:
        count = int(self._counts.sum())
        if not count:
            return SILENCE
        gate = _lufs(float(self._energies.sum()) / count) - 10
        first = max(0, math.ceil((gate + 70) / BIN))
        return _lufs(float(self._energies[first:].sum()) / int(self._counts[first:].sum()))


def loudness() -> Operator[Block, Loudness]:
    """Momentary, short-term and integrated loudness, every 100 ms.

    Before 0.4 (3) s have passed the time before the first frame counts as silence. Channels of
    5 and 6 count as L R C (LFE) and surround. Latency 100 ms less a frame. Needs the extra `dsp`.
    Source: ITU-R BS.1770-4 (K weighting, gates at -70 LUFS and -10 LU) and EBU Tech 3341. The
    relative gate is placed to 0.01 LU.
    """

    def make(form: Form) -> Windows[Loudness]:
        size = round(STEP * form.rate)
        return Windows(form, size, size, _Meter(form).read)

    signal("loudness")
    return machine("loudness", make, latency=lambda rate: round(STEP * rate) - 1)
