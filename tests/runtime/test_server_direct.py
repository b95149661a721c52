"""Frames that pass by aiohttp: the same messages in the same order, however the bytes are cut."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from ossicle.runtime.frontends.web.direct import HOLD, MAX_SOUND, MAX_TEXT, TURN, Direct
from ossicle.runtime.frontends.web.door import Door, Visitor
from ossicle.runtime.frontends.web.server import serve
from ossicle.runtime.frontends.web.websocket import Sockets

from .test_server_socket import RecordingHost

TEXT, SOUND, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MOST = 100_000
REQUEST = b"GET /ws HTTP/1.1\r\n\r\n"


def frame(
    code: int, payload: bytes, final: bool = True, mask: bytes | None = b"\x11\x22\x93\xf4"
) -> bytes:
    """One frame as a page sends it."""
    flag, length = (128 if mask else 0), len(payload)
    head = bytes((128 * final | code,))
    if length < 126:
        head += bytes((flag | length,))
    elif length < 1 << 16:
        head += bytes((flag | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((flag | 127,)) + length.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def unframed(data: bytes) -> tuple[int, bool, bytes, bytes] | None:
    """Opcode, final, payload, rest; None where a frame is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 127, 2
    if size > 125:
        count = 2 if size == 126 else 8
        size, at = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    mask = b"\0\0\0\0"
    if data[1] & 128:
        mask, at = data[at : at + 4], at + 4
    if len(mask) < 4 or len(data) < at + size:
        return None
    payload = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data[at : at + size]))
    return data[0] & 15, data[0] > 127, payload, data[at + size :]


class Aiohttp(asyncio.Protocol):
    """Reads frames, and gives messages back some turns of the loop later, as aiohttp does."""

    def __init__(self) -> None:
        self.data, self.parts = b"", b""
        self.waiting = deque[bytes]()
        self.controls = list[int]()
        self.http = b""
        self.frames = False

    def data_received(self, data: bytes) -> None:
        if not self.frames:
            self.http += data
            return
        self.data += data
        while found := unframed(self.data):
            code, final, payload, self.data = found
            if code >= CLOSE:
                self.controls.append(code)
                continue
            self.parts += payload
            if final:
                self.waiting.append(self.parts)
                self.parts = b""


class Page:
    """A visitor whose bytes are put in by hand."""

    def __init__(self) -> None:
        self.got = list[bytes]()
        self.aiohttp = Aiohttp()
        self.door = Door()
        self.promised = 0
        self.now = self.works = 0.0  # a clock, and the seconds that a frame takes
        self._more = False
        self.visitor = Visitor(self.door, self.aiohttp, "somebody")
        self.put(REQUEST)
        direct = Direct.before(Transport(self.visitor), MOST, lambda: self.now)
        assert direct
        self.direct = direct
        self.aiohttp.frames = True
        direct.begin(self._text, self._sound)

    def _text(self, text: str) -> None:
        assert not self._more, "sound was said to follow"
        self.got.append(text.encode())

    def _sound(self, sound: bytes, more: bool) -> None:
        self.got.append(sound)
        self.now += self.works
        self._more = more
        self.promised += more

    def put(self, data: bytes) -> None:
        """The system hands over so much at once."""
        self.door.buffer[: len(data)] = data
        self.visitor.buffer_updated(len(data))
        assert not self._more, "what was said to follow did not"

    def turn(self) -> None:
        """aiohttp's task runs."""
        while self.aiohttp.waiting:
            self.got.append(self.aiohttp.waiting.popleft())
            self.direct.returned()


