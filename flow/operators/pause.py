"""What was said, when a pause follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..blocks import END, START, Block, Samples, joined
from ..durations import Length, Time, frames_of, seconds_of
from ..units import Decibels, Frames
from .operator import BlockOperator, Form, machine
from .vad import Decide, Method, Settled, Utterances, Voice, detector
from .windows import Windows, mixed


class _Pause:
    def __init__(
        self,
        form: Form,
        hop: Frames,
        settled: Settled,
        hears: Decide,
        utterances: Utterances,
    ) -> None:
        self._form, self._hop = form, hop
        self._settled, self._hears, self._utterances = settled, hears, utterances
        self._windows = Windows(form, hop, hop, self._voice, tail=True)

    def _voice(self, samples: Samples, index: Frames) -> Voice:
        form = self._form
        heard = self._hears(self._whole_hop(mixed(samples))[:, None], form.rate)
        block = Block(samples, form.rate, index, 0, form.epoch)
        return Voice(block, self._settled(heard, len(samples)), heard)

    def _whole_hop(self, samples: Samples) -> Samples:
        """The last hop of a take may be shorter; detectors, and models, take whole ones alone."""
        missing = self._hop - len(samples)
        return np.pad(samples, (0, missing)) if missing > 0 else samples

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        said: list[Sequence[Block]] = []
        for voice in self._windows.feed(samples, last):
            said.extend(self._utterances.take(voice))
        if last:
            said.extend(self._utterances.rest())
        return [self._whole(parts) for parts in said]

    def finish(self) -> Sequence[Block]:
        said: list[Sequence[Block]] = []
        for voice in self._windows.finish():
            said.extend(self._utterances.take(voice))
        return [self._whole(parts) for parts in (*said, *self._utterances.rest())]

    def _whole(self, parts: Sequence[Block]) -> Block:
        form = self._form
        return Block(joined(parts), form.rate, parts[0].index, START | END, form.epoch)


def pause(
    silence: Time = "500 ms",
    *,
    start: Time = "60 ms",
    before: Time = "200 ms",
    max_seconds: float = 30.0,
    above: Decibels = 9.0,
    least: Decibels = -50.0,
    hop: Length = "20 ms",
    method: Method = "energy",
    decide: Callable[[], Decide] | None = None,
) -> BlockOperator:
    """Each utterance as one block (START and END), once `silence` follows it.

    It begins `before` the detector was sure, and holds the silence that ended it. One longer than
    `max_seconds` is cut there. What is being said at END comes out too. above, least, method
    and decide: as for `vad`. Latency: `max_seconds`, what the first frame may wait for the last.
    """
    make_detector = detector(method, decide, above, least)
    quiet, rises, early = seconds_of(silence), seconds_of(start), seconds_of(before)
    longest = seconds_of(max_seconds)
    frames_of(hop, 48_000)

    def make(form: Form) -> _Pause:
        rate = form.rate
        return _Pause(
            form,
            frames_of(hop, rate),
            Settled(round(rises * rate), round(quiet * rate)),
            make_detector(),
            Utterances(round((early + rises) * rate), round(longest * rate)),
        )

    def latency(rate: int) -> Frames:
        step = frames_of(hop, rate)
        return -(-round(longest * rate) // step) * step - 1

    return machine("pause", make, latency=latency)
