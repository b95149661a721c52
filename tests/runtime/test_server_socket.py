"""One tab's WebSocket over a real connection, with a host that records what it is told."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web

from ossicle.flow.errors import WorldError
from ossicle.flow.injected import ClientRequest
from ossicle.runtime.frontends.web.hearing import REFUSALS
from ossicle.runtime.frontends.web.needs import Message, Stored, Writer
from ossicle.runtime.frontends.web.server import Running, serve
from ossicle.runtime.frontends.web.websocket import GONE, TOO_SLOW, Sockets
from ossicle.runtime.streams.metrics import LinkMetrics


class Line:
    """A connection that records what comes in."""

    def __init__(self, session: str | None, send: Callable[[Message | bytes], None]) -> None:
        self.session = session
        self.link = LinkMetrics()
        self.send = send
        self.got: list[Message] = []
        self.closed = asyncio.Event()

    def receive(self, message: Message) -> None:
        if message["type"] == "cancel":
            raise ValueError("there is no such request")
        if message["type"] == "js":
            raise KeyError("/secret/path")
        self.got.append(message)
        self.send({"type": "patches", "seq": len(self.got), "patches": [message]})

    def receive_sound(self, data: bytes, more: bool = False) -> None:
        if data.startswith(b"\x00"):
            raise ValueError("version 0 is not known")
        self.send(data[::-1])

    def close(self) -> None:
        assert not self.closed.is_set(), "closed once"
        self.closed.set()


class RecordingHost:
    """A host with one session, "known"."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.asked: list[tuple[str | None, int]] = []
        self.clients: list[ClientRequest] = []
        self.missed = 0

    def connect(
        self,
        token: str | None,
        seq: int,
        send: Callable[[Message | bytes], None],
        client: ClientRequest,
    ) -> Line:
        self.asked.append((token, seq))
        self.clients.append(client)
        if token == "toomany":
            raise WorldError("too many sessions are open")
        if token is not None and token != "known":
            send({"type": "gone"})
            line = Line(None, send)
        else:
            send({"type": "open" if token is None else "resume", "session": "known", "seq": 0})
            for number in range(self.missed):
                send({"type": "patches", "seq": number + 1, "patches": [{"number": number}]})
            line = Line("known", send)
        self.lines.append(line)
        return line

    def knows(self, token: str) -> bool:
        return token == "known"

    def takes_files(self, token: str, node: int) -> bool:
        return False

    def writer(self, token: str, name: str, node: int) -> Writer:
        raise AssertionError("no upload in these tests")

    def sound(self, handle: str) -> Stored:
        raise KeyError(handle)


class Site:
    """A listening server with one host and a client."""

    def __init__(
        self,
        running: Running,
        host: RecordingHost,
        all_sockets: Sockets,
        http: aiohttp.ClientSession,
    ) -> None:
        self.running = running
        self.host = host
        self.sockets = all_sockets
        self.http = http

    async def open(self, query: str = "", session: str = "") -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(
            f"{self.running.url}ws{query}",
            headers={"Origin": self.running.url.rstrip("/")},
            protocols=("ossicle", f"session.{session}") if session else (),
        )


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    host = RecordingHost()
    all_sockets = Sockets(host, max_sockets=50, outbox_messages=200, outbox_bytes=1 << 20)
    app = web.Application()
    app.router.add_get("/ws", all_sockets.handle)

    async def shutdown(_: web.Application) -> None:
        await all_sockets.close()

    app.on_shutdown.append(shutdown)
    running = await serve(app, port=0)
    async with aiohttp.ClientSession() as http:
        yield Site(running, host, all_sockets, http)
    await running.close()


async def receive(ws: aiohttp.ClientWebSocketResponse) -> Message:
    async with asyncio.timeout(5):
        return await ws.receive_json()


