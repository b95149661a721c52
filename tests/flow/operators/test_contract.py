"""What holds for every operator, whatever it does to sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ossicle.flow.blocks import DISCONTINUITY, END, FLUSH, START, Block, Samples, joined
from ossicle.flow.operators import (
    Operator,
    Param,
    align,
    bandpass,
    channel,
    chorus,
    compressor,
    declick,
    delay,
    denoise,
    eq,
    filter,
    frame,
    gain,
    gate,
    high_shelf,
    highpass,
    level,
    limiter,
    loudness,
    low_shelf,
    lowpass,
    mel,
    mono,
    notch,
    onset,
    pan,
    pause,
    peak,
    pitch,
    pitch_track,
    resample,
    reverb,
    spectrogram,
    spectrum,
    switch,
    tee,
    tempo,
    vad,
)
from ossicle.flow.operators.switch import Choice
from ossicle.flow.operators.testing import Feeder, cut, held_back, through

RATE = 48_000
SIZES = [(480,), (4096,), (1, 7, 0, 320, 33, 0, 1025), (100_000,)]


@dataclass(frozen=True)
class Case:
    """An operator, and how what goes out compares with what comes in."""

    name: str
    make: Callable[[], Operator[Block, Any]]
    pace: float = 1.0
    """Input frames a frame of output stands for, at one rate."""
    channels: Callable[[int], int] = lambda came: came
    slack: int = 0
    """Frames by which the declared latency may lie above the measured one."""
    resets: bool = True
    """A discontinuity begins it anew."""
    takes: int = 2
    fills: int = 0
    """First values that wait longer, once: a resampler's filter fills up."""


def moving(operator: Callable[[Param], Operator[Block, Block]], a: float, b: float) -> Case:
    def make() -> Operator[Block, Block]:
        return operator(Param(a, changes=[(3000, b), (3500, a), (9001, b)]))

    return Case(f"{operator(Param(a)).name}, moving", make)


def switching() -> Operator[Block, Block]:
    changes = [(4000, [limiter(-6.0)]), (12_345, [lowpass(500.0), gain(-3.0)])]
    return switch(Choice(gain(-6.0), changes=changes))


SOUND = [
    Case("gain", lambda: gain(-6.0)),
    moving(gain, -6.0, -60.0),
    Case("pan, stereo", lambda: pan(-0.3)),
    Case("pan, mono", lambda: pan(0.5), channels=lambda _: 2, takes=1),
    moving(pan, -1.0, 0.5),
    Case("mono", mono, channels=lambda _: 1),
    Case("channel", lambda: channel(1), channels=lambda _: 1),
    Case("lowpass", lambda: lowpass(900.0, 3)),
    Case("highpass", lambda: highpass(90.0, 4)),
    moving(lowpass, 900.0, 4000.0),
    Case("bandpass", lambda: bandpass(1000.0)),
    Case("notch", lambda: notch(50.0)),
    Case("peak", lambda: peak(1000.0, 6.0)),
    Case("low_shelf", lambda: low_shelf(200.0, -6.0)),
    Case("high_shelf", lambda: high_shelf(5000.0, 3.0)),
    Case("filter", lambda: filter([(0.5, 0.5, 0.0, 1.0, 0.0, 0.0)])),
    Case("eq", lambda: eq(3.0, -2.0, 1.0)),
    Case("compressor", compressor),
    Case("limiter", lambda: limiter(-12.0)),
    Case("gate", lambda: gate(-20.0, hold="5 ms", release="10 ms")),
    Case("delay", lambda: delay("30 ms")),
    Case("reverb", reverb),
    Case("chorus", chorus),
    Case("denoise", denoise),
    # How much these hold depends on the sound, or on the phase of a rate: a few frames.
    Case("tempo, slower", lambda: tempo(0.8), pace=0.8, slack=4),
    Case("tempo, faster", lambda: tempo(1.3), pace=1.3, slack=4),
    Case("pitch, up", lambda: pitch(4.0), slack=4, fills=2),
    Case("pitch, down", lambda: pitch(-5.0), slack=4, fills=2),
    Case("resample, down", lambda: resample(16_000), slack=2, fills=2),
    Case("resample, a little", lambda: resample(44_100), slack=2, fills=2),
    Case("resample, up", lambda: resample(96_000), slack=2, fills=2),
    Case("resample, not at all", lambda: resample(RATE)),
    Case("frame", lambda: frame(512)),
    Case("align", align, resets=False),
    Case("declick", declick, resets=False),
    Case("tee", lambda: tee(level(), into=lambda _: None), resets=False),
]
SWITCH = Case("switch", switching)

READINGS = [
    Case("level", level),
    Case("loudness", loudness),
    Case("spectrum", lambda: spectrum(1024)),
    Case("spectrogram", lambda: spectrogram(columns=3)),
    Case("mel", lambda: mel(40)),
    Case("pitch_track", lambda: pitch_track(100.0)),
    Case("onset", onset),
    Case("vad", vad),
    Case("pause", lambda: pause("60 ms", max_seconds=0.2)),
]

sound = pytest.mark.parametrize("case", [*SOUND, SWITCH], ids=lambda c: c.name)
resetting = pytest.mark.parametrize("case", [c for c in SOUND if c.resets], ids=lambda c: c.name)
readings = pytest.mark.parametrize("case", READINGS, ids=lambda c: c.name)
every = pytest.mark.parametrize("case", [*SOUND, SWITCH, *READINGS], ids=lambda c: c.name)


def material(channels: int = 2, seconds: float = 0.6, seed: int = 1) -> Samples:
    """Bursts of a voice-like tone over noise, some of it beyond full scale."""
    random = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    time = np.arange(frames) / RATE
    bursts = (time % 0.2 < 0.12) * (0.2 + time)
    voice = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, 8))
    both = [bursts * voice + 0.01 * random.standard_normal(frames) for _ in range(channels)]
    return np.stack(both, axis=1).astype(np.float32)


def content(value: object) -> object:
    """A reading as something to compare: arrays as bytes, blocks by their samples."""
    if isinstance(value, Block):
        return (value.index, value.rate, value.samples.tobytes())
    if isinstance(value, np.ndarray):
        return value.tobytes()
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is None:
        return value
    return {name: content(getattr(value, name)) for name in fields}


def expected_frames(case: Case, frames: int) -> int:
    operator = case.make()
    return round(frames * operator.rate(RATE) / RATE / case.pace)


@sound
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_any_blocks_give_the_same_sound(case: Case, sizes: tuple[int, ...]) -> None:
    """Bit for bit what blocks of 960 give, however the sound is cut."""
    samples = material(case.takes)
    one = joined(through(cut(samples), case.make()))
    other = joined(through(cut(samples, sizes), case.make()))
    assert np.array_equal(one, other)


@readings
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_any_blocks_give_the_same_readings(case: Case, sizes: tuple[int, ...]) -> None:
    """Bit for bit the same readings at the same frames, however the sound is cut."""
    samples = material()
    one = through(cut(samples), case.make())
    other = through(cut(samples, sizes), case.make())
    assert one
    assert [content(v) for v in one] == [content(v) for v in other]


@sound
def test_what_goes_out(case: Case) -> None:
    """float32, finite, of the declared rate and channels, without a gap, whole at END."""
    samples = material(case.takes)
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
    least = 0.6 if case.name in ("pause", "switch") else 0.3
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


@sound
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
