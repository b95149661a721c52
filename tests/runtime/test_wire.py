"""What a page says comes exactly once and in order, wherever its lines break."""

from __future__ import annotations

import random
from typing import Any

import pytest

import ossicle as oc
from ossicle.runtime.host import Connection
from ossicle.runtime.sessions import TELL_AFTER
from ossicle.testing import Lab

Message = dict[str, Any]


class Page:
    """The sending half of a page: numbers what it says and keeps it until it came."""

    def __init__(self, lab: Lab) -> None:
        self.host = lab.host
        self.token: str | None = None
        self.seq = self.last = 0
        self.kept = list[Message]()
        self.most = 0

    def dial(self) -> Connection:
        """A new line: what did not come is said again."""
        connection = self.host.connect(self.token, self.seq, self.hear)
        for message in self.kept:
            connection.receive(message)
        return connection

    def hear(self, message: Message | bytes) -> None:
        assert isinstance(message, dict)
        if message["type"] in ("open", "resume"):
            self.token = message["session"]
        elif message["type"] == "patches":
            self.seq = message["seq"]
        got = message.get("n") if message["type"] == "got" else message.get("got")
        if got is not None:
            self.kept = [each for each in self.kept if each["n"] > got]

    def say(self, connection: Connection | None, message: Message) -> Message:
        """`connection` is None where the line swallows it."""
        self.last += 1
        message = {**message, "n": self.last}
        self.kept.append(message)
        self.most = max(self.most, len(self.kept))
        if connection:
            connection.receive(message)
        return message


def counting() -> tuple[oc.Blocks, oc.Number, list[int]]:
    taken = list[int]()
    with oc.Blocks() as demo:
        number = oc.Number(label="Number")
        number.input(taken.append, number, None, queue=False, trigger_mode="multiple")
    return demo, number, taken


@pytest.mark.parametrize("seed", range(20))
def test_lines_that_break_anywhere_lose_and_double_nothing(seed: int) -> None:
    """Each line swallows its last messages, and the one before may still deliver its own late."""
    dice = random.Random(seed)
    demo, number, taken = counting()
    with Lab(demo) as lab:
        page = Page(lab)
        line, late = page.dial(), list[tuple[Connection, Message]]()
        for value in range(200):
            act = {"type": "act", "node": number.id, "act": "input", "value": value}
            swallowed = dice.random() < 0.3
            said = page.say(None if swallowed else line, act)
            if swallowed:
                old, line = line, page.dial()
                late.append((old, said))
            if late and dice.random() < 0.5:
                old, message = late.pop()
                old.receive(message)
            if dice.random() < 0.2:
                lab.run(0.1)
        page.dial()
        lab.run(1)
        line = lab.host.lines[page.token or ""]
        assert taken == list(range(200))
        assert line.got == 200
        assert line.repeated > 0


def test_a_page_is_told_soon_what_came_though_nothing_is_shown() -> None:
    """So it never keeps many."""
    with oc.Blocks() as demo:
        name = oc.Textbox(label="Name")
        oc.Button("Go").click(len, name, None)
    with Lab(demo) as lab:
        page = Page(lab)
        line = page.dial()
        for n in range(10 * TELL_AFTER):
            page.say(line, {"type": "act", "node": name.id, "act": "input", "value": f"{n}"})
        assert page.most == TELL_AFTER


def test_what_was_refused_is_not_said_again() -> None:
    demo, _, taken = counting()
    with Lab(demo) as lab:
        page = Page(lab)
        line = page.dial()
        with pytest.raises(ValueError, match="no component 999"):
            page.say(line, {"type": "act", "node": 999, "act": "input", "value": 1})
        line.close()
        assert page.kept
        page.host.connect(page.token, page.seq, page.hear)
        assert page.kept == []
        assert taken == []


def test_a_session_that_is_over_takes_nothing() -> None:
    demo, number, taken = counting()
    with Lab(demo, reconnect_window=10) as lab:
        page = Page(lab)
        page.dial().close()
        lab.run(11)
        heard = list[Message]()
        line = page.host.connect(page.token, 0, lambda m: heard.append(dict(m)))  # type: ignore[arg-type]  # no sound comes here
        assert heard == [{"type": "gone"}]
        with pytest.raises(ValueError, match="over"):
            line.receive({"type": "act", "node": number.id, "act": "input", "value": 1, "n": 1})
        assert taken == []