class Transport(asyncio.BaseTransport):
    """Knows its protocol, and nothing more."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


@dataclass(frozen=True)
class Said:
    """A message, and the bytes that carry it."""

    payload: bytes
    data: bytes


def whole(code: int, payload: bytes, mask: bytes | None) -> Said:
    return Said(payload, frame(code, payload, mask=mask))


def fragmented(parts: list[bytes], ping: bool) -> Said:
    data = b""
    for number, part in enumerate(parts):
        data += frame(0 if number else TEXT, part, final=number == len(parts) - 1)
        if ping and number < len(parts) - 1:
            data += frame(PING, b"alive?")
    return Said(b"".join(parts), data)


masks = st.binary(min_size=4, max_size=4)
texts = st.text(max_size=40).map(str.encode)
said = st.one_of(
    st.builds(whole, st.just(TEXT), texts, masks),
    st.builds(whole, st.just(SOUND), st.binary(max_size=300), masks),
    st.builds(whole, st.just(TEXT), texts, st.none()),
    st.builds(whole, st.just(SOUND), st.sampled_from([bytes(70_000), b"x" * 2000]), masks),
    st.builds(whole, st.just(TEXT), st.just(b"y" * (MAX_TEXT + 1)), masks),
    st.builds(fragmented, st.lists(st.binary(max_size=9), min_size=2, max_size=3), st.booleans()),
)


sizes = st.one_of(st.integers(1, 8), st.integers(1, 3000), st.just(100_000))


@given(
    st.lists(said, min_size=1, max_size=6),
    st.lists(st.tuples(sizes, st.booleans()), min_size=1, max_size=60),
)
def test_however_it_is_cut(messages: list[Said], cuts: list[tuple[int, bool]]) -> None:
    """All arrives once and in order: short frames, long ones, fragments with pings between."""
    page, rest = Page(), b"".join(each.data for each in messages)
    least = len(rest) // 1000  # of 70,000 bytes, one by one, there is nothing new to learn
    for size, turn in itertools.cycle(cuts):
        if not rest:
            break
        page.put(rest[: max(size, least)])
        rest = rest[max(size, least) :]
        if turn:
            page.turn()
    page.turn()
    assert page.got == [each.payload for each in messages]


def test_what_passes_by() -> None:
    """Sound and short texts never reach aiohttp; what is odd about a frame brings it there."""
    page = Page()
    for payload in (b"", b"12345", bytes(1952), bytes(MAX_SOUND)):
        page.put(frame(SOUND, payload))
    page.put(frame(TEXT, b"{}"))
    assert (page.direct.taken, len(page.got)) == (5, 5)
    for odd in (
        frame(SOUND, bytes(MAX_SOUND + 1)),
        frame(TEXT, b"\xff not UTF-8"),
        frame(SOUND, b"not masked", mask=None),
        b"\xc2" + frame(SOUND, b"with an extension's bit")[1:],
    ):
        page.put(odd)
        assert page.direct.taken == 5 and len(page.aiohttp.waiting) == 1
        page.turn()


def test_sound_is_told_that_sound_follows() -> None:
    """Whole frames of sound in one read are told of the next; a text between them ends that."""
    page, sound = Page(), frame(SOUND, bytes(1952))
    page.put(sound)  # the first of a connection goes alone
    page.put(sound * 3 + frame(TEXT, b"{}") + sound * 2 + sound[:100])
    assert (len(page.got), page.promised) == (7, 3)
    page.put(sound[100:] + sound)
    assert (len(page.got), page.promised) == (9, 4)
    page.put(sound + frame(SOUND, b"not masked", mask=None))
    assert (page.promised, len(page.aiohttp.waiting)) == (4, 1)


def test_after_a_close_nothing_is_taken() -> None:
    """What follows a close frame is not the session's any more."""
    page = Page()
    page.put(frame(CLOSE, b"\x03\xe8") + frame(SOUND, b"too late"))
    assert page.got == [] and page.aiohttp.controls == [CLOSE]


class Reading(asyncio.Transport):
    """Knows whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default


@pytest.mark.parametrize("code", [SOUND, PING], ids=["taken", "passed on"])
async def test_a_flood_waits_its_turn(code: int) -> None:
    """A page that says much at once is heard in parts, in order, and is not read meanwhile."""
    page, transport = Page(), Reading()
    page.visitor.connection_made(transport)

    def heard() -> int:
        return len(page.got) + page.aiohttp.controls.count(PING)

    sent = [number.to_bytes(2, "big") for number in range(2 * TURN + 10)]
    page.put(b"".join(frame(code, each) for each in sent))
    assert heard() == TURN and not transport.reads
    page.put(frame(SOUND, b"came all the same"))
    assert heard() == TURN, "what comes out of turn waits, too"
    await asyncio.sleep(0)
    assert heard() == 2 * TURN and not transport.reads
    await asyncio.sleep(0)
    assert heard() == len(sent) + 1 and transport.reads
    assert page.got == [*(sent if code == SOUND else []), b"came all the same"]
    page.door.arrived(page.visitor.talk)


async def test_who_takes_long_lets_the_others_have_their_turn() -> None:
    """An operator that works for long on each block: no read of many holds the loop until all of
    it is done, and none is put together with one of the next turn."""
    page = Page()
    transport = Reading()
    page.visitor.connection_made(transport)
    page.works = 0.4 * HOLD
    sent = [number.to_bytes(2, "big") for number in range(10)]
    page.put(b"".join(frame(SOUND, each) for each in sent))
    took = list[int]()
    while len(page.got) < len(sent):
        took.append(len(page.got))
        assert not transport.reads
        await asyncio.sleep(0)
    assert took == [4, 8]
    assert page.got == sent and transport.reads
    page.door.arrived(page.visitor.talk)


def test_an_end_gives_all_back() -> None:
    """What is held of a frame that is not whole goes to aiohttp, and all that follows."""
    page, data = Page(), frame(SOUND, b"one more")
    page.put(data[:9])
    assert page.aiohttp.data == b""
    page.direct.end()
    page.put(data[9:])
    assert list(page.aiohttp.waiting) == [b"one more"] and page.direct.taken == 0


def test_the_heartbeat_hears_of_it() -> None:
    """aiohttp is told that the page lives, with a pong; not for each frame."""
    page = Page()
    for _ in range(100):
        page.put(frame(SOUND, b"1234"))
    assert page.aiohttp.controls == [PONG] and len(page.got) == 100


def test_who_spoke_too_early_is_left_to_aiohttp() -> None:
    """A page that sends frames behind its request, unasked: where they begin is not known."""
    door = Door()
    visitor = Visitor(door, Aiohttp(), "somebody")
    for data, taken in ((REQUEST + frame(SOUND, b"1")[:5], False), (REQUEST, True)):
        door.buffer[: len(data)] = data
        visitor.buffer_updated(len(data))
        assert (Direct.before(Transport(visitor), MOST) is not None) == taken
        visitor.hear = None
    assert Direct.before(Transport(Aiohttp()), MOST) is None and Direct.before(None, MOST) is None


# -- over a real connection ------------------------------------------------------------------------


class Raw:
    """A page that speaks the protocol by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, port: int, key: bytes, behind: bytes = b"") -> bytes:
        self.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key.decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            + behind
        )
        return await self.reader.readuntil(b"\r\n\r\n")

    async def receive(self) -> tuple[int, bytes]:
        data = b""
        async with asyncio.timeout(5):
            while not (found := unframed(data)):
                data += await self.reader.readexactly(1)
        return found[0], found[2]


