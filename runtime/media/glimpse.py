"""What is to be seen of a sound before all of it is known: its outline, as far as decoded."""

from __future__ import annotations

from typing import NamedTuple

from .peaks import MAX_WIDTH
from .pyramid import PyramidScan


class Sketch(NamedTuple):
    """An outline that is not whole yet."""

    frames: int
    """So many it covers, from the beginning."""
    of: int
    """So many there will be, as the file says; never less than `frames`."""
    channels: int
    width: int
    body: bytes
    """int16 little-endian: channel after channel `width` times minimum, maximum and RMS."""


class Glimpse:
    """One sound on its way in. Who decodes it begins, everybody else may look; thread-safe."""

    def __init__(self) -> None:
        self._now: tuple[PyramidScan, int] | None = None

    def begin(self, waveform: PyramidScan, promised: int) -> None:
        """It is decoded into `waveform` from now on, and its head promises so many frames."""
        self._now = waveform, promised  # one assignment: who looks sees both or neither

    def sketch(self, width: int) -> Sketch | None:
        """What is known so far, in up to `width` equal parts; None before anything is."""
        if self._now is None:
            return None
        waveform, promised = self._now
        seen = waveform.snapshot()
        if seen is None:
            return None
        channels, buckets, _ = seen.levels[0].shape
        frames = buckets * seen.size
        found = seen.columns(0, frames, min(width, buckets, MAX_WIDTH))
        body = found.astype("<i2").tobytes()
        return Sketch(frames, max(promised, frames), channels, found.shape[1], body)
