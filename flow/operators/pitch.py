"""Higher or lower at the same pace."""

from __future__ import annotations

import math

import numpy as np

from ..blocks import Samples
from ..units import Frames
from .operator import BlockOperator, Form, Kernel, check, sound
from .resample import Resampler, held_back
from .tempo import Stretch


class _Pitch(Kernel):
    """Stretched to more (or fewer) frames, then played faster (or slower) by as much."""

    def __init__(self, factor: float, form: Form) -> None:
        faster = round(form.rate * factor)
        self._factor = faster / form.rate
        self._stretch = Stretch(1 / self._factor, form)
        self._resampler = Resampler("pitch", faster, form.rate, form.channels)
        self._channels = form.channels
        self._taken = self._given = 0

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        return self._run(samples)

    def finish(self) -> Samples | None:
        wanted = self._taken - self._given
        silence = np.zeros((self._stretch.latency() + 64, self._channels), np.float32)
        parts: list[Samples] = []
        have = 0
        while have < wanted:
            parts.append(self._run(silence))
            have += len(parts[-1])
        return np.concatenate(parts)[:wanted] if wanted else None

    def _run(self, samples: Samples) -> Samples:
        out = self._resampler.push(self._stretch.push(samples))
        self._given += len(out)
        return out


def pitch(semitones: float) -> BlockOperator:
    """Move the pitch by semitones, -12 to 12, and keep the pace; formants move along.

    As many frames as came, at the same index to within 7.5 ms (15 ms an octave down). Latency
    about 39 ms. Needs the extra `codecs`. Source: `tempo` (WSOLA) followed by `resample`.
    """
    check(-12 <= semitones <= 12, f"{semitones} semitones are out of reach; choose -12 to 12")
    factor = 2 ** (semitones / 12)

    def latency(rate: int) -> Frames:
        stretch = Stretch(1 / factor, Form(rate, 1))
        return stretch.latency() + math.ceil(held_back(round(rate * factor), rate) / factor)

    return sound("pitch", lambda form: _Pitch(factor, form), latency=latency)
