"""Gain, place, frequencies and dynamics, against the formulas they promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import signal as scipy_signal

from ossicle.flow.blocks import BlockError, Samples, joined
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import noise, tone
from ossicle.flow.offline import render
from ossicle.flow.operators import (
    BlockOperator,
    Param,
    bandpass,
    compressor,
    eq,
    filter,
    gain,
    gate,
    high_shelf,
    highpass,
    limiter,
    low_shelf,
    lowpass,
    mono,
    notch,
    pan,
    peak,
)
from ossicle.flow.operators.testing import Feeder, cut, through

RATE = 48_000
signal: Any = scipy_signal


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def decibels(ratio: float) -> float:
    return 20 * math.log10(ratio)


def response(operator: BlockOperator, hertz: float) -> float:
    """The gain in dB of a steady tone, the first half second left out."""
    came = render(tone(hertz, 1.0)).samples[RATE // 2 :]
    goes = render(tone(hertz, 1.0), operator).samples[RATE // 2 :]
    return decibels(rms(goes) / rms(came))


def test_gain_multiplies() -> None:
    """-6 dB is a factor of 0.501, -inf is silence, 0 dB gives the very same samples."""
    (block,) = cut(np.linspace(-1, 1, 100))
    (soft,) = through([block], gain(-6.0))
    assert np.allclose(soft.samples, block.samples * 10 ** (-6 / 20), rtol=1e-6)
    assert not through([block], gain(-math.inf))[0].samples.any()
    assert through([block], gain(0.0))[0].samples is block.samples


def test_a_set_param_glides_in_a_straight_line() -> None:
    """After `set` the factor goes to its new value within the glide, evenly, then stays."""
    level = Param(-math.inf, glide="10 ms")
    feeder = Feeder(gain(level))
    for n, block in enumerate(cut(np.ones(4800), (480,))):
        if n == 3:
            level.set(0.0)
        feeder.feed(block)
    line = joined(feeder.values)[:, 0]
    assert np.all(line[:1440] == 0)
    assert np.allclose(line[1440:1920], np.arange(1, 481) / 480, atol=1e-6)
    assert np.all(line[1920:] == 1)


def test_pan_keeps_the_power_of_mono() -> None:
    """Mono: the two sides' power adds up to the source's, hard left is left only."""
    for position in (-1.0, -0.5, 0.0, 0.7, 1.0):
        out = render(noise(0.1), pan(position)).samples
        assert math.isclose(
            rms(out[:, 0]) ** 2 + rms(out[:, 1]) ** 2, rms(render(noise(0.1)).samples) ** 2,
            rel_tol=1e-5,
        )  # fmt: skip
    assert rms(render(noise(0.1), pan(-1.0)).samples[:, 1]) < 1e-8


def test_pan_balances_stereo() -> None:
    """Stereo: the middle changes nothing, right leaves the right side as it is."""
    came = render(noise(0.1, channels=2)).samples
    assert np.array_equal(render(noise(0.1, channels=2), pan(0.0)).samples, came)
    right = render(noise(0.1, channels=2), pan(1.0)).samples
    assert np.array_equal(right[:, 1], came[:, 1])
    assert not right[:, 0].any()


def test_pan_takes_two_channels_at_most() -> None:
    """Three channels have no left and right; the error says what to do."""
    with pytest.raises(BlockError, match="mono"):
        render(noise(0.01, channels=3), pan(0.0))


def test_mono_is_the_mean() -> None:
    """Every channel counts alike."""
    came = render(noise(0.05, channels=5))
    goes = render(noise(0.05, channels=5), mono()).samples
    assert np.allclose(goes[:, 0], came.samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
def test_butterworth_is_scipys(order: int, kind: str) -> None:
    """Low and high passes of every order are scipy's Butterworth filters."""
    samples = np.random.default_rng(0).standard_normal((9600, 2))
    sections = signal.butter(order, 700, kind, fs=RATE, output="sos")
    wanted = signal.sosfilt(sections, samples.astype(np.float32), axis=0)
    operator = (lowpass if kind == "lowpass" else highpass)(700.0, order)
    assert np.allclose(joined(through(cut(samples), operator)), wanted, atol=2e-6)
    own = joined(through(cut(samples), filter(sections)))
    assert np.array_equal(own, wanted.astype(np.float32))


def test_shapes_of_the_other_filters() -> None:
    """Where each lets through, holds back, lifts, and by how much."""
    assert abs(response(bandpass(1000.0, 2.0), 1000.0)) < 0.05
    assert response(bandpass(1000.0, 2.0), 100.0) < -25
    assert response(notch(1000.0), 1000.0) < -40
    assert abs(response(notch(1000.0), 500.0)) < 0.05
    assert abs(response(peak(1000.0, 6.0), 1000.0) - 6) < 0.05
    assert abs(response(peak(1000.0, -9.0), 1000.0) + 9) < 0.05
    assert abs(response(low_shelf(500.0, 6.0), 30.0) - 6) < 0.1
    assert abs(response(low_shelf(500.0, 6.0), 500.0) - 3) < 0.1
    assert abs(response(high_shelf(5000.0, -6.0), 20_000.0) + 6) < 0.1
    assert abs(response(high_shelf(5000.0, -6.0), 100.0)) < 0.1
    assert abs(response(eq(low=4.0), 40.0) - 4) < 0.3
    assert abs(response(eq(), 1000.0)) < 0.001