@pytest.mark.parametrize("early", [False, True], ids=["polite", "early"])
async def test_over_a_socket(early: bool) -> None:
    """Sound comes back, a ping is answered, and a text that is none closes with 1007: also on a
    connection whose first handshake failed, and for who sends frames before they are asked for."""
    host = RecordingHost()
    sockets = Sockets(host)
    app = web.Application()
    app.router.add_get("/ws", sockets.handle)
    running = await serve(app, port=0)
    page = Raw(*await asyncio.open_connection("127.0.0.1", running.port))
    try:
        assert b" 400 " in await page.ask(running.port, b"none")
        refusal = await page.reader.readexactly(len(b"Handshake error: 'none'"))
        assert refusal == b"Handshake error: 'none'"
        key = base64.b64encode(os.urandom(16))
        first = frame(SOUND, b"early")
        assert b" 101 " in await page.ask(running.port, key, first if early else b"")
        if not early:
            page.writer.write(first)
        assert (await page.receive())[0] == TEXT
        assert await page.receive() == (SOUND, b"ylrae")
        page.writer.write(frame(SOUND, b"abc") + frame(PING, b"?") + frame(SOUND, b"def"))
        assert {await page.receive() for _ in range(3)} == {
            (SOUND, b"cba"), (PONG, b"?"), (SOUND, b"fed"),
        }  # fmt: skip
        page.writer.write(frame(TEXT, b"\xff"))
        assert await page.receive() == (CLOSE, (1007).to_bytes(2, "big"))
    finally:
        page.writer.close()
        await running.close()


@contextlib.asynccontextmanager
async def talking(sockets: Sockets) -> AsyncGenerator[Raw]:
    """A page that is connected, and has been greeted."""
    app = web.Application()
    app.router.add_get("/ws", sockets.handle)
    running = await serve(app, port=0)
    page = Raw(*await asyncio.open_connection("127.0.0.1", running.port))
    try:
        await page.ask(running.port, base64.b64encode(os.urandom(16)))
        assert (await page.receive())[0] == TEXT
        yield page
    finally:
        page.writer.close()
        await running.close()


@pytest.mark.parametrize("said", [0, 1, 2], ids=["nothing", "a frame", "half a frame"])
async def test_a_line_that_falls_silent_is_given_up(said: int) -> None:
    """No close and no answer, ever: the heartbeat ends it, whatever came last, and its session may
    wait for the page. Here 0.1 s, as a rule 20 s, and half of that for the answer."""
    host = RecordingHost()
    sockets = Sockets(host, heartbeat=0.1)
    async with talking(sockets) as page:
        whole = frame(SOUND, b"abc")
        page.writer.write([b"", whole, whole[:-2]][said])
        if said == 1:
            assert await page.receive() == (SOUND, b"cba")
        assert await page.receive() == (PING, b"")
        async with asyncio.timeout(10):
            await host.lines[0].closed.wait()
            while await page.reader.read(1 << 16):
                pass  # what it was sent on the way; then the end of the line
        assert len(sockets) == 0


async def test_a_line_that_speaks_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers no ping, and all it says passes aiohttp by: what it says counts as an answer."""
    monkeypatch.setattr("ossicle.runtime.frontends.web.direct._TELL", 0.02)
    host = RecordingHost()
    sockets = Sockets(host, heartbeat=0.3)
    async with talking(sockets) as page:
        loop = asyncio.get_running_loop()
        until = loop.time() + 1
        while loop.time() < until:  # for longer than silence would be borne
            page.writer.write(frame(SOUND, b"abc"))
            while await page.receive() != (SOUND, b"cba"):
                pass
        assert len(sockets) == 1
