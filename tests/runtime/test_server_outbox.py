"""What waits for a socket: bounded, in order, joined into few frames."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import cast

import pytest

from ossicle.runtime.frontends.web.outbox import MAX_BYTES, MAX_FRAME, MAX_MESSAGES, Outbox


def patches(seq: int, *nodes: int) -> dict[str, object]:
    return {
        "type": "patches",
        "seq": seq,
        "patches": [{"kind": "set", "node": node, "props": {}} for node in nodes],
    }


def opened(
    max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES
) -> tuple[Outbox, list[str]]:
    overflows: list[str] = []
    outbox = Outbox(
        lambda: overflows.append("overflow"), max_messages=max_messages, max_bytes=max_bytes
    )
    outbox.replaying = False
    return outbox, overflows


def frames(outbox: Outbox) -> list[dict[str, object]]:
    taken: list[dict[str, object]] = []
    while len(outbox):
        taken.append(json.loads(outbox.take()))
    return taken


async def test_patches_share_a_frame() -> None:
    """Patches in a row become one frame with the last number; other messages keep their place."""
    outbox, _ = opened()
    outbox.put(patches(1, 3))
    outbox.put(patches(2))
    outbox.put(patches(3, 4, 5))
    outbox.put({"type": "refused", "message": "no"})
    outbox.put(patches(4, 6))
    first, second, third = frames(outbox)
    assert first == patches(3, 3, 4, 5)
    assert second == {"type": "refused", "message": "no"}
    assert third == patches(4, 6)


async def test_frames_are_bounded() -> None:
    """Joining stops where a frame is long enough already."""
    outbox, _ = opened()
    for seq in range(4):
        outbox.put({"type": "patches", "seq": seq, "patches": [{"text": "x" * (MAX_FRAME - 50)}]})
    sizes = [len(cast(list[object], frame["patches"])) for frame in frames(outbox)]
    assert sizes == [2, 2]


async def test_too_many_messages_close() -> None:
    """The message that does not fit empties the queue and is told once: the session keeps all."""
    outbox, overflows = opened(max_messages=3)
    for seq in range(3):
        outbox.put(patches(seq))
    assert overflows == []
    outbox.put(patches(3))
    outbox.put(patches(4))
    assert overflows == ["overflow"]
    assert len(outbox) == 0
    assert await outbox.wait() is False


async def test_too_many_bytes_close() -> None:
    """So do bytes, but one message is always taken: it could never be sent otherwise."""
    outbox, overflows = opened(max_bytes=1000)
    outbox.put({"type": "refused", "message": "x" * 5000})
    assert overflows == []
    outbox.put({"type": "refused", "message": "y"})
    assert overflows == ["overflow"]


async def test_what_was_taken_makes_room() -> None:
    """Only what waits counts, so a socket that keeps up never closes."""
    outbox, overflows = opened(max_messages=2, max_bytes=300)
    for seq in range(1000):
        outbox.put(patches(seq, 1))
        outbox.put(patches(seq, 2))
        outbox.take()
    assert overflows == []


async def test_a_replay_does_not_count() -> None:
    """A page that comes back to more than the bound gets it all, and room for what follows."""
    outbox, overflows = opened(max_messages=3)
    outbox.replaying = True
    for seq in range(100):
        outbox.put(patches(seq, seq))
    outbox.replaying = False
    for seq in range(100, 103):
        outbox.put(patches(seq, seq))
    assert overflows == []
    assert frames(outbox) == [patches(102, *range(103))]


async def test_waiting() -> None:
    """`wait` ends when something comes, and with False when nothing ever will."""
    outbox, _ = opened()
    waiter = asyncio.ensure_future(outbox.wait())
    await asyncio.sleep(0)
    assert not waiter.done()
    outbox.put(patches(1))
    assert await waiter is True
    outbox.close()
    outbox.put(patches(2))
    assert await outbox.wait() is True, "what came before the close is still to be sent"
    assert frames(outbox) == [patches(1)]
    assert await outbox.wait() is False


async def test_lone_surrogates_travel() -> None:
    """Half an emoji, as a user may type it, is legal in JSON and must not end the socket."""
    outbox, _ = opened()
    outbox.put({"type": "refused", "message": "\ud83d"})
    text = outbox.take()
    assert isinstance(text, str)
    assert text.encode("utf-8")
    assert json.loads(text)["message"] == "\ud83d"


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
async def test_unsendable(value: object, caplog: pytest.LogCaptureFixture) -> None:
    """A value no JSON can carry is logged and told on the page; the rest goes on, in order."""
    outbox, _ = opened()
    outbox.put(patches(1, 3))
    with caplog.at_level(logging.ERROR):
        outbox.put(
            {"type": "patches", "seq": 2, "patches": [{"kind": "set", "props": {"value": value}}]}
        )
    outbox.put(patches(3, 4))
    (frame,) = frames(outbox)
    kinds = [patch["kind"] for patch in cast(list[dict[str, object]], frame["patches"])]
    assert kinds == ["set", "toast", "set"]
    assert frame["seq"] == 3
    assert "cannot be written as JSON" in caplog.text


async def test_sound_goes_at_once_but_never_before_what_waits() -> None:
    """Live sound is written in its own turn while the socket takes it and nothing stands before."""
    written: list[bytes] = []
    takes = True

    def at_once(sound: bytes) -> bool:
        if takes:
            written.append(sound)
        return takes

    outbox = Outbox(lambda: None, at_once)
    outbox.replaying = False
    outbox.put(b"1")
    outbox.put(patches(1))
    outbox.put(b"2")
    assert written == [b"1"]
    assert json.loads(outbox.take()) == patches(1)
    assert outbox.take() == b"2"
    takes = False
    outbox.put(b"3")
    takes = True
    outbox.put(b"4")
    assert written == [b"1"]
    assert [outbox.take(), outbox.take()] == [b"3", b"4"]
    link = outbox.link
    assert (link.at_once, link.queued, link.depth, link.most_depth) == (1, 4, 0, 2)
