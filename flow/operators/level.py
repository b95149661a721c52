"""How loud a signal is, for meters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..blocks import Block, Samples
from ..durations import Length, frames_of
from ..units import Decibels, Frames
from .decibels import decibels_of
from .gather import Gather
from .operator import Form, Operator, machine


@dataclass(frozen=True, slots=True)
class Level:
    """One reading of a meter; a value for each channel, 1.0 = full scale."""

    index: Frames
    rate: int
    frames: Frames
    rms: tuple[float, ...]
    peak: tuple[float, ...]
    clipped: int
    """Samples at full scale or beyond."""

    @property
    def decibels(self) -> Decibels:
        """RMS of the loudest channel; -3 dB for a full-scale sine, -200 for silence."""
        return decibels_of(max(self.rms))


class _Meter:
    def __init__(self, size: Frames, form: Form) -> None:
        self._gather = Gather(size, size)
        self._form = form
        self._index = form.index

    def feed(self, samples: Samples, last: bool) -> Sequence[Level]:
        size = self._gather.size
        data, count = self._gather.push(samples)
        out = self._read(data[: count * size], count, size) if count else []
        return [*out, *self.finish()] if last else out

    def finish(self) -> Sequence[Level]:
        rest = self._gather.rest()
        return [] if rest is None else self._read(rest, 1, len(rest))

    def _read(self, data: Samples, count: int, size: Frames) -> list[Level]:
        channels = data.shape[1]
        rms = np.empty((count, channels))
        peak = np.empty((count, channels))
        for channel in range(channels):
            # One row a window, contiguous: each is summed in the same order, however many come.
            rows = np.ascontiguousarray(data[:, channel]).reshape(count, size)
            peak[:, channel] = np.maximum(rows.max(axis=1), -rows.min(axis=1))
            rms[:, channel] = (rows * rows).sum(axis=1)
        rms = np.sqrt(rms / size)
        over = peak.max(axis=1) >= 1.0
        out: list[Level] = []
        for n, (r, p) in enumerate(zip(rms.tolist(), peak.tolist(), strict=True)):
            clipped = 0
            if over[n]:
                clipped = int(np.count_nonzero(np.abs(data[n * size : (n + 1) * size]) >= 1.0))
            out.append(Level(self._index, self._form.rate, size, tuple(r), tuple(p), clipped))
            self._index += size
        return out


def level(every: Length = "50 ms") -> Operator[Block, Level]:
    """RMS, peak and clipped samples of each channel, once in `every`; the rest at END.

    Latency: one reading less a frame. To keep the sound going: `tee(level(), into=show)`.
    """
    frames_of(every, 48_000)
    return machine(
        "level",
        lambda form: _Meter(frames_of(every, form.rate), form),
        latency=lambda rate: frames_of(every, rate) - 1,
    )
