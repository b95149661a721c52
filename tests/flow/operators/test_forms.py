"""Every operator at any rate, for any channels, on sound that is hardly there or far too loud."""

from __future__ import annotations

import inspect
import warnings
from functools import cache

import numpy as np
import pytest

from ossicle.flow import operators
from ossicle.flow.blocks import Block, BlockError, Samples, joined
from ossicle.flow.operators.operator import Operator
from ossicle.flow.operators.testing import cut, through

from .cases import RATE, READINGS, SOUND, SWITCH, Case

EVERY = [*SOUND, SWITCH, *READINGS]
ELSEWHERE = {"record"}
"""Operators with tests of their own: what comes out is neither a stretch of sound nor a reading."""
TAKES = {"pan": (1, 2), "channel": (2, 8)}
"""Channels that an operator takes, where it does not take all."""


def takes(case: Case, rate: int, channels: int) -> bool:
    """Whether it takes such sound; else it says what to put before it."""
    name = case.name.split(",")[0]
    if name in ("mix", "merge", "crossfade") and rate != RATE:
        return False
    if "webrtc" in case.name and rate not in (8_000, 16_000, 32_000, 48_000):
        return False
    return channels in TAKES.get(name, (channels,))


@cache
def kinds(rate: int, channels: int) -> dict[str, tuple[Samples, int]]:
    """Sounds, and the size of their blocks."""
    time = np.arange(rate // 10) / rate
    voice = 0.6 * np.sin(2 * np.pi * 220 * time) * (time < 0.06)
    noise = np.random.default_rng(rate).standard_normal((len(time), channels))
    sound = (voice[:, None] + 0.01 * noise).astype(np.float32)
    hop = rate // 50
    return {
        "sound": (sound, hop),
        "frame by frame": (sound[:150], 1),
        "one frame": (sound[:1], hop),
        "nothing": (sound[:0], hop),
        "silence": (sound * 0, hop),
        "far too loud": (np.sign(sound) * np.float32(8), hop),
        "next to nothing": (sound * np.float32(1e-42), hop),
    }


def test_no_operator_is_forgotten() -> None:
    """A new one has a case, which puts it through all that holds for operators, or tests here."""
    found = set[str]()
    for name in operators.__all__:
        made = getattr(operators, name)
        if inspect.isfunction(made) and "Operator" in str(
            inspect.signature(made).return_annotation
        ):
            found.add(name)
    assert len(found) > 40
    tried = {each.name for case in EVERY for each in (case.make(), *case.make().parts)}
    assert found - tried - ELSEWHERE == set()


@pytest.mark.parametrize("case", EVERY, ids=lambda c: c.name)
def test_any_form_of_sound(case: Case) -> None:
    """float32, finite, as long as what came; what it does not take it names, with the way out."""
    for rate in (8_000, 11_025, 192_000):
        for channels in (1, 2, 8):
            for kind, (samples, size) in kinds(rate, channels).items():
                if kind != "sound" and channels == 2:
                    continue
                operator = case.make()
                blocks = cut(samples, (size,), rate=rate)
                if takes(case, rate, channels):
                    with warnings.catch_warnings():
                        warnings.simplefilter("error")
                        out = through(blocks, operator)
                    check(case, operator, rate, samples, out, kind)
                elif kind == "sound":
                    with pytest.raises(BlockError, match="put|use|asked for"):
                        through(blocks, operator)


def check(
    case: Case,
    operator: Operator[Block, object],
    rate: int,
    came: Samples,
    out: list[Block],
    kind: str,
) -> None:
    if case in READINGS:
        return
    whole, where = joined(out), f"{rate} Hz, {came.shape[1]} channels, {kind}"
    assert whole.dtype == np.float32 and np.isfinite(whole).all(), where
    wanted = round(len(came) * operator.rate(rate) / rate / case.pace)
    # Tempo and its rate are rounded one after the other.
    assert abs(len(whole) - wanted) <= (case.pace != 1.0), where
