"""The pyramid: any part at any zoom, within a bucket, in memory that does not grow."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ossicle.runtime.media.pyramid import MOST, Pyramid, PyramidScan

shapes = st.one_of(st.tuples(st.integers(1, 400)), st.tuples(st.integers(9, 200), st.just(3)))


def pyramid_of(samples: np.ndarray, block: int, *, size: int = 4, most: int = 1 << 30) -> Pyramid:
    scan = PyramidScan(1 if samples.ndim == 1 else samples.shape[1], size=size, most=most)
    for at in range(0, samples.shape[0], block):
        scan.feed(samples[at : at + block])
    return scan.result()


def rows(samples: np.ndarray) -> np.ndarray:
    return np.atleast_2d(samples.T)


@given(hnp.arrays(np.int16, shapes), st.integers(1, 90), st.sampled_from([6, 12, 30, 10_000]))
def test_buckets_equal_brute_force(samples: np.ndarray, block: int, most: int) -> None:
    """Whatever the blocks were and however often buckets were joined: each tells its own frames."""
    made = pyramid_of(samples, block, most=most)
    n, size = samples.shape[0], made.size
    finest = made.levels[0]
    assert finest.shape[1] == -(-n // size)
    for index, bucket in enumerate(np.moveaxis(finest, 1, 0)):
        part = rows(samples)[:, index * size : (index + 1) * size].astype(float)
        assert np.array_equal(bucket[:, 0], part.min(axis=1))
        assert np.array_equal(bucket[:, 1], part.max(axis=1))
        if part.shape[1] == size:
            wanted = np.sqrt(np.mean(part**2, axis=1))
            assert np.abs(bucket[:, 2] - wanted).max() <= 1 + np.log2(size)


@settings(max_examples=30)  # each looks after every block
@given(hnp.arrays(np.int16, shapes), st.integers(1, 90), st.sampled_from([6, 12, 10_000]))
def test_a_snapshot_is_the_beginning_of_the_result(
    samples: np.ndarray, block: int, most: int
) -> None:
    """After every block: whole buckets of what has come, as if the sound ended there; and to look
    changes nothing of what is collected after it.
    """
    scan = PyramidScan(1 if samples.ndim == 1 else samples.shape[1], size=4, most=most)
    for at in range(0, samples.shape[0], block):
        scan.feed(samples[at : at + block])
        seen = scan.snapshot()
        come = min(at + block, samples.shape[0])
        if seen is None:
            assert come < 8  # fewer than the first pair of buckets
            continue
        frames = seen.levels[0].shape[1] * seen.size
        assert come - 2 * seen.size < frames <= come
        part = pyramid_of(samples[:frames], block, most=most)
        assert np.array_equal(seen.levels[0], part.levels[0])
    whole = pyramid_of(samples, block, most=most)
    assert np.array_equal(scan.result().levels[0], whole.levels[0])


@given(st.data(), st.integers(2000, 40_000), st.integers(1, 40))
def test_a_part_lies_between_its_own_frames_and_a_bucket_more(
    data: st.DataObject, n: int, width: int
) -> None:
    """Never less than the frames of a column hold, never more than half a column beyond them."""
    start = data.draw(st.integers(0, n - 1000))
    end = data.draw(st.integers(start + 1000, n))
    samples = np.random.default_rng(n).integers(-30000, 30000, n).astype(np.int16)
    made = pyramid_of(samples, 4096)
    columns = made.columns(start, end, width)
    assert columns.shape == (1, width, 3)
    edges = [start + i * (end - start) // width for i in range(width + 1)]
    for (low, high, _), a, b in zip(columns[0].tolist(), edges, edges[1:], strict=False):
        more = max(made.size, (end - start) // width // 2)
        assert samples[max(0, a - more) : b + more].min() <= low <= samples[a:b].min()
        assert samples[a:b].max() <= high <= samples[max(0, a - more) : b + more].max()


def test_one_click_in_hours_is_seen_from_every_height() -> None:
    """One sample in 200 million shows at full height in its column of every level."""
    block, blocks = 1 << 20, 200
    scan = PyramidScan(1)
    silence = np.zeros(block, np.int16)
    for index in range(blocks):
        here = silence.copy() if index == 77 else silence
        if index == 77:
            here[12_345] = 32767
        scan.feed(here)
    made = scan.result()
    at = 77 * block + 12_345
    for width in (100, 1200, 8192):
        hit = np.flatnonzero(made.columns(0, block * blocks, width)[0, :, 1] == 32767)
        assert set(hit) <= {at * width // (block * blocks) + i for i in (-1, 0, 1)} and len(hit)
    assert made.bytes < MOST * 6 * 1.4


def test_rms_of_a_square_wave_is_its_height() -> None:
    """At every level."""
    samples = np.tile(np.array([1000, -1000], np.int16), 60_000)
    made = pyramid_of(samples, 5000)
    assert len(made.levels) > 1
    for level in made.levels:
        assert set(level[0, :, 2].tolist()) == {1000}
