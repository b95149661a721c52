"""A sound as functions give and get it, and the Clip that it is in between."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..flow.audio import Clip, ClipError, Media, Normalize

if TYPE_CHECKING:
    from ..flow.audio import Samples

_RETURNS = (
    "return (rate, numpy array), a path or URL, bytes of a sound file, a pydub AudioSegment, "
    "a Clip or None"
)


def clip_of(value: Any, media: Media, normalize: Normalize) -> Clip | None:
    """What a function returned, as a Clip. Raises ClipError naming what came.

    An array is (samples,) or (samples, channels), its rate in Hz; `normalize` is of float samples.
    """
    if value is None or isinstance(value, Clip):
        return value
    if isinstance(value, tuple):
        pair = cast("tuple[object, ...]", value)
        if len(pair) != 2:
            raise ClipError(f"a tuple of {len(pair)} came; {_RETURNS}")
        return Clip.of(pair[0], pair[1], normalize=normalize)
    if isinstance(value, str | Path):
        if not str(value).strip():
            raise ClipError(f"an empty path came; {_RETURNS}")
        return media.open(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return media.open(bytes(cast(bytes, value)))
    pydub = sys.modules.get("pydub")  # nobody holds a segment without having imported it
    if pydub is not None and isinstance(value, pydub.AudioSegment):
        return _from_segment(value)
    what = "a bare array" if hasattr(value, "ndim") else _kind(cast(object, value))
    raise ClipError(f"{what} came; {_RETURNS}")


def writable(clip: Clip) -> tuple[int, Samples]:
    """(rate in Hz, int16 samples), which a function may write into: a value never changes."""
    samples = clip.int16()
    return clip.rate, samples if samples.flags.writeable else samples.copy()


def own_format(clip: Clip) -> str:
    """The format of the file that it came from; "wav" if it came from none."""
    return "wav" if clip.format == "pcm" else clip.format


def _from_segment(segment: Any) -> Clip:
    """A pydub AudioSegment: interleaved little-endian integers of 1, 2 or 4 bytes."""
    import numpy as np

    samples = np.frombuffer(cast(bytes, segment.raw_data), f"<i{segment.sample_width}")
    channels = int(segment.channels)
    shaped = samples.reshape(-1, channels) if channels > 1 else samples
    return Clip.of(int(segment.frame_rate), shaped)


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
