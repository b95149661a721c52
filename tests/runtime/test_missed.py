"""What is kept of a line is bounded, and no kind of message makes keeping it slow."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from ossicle.flow.errors import InputError
from ossicle.runtime import sessions
from ossicle.runtime.missed import BULK, KEPT, Missed, bulk
from ossicle.runtime.sessions import DUE, HELD, HELD_BULK, Line

LONG = "x" * (1 << 20)


def value(node: int, text: object) -> dict[str, Any]:
    return {"kind": "set", "node": node, "props": {"value": text}}


def station(request: int) -> dict[str, Any]:
    return {"kind": "run", "listener": 0, "request": request, "outputs": [], "state": "queued"}


@pytest.mark.parametrize("text", [LONG, [LONG], {"deep": [{"in": LONG}]}], ids=["", "[]", "{}"])
def test_long_messages_are_kept_by_their_bulk(text: object) -> None:
    """Fewer of them than of short ones; beyond it is the whole page, and the newest stays."""
    line = Line("token")
    for _ in range(50):
        line.show([value(1, text)])
    assert len(line.missed) == BULK // bulk(text)
    assert line.since(0) is None
    newest = line.since(49)
    assert newest and newest[0]["seq"] == 50
    line.show([value(1, LONG * 20)])
    assert len(line.missed) == 1, "one is always kept, however long"
    line.acknowledge(51)
    assert line.since(51) == [] and len(line.missed) == 0


def test_short_messages_are_kept_by_their_number() -> None:
    """Acknowledged or not, no more than so many."""
    missed = Missed()
    for seq in range(1, 2 * KEPT):
        missed.add(seq, {"seq": seq, "patches": [station(seq)]})
    assert len(missed) == KEPT
    assert missed.since(KEPT - 1, 2 * KEPT - 1) is not None
    assert missed.since(KEPT - 2, 2 * KEPT - 1) is None


def test_what_cannot_be_left_out_is_not_looked_through_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thousands of stations in one turn: all are shown, and looked at a few times at most."""
    looked = list[int]()
    newest = sessions._newest  # pyright: ignore[reportPrivateUsage] # counted here

    def counted(due: list[dict[str, Any]]) -> list[dict[str, Any]]:
        looked.append(len(due))
        return newest(due)

    monkeypatch.setattr(sessions, "_newest", counted)
    line = Line("token")
    for request in range(20 * DUE):
        line.put(station(request))
    assert len(line.due) == 20 * DUE and sum(looked) < 2 * len(line.due)
    line.flush()
    for number in range(2 * DUE):
        line.put(value(1, number))
    assert len(line.due) <= DUE and line.coalesced > 0
    assert line.due[-1] == value(1, 2 * DUE - 1)


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ({"type": "cancel"}, HELD),
        ({"type": "act", "value": LONG}, HELD_BULK // (1 << 20)),
        (bytes(1 << 20), HELD_BULK // (1 << 20)),
    ],
    ids=["many", "long", "sound"],
)
def test_what_waits_for_a_recording_is_bounded(message: dict[str, Any] | bytes, most: int) -> None:
    """By number and by bulk; what is beyond is refused in words, and then there is room again."""
    line = Line("token", held=deque())
    with pytest.raises(InputError, match="too much waits"):
        for _ in range(HELD + 1):
            line.hold(message)
    held = line.release()
    assert most - 1 <= len(held) <= most
    line.held = deque()
    line.hold(message)
