"""Counters of live sound: where they are written, and what they say together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import numpy as np
import pytest
from reactivex import Subject
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import START, Block
from ossicle.flow.figures import EVERY
from ossicle.flow.model import Cause, Event, Kind, Outcome, Request
from ossicle.flow.operators import limiter, mix
from ossicle.flow.program import Program
from ossicle.flow.said import Frames, Open
from ossicle.flow.testing import VirtualClock, inline
from ossicle.flow.units import Seconds
from ossicle.runtime.live_line import live_line
from ossicle.runtime.streams.frame import Frame
from ossicle.runtime.streams.incoming import LATE, LONG, Incoming
from ossicle.runtime.streams.metrics import Lag, Metrics, SessionMetrics
from ossicle.runtime.streams.outgoing import Outgoing
from ossicle.runtime.streams.spread import Spread
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


def test_a_spread_tells_percentiles_within_a_step() -> None:
    """A thousand measurements, and none."""
    spread = Spread()
    assert spread.percentile(99) == 0
    for each in range(1, 1001):
        spread.add(each / 10)
    for percent, right in ((50, 50), (95, 95), (99, 99)):
        assert right <= spread.percentile(percent) <= right * 1.1
    spread.add(1e9)
    assert spread.percentile(100) < 70_000


def test_what_waits_for_a_function_is_counted_until_it_ends() -> None:
    """Two chunks wait, one is dropped; the call that takes longer than its chunk is late."""
    metrics = SessionMetrics()
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(print, mic, None)
    (listener,) = demo.plan().listeners
    chunk = Clip.of(RATE, np.zeros(RATE // 10, np.int16))

    def reach(kind: Kind, id: int, now: float) -> dict[str, object]:
        event = Event(id, "s", mic.id, "stream", Cause.STREAM, now, chunk)
        metrics.called(Outcome(kind, Request(id, "s", listener, event)), now)
        (made,) = metrics.nodes(mic.id)["calls"]
        return made

    reach(Kind.STARTED, 1, 0.0)
    reach(Kind.QUEUED, 2, 0.1)
    assert reach(Kind.QUEUED, 3, 0.2)["waiting"] == 2
    assert reach(Kind.DROPPED, 2, 0.25)["dropped"] == 1
    reach(Kind.SUCCEEDED, 1, 0.25)
    now = reach(Kind.STARTED, 3, 0.25)
    assert (now["waiting"], now["most_waiting"], now["delay_ms"]) == (0, 2, 50.0)
    now = reach(Kind.FAILED, 3, 0.3)
    assert (now["late"], now["failed"], now["chunks"]) == (1, 1, 3)
    assert (now["load"], now["longest_ms"]) == (1.5, 250.0)
    assert metrics.nodes(99) == {"chains": [], "calls": []}
    assert metrics.sums().snapshot()["functions"]["dropped"] == 1


def test_operators_tell_what_they_cost_hold_and_left_out() -> None:
    """Costs by a clock of the test's: each operator its own, the rest is the sink's."""
    now = 0.0

    def works(seconds: float) -> Callable[[Block], Block]:
        def work(block: Block) -> Block:
            nonlocal now
            now += seconds
            return block

        return work

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        quick, slow = ops.map(works(0.002)), ops.map(works(0.008))
        mic.stream.pipe(quick, limiter(ahead="5 ms"), slow).to(out)
    clock = VirtualClock()
    program = Program(
        demo.plan(), inline(clock), clock, lambda _: None, on_error=print, cost=lambda: now
    )
    program.receive(Open("s"))
    for n in range(EVERY):
        program.receive(Frames("s", mic.id, Block.of(RATE, np.zeros(HOP), n * HOP)))
    metrics = SessionMetrics(chains=program.sessions["s"].pipes)
    metrics.source(mic.id, RATE, 1)
    (chain,) = metrics.nodes(out.id)["chains"]
    assert (chain["blocks"], chain["out"], chain["faults"]) == (EVERY, EVERY, 0)
    assert chain["load"] == 0.5
    first, held, last = chain["operators"]
    assert [each["load"] for each in (first, held, last)] == [0.1, 0.0, 0.4]
    assert (held["operator"], held["latency"], held["held"]) == ("limiter", 240, 240)
    assert first["operator"] == "map(work)"


def test_frames_that_came_too_late_to_mix_are_counted() -> None:
    """In the figures of the operator, in the sums, and in the line; also over a fault."""
    other = Subject[Block]()
    fails = False

    def fail(block: Block) -> Block:
        if fails:
            raise ValueError("once")
        return block

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(mix(other, hold="40 ms"), ops.map(fail)).to(out)
    clock, metrics = VirtualClock(), Metrics()
    program = Program(demo.plan(), inline(clock), clock, lambda _: None, on_error=print)
    program.receive(Open("s"))
    session = metrics.open()
    session.chains = program.sessions["s"].pipes
    session.source(mic.id, RATE, 1)

    def late() -> int:
        return metrics.snapshot()["sessions"][0]["chains"][0]["operators"][0]["late"]

    for n in range(5):
        program.receive(Frames("s", mic.id, Block.of(RATE, np.zeros(HOP), n * HOP)))
        other.on_next(Block.of(RATE, np.zeros(HOP), n * HOP))
    assert late() == 0
    for n in range(5, 10):
        program.receive(Frames("s", mic.id, Block.of(RATE, np.zeros(HOP), n * HOP)))
    other.on_next(Block.of(RATE, np.zeros(4 * HOP), 5 * HOP))
    assert late() == 3 * HOP
    fails = True
    program.receive(Frames("s", mic.id, Block.of(RATE, np.zeros(HOP), 10 * HOP)))
    other.on_next(Block.of(RATE, np.zeros(2 * HOP), 9 * HOP))
    assert metrics.snapshot()["totals"]["operators"]["faults"] == 1
    now = metrics.snapshot()
    assert late() == now["totals"]["operators"]["late"] == 3 * HOP
    assert f"too late to mix {3 * HOP} · faults 1" in live_line(now)


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
    assert not page.stream.behind


class Loop:
    """One that works so many seconds on each frame of a page, if that is not left out."""

    def __init__(self, *works: Seconds) -> None:
        self.pages = [Page() for _ in works]
        self.works = works
        self.now: Seconds = 0.0
        self.ages = list[list[float]]([] for _ in works)
        self.left_out = [0 for _ in works]

    def until(self, end: float) -> None:
        """Sockets are read in turn, as asyncio does it: all that is in one, then the next."""
        while self.now < end:
            before = self.now
            for n, page in enumerate(self.pages):
                came = int(self.now / 0.02 + 1e-6) + 1  # frames that are in the socket
                while page.n < came:
                    self._take(n, page)
            if self.now == before:
                self._rest()

    def _rest(self) -> None:
        self.now = min(page.n for page in self.pages) * 0.02

    def _take(self, n: int, page: Page) -> None:
        page.frame(self.now)
        if page.stream.behind:
            self.left_out[n] += 1
        else:
            self.ages[n].append(self.now - (page.n - 1) * 0.02)
            self.now += self.works[n]


@pytest.mark.parametrize(
    "works", [(0.021,), (0.028,), (0.1,), (0.002,) * 20], ids=["a little", "trial", "far", "many"]
)
def test_what_a_loop_is_behind_with_is_left_out_and_lateness_is_bounded(
    works: tuple[float, ...],
) -> None:
    """Load of the loop's own is never taken for a longer way: after the patience that a stall has,
    operators get no sound that is later than LATE, by what a turn of the loop takes, and still as
    much of it as there is time for."""
    loop = Loop(*works)
    turn = 0.02 + sum(works)
    loop.until(10)
    got = [len(ages) for ages in loop.ages]
    loop.until(30)
    for ages, before, left_out, work in zip(loop.ages, got, loop.left_out, works, strict=True):
        assert max(ages) <= 2 * LONG
        assert max(ages[before:]) <= 2 * LATE + turn
        # What they get later than that is work for nothing: patience is for stalls.
        assert sum(age > LATE for age in ages[before:]) < 0.19 * (len(ages) - before)
        possible = 20 / (work * len(works))
        assert len(ages) - before >= 0.8 * possible
        assert left_out > 0
    assert all(page.stream.next == page.n * HOP for page in loop.pages)
    assert all(page.stream.tape.frames == page.n * HOP for page in loop.pages)


@pytest.mark.parametrize("stall", [0.3, 1.0])
def test_a_stall_leaves_nothing_out_before_operators(stall: float) -> None:
    """A second of standstill is worked off, so that operators go on as they were."""
    loop = Loop(0.001)
    loop.until(2)
    loop.now += stall
    loop.until(12)
    assert loop.left_out == [0]
    assert loop.ages[0][-1] < 0.001


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
