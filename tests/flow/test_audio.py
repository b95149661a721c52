"""The rules for samples: what is kept to the bit, what is rounded, what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ossicle.flow.audio import BLOCK, Clip, ClipError, pieces, trimmed, untrimmed
from ossicle.flow.samples import FlatTops, over_full_scale, to_int16

RATE = 8000
shapes = st.one_of(
    hnp.array_shapes(min_dims=1, max_dims=1, max_side=50),
    st.tuples(st.integers(9, 50), st.integers(1, 8)),
)


@given(hnp.arrays(np.int16, shapes), st.integers(1, 768_000))
def test_int16_stays_bit_identical(array: np.ndarray[Any, Any], rate: int) -> None:
    """16-bit samples come out as they went in, mono as (frames,), and are the clip's own."""
    clip = Clip.of(rate, array)
    before = array.copy()
    mono = array.ndim == 1 or array.shape[1] == 1
    array[...] = 0
    assert np.array_equal(clip.samples(), before.reshape(-1) if mono else before)
    assert clip.samples().dtype == np.int16
    assert (clip.rate, clip.frames) == (rate, before.shape[0])
    assert clip.channels == (1 if mono else before.shape[1])


LEVELS = st.sampled_from([-32768, -32767, 0, 32766, 32767])


@given(
    hnp.arrays(np.int16, st.tuples(st.integers(1, 40), st.integers(1, 2)), elements=LEVELS),
    st.integers(1, 40),
)
def test_flat_tops_are_counted(array: np.ndarray[Any, Any], cut: int) -> None:
    """Three or more in a row at full scale were cut somewhere, however a sound is handed over."""
    columns = np.abs(array.astype(int) + 0.5) > 32767
    runs = [
        len(list(run))
        for column in columns.T
        for full, run in itertools.groupby(column.tolist())
        if full
    ]
    expected = sum(n for n in runs if n > 2)
    assert Clip.of(RATE, array).clipped == expected
    tops = FlatTops(array.shape[1])
    parts = [array[at : at + cut] for at in range(0, len(array), cut)]
    assert sum(tops.feed(part) for part in parts) == expected


@given(hnp.arrays(np.int32, st.integers(1, 50)))
def test_int32_is_rounded_not_wrapped(array: np.ndarray[Any, Any]) -> None:
    """32-bit samples keep their upper half, to the nearest step."""
    exact = array.astype(float) / 65536
    got = Clip.of(RATE, array).samples().astype(float)
    assert np.all(np.abs(got - np.minimum(exact, 32767)) <= 0.5)


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e300, 1e300)))
def test_peak_fills_the_scale(array: np.ndarray[Any, Any]) -> None:
    """normalize="peak" makes the loudest sample 32767 of either sign, and silence stays silent."""
    clip = Clip.of(RATE, array, normalize="peak")
    top = int(np.abs(clip.samples().astype(int)).max())
    assert top == (32767 if np.any(array) else 0)
    assert clip.clipped == 0


@given(hnp.arrays(np.float32, st.integers(1, 50), elements=st.floats(-3, 3, width=32)))
def test_clip_cuts_and_counts(array: np.ndarray[Any, Any]) -> None:
    """normalize="clip" leaves the level alone, and says how many samples it cut."""
    clip = Clip.of(RATE, array, normalize="clip")
    exact = np.clip(array.astype(float) * 32768, -32768, 32767)
    assert np.all(np.abs(clip.samples() - exact) <= 0.5)
    assert clip.clipped == int(np.count_nonzero(np.abs(array) > 1))


@given(hnp.arrays(np.int16, st.integers(1, 50)))
def test_float_of_int16_comes_back(array: np.ndarray[Any, Any]) -> None:
    """What every reader makes of 16 bit (x / 32768) is exactly undone."""
    floats = array.astype(np.float32) / 32768
    for rule in ("clip", "never"):
        assert np.array_equal(Clip.of(RATE, floats, normalize=rule).samples(), array)


def of(values: list[float], dtype: str, **more: Any) -> list[int]:
    return Clip.of(RATE, np.array(values).astype(dtype), **more).samples().tolist()


