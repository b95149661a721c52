"""Counters of live sound: where they are written, and what they say together."""

from __future__ import annotations

import asyncio
import json

import numpy as np

from ossicle.flow.blocks import START
from ossicle.runtime.streams.frame import Frame
from ossicle.runtime.streams.incoming import LATE, LONG, Incoming
from ossicle.runtime.streams.metrics import Lag, Metrics, SessionMetrics
from ossicle.runtime.streams.outgoing import Outgoing
from ossicle.runtime.streams.watch import Watch

RATE = 48_000
HOP = 960


def test_a_snapshot_is_json_and_keeps_the_sums_of_what_is_over() -> None:
    """A recording that is replaced, and a session that closes, leave their sums."""
    metrics = Metrics()
    session = metrics.open()
    for received in (100, 50):
        session.source(3, RATE, 1).received = received
    session.sink(4, RATE, 1, True).dropped = 7
    now = json.loads(json.dumps(metrics.snapshot()))
    assert [s["received"] for s in now["sessions"][0]["sources"]] == [50]
    assert now["totals"]["in"]["received"] == 150
    metrics.close(session)
    then = metrics.snapshot()
    assert then["sessions"] == [] and then["open"] == 0
    assert then["totals"] == now["totals"]


def test_load_is_the_share_of_the_sounds_own_time() -> None:
    source = SessionMetrics().source(3, RATE, 1)
    assert source.load == 0
    source.received = RATE
    source.spent(0.25)
    source.spent(0.05)
    assert round(source.load, 6) == 0.3
    assert source.longest == 0.25


def test_lag_is_told_in_percentiles_and_stalls() -> None:
    lag = Lag()
    for _ in range(98):
        lag.add(0.0002)
    lag.add(0.19)
    lag.add(0.21)
    assert lag.percentile(50) <= 0.00025
    assert 0.19 <= lag.percentile(99) <= 0.21
    assert (lag.most, lag.stalls) == (0.21, 2)


async def test_the_watch_rests_when_there_is_no_sound() -> None:
    """It has a timer while sound comes, looks once more, and then has none."""
    looked = asyncio.Event()

    class Seen(Lag):
        def add(self, seconds: float) -> None:
            super().add(seconds)
            if self.seen == 2:
                looked.set()

    lag = Seen()
    watch = Watch(asyncio.get_running_loop(), lag)
    watch.sounds()
    watch.sounds()
    async with asyncio.timeout(10):
        await looked.wait()
    await asyncio.sleep(0)
    assert not watch.ticking
    assert lag.seen == 2


class Page:
    """A recording whose frames come when the test says."""

    def __init__(self) -> None:
        self.now = 5.0
        self.stream = Incoming(RATE, 1, now=lambda: self.now)
        self.n = 0

    def frame(self, came: float) -> float:
        """The next frame, captured at its time, comes at `came`; its age."""
        self.now = 5.0 + came
        samples = np.zeros((HOP, 1), np.int16)
        captured = 1000 * (77 + self.n * HOP / RATE)
        flags = 0 if self.n else START
        self.stream.push(Frame(3, flags, self.n, RATE, self.n * HOP, captured, samples))
        self.n += 1
        return self.stream.age


def test_after_a_stall_the_age_of_sound_tells_what_waited() -> None:
    """Ten frames that a stall held up come at once: each is younger than the one before."""
    page = Page()
    for n in range(50):
        assert page.frame(n * 0.02) < 0.001
    ages = [page.frame(1.3) for _ in range(15)]
    assert 0.29 < ages[0] < 0.31
    assert all(abs(a - b - 0.02) < 1e-6 for a, b in zip(ages, ages[1:], strict=False))
    assert page.stream.counters.late == sum(age > LATE for age in ages) == 5
    assert page.frame(1.3) < 0.001


def test_a_longer_way_is_no_stall() -> None:
    """When a line gets longer for good, its sound is late for a second and then no more."""
    page = Page()
    for n in range(50):
        page.frame(n * 0.02)
    ages = [page.frame(n * 0.02 + 0.5) for n in range(50, 150)]
    late = sum(age > LATE for age in ages)
    assert late * 0.02 <= LONG + 0.02
    assert ages[-1] < 0.001


def test_what_was_made_of_late_sound_is_dropped_and_the_newest_is_not() -> None:
    """Live sound after a stall is that of now: what is too old is left out and counted."""
    stream = Outgoing(4, 1, RATE, 1, live=True)
    samples = np.zeros((HOP, 1), np.int16)
    for age in (0.0, 0.3, 0.25, 0.19):
        stream.push(samples, 100.0, age)
    sent = list(stream.due())
    assert len(sent) == 1  # the first was void before it was sent: a stall's sound is older still
    assert stream.counters.dropped == 3 * HOP
    assert stream.counters.sent == stream.total == 4 * HOP
