"""Frequencies let through or held back, by second-order sections whose state is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..graph import Node
from ..units import Hertz
from .biquad import BUTTERWORTH_Q, bandpass2, butterworth, notch2, peak2, shelf2
from .chain import chain
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Glide, Number, Param
from .scipy_signal import Section, Sections, signal

Design = Callable[[float, int], Sequence[Section]]
"""Value of the moving parameter, rate → sections, always as many."""

STAIRS = 32
"""Frames between new coefficients while a parameter glides: 0.7 ms at 48 kHz."""


class _Fixed(Kernel):
    def __init__(self, name: str, sections: Sequence[Section], form: Form) -> None:
        self._sections = Sections(name, sections, form.channels)

    def process(self, samples: Samples) -> Samples:
        return self._sections(samples).astype(np.float32)


class _Moving(Kernel):
    def __init__(self, name: str, design: Design, value: Number, form: Form) -> None:
        self._design = design
        self._rate = form.rate
        self._glide = Glide(value, form, stairs=STAIRS)
        first = self._glide.step(0)
        assert not isinstance(first, np.ndarray)
        self._value = first
        self._sections = Sections(name, design(first, form.rate), form.channels, moving=True)

    def process(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        values = self._glide.step(len(samples))
        if not isinstance(values, np.ndarray):
            return self._at(values, samples)
        edges: NDArray[np.intp] = np.flatnonzero(np.diff(values)) + 1
        starts = [0, *edges.tolist()]
        ends = [*edges.tolist(), len(samples)]
        return np.concatenate(
            [self._at(float(values[s]), samples[s:e]) for s, e in zip(starts, ends, strict=True)]
        )

    def _at(self, value: float, samples: Samples) -> Samples:
        if value != self._value:
            self._value = value
            self._sections.change(self._design(value, self._rate))
        return self._sections(samples).astype(np.float32)


def designed(name: str, design: Design, value: Number) -> BlockOperator:
    """A filter whose one number may move. Latency 0: it shapes phase, it does not wait."""
    signal(name)
    if isinstance(value, Param | Node):
        return sound(name, lambda form: _Moving(name, design, value, form), follows=[value])
    return sound(name, lambda form: _Fixed(name, design(value, form.rate), form))


def filter(sections: Sequence[Sequence[float]]) -> BlockOperator:
    """Any filter as second-order sections (n, 6), as `scipy.signal` designs them (output="sos").

    Its coefficients are for one rate: put `resample` before it where sound may come at another.
    Latency 0. Needs the extra `dsp`.
    """
    rows: list[Section] = []
    for row in sections:
        b0, b1, b2, a0, a1, a2 = (float(value) for value in row)
        check(a0 == 1.0, "sections must have a0 = 1, as scipy.signal makes them")
        rows.append((b0, b1, b2, a0, a1, a2))
    signal("filter")
    return sound("filter", lambda form: _Fixed("filter", rows, form))


def lowpass(hertz: Number, order: int = 2) -> BlockOperator:
    """Butterworth: -3 dB at `hertz`, then 6 dB an octave and order. Needs the extra `dsp`."""
    check(1 <= order <= 16, f"order {order} is no good; choose 1 to 16")
    return designed("lowpass", lambda hz, rate: butterworth(hz, order, False, rate), hertz)


def highpass(hertz: Number, order: int = 2) -> BlockOperator:
    """Butterworth: -3 dB at `hertz`, falling below by 6 dB an octave and order. Needs `dsp`."""
    check(1 <= order <= 16, f"order {order} is no good; choose 1 to 16")
    return designed("highpass", lambda hz, rate: butterworth(hz, order, True, rate), hertz)


def bandpass(hertz: Number, q: float = BUTTERWORTH_Q) -> BlockOperator:
    """What lies around `hertz`, 0 dB there; q is `hertz` over the width at -3 dB. Needs `dsp`."""
    return designed("bandpass", lambda hz, rate: [bandpass2(hz, q, rate)], hertz)


def notch(hertz: Number, q: float = 30.0) -> BlockOperator:
    """All but `hertz`; q is `hertz` over the width at -3 dB. Needs the extra `dsp`."""
    return designed("notch", lambda hz, rate: [notch2(hz, q, rate)], hertz)


def peak(hertz: Hertz, gain: Number, q: float = 1.0) -> BlockOperator:
    """What lies around `hertz` by `gain` dB. Needs the extra `dsp`."""
    return designed("peak", lambda db, rate: [peak2(hertz, db, q, rate)], gain)


def low_shelf(hertz: Hertz, gain: Number, q: float = BUTTERWORTH_Q) -> BlockOperator:
    """What lies below `hertz` by `gain` dB. Needs the extra `dsp`."""
    return designed("low_shelf", lambda db, rate: [shelf2(hertz, db, q, False, rate)], gain)


def high_shelf(hertz: Hertz, gain: Number, q: float = BUTTERWORTH_Q) -> BlockOperator:
    """What lies above `hertz` by `gain` dB. Needs the extra `dsp`."""
    return designed("high_shelf", lambda db, rate: [shelf2(hertz, db, q, True, rate)], gain)


def eq(low: Number = 0.0, mid: Number = 0.0, high: Number = 0.0) -> BlockOperator:
    """Bass, middle and treble in dB: a shelf at 200 Hz, a peak at 1 kHz, a shelf at 5 kHz.

    For other bands put `low_shelf`, `peak` and `high_shelf` in a row. Needs the extra `dsp`.
    """
    return chain(low_shelf(200.0, low), peak(1000.0, mid, 0.7), high_shelf(5000.0, high), name="eq")
