"""Every operator, as a case for the tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from reactivex import Observable

from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block, Samples
from ossicle.flow.generators import clip_blocks
from ossicle.flow.operators import (
    Operator,
    Param,
    align,
    bandpass,
    chain,
    channel,
    chorus,
    compressor,
    crossfade,
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
    merge,
    mix,
    mono,
    notch,
    onset,
    overlap_add,
    overlay,
    pan,
    pause,
    peak,
    pedalboard,
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
    window,
)
from ossicle.flow.operators.switch import Choice

RATE = 48_000


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
    alone: bool = True
    """No other stream or take comes into it, so it is as new behind a gap or a flush."""
    place: int = 0
    """Frames by which a click may come out beside its index."""


def moving(operator: Callable[[Param], Operator[Block, Block]], a: float, b: float) -> Case:
    def make() -> Operator[Block, Block]:
        return operator(Param(a, changes=[(3000, b), (3500, a), (9001, b)]))

    return Case(f"{operator(Param(a)).name}, moving", make)


def switching() -> Operator[Block, Block]:
    changes = [(4000, [limiter(-6.0)]), (12_345, [lowpass(500.0), gain(-3.0)])]
    return switch(Choice(gain(-6.0), changes=changes))


def track(seconds: float = 0.6) -> Clip:
    """Another sound, for what takes two."""
    return Clip.of(RATE, material(1, seconds, seed=9) / 4, normalize="clip")


def slow() -> Clip:
    """A sound of another rate."""
    return Clip.of(22_050, material(1, 0.2, seed=8) / 4, normalize="clip")


def other() -> Observable[Block]:
    return clip_blocks(track(0.35), 700)


def plugins() -> list[Any]:
    import pedalboard as library  # GPLv3; loaded by this test alone

    return [library.HighpassFilter(200.0), library.Chorus(), library.Reverb()]


SOUND = [
    Case("gain", lambda: gain(-6.0)),
    moving(gain, -6.0, -60.0),
    Case("pan, stereo", lambda: pan(-0.3)),
    Case("pan, mono", lambda: pan(0.5), channels=lambda _: 2, takes=1),
    moving(pan, -1.0, 0.5),
    Case("mono", mono, channels=lambda _: 1),
    Case("channel", lambda: channel(1), channels=lambda _: 1),
    Case("lowpass", lambda: lowpass(900.0, 3), place=30),
    Case("highpass", lambda: highpass(90.0, 4)),
    replace(moving(lowpass, 900.0, 4000.0), place=30),
    Case("bandpass", lambda: bandpass(1000.0), place=20),
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
    Case("tempo, slower", lambda: tempo(0.8), pace=0.8, slack=4, place=360),
    Case("tempo, faster", lambda: tempo(1.3), pace=1.3, slack=4, place=360),
    Case("pitch, up", lambda: pitch(4.0), slack=4, fills=2, place=360),
    Case("pitch, down", lambda: pitch(-5.0), slack=4, fills=2, place=481),
    Case("resample, down", lambda: resample(16_000), slack=2, fills=2, place=3),
    Case("resample, a little", lambda: resample(44_100), slack=2, fills=2, place=3),
    Case("resample, up", lambda: resample(96_000), slack=2, fills=2, place=3),
    Case("resample, best", lambda: resample(16_000, "best"), slack=4, fills=2, place=3),
    Case("resample, not at all", lambda: resample(RATE)),
    Case("frame", lambda: frame(512)),
    Case("framed", lambda: chain(frame(512, 256), window("hann"), overlap_add(256))),
    Case(
        "chain",
        lambda: chain(gain(-3.0), limiter(-9.0), resample(16_000)),
        slack=3,
        fills=2,
        place=3,
    ),
    Case("overlay", lambda: overlay(track(), -6.0, loops=2), alone=False),
    Case("overlay, resampled", lambda: overlay(slow(), loops=None), alone=False, takes=1),
    Case("pedalboard", lambda: pedalboard(plugins)),
    Case("mix", lambda: mix(other(), gains=[-1.0, -3.0], hold="1 min"), alone=False),
    Case("merge", lambda: merge(other(), hold="1 min"), channels=lambda n: n + 1, alone=False),
    Case("crossfade", lambda: crossfade(other(), 0.4, hold="1 min"), alone=False),
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
    Case("vad, webrtc", lambda: vad(method="webrtc")),
    Case("pause, webrtc", lambda: pause("60 ms", max_seconds=0.2, method="webrtc")),
]


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
