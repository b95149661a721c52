"""Second-order sections from frequencies: the formulas behind filter and eq.

Source: Robert Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients (W3C
Note, 2021). Butterworth orders above 2 are these sections with the Butterworth poles' Q.
"""

from __future__ import annotations

import math

from ..units import Decibels, Hertz
from .scipy_signal import Section

BUTTERWORTH_Q = math.sqrt(0.5)


def _angle(hertz: Hertz, rate: int) -> float:
    # A moved parameter may pass the ends; the filter stands still there instead of bursting.
    return 2 * math.pi * min(max(hertz, 0.01), 0.499 * rate) / rate


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Section:
    return (b0 / a0, b1 / a0, b2 / a0, 1.0, a1 / a0, a2 / a0)


def lowpass2(hertz: Hertz, q: float, rate: int) -> Section:
    w = _angle(hertz, rate)
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return _section((1 - cos) / 2, 1 - cos, (1 - cos) / 2, 1 + alpha, -2 * cos, 1 - alpha)


def highpass2(hertz: Hertz, q: float, rate: int) -> Section:
    w = _angle(hertz, rate)
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return _section((1 + cos) / 2, -(1 + cos), (1 + cos) / 2, 1 + alpha, -2 * cos, 1 - alpha)


def butterworth(hertz: Hertz, order: int, high: bool, rate: int) -> list[Section]:
    """Low or high pass of any order: -3 dB at `hertz`, 6 dB an octave and order beyond."""
    make = highpass2 if high else lowpass2
    sections = [
        make(hertz, 1 / (2 * math.cos(math.pi * (2 * k + 1) / (2 * order))), rate)
        for k in range(order // 2)
    ]
    # The Q of an even order falls with the angle; an odd order has one real pole besides.
    if order % 2:
        sections = [
            make(hertz, 1 / (2 * math.cos(math.pi * (k + 1) / order)), rate)
            for k in range(order // 2)
        ]
        k = math.tan(_angle(hertz, rate) / 2)
        b0 = 1.0 if high else k
        sections.append(_section(b0, -b0 if high else b0, 0.0, 1 + k, k - 1, 0.0))
    return sections


def bandpass2(hertz: Hertz, q: float, rate: int) -> Section:
    w = _angle(hertz, rate)
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return _section(alpha, 0.0, -alpha, 1 + alpha, -2 * cos, 1 - alpha)


def notch2(hertz: Hertz, q: float, rate: int) -> Section:
    w = _angle(hertz, rate)
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return _section(1.0, -2 * cos, 1.0, 1 + alpha, -2 * cos, 1 - alpha)


def peak2(hertz: Hertz, gain: Decibels, q: float, rate: int) -> Section:
    w, a = _angle(hertz, rate), 10 ** (gain / 40)
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    return _section(1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a)


def shelf2(hertz: Hertz, gain: Decibels, q: float, high: bool, rate: int) -> Section:
    """Everything below (or above) `hertz` by `gain`, half of it at `hertz`."""
    w, a = _angle(hertz, rate), 10 ** (gain / 40)
    cos, beta = math.cos(w), math.sqrt(a) * math.sin(w) / q
    sign = 1 if high else -1
    return _section(
        a * ((a + 1) + sign * (a - 1) * cos + beta),
        -sign * 2 * a * ((a - 1) + sign * (a + 1) * cos),
        a * ((a + 1) + sign * (a - 1) * cos - beta),
        (a + 1) - sign * (a - 1) * cos + beta,
        sign * 2 * ((a - 1) - sign * (a + 1) * cos),
        (a + 1) - sign * (a - 1) * cos - beta,
    )
