"""Effects of the pedalboard library, and through it VST3 and AU plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..blocks import BlockError, Samples
from ..durations import Time, seconds_of
from .needs import missing
from .operator import BlockOperator, Form, Kernel, sound

PORTION = 8192
"""Frames at a time. The library forgets its state when it sees a longer portion than ever before:
so it is shown the longest one, of silence, at first."""
LONGEST = 10.0  # seconds of silence after which an effect that holds on to sound is given up

Make = Callable[[], Sequence[Any]]
"""A fresh row of `pedalboard.Plugin`s: each stretch of sound has its own, with its own state."""


class _Pedalboard(Kernel):
    def __init__(self, make: Make, form: Form) -> None:
        self._board = _library().Pedalboard(list(make()))
        self._rate, self._channels = form.rate, form.channels
        self._taken = self._given = self._skip = 0
        shown = self._run(np.zeros((PORTION, form.channels), np.float32))
        self._skip, self._given = PORTION - len(shown), 0

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        return self._run(samples) if len(samples) else samples

    def finish(self) -> Samples | None:
        wanted = self._taken - self._given
        silence = np.zeros((self._rate // 10, self._channels), np.float32)
        parts: list[Samples] = []
        have = 0
        for _ in range(round(LONGEST * 10)):
            if have >= wanted:
                break
            parts.append(self._run(silence))
            have += len(parts[-1])
        if have < wanted:
            raise BlockError(f"pedalboard: {wanted - have} frames never came out of the effects")
        return np.concatenate(parts)[:wanted] if wanted else None

    def _run(self, samples: Samples) -> Samples:
        data = np.ascontiguousarray(samples.T)
        # The library takes out an effect's delay itself: it gives nothing until that has passed.
        made = self._board.process(data, self._rate, buffer_size=PORTION, reset=False)
        out: Samples = made.T[self._skip :]
        self._skip -= min(self._skip, made.shape[1])
        self._given += len(out)
        return out.astype(np.float32, copy=False)


def pedalboard(make: Make, latency: Time = 0.0) -> BlockOperator:
    """Effects of pedalboard: `pedalboard(lambda: [Phaser(), Reverb(room_size=0.8)])`.

    make: gives fresh ones for each stretch. latency: what they hold back (0 for most of the
    library's own): declare it, for it cannot be asked for. Not its PitchShift, which gives silence
    in a stream (0.9.26): there is `pitch`.
    Needs the extra `pedalboard`. Mind its licence: GPLv3, which then holds for an app that you give
    to others; the operators of this package have none such.
    """
    seconds = seconds_of(latency)
    _library()
    return sound(
        "pedalboard",
        lambda form: _Pedalboard(make, form),
        latency=lambda rate: round(seconds * rate),
    )


def _library() -> Any:
    try:
        import pedalboard
    except ImportError as error:
        raise missing("pedalboard", "pedalboard", "pedalboard") from error
    return pedalboard
