"""Two clocks that disagree by 200 ppm for half an hour, in virtual time: bounded, and counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ossicle.flow.blocks import END, START, Block, joined
from ossicle.flow.operators import align, gain, limiter
from ossicle.flow.operators.testing import Feeder
from ossicle.flow.testing import VirtualClock
from ossicle.runtime.soundcard import Speaker
from ossicle.runtime.streams.outgoing import Outgoing

RATE = 8000  # a lower one than usual: half an hour has fewer samples
MINUTES = 30
HOP = RATE // 10
PPM = 200e-6
GONE = RATE * 60 * MINUTES * PPM  # frames that one clock is ahead of the other by at the end


class Card:
    """A sound card whose callback is called by the test's clock."""

    callback: Any = None

    def OutputStream(self, **settings: Any) -> Card:
        self.callback = settings["callback"]
        return self

    InputStream = OutputStream

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def paced(clock: VirtualClock, every: float, act: Any) -> None:
    """Call `act` with 0, 1, 2 ... at its multiples of `every` seconds, counted and not added up."""

    def step(n: int) -> None:
        act(n)
        clock.at((n + 1) * every, lambda: step(n + 1))

    clock.at(0.0, lambda: step(0))


@pytest.mark.parametrize("ahead", [PPM, -PPM], ids=["source fast", "source slow"])
def test_a_sound_card_and_a_source_drift_apart(ahead: float) -> None:
    """The ring stays between empty and its bound; what is too much or too little is counted."""
    clock, card = VirtualClock(), Card()
    fills: list[int] = []
    out = np.zeros((HOP, 1), np.float32)
    with Speaker(rate=RATE, target="250 ms", most="500 ms", sounds=card) as speaker:  # pyright: ignore[reportArgumentType]: as much of the library as is used
        feeder = Feeder(gain(-3.0), limiter())

        def speak(n: int) -> None:
            samples = np.full((HOP, 1), 0.5, np.float32)
            block = Block(samples, RATE, n * HOP, 0 if n else START)
            for made in feeder.feed(block):
                speaker.play(made)
            feeder.values.clear()

        def listen(n: int) -> None:
            card.callback(out, HOP, None, None)
            fills.append(speaker.fill)

        paced(clock, HOP / RATE / (1 + ahead), speak)
        paced(clock, HOP / RATE, listen)
        clock.run_until(60.0 * MINUTES)
    assert max(fills) <= round(0.5 * RATE)
    if ahead > 0:
        assert abs(speaker.skipped - GONE) < 2 * round(0.5 * RATE)
        assert speaker.underruns <= 1
        # Each time the oldest goes there is room for a while: no steady stream of clicks.
        assert speaker.skipped // round(0.25 * RATE) <= 60
    else:
        assert speaker.skipped == 0
        assert 1 <= speaker.underruns <= GONE / (0.15 * RATE) + 2


def test_a_listener_whose_clock_is_slow_hears_live_sound_with_bounded_delay() -> None:
    """Sent and not heard stays below 0.6 s, waiting below 0.2 s; the oldest is dropped, counted."""
    clock = VirtualClock()
    stream = Outgoing(1, 1, RATE, 1, live=True)
    waiting: list[int] = []
    samples: NDArray[np.int16] = np.full((HOP, 1), 1000, np.int16)
    heard = 0

    def speak(n: int) -> None:
        stream.push(samples, 100.0 * n)
        for _ in stream.due():
            pass
        counters = stream.counters
        waiting.append(counters.total - counters.heard)

    def listen(n: int) -> None:
        nonlocal heard
        heard = min(heard + round(0.1 * RATE), stream.counters.sent)
        stream.heard(heard)

    paced(clock, HOP / RATE, speak)
    paced(clock, 0.1 / (1 - PPM), listen)
    clock.run_until(60.0 * MINUTES)
    counters = stream.counters
    assert max(waiting[100:]) <= round(0.9 * RATE)
    assert abs(counters.total - counters.heard) <= round(0.9 * RATE)
    assert counters.dropped <= GONE


def test_lost_frames_stay_silence_for_half_an_hour() -> None:
    """A card that loses a frame in 5,000 (200 ppm): `align` keeps the index true to the end."""
    feeder = Feeder(align())
    lost = total = 0
    end = RATE * 60 * MINUTES
    at = 0
    kept: list[Block] = []
    while at < end:
        size = min(5000, end - at)
        flags = (0 if at else START) | (END if at + size >= end else 0)
        feeder.feed(Block(np.ones((size - 1, 1), np.float32), RATE, at, flags))
        at, lost = at + size, lost + 1
        kept += feeder.values[-1:]
        total += sum(block.frames for block in feeder.values)
        feeder.values.clear()
    silent = sum(int(np.count_nonzero(joined([block]) == 0)) for block in kept)
    assert total == end - 1
    assert silent == lost - 1
    assert lost == pytest.approx(end * PPM, abs=1)
