"""Two clocks that disagree by 200 ppm for half an hour, in virtual time: bounded, and counted."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ossicle.flow.blocks import END, START, Block, joined
from ossicle.flow.operators import align, gain
from ossicle.flow.operators.testing import Feeder
from ossicle.flow.testing import VirtualClock
from ossicle.runtime.soundcard import Speaker
from ossicle.runtime.streams.frame import Frame, unpack
from ossicle.runtime.streams.incoming import Incoming
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
    """The ring stays between empty and its bound, no frame is heard twice or out of place, and the
    frames that are missing are those that were counted."""
    clock, card = VirtualClock(), Card()
    fills: list[int] = []
    out = np.zeros((HOP, 1), np.float32)
    with Speaker(rate=RATE, target="250 ms", most="500 ms", sounds=card) as speaker:  # pyright: ignore[reportArgumentType]: as much of the library as is used
        feeder = Feeder(gain(0.0), align())
        last, missing = 0, 0

        def speak(n: int) -> None:
            # Each frame is its own number, which float32 holds to the end; 0 is silence.
            samples = np.arange(n * HOP + 1, n * HOP + HOP + 1, dtype=np.float32)[:, None]
            block = Block(samples, RATE, n * HOP, 0 if n else START)
            for made in feeder.feed(block):
                speaker.play(made)
            feeder.values.clear()

        def listen(n: int) -> None:
            nonlocal last, missing
            card.callback(out, HOP, None, None)
            fills.append(speaker.fill)
            heard = out[out > 0].astype(np.int64)
            if len(heard):
                steps = np.diff(heard, prepend=last)
                assert steps.min() >= 1
                missing += int((steps - 1).sum())
                last = int(heard[-1])

        paced(clock, HOP / RATE / (1 + ahead), speak)
        paced(clock, HOP / RATE, listen)
        clock.run_until(60.0 * MINUTES)
    assert max(fills) <= round(0.5 * RATE)
    assert missing == speaker.skipped
    assert last + speaker.fill >= RATE * 60 * MINUTES * (1 + ahead) - 2 * HOP
    if ahead > 0:
        assert abs(speaker.skipped - GONE) < 2 * round(0.5 * RATE)
        assert speaker.underruns <= 1
        # Each time the oldest goes there is room for a while: no steady stream of clicks.
        assert speaker.skipped // round(0.25 * RATE) <= 60
    else:
        assert speaker.skipped == 0
        assert 1 <= speaker.underruns <= GONE / (0.15 * RATE) + 2


@pytest.mark.parametrize("slow", [PPM, 10 * PPM])
def test_a_listener_whose_clock_is_slow_hears_live_sound_with_bounded_delay(slow: float) -> None:
    """Sent and not heard stays below 0.6 s, waiting below 0.2 s: 200 ppm never come so far in half
    an hour, ten times as many do. Then the oldest is dropped and counted, and every frame that
    goes out stands at its index."""
    clock = VirtualClock()
    stream = Outgoing(1, 1, RATE, 1, live=True)
    waiting: list[int] = []
    heard = next = missing = 0
    arrived = deque[tuple[int, int]]()

    def numbered(first: int, count: int) -> NDArray[np.int16]:
        return (np.arange(first, first + count) % 30_011).astype(np.int16)[:, None]

    def speak(n: int) -> None:
        nonlocal next, missing
        stream.push(numbered(n * HOP, HOP), 100.0 * n)
        for data in stream.due():
            frame = unpack(data)
            assert frame.index >= next
            missing += frame.index - next
            next = frame.index + len(frame.samples)
            arrived.append((frame.index, next))
            assert np.array_equal(frame.samples, numbered(frame.index, len(frame.samples)))
        counters = stream.counters
        waiting.append(counters.total - counters.heard)

    def listen(n: int) -> None:
        nonlocal heard
        left = round(0.1 * RATE)
        while arrived and left:  # what never came is passed over
            start, end = arrived.popleft()
            here = min(left, end - start)
            left, heard = left - here, start + here
            if heard < end:
                arrived.appendleft((heard, end))
        stream.heard(heard)

    paced(clock, HOP / RATE, speak)
    paced(clock, 0.1 / (1 - slow), listen)
    clock.run_until(60.0 * MINUTES)
    counters = stream.counters
    assert max(waiting[100:]) <= round(0.9 * RATE)
    assert abs(counters.total - counters.heard) <= round(0.9 * RATE)
    late = RATE * 60 * MINUTES * slow - 0.8 * RATE
    assert counters.dropped == 0 if late < 0 else abs(counters.dropped - late) < 0.2 * RATE
    assert missing == counters.dropped
    assert next == counters.sent


@pytest.mark.parametrize("ahead", [PPM, -PPM], ids=["page fast", "page slow"])
def test_a_microphone_whose_clock_drifts_is_never_taken_for_late(ahead: float) -> None:
    """Half an hour of frames with the page's times: none is lost, late, or told to be old."""
    now = 100.0
    take = Incoming(RATE, 1, now=lambda: now)
    ages: list[float] = []
    trembling = np.random.default_rng(5).uniform(0, 0.004, RATE * 60 * MINUTES // HOP)
    for n, wait in enumerate(trembling):
        captured = 7.0 + n * HOP / RATE
        now = 100.0 + n * HOP / RATE / (1 + ahead) + wait
        samples: NDArray[np.int16] = np.full((HOP, 1), n % 999, np.int16)
        frame = Frame(1, 0 if n else START, n, RATE, n * HOP, 1000 * captured, samples)
        assert take.push(frame)
        ages.append(take.age)
    counters = take.counters
    assert counters.received == take.next == RATE * 60 * MINUTES
    assert (counters.lost, counters.repeated, counters.late, counters.untaken) == (0, 0, 0, 0)
    assert max(ages) < 0.02


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