def test_other_integers() -> None:
    """8 bit fills the scale with silence at its own middle; 16-bit unsigned loses its offset."""
    assert of([-128, 0, 127], "int8") == [-32768, 0, 32512]
    assert of([0, 128, 255], "uint8") == [-32768, 0, 32512]
    assert of([0, 32768, 65535], "uint16") == [-32768, 0, 32767]
    assert of([1, -2], ">i2") == [1, -2]


def test_full_scale_of_float() -> None:
    """-1.0 is -32768 unless normalised by the peak, where both ends are 32767."""
    assert of([-1, 1, 0.5], "float32", normalize="clip") == [-32768, 32767, 16384]
    assert of([-1, 1, 0.5], "float32", normalize="peak") == [-32767, 32767, 16384]
    assert of([-0.001, 0.0005], "float16") == [-32767, pytest.approx(16384, abs=20)]


def test_never_refuses_what_would_have_to_be_changed() -> None:
    """normalize="never" takes -1..1 and raises beyond."""
    assert of([-1, 0.25], "float64", normalize="never") == [-32768, 8192]
    with pytest.raises(ClipError, match=r"1 of 2 samples lie beyond -1..1 \(peak 1.5\)"):
        of([1.5, 0], "float64", normalize="never")


BAD: list[tuple[str, object, object, str]] = [
    ("list", RATE, [0, 1], r"numpy array, but \[0, 1\] \(list\) came; pass numpy.array"),
    ("none", RATE, None, "None \\(NoneType\\) came; pass a numpy array"),
    ("bool", RATE, np.zeros(5, bool), "type bool came .pass array.astype"),
    ("complex", RATE, np.zeros(5, complex), "complex128 came .pass array.real"),
    ("int64", RATE, np.zeros(5, int), r"int64 came \(pass array.astype\(numpy.int16\)"),
    ("uint32", RATE, np.zeros(5, "u4"), "uint32 came"),
    ("object", RATE, np.array([None]), "type object came"),
    ("text", RATE, np.array(["a"]), "came .pass numbers"),
    ("scalar", RATE, np.array(0.5), r"shape \(\) came"),
    ("3-d", RATE, np.zeros((9, 2, 2)), "shape 9x2x2 came; pass .frames,"),
    ("empty", RATE, np.zeros(0), "0 samples came"),
    ("no frames", RATE, np.zeros((0, 2)), "0 samples came"),
    ("no channels", RATE, np.zeros((2, 0)), "0 samples came"),
    ("channels first", RATE, np.zeros((2, 500)), "shape 2x500 .* pass array.T"),
    ("one row", RATE, np.zeros((1, 500)), "pass array.T"),
    ("many rows", RATE, np.zeros((40, 500)), "pass array.T"),
    ("64 channels", RATE, np.zeros((500, 64)), "64 channels; pass at most 32"),
    ("masked", RATE, np.ma.masked_array([1.0, 2.0]), "masked array came"),
    ("nan", RATE, np.array([0, np.nan, 1, np.inf]), "2 of 4 samples .* first at frame 1;"),
    ("late nan", RATE, np.array([0.0] * BLOCK + [np.nan]), f"first at frame {BLOCK};"),
    ("0 Hz", 0, np.zeros(5), r"0 Hz is impossible; give one in 1..768000"),
    ("negative rate", -1, np.zeros(5), "-1 Hz is impossible"),
    ("1 MHz", 1_000_000, np.zeros(5), "1000000 Hz is impossible"),
    ("float rate", 44100.0, np.zeros(5), r"pass int\(44100.0\)"),
    ("bool rate", True, np.zeros(5), r"True \(bool\) came"),
    ("swapped", np.zeros(5), RATE, "swap the two"),
]


