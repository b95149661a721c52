"""Lengths of time as people write them: "20 ms", 0.02 seconds, or 960 frames."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from .errors import DeclarationError
from .units import Frames, Seconds

Time: TypeAlias = float | str
"""Seconds as a number, or text with its unit: "20 ms", "0.5 s", "2 min"."""

Length: TypeAlias = int | str
"""Frames as a whole number, or text with its unit: "20 ms"."""

_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_TEXT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(us|µs|ms|s|min)\s*")


def seconds_of(time: Time) -> Seconds:
    """The length in seconds. Raises DeclarationError for what is no time, or below zero."""
    if isinstance(time, str):
        match = _TEXT.fullmatch(time)
        if match is None:
            raise DeclarationError(
                f"{time!r} is no length of time; write it like '20 ms', '0.5 s' or '2 min'"
            )
        return float(match[1]) * _UNITS[match[2]]
    if not (math.isfinite(time) and time >= 0):
        raise DeclarationError(f"{time!r} seconds is no length of time; it is 0 or more, and ends")
    return float(time)


def frames_of(length: Length, rate: int) -> Frames:
    """The length in frames at `rate` Hz, at least 1; a time is rounded to the nearest frame."""
    if isinstance(length, str):
        return max(1, round(seconds_of(length) * rate))
    if length < 1:
        raise DeclarationError(f"{length!r} frames is too short; 1 frame is the least")
    return length
