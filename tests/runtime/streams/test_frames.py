"""Frames of sound: packed, unpacked, put in order, sent ahead by so much and no more."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.flow.blocks import DISCONTINUITY, END, START
from ossicle.flow.tape import Tape
from ossicle.runtime.streams.frame import HEADER, Frame, FrameError, unpack
from ossicle.runtime.streams.incoming import Incoming, to_int16
from ossicle.runtime.streams.outgoing import AHEAD, Outgoing

RATE = 48_000


def sound(frames: int, channels: int = 1, first: int = 0) -> np.ndarray:
    """A ramp: each sample tells its own place."""
    ramp = (np.arange(first, first + frames) % 30_000).astype(np.int16)
    return np.repeat(ramp[:, None], channels, axis=1)


def frame(index: int, count: int, flags: int = 0) -> Frame:
    return Frame(3, flags, 0, RATE, index, 0.0, sound(count, first=index))


def test_a_frame_is_itself_after_the_way() -> None:
    sent = Frame(7, START | END, 5, 44_100, 2**40, 12.5, sound(10, 2))
    got = unpack(sent.pack())
    assert (got.node, got.flags, got.seq, got.rate, got.index, got.time) == (
        7,
        START | END,
        5,
        44_100,
        2**40,
        12.5,
    )
    np.testing.assert_array_equal(got.samples, sent.samples)
    assert got.samples.dtype == np.int16


def test_the_header_has_32_bytes() -> None:
    assert HEADER.size == 32


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_one_clear_error(data: bytes) -> None:
    try:
        got = unpack(data)
    except FrameError as error:
        assert str(error)
    else:
        assert got.samples.ndim == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (0, 2, "version"),
        (1, 9, "kind"),
        (2, 3, "format"),
        (3, 0, "channels"),
        (3, 9, "channels"),
        (7, 0, "Hz"),
        (7, 10**6, "Hz"),
        (8, 2**60, "farther"),
    ],
)
def test_a_header_that_lies_is_refused(field: int, value: int, said: str) -> None:
    fields: list[float] = [1, 1, 1, 1, 3, 0, 0, RATE, 0, 0.0]
    fields[field] = value
    with pytest.raises(FrameError, match=said):
        unpack(struct.pack("<BBBBHHIIQd", *fields) + b"\0\0")


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(FrameError, match="no whole frames"):
        unpack(frame(0, 4).pack()[:-1])


def test_float_that_is_not_finite_is_refused() -> None:
    bad = Frame(1, 0, 0, RATE, 0, 0.0, np.full((2, 1), np.nan, np.float32))
    with pytest.raises(FrameError, match="finite"):
        unpack(bad.pack())


def taken(stream: Incoming) -> np.ndarray:
    return stream.tape.clip("take").int16().reshape(-1, stream.channels)


def test_a_recording_is_whole_again() -> None:
    """Frames in order give the samples that were sent, bit for bit."""
    stream = Incoming(RATE, 1)
    for at in range(0, 960, 96):
        assert stream.push(frame(at, 96))
    np.testing.assert_array_equal(taken(stream), sound(960))
    assert stream.counters.lost == stream.counters.repeated == 0


def test_a_loss_is_named_and_silent_in_the_take() -> None:
    """Rule E7: a gap has a length; the take keeps its time."""
    stream = Incoming(RATE, 1)
    stream.push(frame(0, 100))
    behind = frame(150, 50)
    assert stream.push(behind)
    assert behind.flags & DISCONTINUITY
    take = taken(stream)
    assert len(take) == 200
    assert not take[100:150].any()
    np.testing.assert_array_equal(take[150:], sound(50, first=150))
    assert stream.counters.lost == 50


def test_what_comes_twice_counts_once() -> None:
    """A socket that came back sends again what it was not sure of."""
    stream = Incoming(RATE, 1)
    stream.push(frame(0, 100))
    assert not stream.push(frame(0, 100))
    half = frame(50, 100)
    assert stream.push(half)
    assert (half.index, len(half.samples)) == (100, 50)
    np.testing.assert_array_equal(taken(stream), sound(150))
    assert stream.counters.repeated == 150


def test_a_recording_keeps_its_rate() -> None:
    stream = Incoming(RATE, 1)
    with pytest.raises(FrameError, match="44100"):
        stream.push(Frame(3, 0, 0, 44_100, 0, 0.0, sound(10)))


def test_a_frame_from_the_far_future_is_refused() -> None:
    """Or one lying index would fill the memory with silence, and hold the loop while it does. Who
    has recorded for long may have lost for long."""
    now = [100.0]
    stream = Incoming(RATE, 1, now=lambda: now[0])
    stream.push(frame(0, 10))
    with pytest.raises(FrameError, match="was next"):
        stream.push(frame(RATE * 100, 10))
    assert stream.tape.frames == 10
    now[0] += 20
    assert stream.push(frame(RATE * 100, 10))
    assert stream.counters.lost == RATE * 100 - 10


def test_a_take_is_bounded_and_says_so() -> None:
    stream = Incoming(RATE, 1, Tape(RATE, 1, most=0.001))
    stream.push(frame(0, 100))
    assert len(taken(stream)) == 48
    assert stream.counters.untaken == 52


def test_float_is_rounded_and_clipped_never_wrapped() -> None:
    given = np.array([[1.5], [-1.5], [0.5 / 32768], [1.0]], np.float32)
    assert to_int16(given).tolist() == [[32767], [-32768], [0], [32767]]


def all_of(stream: Outgoing) -> list[Frame]:
    return [unpack(data) for data in stream.due()]


@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=5))
def test_chunks_of_any_size_arrive_gapless(sizes: list[int]) -> None:
    """What is heard is the concatenation of what was yielded, sample by sample."""
    stream = Outgoing(4, 1, RATE, 1)
    at, got = 0, list[Frame]()
    for size in sizes:
        stream.push(sound(size, first=at))
        at += size
        got += all_of(stream)
        stream.heard(stream.counters.sent)
    stream.end()
    while not stream.finished or not got or not got[-1].flags & END:
        got += all_of(stream)
        stream.heard(stream.counters.sent)
    np.testing.assert_array_equal(np.concatenate([f.samples for f in got]), sound(at))
    assert [f.index for f in got] == [sum(len(g.samples) for g in got[:n]) for n in range(len(got))]
    assert got[0].flags & START
    assert {f.seq for f in got} == {0}, "not made of anything that was captured"


def test_no_more_is_sent_than_will_be_heard_soon() -> None:
    """A front end that does not acknowledge gets so much ahead and then nothing."""
    stream = Outgoing(4, 1, RATE, 1)
    stream.push(sound(RATE * 10))
    sent = sum(len(f.samples) for f in all_of(stream))
    assert AHEAD * RATE <= sent <= (AHEAD + 0.1) * RATE
    assert all_of(stream) == []
    stream.heard(RATE // 10)
    assert sum(len(f.samples) for f in all_of(stream)) == RATE // 10


def test_a_long_piece_of_live_sound_is_not_late_by_itself() -> None:
    """Half a second that is answered at once is sent whole; what then piles up is dropped."""
    stream = Outgoing(4, 1, RATE, 1, live=True)
    stream.push(np.ones((RATE // 2, 1), np.int16))
    assert sum(len(unpack(data).samples) for data in stream.due()) == RATE // 2
    for _ in range(4):
        stream.push(np.ones((RATE // 2, 1), np.int16))
    assert stream.counters.dropped == round(1.5 * RATE)


def test_after_a_flush_nothing_more_is_sent() -> None:
    stream = Outgoing(4, 1, RATE, 1)
    stream.push(sound(RATE))
    all_of(stream)
    stream.heard(1000)
    stream.flush()
    assert all_of(stream) == []
    assert stream.counters.flushed == RATE - 1000
    assert not stream.finished


def test_a_listener_who_was_cut_off_hears_on_from_where_it_was() -> None:
    stream = Outgoing(4, 1, RATE, 1)
    stream.push(sound(RATE // 2))
    stream.push(sound(RATE // 2, first=RATE // 2))
    all_of(stream)
    stream.heard(20_000)
    stream.rewind()
    again = all_of(stream)
    assert again[0].index == 20_000
    np.testing.assert_array_equal(again[0].samples[0], sound(1, first=20_000)[0])


def test_an_acknowledgement_of_what_was_never_sent_is_not_believed() -> None:
    stream = Outgoing(4, 1, RATE, 1)
    stream.push(sound(RATE))
    all_of(stream)
    stream.heard(10**12)
    assert stream.counters.heard == stream.counters.sent
