"""One voice as several, slightly out of tune with each other."""

from __future__ import annotations

import math

import numpy as np

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Hertz
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Glide, Number


class _Chorus(Kernel):
    def __init__(
        self, hertz: float, base: float, depth: float, voices: int, mix: Number, form: Form
    ) -> None:
        self._turn = 2 * math.pi * hertz / form.rate
        self._base, self._depth = base * form.rate, depth * form.rate
        self._phases = [2 * math.pi * n / voices for n in range(voices)]
        self._past = np.zeros((math.ceil(self._base + self._depth) + 2, form.channels), np.float32)
        self._at = 0
        self._mix = Glide(mix, form)

    def process(self, samples: Samples) -> Samples:
        count, past = len(samples), len(self._past)
        data = np.concatenate((self._past, samples))
        here = np.arange(count)
        turn = (here + self._at) * self._turn
        wet = np.zeros(samples.shape)
        for phase in self._phases:
            # Where this voice reads, and its two neighbours: linear interpolation.
            back = self._base + self._depth * np.sin(turn + phase)
            whole = np.floor(back).astype(np.intp)
            part = (back - whole)[:, None]
            place = here + past - whole
            wet += data[place] * (1.0 - part) + data[place - 1] * part
        self._past = data[count:]
        self._at += count
        mix = self._mix.step(count)
        share = mix[:, None] if isinstance(mix, np.ndarray) else mix
        return (samples * (1.0 - share) + wet * (share / len(self._phases))).astype(np.float32)


def chorus(
    rate: Hertz = 0.8,
    depth: Time = "3 ms",
    delay: Time = "15 ms",
    voices: int = 3,
    mix: Number = 0.5,
) -> BlockOperator:
    """Mix in `voices` copies, `delay` later, swaying by `depth` at `rate` Hz. Latency 0.

    Source: Dattorro, Effect Design Part 2: Delay-Line Modulation and Chorus, JAES 1997.
    """
    sway, base = seconds_of(depth), seconds_of(delay)
    check(sway <= base, "depth cannot be above delay: a voice would sound before it is there")
    check(voices >= 1, "a chorus has 1 voice or more")
    return sound("chorus", lambda form: _Chorus(rate, base, sway, voices, mix, form), follows=[mix])
