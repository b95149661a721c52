"""What a sound may be: its bounds, and the error for what is none."""

from __future__ import annotations

import numbers
from typing import Literal, TypeAlias, TypeGuard

from .errors import OssicleError

Normalize: TypeAlias = Literal["peak", "clip", "never"]

MAX_RATE = 768_000  # the fastest PCM converters sold; above it a header is lying
MAX_CHANNELS = 32  # what WAV's speaker mask can name, with room; see the channels-first check
BLOCK = 65_536  # frames; the largest write that is safe for OGG (libsndfile #1095)


class ClipError(OssicleError, ValueError):
    """A sound that cannot be taken; the text names what came and the way out."""


def checked_rate(rate: object) -> int:
    """A sample rate as int, or ClipError."""
    if not is_whole(rate):
        hint = f"; pass int({rate})" if isinstance(rate, float) else ""
        raise ClipError(
            f"the sample rate must be a whole number of Hz, but {short(rate)} came{hint}"
        )
    hertz = int(rate)
    if not 1 <= hertz <= MAX_RATE:
        raise ClipError(f"the sample rate {hertz} Hz is impossible; give one in 1..{MAX_RATE} Hz")
    return hertz


def is_whole(value: object) -> TypeGuard[int]:
    """A whole number of Python's or of numpy's; True and False are none."""
    return not isinstance(value, bool) and isinstance(value, numbers.Integral)


def short(value: object) -> str:
    """A value for an error text, cut to a length that can be read."""
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(value).__name__})"
