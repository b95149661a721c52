"""docs/wire.md: its messages, close codes and numbers are those of both ends."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import ossicle as oc
from ossicle.runtime import missed, sessions
from ossicle.runtime.frontends.web import incoming, websocket
from ossicle.runtime.frontends.web.server import make_app, serve
from ossicle.runtime.host import Host
from ossicle.runtime.streams import frame

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "wire.md").read_text("utf-8")
PAGE = ROOT / "web" / "src"

Row = tuple[str, str]


def rows(heading: str) -> dict[str, Row]:
    """The table below a heading: its first column, without backticks, and the two behind it."""
    part = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if re.match(r"\| `", line)
    ]
    return {
        first.strip("`"): (second, third) for first, second, third in lines if first != "`type`"
    }


def fields(cell: str) -> tuple[set[str], set[str]]:
    """Those that must be there, and those that may: marked with `?`, or one of two."""
    may: set[str] = set(re.findall(r"`(\w+)`\?", cell))
    for first, second in re.findall(r"`(\w+)` or `(\w+)`", cell):
        may |= {first, second}
    return set(re.findall(r"`(\w+)`", cell)) - may, may


def words(folder: str) -> set[str]:
    """All texts in the code of a folder."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / folder).rglob("*.py")]
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def number_of(file: str, name: str) -> float:
    """A constant of the page."""
    source = (PAGE / file).read_text("utf-8")
    (found,) = re.findall(rf"^(?:export )?const {name} = ([\d_.]+);", source, re.MULTILINE)
    return float(found)


def test_a_page_may_say_what_is_written() -> None:
    """Each message, and what it must have; what it may have is looked at somewhere."""
    said = {kind: fields(row[0]) for kind, row in rows("From the page").items()}
    assert {kind: must for kind, (must, _) in said.items()} == {
        kind: set(wanted) for kind, wanted in incoming.FIELDS.items()
    }
    known = words("runtime")
    assert {name for _, may in said.values() for name in may} <= known


async def test_a_server_says_what_is_written() -> None:
    """Each message as it comes from a server: no field more, none less."""
    with oc.Blocks() as demo:
        text = oc.Textbox()
        text.input(str, text, oc.Textbox())
        oc.Audio(streaming=True, transport="webrtc")
    host = Host(demo.plan())
    running = await serve(make_app(host), port=0)
    heard = dict[str, list[set[str]]]()

    async with aiohttp.ClientSession() as http:
        origin = {"Origin": running.url.rstrip("/")}

        async def listen(session: str, until: str, *said: Any) -> str:
            """One socket: what it tells, up to a message of that kind."""
            protocols = ("ossicle", f"session.{session}") if session else ("ossicle",)
            url = f"{running.url}ws?seq=0"
            async with http.ws_connect(url, headers=origin, protocols=protocols) as socket:
                for each in said:
                    await socket.send_json(each)
                while True:
                    message = await socket.receive_json(timeout=20)
                    heard.setdefault(message["type"], []).append(set(message) - {"type"})
                    session = message.get("session", session)
                    if message["type"] == until:
                        return session

        act = {"type": "act", "node": text.id, "act": "input", "value": "x", "n": 1}
        session = await listen("", "patches", act)
        await listen(session, "resume")
        await listen("A" * 32, "gone")
        await listen("", "refused", {"type": "nothing"})
        await listen("", "pong", {"type": "ping", "at": 1})
        await listen("", "figures", {"type": "figures", "node": text.id})
        await listen("", "rtc", {"type": "rtc", "sdp": "nonsense"})
        focus = [
            {"type": "act", "node": text.id, "act": "focus", "n": n + 1}
            for n in range(sessions.TELL_AFTER)
        ]
        await listen("", "got", *focus)
    await running.close()
    await host.close()

    written = {kind: fields(row[0]) for kind, row in rows("From the server").items()}
    assert heard.keys() == written.keys()
    for kind, (must, may) in written.items():
        for came in heard[kind]:
            assert must <= came <= must | may, (kind, came)


def test_patches_are_of_the_kinds_that_are_written() -> None:
    """And the page knows the same ones."""
    listed = rows("From the server")["patches"][1]
    written = set(re.findall(r"`(\w+)`", listed))
    made = {
        value.value
        for path in (ROOT / "runtime").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "kind" and isinstance(value, ast.Constant)
    }
    types = (PAGE / "wire" / "types.ts").read_text("utf-8")
    union = re.findall(r"export type Patch =([^;]+);", types)[0]
    known = {
        re.findall(rf"interface {name}\b[^}}]*?kind: '(\w+)'", types, re.DOTALL)[0]
        for name in re.findall(r"\w+", union)
    }
    assert written == made == known


def test_close_codes_are_those_that_are_written() -> None:
    """RFC 6455 7.4; 1006 is what a socket has that never was closed, and is not sent."""
    written = {int(code): name for code, (name, _) in rows("How it ends").items()}
    assert written == {
        websocket.GOING_AWAY: "going away",
        websocket.POLICY: "policy",
        websocket.FAILED: "failed",
        websocket.TRY_LATER: "try later",
        websocket.GONE: "gone",
        websocket.TOO_SLOW: "too slow",
    }


NUMBERS = [
    (r"server keeps (\S+) messages", missed.KEPT),
    (r"loss of more than (\S+) messages", missed.KEPT),
    (r"or after (\S+) messages for which", sessions.TELL_AFTER),
    (r"The page keeps ([\d,]+) ", number_of("wire/link.ts", "KEPT")),
    (r"comes back for (\S+) s after", number_of("wire/socket.worker.ts", "QUIET") / 1000),
    (r"not answered for (\S+) s", number_of("wire/socket.worker.ts", "DEAD") / 1000),
    (r"nothing came for\s(\S+) s", number_of("wire/socket.worker.ts", "LOOK") / 1000),
    (r"not open within (\S+) s", number_of("wire/socket.worker.ts", "DIAL") / 1000),
    (r"tries again after (\S+) s", number_of("wire/link.ts", "FIRST_WAIT") / 1000),
    (r"up to (\S+) s, and at\s", number_of("wire/link.ts", "LONGEST_WAIT") / 1000),
    (r"no later than after (\S+) s", number_of("wire/link.ts", "LONGEST_WAIT_SOUNDING") / 1000),
    (r"header of (\d+) bytes", frame.HEADER.size),
    (r"header of (\d+) bytes", number_of("live/frame.ts", "HEADER")),
    (r"At most (\d+) MiB", frame.MAX_BYTES >> 20),
    (r"(\d+) channels\s", frame.MAX_CHANNELS),
    (r"and (\d+) kHz", (frame.RATES.stop - 1) / 1000),
    (r"played to the last sample, after (\d+) ms", 1000 * number_of("live/delay.ts", "PREBUFFER")),
    (r"worst of the last (\w+) seconds", number_of("live/arrivals.ts", "MEMORY")),
    (r"more than (\d+) ms beyond", 1000 * number_of("live/arrivals.ts", "MOST_WAIT")),
    (r"is some within (\S+) s,", number_of("live/playout.ts", "PATIENCE")),
    (r"cross-faded over (\d+) samples", number_of("live/playout.ts", "BLEND")),
    (r"WebRTC data channel, of (\S+) characters", incoming.MAX_SDP),
]


@pytest.mark.parametrize(("written", "value"), NUMBERS, ids=[each for each, _ in NUMBERS])
def test_numbers_are_those_of_the_code(written: str, value: float) -> None:
    """A limit that is changed is changed in the document, too."""
    (found,) = re.findall(written, TEXT)
    assert float("2" if found == "two" else found.replace(",", "")) == value
