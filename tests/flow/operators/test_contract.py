"""What holds for every operator, whatever it does to sound."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ossicle.flow.blocks import DISCONTINUITY, END, FLUSH, START, Block, Samples, joined
from ossicle.flow.operators.testing import Feeder, cut, held_back, through

from .cases import RATE, READINGS, SOUND, SWITCH, Case, content, material

EXAMPLES = 4
"""Random partitions of each operator; raise it to search."""

sound = pytest.mark.parametrize("case", [*SOUND, SWITCH], ids=lambda c: c.name)
resetting = pytest.mark.parametrize(
    "case", [c for c in SOUND if c.resets and c.alone], ids=lambda c: c.name
)
alone = pytest.mark.parametrize(
    "case", [c for c in [*SOUND, SWITCH] if c.alone], ids=lambda c: c.name
)
readings = pytest.mark.parametrize("case", READINGS, ids=lambda c: c.name)
every = pytest.mark.parametrize("case", [*SOUND, SWITCH, *READINGS], ids=lambda c: c.name)


@cache
def stuff_of(channels: int, seconds: float) -> Samples:
    return material(channels, seconds)


def stuff(case: Case) -> Samples:
    """What the case is tried with: long enough for each part of it to act."""
    return stuff_of(case.takes, 0.6 if case in READINGS or case.slack else 0.35)


@sound
def test_a_click_keeps_its_place(case: Case) -> None:
    """Whatever an operator holds back, what comes in at an index goes out at that index."""
    click = np.zeros((24_000, case.takes), np.float32)
    click[10_001] = 0.9
    silent = np.zeros_like(click)
    operator = case.make()
    with_click: Samples = joined(through(cut(click), operator))
    without: Samples = joined(through(cut(silent), case.make()))
    heard = np.abs(with_click - without).max(axis=1)
    wanted = 10_001 * operator.rate(RATE) / RATE / case.pace
    assert abs(int(np.argmax(heard)) - wanted) <= max(case.place, 0.5)
    assert heard.max() > 1e-4


def expected_frames(case: Case, frames: int) -> int:
    operator = case.make()
    return round(frames * operator.rate(RATE) / RATE / case.pace)


partitions = st.lists(st.integers(0, 9000), min_size=1, max_size=6).filter(any)
"""Sizes of blocks, taken in turn over and over; 0 is a block without frames."""


def any_partition(test: Callable[[Case, list[int]], None]) -> Callable[..., None]:
    """Blocks of a frame, of any size, and all at once; more are made up on each run."""
    for sizes in ([480], [4096], [1, 7, 0, 320, 33, 0, 1025], [100_000]):
        test = example(sizes=sizes)(test)
    return settings(
        deadline=None,  # a busy machine is no bug
        max_examples=EXAMPLES,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow],
    )(given(sizes=partitions)(test))


@every
@any_partition
def test_any_blocks_give_the_same(case: Case, sizes: list[int]) -> None:
    """Bit for bit the samples and readings that blocks of 960 give, however sound is cut."""
    one = through(cut(stuff(case)), case.make())
    other = through(cut(stuff(case), sizes), case.make())
    assert one
    if case in READINGS:
        assert [content(v) for v in one] == [content(v) for v in other]
    else:
        assert np.array_equal(joined(one), joined(other))


@sound
def test_what_goes_out(case: Case) -> None:
    """float32, finite, of the declared rate and channels, without a gap, whole at END."""
    samples = stuff(case)
    operator = case.make()
    out: list[Block] = through(cut(samples), operator)
    assert {b.samples.dtype.name for b in out} == {"float32"}
    assert all(np.isfinite(b.samples).all() for b in out)
    assert {b.rate for b in out} == {operator.rate(RATE)}
    assert {b.channels for b in out} == {case.channels(case.takes)}
    assert [b.index for b in out[1:]] == [b.end for b in out[:-1]]
    assert out[0].index == 0
    assert out[-1].end == expected_frames(case, len(samples))
    assert [b.flags & START for b in out] == [START] + [0] * (len(out) - 1)
    assert [b.flags & END for b in out] == [0] * (len(out) - 1) + [END]


@sound
def test_a_completed_source_is_an_end(case: Case) -> None:
    """A source that completes without END gives what END would have given, and completes."""
    samples = material(case.takes, 0.2)
    feeder = Feeder(case.make())
    for block in cut(samples, end=False):
        feeder.feed(block)
    feeder.complete()
    assert feeder.completed
    ended = joined(through(cut(samples), case.make()))
    assert np.array_equal(joined(feeder.values), ended)


@every
def test_the_declared_latency_is_the_measured_one(case: Case) -> None:
    """Fed one by one, frames wait as long as the operator says, and not longer."""
    operator = case.make()
    declared = operator.latency(RATE)
    # Long enough for what depends on the sound to show its most.
    least = 0.6 if "pause" in case.name else 0.3 if case.slack or case.name == "switch" else 0.05
    if (
        operator.rate(RATE) != RATE and "best" not in case.name
    ):  # a filter's phases come round within milliseconds
        least = 0.1
    samples = material(case.takes, max(least, (2 * declared + 1000) / RATE))
    measured = held_back(operator, samples, pace=case.pace, skip=case.fills)
    assert measured <= declared <= measured + case.slack


@resetting
def test_a_discontinuity_begins_anew(case: Case) -> None:
    """What was held comes out first; then the operator is as if it were new."""
    before, after = material(case.takes, 0.1, 2), material(case.takes, 0.15, 3)
    gap = cut(after, index=50_000, flags=DISCONTINUITY)
    out: list[Block] = through([*cut(before, end=False), *gap], case.make())
    first = joined(through(cut(before), case.make()))
    second = joined(through(cut(after, index=50_000), case.make()))
    assert np.array_equal(joined(out), np.concatenate((first, second)))
    (at,) = [b for b in out if b.flags & DISCONTINUITY]
    assert at.index == round(50_000 * case.make().rate(RATE) / RATE)


@resetting
def test_a_jump_of_the_index_is_a_discontinuity(case: Case) -> None:
    """A gap that nobody marked is seen by the index, and marked from there on."""
    before, after = material(case.takes, 0.1, 2), material(case.takes, 0.1, 3)
    silent = [*cut(before, end=False), *cut(after, index=90_000, flags=0)]
    told = [*cut(before, end=False), *cut(after, index=90_000, flags=DISCONTINUITY)]
    one, other = through(silent, case.make()), through(told, case.make())
    assert [content(b) for b in one] == [content(b) for b in other]
    assert [b.flags for b in one] == [b.flags for b in other]


@alone
def test_a_flush_voids_what_is_held(case: Case) -> None:
    """FLUSH passes at once, what was held never comes out, later sound is as if new."""
    before, after = material(case.takes, 0.1, 2), material(case.takes, 0.1, 3)
    feeder = Feeder(case.make())
    for block in cut(before, end=False):
        feeder.feed(block)
    marker = Block(before[:0], RATE, 4800, FLUSH, 1)
    (passed,) = feeder.feed(marker)
    assert (passed.flags & FLUSH, passed.epoch, passed.frames) == (FLUSH, 1, 0)
    late = Block(before[:960], RATE, 4800, 0, 0)
    assert feeder.feed(late) == []
    came: list[Block] = []
    for block in cut(after, index=4800, flags=START, epoch=1):
        came.extend(feeder.feed(block))
    assert np.array_equal(joined(came), joined(through(cut(after, index=4800), case.make())))
    assert {b.epoch for b in came} == {1}


@readings
def test_readings_begin_anew(case: Case) -> None:
    """After a discontinuity readings are those of a new operator, at the new index."""
    before, after = material(2, 0.5, 2), material(2, 0.6, 3)
    gap = cut(after, index=90_000, flags=DISCONTINUITY)
    out = through([*cut(before, end=False), *gap], case.make())
    late = [content(v) for v in out if v.index >= 90_000]
    assert late == [content(v) for v in through(cut(after, index=90_000), case.make())]
    assert late


@every
def test_two_subscriptions_share_nothing(case: Case) -> None:
    """One operator object in two chains gives each its own state."""
    samples = material(case.takes, 0.3)
    operator = case.make()
    one, other = Feeder(operator), Feeder(operator)
    for block in cut(samples):
        one.feed(block)
        other.feed(block)
    assert [content(v) for v in one.values] == [content(v) for v in other.values]
