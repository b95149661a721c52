"""Whether somebody speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..blocks import Block, Samples
from ..durations import Length, Time, frames_of, seconds_of
from ..units import Decibels, Frames
from .decibels import decibels_of
from .operator import Form, Operator, check, machine
from .windows import Windows, mixed

Decide = Callable[[Samples, int], bool]
"""Mono samples (frames, 1) and their rate → is there speech in them? A model goes here."""

Method = Literal["energy", "webrtc"]


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A piece of sound, and whether somebody speaks in it."""

    block: Block
    speaking: bool
    """Settled: it began `start` after speech did, and ends `stop` after it."""
    heard: bool
    """What this piece alone sounds like."""

    @property
    def index(self) -> Frames:
        """The frame that the piece begins at, counted from the beginning of the stream."""
        return self.block.index


class Energy:
    """Speech is what stands out from the noise, by level.

    The noise is the quietest level of late: it follows down at once, and up by 6 dB a second, so
    that a hum that sets in is noise after some seconds. Source: minimum statistics (Martin, 2001)
    in its simplest form.
    """

    __slots__ = ("_above", "_least", "_noise")

    def __init__(self, above: Decibels, least: Decibels) -> None:
        self._above, self._least = above, least
        self._noise: Decibels | None = None

    def __call__(self, samples: Samples, rate: int) -> bool:
        data = samples[:, 0]
        level = decibels_of(float(np.sqrt((data * data).mean())))
        if self._noise is None:
            # Whoever speaks from the first moment on is heard too.
            self._noise = min(level, self._least)
        noise = self._noise
        self._noise = min(level, noise + 6.0 * len(samples) / rate)
        return level > max(noise + self._above, self._least)


def detector(
    method: Method, decide: Callable[[], Decide] | None, above: Decibels, least: Decibels
) -> Callable[[], Decide]:
    """How to make what hears speech, for each stretch. Raises MissingExtra, DeclarationError."""
    check(method in get_args(Method), f"method={method!r} is unknown; choose energy or webrtc")
    if decide is not None:
        return decide
    if method == "energy":
        return lambda: Energy(above, least)
    from .webrtc_vad import WebRtcVoice

    WebRtcVoice()  # a missing library is told where the chain is written
    return WebRtcVoice


class Settled:
    """Speech begins after `start` of it, and ends after `stop` without."""

    __slots__ = ("_start", "_stop", "_run", "speaking")

    def __init__(self, start: Frames, stop: Frames) -> None:
        self._start, self._stop = start, stop
        self._run = 0
        self.speaking = False

    def __call__(self, heard: bool, frames: Frames) -> bool:
        if heard == self.speaking:
            self._run = 0
        else:
            self._run += frames
            if self._run >= (self._stop if self.speaking else self._start):
                self.speaking, self._run = not self.speaking, 0
        return self.speaking


def vad(
    hop: Length = "20 ms",
    *,
    start: Time = "60 ms",
    stop: Time = "300 ms",
    above: Decibels = 9.0,
    least: Decibels = -50.0,
    method: Method = "energy",
    decide: Callable[[], Decide] | None = None,
) -> Operator[Block, Voice]:
    """Each `hop` of sound, with whether somebody speaks.

    method: "energy": speech stands `above` dB over the noise and over `least` dB. "webrtc": the
    detector of WebRTC, which knows voices from other sound, at 8, 16, 32 or 48 kHz; needs the extra
    `vad`. decide: a detector of your own, such as a model: it is called for each stretch of sound
    and gives a function of mono samples (hop, 1) and their rate.
    What fills no hop at END is left out. Latency: hop - 1; the decision itself lags by `start`.
    """
    make_detector = detector(method, decide, above, least)
    rises, falls = seconds_of(start), seconds_of(stop)
    frames_of(hop, 48_000)

    def make(form: Form) -> Windows[Voice]:
        size, rate = frames_of(hop, form.rate), form.rate
        hears = make_detector()
        settled = Settled(round(rises * rate), round(falls * rate))

        def measure(samples: Samples, index: Frames) -> Voice:
            heard = hears(mixed(samples)[:, None], rate)
            block = Block(samples, rate, index, 0, form.epoch)
            return Voice(block, settled(heard, len(samples)), heard)

        return Windows(form, size, size, measure)

    return machine("vad", make, latency=lambda rate: frames_of(hop, rate) - 1)


class Utterances:
    """Collects what is spoken, from a little before to the pause after it."""

    __slots__ = ("_before", "_parts", "_past", "_most", "_have", "_speaking")

    def __init__(self, before: Frames, most: Frames) -> None:
        self._before, self._most = before, most
        self._past: list[Block] = []
        self._parts: list[Block] = []
        self._have = 0
        self._speaking = False

    def take(self, voice: Voice) -> Sequence[Sequence[Block]]:
        """What was said, where `voice` ends it: the blocks of one utterance, or none."""
        block = voice.block
        if voice.speaking and not self._speaking:
            self._parts, self._past = [*self._past, block], []
            self._have = sum(part.frames for part in self._parts)
        elif self._speaking:
            self._parts.append(block)
            self._have += block.frames
        else:
            self._past.append(block)
            while sum(part.frames for part in self._past) - self._past[0].frames >= self._before:
                self._past.pop(0)
        ended = self._speaking and not voice.speaking
        self._speaking = voice.speaking
        return self.rest() if ended or self._have >= self._most else ()

    def rest(self) -> Sequence[Sequence[Block]]:
        parts, self._parts, self._have = self._parts, [], 0
        return (parts,) if parts else ()
