"""The short ways that nearly every frame of live sound takes give what the long ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.flow.blocks import END, START
from ossicle.runtime.streams.frame import Frame, FrameError, unpack
from ossicle.runtime.streams.live import Came, Live
from ossicle.runtime.streams.outgoing import AHEAD, Outgoing

RATE, HOP = 48_000, 960
UNUSED = 0x4000
"""A flag without a meaning: a frame with it means the same, and is none of nearly all."""

jumps = st.sampled_from([0, 0, 0, 0, 0, 960, -960, -500, 3000])
waits = st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.21, 0.3, 1.0])
odd = st.sampled_from(
    ["", "", "", "", "", "", "", "START", "END", "rate", "bytes", "float", "NaN", "stereo"]
)


def sent(n: int, index: int, waited: float, what: str, flags: int = 0) -> bytes:
    samples = np.full((HOP, 2 if what == "stereo" else 1), n, np.int16)
    frame = Frame(
        3,
        {"START": START, "END": END}.get(what, 0) | flags,
        n,
        8000 if what == "rate" else RATE,
        index,
        float("nan") if what == "NaN" else 5000.0 + 20 * n - 1000 * waited,
        samples.astype(np.float32) / 32768 if what == "float" else samples,
    )
    return frame.pack() + (b"1" if what == "bytes" else b"")


def told(blocks: Iterable[Came]) -> list[object]:
    """What comes, each before the next is asked for, and the refusal at the end."""
    found: list[object] = []
    try:
        for stream, node, block in blocks:
            samples = block.samples.tolist()
            found.append((node, block.rate, block.index, block.flags, samples, stream.given))
    except FrameError as error:
        found.append(str(error))
    return found


def one_by_one(live: Live, data: bytes, more: bool) -> Iterable[Came]:
    if came := live.frame(data):
        yield came


def together(live: Live, data: bytes, more: bool) -> Iterable[Came]:
    return live.frames(data, more, lambda node, longest: True)


def apart(live: Live, data: bytes, more: bool) -> Iterable[Came]:
    return live.frames(data, more, lambda node, longest: False)


Way = Callable[[Live, bytes, bool], Iterable[Came]]


@pytest.mark.parametrize(
    ("ways", "short", "long"),
    [
        ((one_by_one, one_by_one), 0, UNUSED),
        ((one_by_one, apart), 0, 0),
        ((together, together), 0, UNUSED),
    ],
    ids=["one-by-one", "apart", "together"],
)
@settings(max_examples=60)
@given(st.lists(st.tuples(jumps, waits, odd, st.booleans()), min_size=1, max_size=60))
def test_in(
    ways: tuple[Way, Way], short: int, long: int, frames: list[tuple[int, float, str, bool]]
) -> None:
    """Whatever comes: the same blocks, times and ages, figures, takes and refusals."""
    now = 0.0
    lives = [Live(lambda _: True, now=lambda: now) for _ in ways]
    index = 0
    for n, (jump, waited, what, more) in enumerate(frames):
        now = 5.0 + 0.02 * n
        index = max(0, index + jump)
        got = [
            told(way(live, sent(n, index, waited, what, flag), more and n + 1 < len(frames)))
            for way, live, flag in zip(ways, lives, (short, long), strict=True)
        ]
        assert got[0] == got[1]
        index += HOP
    sources = [[asdict(each) for each in live.metrics.sources.values()] for live in lives]
    assert sources[0] == sources[1]
    takes = [
        [each.tape.clip("take").int16().tolist() for each in live.incoming.values()]
        for live in lives
        if any(each.tape.frames for each in live.incoming.values())
    ]
    assert takes[:1] == takes[1:]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([HOP, HOP, HOP, 4800, 6000]),
            st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.3]),
            st.sampled_from([None, None, 0.5, 1.0]),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_out(pieces: list[tuple[int, float, float | None]]) -> None:
    """Whatever a listener has room for: the same frames, and never more under way than may be."""
    places = list[tuple[int, int]]()  # all that was sent
    short, long = (Outgoing(4, 7, RATE, 1, live=True) for _ in "12")
    for n, (count, age, heard) in enumerate(pieces):
        samples = np.full((count, 1), n, np.int16)
        way = short.at_once(samples, 20.0 * n, age)
        if way is None:
            short.push(samples, 20.0 * n, age)
        got = ([way] if way else []) + list(short.due())
        long.push(samples, 20.0 * n, age)
        assert got == list(long.due())
        came = [unpack(data) for data in got]
        places += [(each.index, each.index + len(each.samples)) for each in came]
        at = short.counters.heard
        under_way = sum(end - max(begin, at) for begin, end in places if end > at)
        assert under_way < AHEAD * RATE + 4800
        assert short.counters.waiting == 0 or under_way >= AHEAD * RATE
        if heard is not None:
            for each in (short, long):
                each.heard(round(heard * each.counters.sent))
    one, other = short.counters.snapshot(), long.counters.snapshot()
    assert one.pop("most_waiting") <= other.pop("most_waiting")  # what goes at once never waited
    assert one == other
