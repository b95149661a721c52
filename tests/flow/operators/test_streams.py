"""Framing, meeting, branching, switching, recording: what is done to streams as a whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import Observable, Subject

from ossicle.flow.blocks import DISCONTINUITY, END, FLUSH, START, Block, BlockError, Samples, joined
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import noise, tone
from ossicle.flow.offline import render, run
from ossicle.flow.operators import (
    BlockOperator,
    BudgetError,
    Choice,
    Param,
    align,
    budget,
    channel,
    crossfade,
    declick,
    frame,
    gain,
    latency_of,
    level,
    limiter,
    lowpass,
    merge,
    mix,
    mono,
    overlap_add,
    record,
    resample,
    split,
    switch,
    tee,
    vad,
    window,
)
from ossicle.flow.operators.operator import Form, Kernel, sound
from ossicle.flow.operators.testing import Feeder, cut, through

RATE = 48_000
ramp = np.arange(1, 10_001, dtype=np.float32)


# -- the law -----------------------------------------------------------------------------------


class _Fails(Kernel):
    def process(self, samples: Samples) -> Samples:
        raise ZeroDivisionError("on purpose")


def test_an_error_ends_the_stream_and_names_operator_and_frame() -> None:
    """The exception keeps its type; a note says where it came from; nothing comes after it."""

    def make(form: Form) -> Kernel:
        return _Fails()

    feeder = Feeder(gain(-3.0), sound("breaks", make), gain(-3.0))
    with pytest.raises(ZeroDivisionError) as caught:
        feeder.feed(Block(np.zeros((10, 1), np.float32), RATE, 70))
    (note,) = caught.value.__notes__
    assert "'breaks'" in note and "70..80" in note
    assert feeder.values == []


def test_another_rate_or_channel_count_begins_anew() -> None:
    """A stream that changes its form goes on, marked, instead of breaking the filter."""
    blocks = [
        *cut(ramp[:960], end=False),
        *cut(np.ones((960, 2)), index=960, flags=0, end=False),
        *cut(np.ones((960, 2)), index=1920, flags=0, rate=44_100),
    ]
    out: list[Block] = through(blocks, lowpass(500.0))
    assert [b.flags & DISCONTINUITY for b in out] == [0, DISCONTINUITY, DISCONTINUITY]
    assert [(b.rate, b.channels) for b in out] == [(48_000, 1), (48_000, 2), (44_100, 2)]


def test_takes_follow_one_another() -> None:
    """After END the operator is new; the next START begins its state and index afresh."""
    take = cut(ramp[:960])
    once = through(take, limiter(-6.0))
    twice: list[Block] = through([*take, *take], limiter(-6.0))
    assert np.array_equal(joined(twice), np.concatenate([joined(once)] * 2))
    assert [b.index for b in twice] == [b.index for b in once] * 2


# -- latency -----------------------------------------------------------------------------------


def test_the_latency_of_a_chain_is_counted_at_each_rate() -> None:
    """resample 51 at 48 kHz, then 511 frames of 16 kHz: 51 + 3 · 511 = 1584."""
    chain = (resample(16_000), frame(512))
    assert latency_of(chain, 48_000) == 51 + 3 * 511
    assert latency_of((), 48_000) == 0


def test_a_budget_names_what_takes_how_long() -> None:
    """Within it, what is left comes back; beyond it, the error lists the operators."""
    chain = (resample(16_000), frame(512), vad(512))
    with pytest.raises(BudgetError, match=r"frame 31\.9 ms, vad 31\.9 ms"):
        budget("60 ms", *chain, rate=48_000)
    left = budget("60 ms", resample(16_000), frame(512), rate=48_000, block="20 ms")
    assert abs(left - (0.060 - 0.020 - 51 / 48_000 - 511 / 16_000)) < 1e-9
    with pytest.raises(DeclarationError, match="'60 mss'"):
        budget("60 mss", rate=48_000)


# -- framing -----------------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.integers(0, 400),
    st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any),
    st.integers(1, 60),
    st.integers(1, 90),
    st.sampled_from(["keep", "pad", "drop"]),
)
def test_frames_are_where_they_say(
    total: int, sizes: list[int], size: int, hop: int, remainder: Any
) -> None:
    """For any sound, cut, size and hop: each frame is the sound at its index, none is missing."""
    sound = ramp[:total]
    out: list[Block] = through(cut(sound, sizes, index=1000), frame(size, hop, remainder))
    full = [b for b in out if b.frames]
    wanted = list(range(0, max(0, total - size + 1), hop))
    covered = wanted[-1] + size if wanted else 0
    next_one = len(wanted) * hop
    if remainder != "drop" and total > covered and next_one < total:
        wanted.append(next_one)
    assert [b.index - 1000 for b in full] == wanted
    for block in full:
        at = block.index - 1000
        here = sound[at : at + size]
        assert np.array_equal(block.samples[: len(here), 0], here)
        assert not block.samples[len(here) :].any()
        assert block.frames == size or (remainder == "keep" and block is full[-1])
    assert [b.flags & END for b in out] == [0] * (len(out) - 1) + [END]


@pytest.mark.parametrize("size", [256, 1000])
def test_windows_add_up_to_the_sound(size: int) -> None:
    """frame, hann, overlap_add at half a window: the sound comes back, but for its two ends."""
    out: list[Block] = through(
        cut(ramp), frame(size, size // 2, "pad"), window("hann"), overlap_add(size // 2)
    )
    back = joined(out)[:, 0]
    half = size // 2
    assert np.allclose(back[half : len(ramp) - half], ramp[half:-half], rtol=1e-5)
    assert [b.index for b in out[1:]] == [b.end for b in out[:-1]]
    assert (out[0].flags, out[-1].flags) == (START, END)


def test_overlap_add_refuses_frames_of_other_sizes() -> None:
    """The error says what came and what was wanted."""
    with pytest.raises(BlockError, match="frames of 100"):
        through(cut(ramp, (100, 90)), overlap_add(50))


# -- several streams -----------------------------------------------------------------------------


def mixed(hold: str) -> Callable[..., BlockOperator]:
    return partial(mix, hold=hold)


def meet(
    operator: Callable[..., BlockOperator],
    mine: list[Block],
    others: list[list[Block]],
    order: list[int],
) -> tuple[list[Block], Any]:
    """Feed sources one block each, in this order (0 is mine), then the rest of each in turn."""
    subjects = [Subject[Block]() for _ in others]
    feeder = Feeder(operator(*subjects))
    queues = [list(mine), *map(list, others)]
    for number in [*order, *(n for n, q in enumerate(queues) for _ in q)]:
        if queues[number]:
            block = queues[number].pop(0)
            if number:
                subjects[number - 1].on_next(block)
            else:
                feeder.feed(block)
    return feeder.values, feeder


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
    st.integers(0, 400),
    st.lists(st.integers(0, 1), max_size=40),
)
def test_mixed_streams_meet_by_index(
    sizes: list[int], other_sizes: list[int], offset: int, order: list[int]
) -> None:
    """However blocks are cut and come: frames of one index add up, what is missing is silent."""
    a, b = ramp[:1500], 2 * ramp[:1200]
    out, _ = meet(
        mixed("1 s"),
        cut(a, sizes),
        [cut(b, other_sizes, index=offset)],
        [0, 1, *order],
    )
    wanted = np.zeros(max(1500, offset + 1200), np.float32)
    wanted[:1500] += a
    wanted[offset : offset + 1200] += b
    assert np.array_equal(joined(out)[:, 0], wanted)
    assert (out[0].flags & START, out[-1].flags & END) == (START, END)
    assert [x.index for x in out[1:]] == [x.end for x in out[:-1]]


def test_sources_without_a_clock_meet_too() -> None:
    """Subscribed without a clock, each gives all at once, and none is taken for late."""
    out: list[Block] = []
    done: list[bool] = []
    stream = noise(1.0).pipe(mix(noise(1.0, seed=1)))
    stream.subscribe(out.append, on_completed=lambda: done.append(True))
    assert np.array_equal(joined(out), render(noise(1.0), mix(noise(1.0, seed=1))).samples)
    assert done == [True]


def test_gains_of_a_mix() -> None:
    """One gain for each stream, in dB; a Param glides."""
    first = render(noise(0.1)).samples
    out = render(noise(0.1), mix(noise(0.1, seed=1), gains=[-6.0, Param(-20.0)])).samples
    second = render(noise(0.1, seed=1)).samples
    assert np.allclose(out, first * 10 ** (-6 / 20) + second * 0.1, atol=1e-6)


def test_a_stream_that_stands_still_does_not_stop_the_mix() -> None:
    """It is silent beyond `hold`, and what it brings too late is dropped."""
    out, feeder = meet(
        mixed("10 ms"),
        cut(np.ones(4800), (480,), end=False),
        [cut(np.ones(480), end=False)],
        [0, 1] + [0] * 9,
    )
    assert out[-1].end == 4800 - 480
    assert np.array_equal(joined(out)[:, 0], np.repeat([2.0, 1.0], [480, 3840]))
    assert not feeder.completed


def test_what_comes_too_late_is_counted() -> None:
    """Per operator: of a stream that stood still, and of one that begins far behind."""
    kept: list[Any] = []

    def met(late: list[Block]) -> tuple[Samples, int]:
        other, out = Subject[Block](), list[Block]()
        mine = Subject[Block]()
        through: Any = mix(other, hold="10 ms")(mine)
        through.watched(kept.append).subscribe(out.append)  # as a session does
        for block in cut(np.ones(4800), (480,), end=False, index=48_000):
            mine.on_next(block)
        for block in late:
            other.on_next(block)
        return joined(out)[:, 0], kept[-1].late

    sound, late = met(cut(np.ones(960), (480,), end=False, index=48_000))
    assert late == 960 and np.array_equal(sound, np.ones(4320))
    sound, late = met(cut(np.ones(96_000), (4800,), end=False))
    assert late == 52_320 and np.array_equal(sound[4320:4800], np.full(480, 2.0))


def test_streams_of_other_rates_or_channels_are_refused() -> None:
    """The error says what to put in between; mono meets any number of channels."""
    with pytest.raises(BlockError, match=r"resample\(48000\)"):
        render(tone(100.0, 0.1), mix(tone(100.0, 0.1, rate=44_100)))
    with pytest.raises(BlockError, match="channel"):
        render(noise(0.1, channels=2), mix(noise(0.1, channels=3)))
    both = render(noise(0.1, channels=2), mix(noise(0.1, level=-200.0))).samples
    assert np.allclose(both, render(noise(0.1, channels=2)).samples, atol=1e-6)


def test_merge_undoes_split() -> None:
    """Each channel as a stream, and back: the same samples; the source runs once."""
    runs: list[int] = []

    def counted(observer: Any, scheduler: Any = None) -> Any:
        runs.append(1)
        return noise(0.1, channels=3).subscribe(observer, scheduler=scheduler)

    parts = split(Observable[Block](counted), 3)
    assert np.array_equal(
        render(parts[0], merge(*parts[1:])).samples, render(noise(0.1, channels=3)).samples
    )
    assert len(runs) == 1


def test_a_channel_that_is_not_there() -> None:
    """The error counts."""
    with pytest.raises(BlockError, match="channel 2 was asked for, and 2 came"):
        render(noise(0.1, channels=2), channel(2))


def test_a_flush_voids_all_that_waits_in_a_mix() -> None:
    """FLUSH of one stream empties the others, and passes."""
    marker = Block(np.zeros((0, 1), np.float32), RATE, 960, FLUSH, 1)
    out, _ = meet(
        mixed("1 s"),
        [*cut(ramp[:960], (480,), end=False), marker],
        [[]],
        [0, 0, 0],
    )  # fmt: skip
    assert [(b.flags, b.epoch, b.frames) for b in out] == [(FLUSH, 1, 0)]


def test_crossfade_goes_from_one_to_the_other() -> None:
    """0 is this stream, 1 the other, both bit for bit; the power in between stays."""
    a, b = noise(0.5, seed=1), noise(0.5, seed=2)
    first, second = render(a).samples, render(b).samples
    assert np.array_equal(render(a, crossfade(b, 0.0)).samples, first)
    assert np.array_equal(render(a, crossfade(b, 1.0)).samples, second)
    moving = Param(0.0, "100 ms", changes=[(9600, 1.0)])
    out = render(a, crossfade(b, moving)).samples
    assert np.array_equal(out[:9600], first[:9600])
    assert np.array_equal(out[14_400:], second[14_400:])
    power = np.square(out[9600:14_400]).mean() / np.square(first).mean()
    assert 0.9 < power < 1.1


# -- switching -----------------------------------------------------------------------------------


def test_a_switch_fades_between_chains() -> None:
    """Before the change the one, after the fade the other, in its second half a straight line."""
    choice = Choice(gain(0.0), fade="10 ms", changes=[(4800, [gain(-20.0)])])
    out = joined(through(cut(np.ones(9600)), switch(choice)))[:, 0]
    assert np.all(out[:5040] == 1)
    assert np.allclose(out[5040:5280], 1 - 0.9 * np.arange(1, 241) / 240, atol=1e-6)
    assert np.allclose(out[5280:], 0.1)


def test_a_used_chain_begins_with_the_next_block() -> None:
    """`use` changes a running stream, without a click and without losing a frame."""
    choice = Choice(fade="10 ms")
    feeder = Feeder(switch(choice))
    for n, block in enumerate(cut(0.5 * np.ones(9600), (480,))):
        if n == 5:
            choice.use(limiter(-12.0))
        feeder.feed(block)
    out = joined(feeder.values)[:, 0]
    assert len(out) == 9600
    assert np.all(out[:2400] == 0.5)
    assert np.allclose(out[2880:], 10 ** (-12 / 20), atol=1e-4)
    assert float(np.abs(np.diff(out)).max()) < 0.5 / 200


def test_a_chain_in_a_switch_must_keep_length() -> None:
    """resample in a switch is named as what is wrong."""
    choice = Choice(resample(16_000))
    with pytest.raises(BlockError, match="keep"):
        through(cut(ramp, index=4800), switch(choice))


# -- beside the stream -----------------------------------------------------------------------------


def test_tee_lets_sound_pass_and_tells() -> None:
    """The same blocks go on; the branch has heard each of them before."""
    heard: list[Any] = []
    blocks = cut(ramp)
    passed = through(blocks, tee(mono(), level("10 ms"), into=heard.append))
    assert passed == blocks
    assert len(heard) == 21


def test_what_fails_in_a_tee_is_seen() -> None:
    """An error in a branch ends the stream with that error."""

    def into(_: object) -> None:
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        through(cut(ramp), tee(into=into))


def test_align_fills_gaps_and_drops_what_came_twice() -> None:
    """10 lost frames are silence; 5 that come again are dropped; a gap too long stays one."""
    blocks = [
        *cut(np.ones(100), index=0, end=False),
        *cut(np.ones(100), index=110, flags=DISCONTINUITY, end=False),
        *cut(np.ones(100), index=205, flags=0, end=False),
        *cut(np.ones(100), index=10**9, flags=0),
    ]
    out: list[Block] = through(blocks, align("10 ms"))
    assert [(b.index, b.frames, b.flags) for b in out] == [
        (0, 100, START), (100, 110, 0), (210, 95, 0), (10**9, 100, DISCONTINUITY | END),
    ]  # fmt: skip
    assert np.array_equal(joined(out)[:305, 0], np.repeat([1.0, 0.0, 1.0], [100, 10, 195]))


def test_declick_leaves_no_step() -> None:
    """Where sound jumps from 0.5 to -0.5, it goes there within 5 ms; then nothing is changed."""
    blocks = [
        *cut(np.full(480, 0.5), end=False),
        *cut(np.full(960, -0.5), (100,), index=10_000, flags=DISCONTINUITY),
    ]
    out = joined(through(blocks, declick("5 ms")))[:, 0]
    assert float(np.abs(np.diff(out)).max()) < 1.01 / 240
    assert np.all(out[480 + 240 :] == -0.5)


def test_record_keeps_length_through_gaps() -> None:
    """A lost second is a silent second; what comes twice is taken once; 16 bit, rounded."""
    blocks = [
        *cut(np.full(100, 0.25), end=False),
        *cut(np.full(100, 0.5), index=150, flags=DISCONTINUITY, end=False),
        *cut(np.full(100, 2.0), index=200, flags=0),
    ]
    (clip,) = through(blocks, record())
    wanted = np.repeat([8192, 0, 16_384, 32_767], [100, 50, 100, 50])
    assert np.array_equal(clip.int16(), wanted)
    assert (clip.rate, clip.channels) == (48_000, 1)


def test_record_gives_each_take_and_stops_at_its_bound() -> None:
    """Two takes are two clips; a take that is too long is cut, and its rest not kept."""
    takes = [*cut(ramp[:4800] / 1e5, (960,)), *cut(np.ones(2400), (960,), index=0)]
    clips = through(takes, record(0.06))
    assert [c.frames for c in clips] == [2880, 2400]
    (last,) = run(tone(100.0, 0.5), record())
    assert last.frames == 24_000


def test_record_refuses_another_rate_within_a_take() -> None:
    """The error says what came and what to put before it."""
    blocks = [*cut(ramp, end=False), *cut(ramp, index=10_000, flags=0, rate=44_100)]
    with pytest.raises(BlockError, match=r"resample\(\)"):
        through(blocks, record())


def test_a_plain_function_is_an_operator_too() -> None:
    """`pipe` takes what is a function from stream to stream, so other Rx operators go between."""
    import reactivex.operators as rx

    quiet: BlockOperator = gain(-20.0)
    louder = rx.map(lambda block: block)  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType]
    out: list[Block] = []
    noise(0.1).pipe(quiet, louder, lowpass(300.0)).subscribe(out.append)  # pyright: ignore[reportUnknownArgumentType]
    assert sum(b.frames for b in out) == 4800
