"""Echoes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Frames
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Glide, Number

Floats: TypeAlias = NDArray[np.float64]


class Line:
    """A delay line: the last `size` frames, read oldest first, each then overwritten."""

    __slots__ = ("_ring", "_at")

    def __init__(self, size: Frames, channels: int | None) -> None:
        self._ring: Floats = np.zeros(size if channels is None else (size, channels))
        self._at = 0

    def oldest(self, most: Frames) -> Floats:
        """Up to `most` of the oldest frames, as far as they lie in one piece: a view."""
        return self._ring[self._at : self._at + most]

    def write(self, samples: Floats) -> None:
        """Overwrite as many of the oldest frames."""
        end = self._at + len(samples)
        self._ring[self._at : end] = samples
        self._at = 0 if end == len(self._ring) else end


class _Delay(Kernel):
    def __init__(self, frames: Frames, feedback: float, mix: Number, form: Form) -> None:
        self._line = Line(frames, form.channels)
        self._feedback = feedback
        self._mix = Glide(mix, form)

    def process(self, samples: Samples) -> Samples:
        # Doubles throughout: numpy mixes the two at a third of the speed.
        dry = samples.astype(np.float64)
        mix = self._mix.step(len(dry))
        share = mix[:, None] if isinstance(mix, np.ndarray) else mix
        echo = self._line.oldest(len(dry))
        if len(echo) == len(dry):  # nearly always
            wet = echo * share
            self._feed(echo, dry)
        else:
            wet = np.empty(dry.shape)
            at = 0
            while at < len(dry):
                # At most one length of the line at a time: then it holds what came just now.
                echo = self._line.oldest(len(dry) - at)
                end = at + len(echo)
                wet[at:end] = echo
                self._feed(echo, dry[at:end])
                at = end
            wet *= share
        wet += dry
        return wet.astype(np.float32)

    def _feed(self, echo: Floats, dry: Floats) -> None:
        fed = echo * self._feedback
        fed += dry
        self._line.write(fed)


def delay(time: Time = "300 ms", feedback: float = 0.4, mix: Number = 0.5) -> BlockOperator:
    """Add echoes `time` apart; each is `feedback` times the one before, the first `mix` times.

    Latency 0: the sound itself is not delayed. What has not echoed at END is cut off: let silence
    follow where it should ring out. Source: the feedback comb filter (Schroeder 1962).
    """
    seconds = seconds_of(time)
    check(seconds > 0, "an echo needs some time; delay(time=...) is above 0")
    check(-1 < feedback < 1, f"feedback {feedback} would grow for ever; stay within -1 and 1")
    return sound(
        "delay",
        lambda form: _Delay(max(1, round(seconds * form.rate)), feedback, mix, form),
        follows=[mix],
    )
