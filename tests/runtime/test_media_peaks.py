"""Waveforms of an exact width: minimum, maximum and RMS, whatever the blocks were."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ossicle.runtime.media.peaks import MAX_WIDTH, PeakScan, peaks_of

shapes = st.one_of(st.tuples(st.integers(1, 200)), st.tuples(st.integers(9, 99), st.just(3)))


def brute(samples: np.ndarray[Any, Any], width: int) -> list[list[list[int]]]:
    rows = samples.T if samples.ndim == 2 else samples[None]
    n = samples.shape[0]
    parts = [(i * n // width, (i + 1) * n // width) for i in range(width)]
    return [[[int(r[a:b].min()), int(r[a:b].max()), rms(r[a:b])] for a, b in parts] for r in rows]


def rms(part: np.ndarray[Any, Any]) -> int:
    return min(32767, round(float(np.sqrt(np.mean(part.astype(float) ** 2)))))


@given(
    hnp.arrays(np.int16, shapes),
    st.integers(1, 120),
    st.integers(1, 70),
)
def test_equal_to_brute_force(samples: np.ndarray[Any, Any], width: int, block: int) -> None:
    """Any length, width, channel count and block size gives what slicing the whole would."""
    n = samples.shape[0]
    blocks = (samples[at : at + block] for at in range(0, n, block))
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    assert peaks_of(blocks, n, channels, width).tolist() == brute(samples, min(width, n))


def test_width_is_bounded() -> None:
    """Never more parts than frames or than anybody can see, never fewer than one."""
    long, short = np.zeros(20_000, np.int16), np.zeros(3, np.int16)
    assert peaks_of([long], 20_000, 1, 10**9).shape == (1, MAX_WIDTH, 3)
    assert peaks_of([long], 20_000, 1, -5).shape == (1, 1, 3)
    assert peaks_of([short], 3, 1, 100).shape == (1, 3, 3)


def test_more_than_was_promised_is_left() -> None:
    """A file that decodes to more than its header says does not break its waveform."""
    scan = PeakScan(4, 1, 2)
    scan.feed(np.array([1, 2, 3], np.int16))
    scan.feed(np.array([4, 99, 99], np.int16))
    scan.feed(np.array([99], np.int16))
    assert scan.result().tolist() == [[[1, 2, 2], [3, 4, 4]]]
