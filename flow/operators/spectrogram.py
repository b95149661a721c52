"""Spectra side by side, to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..blocks import Block, Samples
from ..durations import Length, frames_of
from ..units import Decibels, Frames
from .operator import Form, Operator, check, machine
from .spectrum import Transform
from .windows import Windows


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Some columns of a picture of sound."""

    index: Frames
    """Of the first column's first frame."""
    rate: int
    hop: Frames
    """Frames from one column to the next."""
    decibels: NDArray[np.float32]
    """(columns, size // 2 + 1), from 0 Hz to half the rate; `floor` at least."""


class _Columns:
    def __init__(self, form: Form, size: Frames, hop: Frames, many: int, floor: float) -> None:
        self._transform = Transform("hann", size)
        self._windows = Windows(form, size, hop, self._column)
        self._least = np.float32(10 ** (floor / 20))
        self._rate, self._hop, self._many = form.rate, hop, many
        self._columns: list[NDArray[np.float32]] = []
        self._index = form.index

    def _column(self, samples: Samples, _: Frames) -> NDArray[np.float32]:
        return np.float32(20) * np.log10(np.maximum(self._transform(samples), self._least))

    def feed(self, samples: Samples, last: bool) -> Sequence[Spectrogram]:
        self._columns.extend(self._windows.feed(samples, last))
        out: list[Spectrogram] = []
        while len(self._columns) >= self._many:
            out.append(self._given(self._many))
        return [*out, *self.finish()] if last else out

    def finish(self) -> Sequence[Spectrogram]:
        return [self._given(len(self._columns))] if self._columns else []

    def _given(self, many: int) -> Spectrogram:
        picture = Spectrogram(self._index, self._rate, self._hop, np.stack(self._columns[:many]))
        del self._columns[:many]
        self._index += many * self._hop
        return picture


def spectrogram(
    size: Length = 1024, hop: Length = 256, columns: int = 16, floor: Decibels = -100.0
) -> Operator[Block, Spectrogram]:
    """Spectra in dB, `columns` at a time; fewer in the last. Channels are mixed.

    Latency: size + (columns - 1) hop - 1, what the first frame of a picture waits for its last.
    """
    check(columns >= 1, "a picture has 1 column or more")

    def latency(rate: int) -> Frames:
        return frames_of(size, rate) + (columns - 1) * frames_of(hop, rate) - 1

    return machine(
        "spectrogram",
        lambda form: _Columns(
            form, frames_of(size, form.rate), frames_of(hop, form.rate), columns, floor
        ),
        latency=latency,
    )
