"""When a stream is over for its listener: heard to its end, or cut off and silent."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from ossicle.flow.blocks import Block
from ossicle.flow.errors import InputError
from ossicle.flow.patches import Sound
from ossicle.runtime.streams.live import Live

NODE, RATE = 7, 48_000


def speaking(*stages: Literal["end", "flush"]) -> Live:
    """A hundred frames on their way, and what came behind them."""
    live = Live(lambda _: True)
    live.sound(Sound("s", NODE, 1, "more", Block(np.zeros((100, 1), np.float32), RATE)))
    live.pump(lambda data: None)
    for stage in stages:
        live.sound(Sound("s", NODE, 1, stage))
    return live


def played(live: Live, frames: object, **more: Any) -> dict[str, Any] | None:
    said = live.played({"node": NODE, "epoch": 1, "frames": frames, **more})
    assert said is None or said[0] == NODE
    return said and said[1]


def test_heard_to_the_end() -> None:
    live = speaking("end")
    assert played(live, 99) is None
    assert played(live, 100, underruns=2) == {
        "heard": 100, "unheard": 0, "interrupted": False, "underruns": 2, "dropped": 0
    }  # fmt: skip
    assert played(live, 100) is None, "it is told once"


def test_what_was_cut_off_is_over_when_its_listener_is_silent() -> None:
    """What the page still says of before it fell silent is no end."""
    live = speaking("flush")
    assert played(live, 40) is None
    told = played(live, 60, flushed=True)
    assert told and (told["heard"], told["unheard"], told["interrupted"]) == (60, 40, True)


@pytest.mark.parametrize("stages", [(), ("end",)])
def test_a_page_cannot_cut_off_what_goes_on(stages: tuple[Literal["end"], ...]) -> None:
    live = speaking(*stages)
    assert played(live, 60, flushed=True) is None
    assert NODE in live.outgoing


@pytest.mark.parametrize("frames", [-1, 1.5, True, "1", None])
def test_how_far_it_is_is_a_whole_number(frames: object) -> None:
    with pytest.raises(InputError, match="whole numbers"):
        played(speaking(), frames)


def test_of_another_stream_or_none_nothing_is_believed() -> None:
    live = speaking("end")
    assert live.played({"node": NODE, "epoch": 2, "frames": 100}) is None
    assert live.played({"node": NODE + 1, "epoch": 1, "frames": 100}) is None
    assert live.outgoing[NODE].counters.heard == 0