def test_a_gliding_filter_does_not_click() -> None:
    """While the cut-off moves by five octaves, a low tone's bend jumps by less than -70 dB.

    Changed at once, the same filter makes a hundred times as much.
    """

    def step(operator: BlockOperator) -> float:
        out = render(tone(100.0, 0.3), operator).samples[:, 0]
        return float(np.abs(np.diff(out, 2))[2000:].max())

    gliding = step(lowpass(Param(200.0, "20 ms", changes=[(5000, 6000.0), (9000, 200.0)])))
    jumping = step(lowpass(Param(200.0, 0.0, changes=[(5000, 6000.0), (9000, 200.0)])))
    assert gliding < 10 ** (-70 / 20)
    assert jumping > 100 * gliding


def test_filter_takes_normal_sections_only() -> None:
    """Coefficients that are not divided by a0 are refused."""
    with pytest.raises(DeclarationError, match="a0 = 1"):
        filter([(1, 0, 0, 2, 0, 0)])


def settled(operator: BlockOperator, level: float) -> float:
    """The level in dB of a long steady tone that came at `level` dB."""
    out = render(tone(1000.0, 2.0, level=level), operator).samples[RATE:]
    return decibels(float(np.abs(out).max()))


@pytest.mark.parametrize("level", [-40.0, -24.0, -18.0, -12.0, -6.0, 0.0])
def test_the_compressors_curve(level: float) -> None:
    """Below the knee nothing, above it 4 dB for 1, in the middle of the knee a bit."""
    goes = settled(compressor(-18.0, 4.0, knee=6.0, release="500 ms"), level)
    over = level + 18
    if over <= -3:
        wanted = level
    elif over >= 3:
        wanted = -18 + over / 4
    else:
        wanted = level - 0.75 * (over + 3) ** 2 / 12
    assert abs(goes - wanted) < 0.15


def test_the_compressor_gives_back_10_db_in_its_release() -> None:
    """After a loud passage the gain comes back evenly, 10 dB in `release`."""
    loud, soft = np.ones(RATE // 2), np.full(RATE, 0.01)
    out = joined(
        through(cut(np.concatenate((loud, soft))), compressor(-20.0, 1e9, knee=0, release="200 ms"))
    )[RATE // 2 :, 0]
    gains = 20 * np.log10(out / 0.01)
    # 20 dB down at first; 10 dB after 200 ms, up to the smoothing of 5 ms.
    assert abs(gains[round(0.2 * RATE)] + 10) < 0.5
    assert abs(gains[round(0.45 * RATE)]) < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_the_limiter_lets_nothing_over(seed: int) -> None:
    """No sample passes the ceiling, whatever comes; what is below it all the time is untouched."""
    random = np.random.default_rng(seed)
    wild = random.standard_normal((20_000, 2)) * np.exp(random.standard_normal((20_000, 1)) * 2)
    out = joined(through(cut(wild), limiter(-3.0)))
    assert float(np.abs(out).max()) <= np.float32(10 ** (-3 / 20))
    calm = random.uniform(-0.7, 0.7, (5000, 1))
    assert np.array_equal(joined(through(cut(calm), limiter(-3.0))), calm.astype(np.float32))


def test_the_limiter_ramps_down_before_the_peak() -> None:
    """The gain is there when the peak comes, and moves by no more than a ramp of 5 ms."""
    quiet = np.full(9600, 0.5)
    quiet[4800] = 4.0
    out = joined(through(cut(quiet), limiter(0.0, ahead="5 ms")))[:, 0]
    gains = out / quiet
    assert math.isclose(float(gains[4800]), 0.25, rel_tol=1e-3)
    assert float(gains[4800 - 241]) == 1.0
    assert float(np.abs(np.diff(gains)).max()) < 0.75 * 3 / 240


def test_the_gate_opens_holds_and_closes() -> None:
    """Open within the attack, held over a dip, 80 dB down after hold and release, no jump."""
    level = np.concatenate(
        [np.full(4800, 0.001), np.full(4800, 0.1), np.full(9600, 0.001), np.full(480, 0.1)]
    )
    out = joined(
        through(cut(level), gate(-40.0, attack="2 ms", hold="50 ms", release="20 ms", depth=80.0))
    )[:, 0]
    gains = out / level
    assert np.allclose(gains[:4800], 1e-4, rtol=1e-3)
    assert math.isclose(float(gains[4800 + 96]), 1.0, rel_tol=1e-6)
    assert np.allclose(gains[4800 + 96 : 9600 + 2400 - 1], 1.0, rtol=1e-6)
    assert np.allclose(gains[9600 + 2400 + 960 : 19_200], 1e-4, rtol=1e-3)
    assert float(np.abs(np.diff(gains)).max()) < 1.05 / 96