async def closing(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read to the end; the close code."""
    async with asyncio.timeout(10):
        while (await ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            pass
    return ws.close_code


async def test_a_session_opens(site: Site) -> None:
    """The first message of a socket is the host's, and what the page sends reaches the session."""
    ws = await site.open()
    assert (await receive(ws))["type"] == "open"
    await ws.send_json({"type": "act", "node": 3, "act": "click"})
    assert (await receive(ws))["patches"] == [{"type": "act", "node": 3, "act": "click"}]
    assert site.host.asked == [(None, 0)]
    await ws.close()
    async with asyncio.timeout(5):
        await site.host.lines[0].closed.wait()


async def test_a_session_is_taken_up(site: Site) -> None:
    """Token and number of the last message seen reach the host."""
    ws = await site.open("?seq=41", "known")
    assert (await receive(ws))["type"] == "resume"
    assert site.host.asked == [("known", 41)]
    await ws.close()


async def test_who_asks(site: Site) -> None:
    """The host learns what functions may ask of the visitor: address, headers, query."""
    ws = await site.open("?lang=de")
    await receive(ws)
    (client,) = site.host.clients
    assert (client.client, client.query_params) == ("127.0.0.1", {"lang": "de"})
    assert client.headers["origin"].startswith("http://127.0.0.1:")
    await ws.close()


async def test_a_host_that_takes_no_more(site: Site) -> None:
    """A full host closes the socket in words, with the code for coming later."""
    ws = await site.open(session="toomany")
    async with asyncio.timeout(5):
        message = await ws.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)
    assert message.extra == "too many sessions are open"


async def test_a_session_is_gone(site: Site) -> None:
    """`gone` is sent, then the socket closes with a code that says not to come back."""
    ws = await site.open("?seq=1", "other")
    assert await receive(ws) == {"type": "gone"}
    assert await closing(ws) == GONE


@pytest.mark.parametrize("query", ["?seq=-1", "?seq=x", "?seq=" + "9" * 30, "?session=known"])
async def test_a_malformed_address(site: Site, query: str) -> None:
    """The number is checked before anything is opened, and a token does not belong there."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.open(query)
    assert refused.value.status == 400
    assert site.host.asked == []


async def test_no_upgrade(site: Site) -> None:
    """The address opened as a page says what it is."""
    async with site.http.get(site.running.url + "ws") as answer:
        assert answer.status == 426
        assert "WebSocket" in (await answer.json())["error"]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"type":"boom"}', '{"type":"cancel","request":1}', "[" * 10_000, '{"type":"act"}'],
)
async def test_a_bad_message_is_refused(site: Site, text: str) -> None:
    """A bad message is answered with `refused` in words; the session goes on."""
    ws = await site.open()
    await receive(ws)
    await ws.send_str(text)
    answer = await receive(ws)
    assert answer["type"] == "refused"
    assert answer["message"]
    await ws.send_json({"type": "ack", "seq": 1})
    assert (await receive(ws))["patches"] == [{"type": "ack", "seq": 1}]
    await ws.close()


async def test_live_sound_goes_both_ways_between_messages(site: Site) -> None:
    """A binary frame reaches the session as it is, and one of the session reaches the page."""
    ws = await site.open()
    await receive(ws)
    await ws.send_bytes(b"\x01\x02\x03")
    async with asyncio.timeout(5):
        assert await ws.receive_bytes() == b"\x03\x02\x01"
    await ws.close()


async def test_a_bad_frame_of_sound_is_refused_in_words(site: Site) -> None:
    ws = await site.open()
    await receive(ws)
    await ws.send_bytes(b"\x00" * 100)
    assert await receive(ws) == {"type": "refused", "message": "version 0 is not known"}
    await ws.close()


async def test_a_failing_host(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours goes to the log with all details, to the page without any."""
    ws = await site.open()
    await receive(ws)
    with caplog.at_level(logging.ERROR):
        await ws.send_json({"type": "js", "request": 1, "values": []})
        answer = await receive(ws)
    assert answer["type"] == "refused"
    assert "secret" not in json.dumps(answer)
    assert "/secret/path" in caplog.text
    await ws.close()


