"""Echoes."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..durations import Time, seconds_of
from ..units import Frames
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Number, Scale

T = TypeVar("T", bound=np.floating[Any])


class Line(Generic[T]):
    """A delay line: the last frames, read oldest first, each then overwritten.

    ring: silence of its length, (frames,) or (frames, channels), which becomes the line's own.
    """

    __slots__ = ("_ring", "_at")

    def __init__(self, ring: NDArray[T]) -> None:
        self._ring = ring
        self._at = 0

    def oldest(self, most: Frames) -> NDArray[T]:
        """Up to `most` of the oldest frames, as far as they lie in one piece: a view."""
        return self._ring[self._at : self._at + most]

    def write(self, samples: NDArray[T]) -> None:
        """Overwrite as many of the oldest frames."""
        self._ring[self._at : self._at + len(samples)] = samples
        self.wrote(len(samples))

    def wrote(self, frames: Frames) -> None:
        """So many of the oldest were overwritten, where they lie."""
        at = self._at + frames
        self._at = 0 if at == len(self._ring) else at


class _Delay(Kernel):
    __slots__ = ("_line", "_feedback", "_mix")

    def __init__(self, frames: Frames, feedback: float, mix: Number, form: Form) -> None:
        self._line = Line(np.zeros((frames, form.channels), np.float32))
        self._feedback = np.array(feedback, np.float32)
        self._mix = Scale(mix, form)

    def process(self, samples: Samples) -> Samples:
        share, count = self._mix.step(len(samples)), len(samples)
        echo = self._line.oldest(count)
        if len(echo) == count:  # nearly always
            wet = echo * share
            self._feed(echo, samples)
        else:
            wet = np.empty_like(samples)
            at = 0
            while at < count:
                # At most one length of the line at a time: then it holds what came just now.
                echo = self._line.oldest(count - at)
                end = at + len(echo)
                wet[at:end] = echo
                self._feed(echo, samples[at:end])
                at = end
            wet *= share
        wet += samples
        return wet

    def _feed(self, echo: Samples, dry: Samples) -> None:
        echo *= self._feedback  # where it lies
        echo += dry
        self._line.wrote(len(dry))


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
