"""Decibels and factors: 0 dB is full scale, 6 dB about twice."""

from __future__ import annotations

import math

from ..units import Decibels

FLOOR: Decibels = -200.0
"""What silence is called: far below the last bit of 24."""


def factor_of(decibels: Decibels) -> float:
    """The factor of a gain; -inf is 0."""
    return 10.0 ** (decibels / 20.0)


def decibels_of(value: float) -> Decibels:
    """The level of an amplitude >= 0, at least FLOOR."""
    return max(FLOOR, 20.0 * math.log10(value)) if value > 0 else FLOOR
