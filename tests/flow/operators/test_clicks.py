"""Changes while sound runs make no click: no sample steps further than the sound itself does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ossicle.flow.audio import Clip
from ossicle.flow.blocks import DISCONTINUITY, Block, Samples, joined
from ossicle.flow.generators import clip_blocks
from ossicle.flow.operators import (
    BlockOperator,
    Choice,
    Param,
    bandpass,
    chorus,
    crossfade,
    declick,
    delay,
    gain,
    high_shelf,
    highpass,
    low_shelf,
    lowpass,
    mix,
    notch,
    overlay,
    pan,
    peak,
    reverb,
    switch,
)
from ossicle.flow.operators.testing import Feeder, cut

from .cases import RATE, SOUND, Case

LEVEL, HERTZ = 0.25, 100.0
BLOCK = 611
"""Frames: changes at their edges meet the tone at any phase, not only where it crosses zero."""
GLIDE = round(0.020 * RATE)
STEP = 2 * np.pi * HERTZ / RATE * LEVEL
"""The steepest that the tone itself is, from one sample to the next."""


def tone(hertz: float = HERTZ) -> Samples:
    time = np.arange(RATE // 2) / RATE
    return (LEVEL * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None]


def other() -> Clip:
    """Something else than the tone, just as smooth."""
    return Clip.of(RATE, tone(70.0), normalize="clip")


def steps(blocks: list[Block]) -> float:
    """The largest difference between two samples that follow one another."""
    return float(np.abs(np.diff(joined(blocks), axis=0)).max())


MOVING: dict[str, tuple[Callable[[Param], BlockOperator], float, float]] = {
    "gain": (gain, 0.0, -60.0),
    "gain, to silence": (gain, 0.0, -np.inf),
    "pan": (pan, -1.0, 1.0),
    "lowpass": (lowpass, 200.0, 8000.0),
    "highpass": (highpass, 20.0, 2000.0),
    "bandpass": (bandpass, 100.0, 3000.0),
    "notch": (lambda p: notch(p, 2.0), 100.0, 3000.0),
    "peak": (lambda p: peak(100.0, p), -12.0, 6.0),
    "low_shelf": (lambda p: low_shelf(300.0, p), -12.0, 6.0),
    "high_shelf": (lambda p: high_shelf(80.0, p), -12.0, 6.0),
    "delay": (lambda p: delay("13 ms", 0.2, p), 0.0, 0.7),
    "reverb": (lambda p: reverb(mix=p), 0.0, 1.0),
    "chorus": (lambda p: chorus(mix=p), 0.0, 1.0),
    "mix": (lambda p: mix(clip_blocks(other()), gains=[0.0, p], hold="1 min"), 0.0, -60.0),
    "overlay": (lambda p: overlay(other(), p), 0.0, -60.0),
    "crossfade": (lambda p: crossfade(clip_blocks(other()), p, hold="1 min"), 0.0, 1.0),
}


def moved(name: str, glide: float | str) -> float:
    """The largest step while a number is set back and forth, also while it still glides."""
    make, first, second = MOVING[name]
    param = Param(first, glide=glide)
    feeder = Feeder(make(param))
    for n, block in enumerate(cut(tone(), (BLOCK,))):
        if n in (12, 20, 27):
            param.set(second)
        elif n in (16, 21, 33):
            param.set(first)
        feeder.feed(block)
    return steps(feeder.values)


@pytest.mark.parametrize("name", MOVING)
def test_a_number_that_is_set_makes_no_click(name: str) -> None:
    """No step is larger than two tones at their steepest and a full swing within the glide."""
    assert moved(name, "20 ms") <= 2.1 * (2 * STEP + 2 * LEVEL / GLIDE)


@pytest.mark.parametrize("name", ["gain", "pan", "delay", "mix", "overlay", "crossfade"])
def test_the_measure_hears_a_click(name: str) -> None:
    """Without a glide the same changes step further than the bound above."""
    assert moved(name, 0.0) > 2.1 * (2 * STEP + 2 * LEVEL / GLIDE)


KEEPS = [c for c in SOUND if c.pace == 1 and c.alone and c.channels(1) == 1 and "pan" not in c.name]
SWAPPED = [c for c in KEEPS if c.make().rate(RATE) == RATE and c.name not in ("channel", "framed")]


@pytest.mark.parametrize("case", SWAPPED, ids=lambda c: c.name)
def test_an_operator_that_is_swapped_in_and_out_makes_no_click(case: Case) -> None:
    """`use` fades from the one to the other and back, while sound runs."""
    choice = Choice(gain(-1.0), fade="20 ms")
    feeder = Feeder(switch(choice))
    for n, block in enumerate(cut(tone(), (BLOCK,))):
        if n == 12:
            choice.use(case.make())
        elif n == 31:
            choice.use()
        feeder.feed(block)
    # A gate's own attack (2 ms) is the steepest thing that an operator here does by itself.
    assert steps(feeder.values) <= 2.1 * (2 * STEP + 2 * LEVEL / GLIDE) + LEVEL / 96
    assert sum(block.frames for block in feeder.values) == len(tone())


def test_a_gap_is_crossed_without_a_click() -> None:
    """Filters begin anew behind a gap; `declick` leaves no step of it."""
    data = tone()
    top, bottom = 9720, 9960
    blocks = [
        *cut(data[:top], end=False),
        *cut(data[bottom:], index=bottom, flags=DISCONTINUITY),
    ]

    def step(*operators: BlockOperator) -> float:
        feeder = Feeder(*operators)
        for block in blocks:
            feeder.feed(block)
        return steps(feeder.values)

    assert step(gain(-1.0)) > LEVEL
    assert step(gain(-1.0), declick()) < 0.01
