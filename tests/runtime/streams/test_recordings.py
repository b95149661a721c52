"""What a recording counts, and what it begins with."""

from __future__ import annotations

import numpy as np

from ossicle.flow.blocks import DISCONTINUITY, START, Block
from ossicle.runtime.streams.frame import Frame
from ossicle.runtime.streams.live import Live

RATE, HOP = 48_000, 960


def sent(n: int, index: int, flags: int = 0) -> bytes:
    samples = np.arange(index, index + HOP).astype(np.int16)[:, None]
    return Frame(3, flags, n, RATE, index, 1000.0 + 1000 * index / RATE, samples).pack()


def place(block: Block) -> tuple[int, int, int, int]:
    return block.index, block.frames, block.flags, int(block.samples[0, 0] * 32768)


def test_what_is_lost_and_what_comes_twice_is_counted() -> None:
    """In sample frames, each once; behind a hole a block says so, and what came before is cut."""
    live = Live(lambda _: True, now=lambda: 5.0)
    came = [
        live.frame(sent(n, index, flags))
        for n, (index, flags) in enumerate(
            [(0, START), (HOP, 0), (4 * HOP, 0), (4 * HOP, 0), (5 * HOP - 100, 0), (9 * HOP, 0)]
        )
    ]
    assert [each and place(each[2]) for each in came] == [
        (0, HOP, START, 0),
        (HOP, HOP, 0, HOP),
        (4 * HOP, HOP, DISCONTINUITY, 4 * HOP),
        None,
        (5 * HOP, HOP - 100, 0, 5 * HOP),
        (9 * HOP, HOP, DISCONTINUITY, 9 * HOP),
    ]
    stream = live.incoming[3]
    counted = stream.counters
    assert (counted.pieces, counted.received) == (6, 5 * HOP - 100)
    assert (counted.lost, counted.discontinuities) == (5 * HOP + 100, 2)
    assert counted.repeated == HOP + 100
    assert stream.tape.frames == stream.next == 10 * HOP
    assert not (stream.behind or stream.overdue)


def test_a_page_that_is_closed_between_two_frames_leaves_nothing() -> None:
    """What waited for a frame that never came is void when the next recording begins."""
    live = Live(lambda _: True, now=lambda: 5.0)
    assert live.frame(sent(0, 0, START))
    assert not list(live.frames(sent(1, HOP), True, lambda node, longest: True))
    assert live.joining
    live.begin(4)
    assert live.joining, "another component's recording is no end of this one"
    live.begin(3)
    assert live.joining is None and not live.incoming
