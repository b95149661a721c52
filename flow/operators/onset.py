"""Where notes and words begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block, Samples
from ..durations import Length, Time, frames_of, seconds_of
from ..units import Frames
from .operator import Form, Operator, machine
from .spectrum import Transform
from .windows import Windows

AROUND = 10
"""Hops before that tell what is usual here."""
LEAST = 0.005
"""A rise that is always there, so that in digital silence not everything stands out."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Something begins here."""

    index: Frames
    rate: int
    strength: float
    """How many times the usual rise of the spectrum; above the threshold."""


class _Onsets:
    def __init__(
        self, form: Form, size: Frames, hop: Frames, threshold: float, gap: Frames
    ) -> None:
        self._transform = Transform("hann", size)
        self._windows = Windows(form, size, hop, self._rise)
        self._rate, self._size = form.rate, size
        self._before: NDArray[np.float32] | None = None
        self._usual = deque[float](maxlen=AROUND)
        self._threshold, self._gap = threshold, gap
        self._candidate: tuple[Frames, float, float] | None = None
        self._last: Frames | None = None

    def _rise(self, samples: Samples, index: Frames) -> tuple[Frames, float]:
        # Compressed, so that soft notes count: log(1 + 1000 |X|), as Klapuri has it.
        now = np.log1p(np.float32(1000) * self._transform(samples))
        before = self._before if self._before is not None else np.zeros_like(now)
        self._before = now
        return index, float(np.maximum(now - before, 0).mean())

    def feed(self, samples: Samples, last: bool) -> Sequence[Onset]:
        out: list[Onset] = []
        for index, rise in self._windows.feed(samples, last):
            out.extend(self._weigh(index, rise))
        return [*out, *self.finish()] if last else out

    def finish(self) -> Sequence[Onset]:
        return self._settle(0.0)

    def _weigh(self, index: Frames, rise: float) -> Sequence[Onset]:
        out = self._settle(rise)
        usual = median(self._usual) if self._usual else 0.0
        self._usual.append(rise)
        over = rise / (usual + LEAST)
        if over > self._threshold and (self._last is None or index - self._last >= self._gap):
            self._candidate = (index, rise, over)
        return out

    def _settle(self, rise: float) -> Sequence[Onset]:
        """The candidate was the top iff the next rise is no higher."""
        if self._candidate is None:
            return ()
        index, top, over = self._candidate
        self._candidate = None
        if rise > top:
            return ()
        self._last = index
        # The rise shows when the new sound fills the later half of the window.
        return (Onset(index + self._size // 2, self._rate, over),)


def onset(
    threshold: float = 2.0,
    gap: Time = "50 ms",
    size: Length = "20 ms",
    hop: Length = "5 ms",
) -> Operator[Block, Onset]:
    """Beginnings of notes, beats and words, at least `gap` apart; channels are mixed.

    threshold: how many times its usual rise the spectrum must rise. Exact to about a hop.
    Latency: half a size and a hop.
    Source: spectral flux, peak picking against a moving median (Bello et al., A Tutorial on Onset
    Detection, 2005; Dixon, Onset Detection Revisited, 2006), looking back only.
    """
    apart = seconds_of(gap)

    def make(form: Form) -> _Onsets:
        length, step = frames_of(size, form.rate), frames_of(hop, form.rate)
        return _Onsets(form, length, step, threshold, round(apart * form.rate))

    def latency(rate: int) -> Frames:
        length = frames_of(size, rate)
        return length - length // 2 + frames_of(hop, rate) - 1

    return machine("onset", make, latency=latency)