@pytest.mark.parametrize(("rate", "array", "text"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_cannot_be_sound(rate: object, array: object, text: str) -> None:
    """Each error says what came and the way out, on one line."""
    with pytest.raises(ClipError, match=text) as raised:
        Clip.of(rate, array)
    assert "\n" not in str(raised.value)


def test_unknown_normalize() -> None:
    """The message lists what may be written."""
    with pytest.raises(ClipError, match="choose peak, clip or never"):
        Clip.of(RATE, np.zeros(5), normalize="loud")  # pyright: ignore[reportArgumentType]


def test_id_is_the_sound() -> None:
    """Equal rate, channels and samples give equal ids; any difference another."""
    sound = np.arange(20, dtype=np.int16)
    one = Clip.of(RATE, sound)
    assert one.id == Clip.of(RATE, sound, name="other").id
    others = [
        Clip.of(RATE + 1, sound),
        Clip.of(RATE, sound[::-1]),
        Clip.of(RATE, sound.reshape(10, 2)),
        trimmed(one, 0, 19),
    ]
    assert len({one.id, *(c.id for c in others)}) == 5


@given(st.data())
def test_trim_and_undo(data: st.DataObject) -> None:
    """Any trim of a trim is a slice of the first samples; undoing gives the same objects back."""
    whole = np.arange(100, dtype=np.int16)
    clip, expected = Clip.of(RATE, whole), whole
    before: list[Clip] = []
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, clip.frames - 1))
        end = data.draw(st.integers(start + 1, clip.frames))
        cut = trimmed(clip, start, end)
        if cut is not clip:
            before.append(clip)
        clip, expected = cut, expected[start:end]
        assert np.array_equal(clip.samples(), expected)
        assert np.array_equal(np.concatenate(list(clip.blocks(7))), expected)
    for earlier in reversed(before):
        clip = untrimmed(clip)
        assert clip is earlier
    assert untrimmed(clip) is clip
    assert np.array_equal(clip.samples(), whole)


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 5), (5, 5), (6, 5), (0, 11), (0.0, 5), (None, 5), (True, 5)]
)
def test_trims_that_cannot_be(start: Any, end: Any) -> None:
    """A trim is two whole numbers inside the clip, in order."""
    with pytest.raises(ClipError, match="0 <= start < end <= 10"):
        trimmed(Clip.of(RATE, np.zeros(10, np.int16)), start, end)


def test_trimming_to_the_whole_is_no_trim() -> None:
    """[0, n) is the clip itself, so nothing changes and nothing is there to undo."""
    clip = Clip.of(RATE, np.zeros(10, np.int16))
    assert trimmed(clip, 0, 10) is clip


def test_samples_cannot_be_changed() -> None:
    """A value is handed to many; the clip's own array is read-only."""
    with pytest.raises(ValueError, match="read-only"):
        Clip.of(RATE, np.zeros(5, np.int16)).samples()[0] = 1


@given(hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(-2, 2, width=32)))
def test_float_samples_saturate(array: np.ndarray[Any, Any]) -> None:
    """Deeper samples of a file never wrap, and what is cut is counted."""
    assert np.all(np.abs(to_int16(array) - np.clip(array * 32768.0, -32768, 32767)) <= 0.5)
    assert over_full_scale(array) == sum(abs(x) > 1 for x in array.tolist())


@given(st.lists(st.integers(1, 9), min_size=1), st.data())
def test_pieces_are_a_slice(sizes: list[int], data: st.DataObject) -> None:
    """Cutting consecutive blocks is the same as cutting the whole."""
    whole = np.arange(sum(sizes))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    blocks = iter(np.split(whole, np.cumsum(sizes)[:-1]))
    found = list(pieces(blocks, start, end))
    assert np.array_equal(np.concatenate([np.array([], int), *found]), whole[start:end])


def test_peak_of_the_lowest_sample() -> None:
    """|-32768| does not fit 16 bit, and is full scale."""
    assert Clip.of(RATE, np.array([-32768, 5], np.int16)).peak == 1.0


def test_float64_is_rounded_as_float64() -> None:
    """Not as the float32 next to it, which lies half a step further."""
    samples = np.array([1001.4999999, -1001.4999999, 32767]) / 32768
    clip = Clip.of(8000, samples, normalize="clip")
    assert clip.int16().tolist() == [1001, -1001, 32767]