async def test_a_flood_of_bad_messages(site: Site) -> None:
    """After too many refused messages in a row the socket is closed."""
    ws = await site.open()
    await receive(ws)
    for _ in range(REFUSALS + 1):
        await ws.send_str("{")
    assert await closing(ws) == 1008
    assert site.sockets.counters.refused == REFUSALS + 1


async def test_a_message_too_large(site: Site) -> None:
    """A message over the bound closes the socket with 1009; the session may be taken up again."""
    ws = await site.open()
    await receive(ws)
    await ws.send_str('"' + "x" * (1 << 20) + '"')
    assert await closing(ws) == 1009
    again = await site.open(session="known")
    assert (await receive(again))["type"] == "resume"
    await again.close()


async def test_fast_patches_share_frames(site: Site) -> None:
    """1,000 messages of one moment arrive in order, in far fewer frames."""
    ws = await site.open()
    await receive(ws)
    for number in range(1, 101):
        site.host.lines[0].send({"type": "patches", "seq": number, "patches": [{"n": number}]})
    numbers: list[object] = []
    count = 0
    while len(numbers) < 100:
        frame = await receive(ws)
        count += 1
        listed = frame["patches"]
        assert isinstance(listed, list)
        numbers += [patch["n"] for patch in listed]  # pyright: ignore[reportUnknownVariableType]
        assert frame["seq"] == numbers[-1]
    assert numbers == list(range(1, 101))
    assert count == 1
    await ws.close()


async def test_a_slow_page_is_closed(site: Site) -> None:
    """A page that reads nothing is cut off once its outbox is full; others do not feel it."""
    port = site.running.port
    slow = sockets.create_connection(("127.0.0.1", port))
    try:
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        slow.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        async with asyncio.timeout(10):
            while not site.host.lines:
                await asyncio.sleep(0)
            line = site.host.lines[0]
            big = "x" * 100_000
            while not site.sockets.counters.overflowed:
                line.send({"type": "patches", "seq": 1, "patches": [{"text": big}]})
                await asyncio.sleep(0)
            ws = await site.open()
            assert (await receive(ws))["type"] == "open"
            await line.closed.wait()
            while len(site.sockets) > 1:
                await asyncio.sleep(0)
        await ws.close()
    finally:
        slow.close()


async def test_a_slow_page_is_told(site: Site) -> None:
    """A page that stumbles but reads again finds the code that says: come back and resume."""
    ws = await site.open()
    await receive(ws)
    line = site.host.lines[0]
    for number in range(201):  # in one moment: the writer has no turn
        line.send({"type": "patches", "seq": number, "patches": []})
    assert await closing(ws) == TOO_SLOW
    again = await site.open(session="known")
    assert (await receive(again))["type"] == "resume"
    await again.close()


async def test_a_long_absence_is_replayed(site: Site) -> None:
    """What was missed may be more than the outbox holds: it is not closed again for that."""
    site.host.missed = 1000
    ws = await site.open(session="known")
    await receive(ws)
    seen = 0
    while seen < 1000:
        listed = (await receive(ws))["patches"]
        assert isinstance(listed, list)
        seen += len(listed)  # pyright: ignore[reportUnknownArgumentType]
    assert site.sockets.counters.overflowed == 0
    await ws.close()


async def test_too_many_sockets(site: Site) -> None:
    """The number of open pages is bounded, and the bound is told."""
    pages = [await site.open() for _ in range(50)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.open()
    assert refused.value.status == 503
    for page in pages:
        await page.close()


async def test_shutdown(site: Site) -> None:
    """A stopping server closes its sockets with 1001, at once."""
    ws = await site.open()
    await receive(ws)
    reading = asyncio.ensure_future(closing(ws))
    async with asyncio.timeout(3):
        await site.running.close()
        assert await reading == 1001
    assert site.host.lines[0].closed.is_set()
