"""Live sound over WebRTC without a browser: losses are gaps, the socket rules, nothing is left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

import ossicle as oc
from ossicle.runtime.frontends.web.server import Running
from ossicle.runtime.host import Host
from ossicle.runtime.launching import Launching, serve_app
from ossicle.runtime.streams import peer as peer_module
from ossicle.runtime.streams.frame import START, Frame

RATE, SIZE = 8000, 160


@dataclass
class Heard:
    """What the app got: first frames, gaps and lengths of chunks; and the take."""

    chunks: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    takes: list[int] = field(default_factory=list[int])


@dataclass
class Served:
    host: Host
    running: Running
    heard: Heard
    http: aiohttp.ClientSession


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    """A microphone over WebRTC."""
    heard = Heard()

    def hear(chunk: tuple[int, Any], event: oc.EventData) -> None:
        heard.chunks.append((event.index, event.gap, len(chunk[1])))

    def keep(take: tuple[int, Any]) -> None:
        heard.takes.append(len(take[1]))

    with oc.Blocks() as app:
        mic = oc.Audio(streaming=True, transport="webrtc")
        mic.stream(hear, mic, None, stream_every=0.02, on_overload="block")
        mic.stop_recording(keep, mic, None)
    host, running = await serve_app(app, Launching(server_port=0))
    async with aiohttp.ClientSession() as http:
        yield Served(host, running, heard, http)
    await running.close()
    await host.close()


async def tab(served: Served) -> tuple[aiohttp.ClientWebSocketResponse, int]:
    """A page's socket, and the number of its microphone."""
    url = served.running.url
    ws = await served.http.ws_connect(url + "ws", headers={"Origin": url.rstrip("/")})
    opened = await ws.receive_json()
    return ws, next(each["id"] for each in opened["app"]["nodes"] if each["type"] == "audio")


async def answer(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (message := await ws.receive_json())["type"] != "rtc":
            pass
    return message


async def connected(ws: aiohttp.ClientWebSocketResponse) -> tuple[RTCPeerConnection, Any]:
    """What a page does: offer, answer, and a channel that is open."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = connection.createDataChannel("sound", ordered=False, maxRetransmits=0)
    await connection.setLocalDescription(await connection.createOffer())
    await ws.send_json({"type": "rtc", "sdp": connection.localDescription.sdp})
    sdp = (await answer(ws))["sdp"]
    await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
    async with asyncio.timeout(20):
        while channel.readyState != "open":
            await asyncio.sleep(0.01)
    return connection, channel


def frame(node: int, number: int) -> bytes:
    flags = START if number == 0 else 0
    samples = np.full((SIZE, 1), number, np.int16)
    return Frame(node, flags, number, RATE, number * SIZE, 0.0, samples).pack()


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_is_lost_is_a_gap_and_the_end_is_complete(served: Served) -> None:
    """Chunks go on at the next sample or name how many are missing; the socket brings the end."""
    ws, node = await tab(served)
    await ws.send_json({"type": "act", "node": node, "act": "start_recording"})
    connection, channel = await connected(ws)
    lost = {7, 8, 20}
    for number in range(30):
        if number not in lost:
            channel.send(frame(node, number))
    await until(lambda: sum(size for *_, size in served.heard.chunks) == 27 * SIZE)
    # As the page does it: what may not have come is sent again by the socket, and then the act.
    for number in range(25, 35):
        await ws.send_bytes(frame(node, number))
    await ws.send_json({"type": "act", "node": node, "act": "stop_recording"})
    await until(lambda: bool(served.heard.takes))
    await until(lambda: sum(size for *_, size in served.heard.chunks) == 32 * SIZE)
    channel.send(frame(node, 35))  # too late, and no harm
    assert served.heard.takes == [35 * SIZE], "what was lost is silence in the take"
    at = 0
    for index, gap, size in served.heard.chunks:
        assert index == at + gap
        at = index + size
    assert at == 35 * SIZE
    assert sum(gap for _, gap, _ in served.heard.chunks) == 3 * SIZE
    (line,) = served.host.lines.values()
    peer = line.peer
    assert peer is not None and peer.open and peer.counters.received >= 27
    await ws.close()
    await until(lambda: line.peer is None and not peer.open)
    await connection.close()


async def test_a_session_has_one_connection(served: Served) -> None:
    """A newer offer ends the older one; what is no frame is refused, and costs nobody anything."""
    ws, node = await tab(served)
    first, _ = await connected(ws)
    (line,) = served.host.lines.values()
    old = line.peer
    second, channel = await connected(ws)
    assert line.peer is not old and old is not None
    await until(lambda: not old.open)
    peer = line.peer
    assert peer is not None
    for said in (b"", b"x" * 31, "text", frame(node + 1000, 0), b"\xff" * 100):
        channel.send(said)
    await until(lambda: peer.counters.refused == 5)
    await ws.close()
    await first.close()
    await second.close()


async def test_a_frame_that_makes_the_server_fail_ends_no_connection(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, once for a connection, and those behind it are heard."""
    ws, node = await tab(served)
    await ws.send_json({"type": "act", "node": node, "act": "start_recording"})
    connection, channel = await connected(ws)
    (line,) = served.host.lines.values()
    peer = line.peer
    assert peer is not None

    def fail(*_: object) -> None:
        raise RuntimeError("no such case")

    with monkeypatch.context() as broken:
        broken.setattr(type(served.host.program), "sound", fail)
        for number in range(3):
            channel.send(frame(node, number))
        await until(lambda: peer.counters.refused == 3)
    for number in range(3, 10):
        channel.send(frame(node, number))
    await until(lambda: sum(size for *_, size in served.heard.chunks) == 7 * SIZE)
    assert caplog.text.count("RuntimeError: no such case") == 1
    await ws.close()
    await connection.close()


@pytest.mark.parametrize(
    "sdp", ["x", "v=0", "v=0\r\n" * 3000, "m=audio 9 RTP/AVP 0\r\n" * 700, "\x00" * 16_384]
)
async def test_what_is_no_offer(served: Served, sdp: str) -> None:
    """Is answered in words; the session goes on, and nothing stays open."""
    ws, _ = await tab(served)
    await ws.send_json({"type": "rtc", "sdp": sdp})
    assert "error" in await answer(ws)
    (line,) = served.host.lines.values()
    assert line.peer is None or not line.peer.open
    await connected(ws)
    assert line.peer is not None and line.peer.open
    await ws.close()


async def test_an_offer_names_no_places_to_send_to(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a page could let the server knock at any address of its own network."""
    from aioice import Connection

    asked = list[object]()
    add = Connection.add_remote_candidate

    async def noted(self: Connection, candidate: Any) -> None:
        asked.append(candidate)
        await add(self, candidate)

    ws, _ = await tab(served)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.createDataChannel("sound")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    monkeypatch.setattr(Connection, "add_remote_candidate", noted)
    evil = "a=candidate:1 1 udp 2130706431 10.9.8.7 22 typ host\r\n"
    assert "a=candidate" in offer
    await ws.send_json({"type": "rtc", "sdp": offer + evil})
    assert "sdp" in await answer(ws)
    assert asked == []
    await ws.close()
    await connection.close()


async def test_who_never_comes_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answered offer that nobody follows up holds nothing for long."""
    monkeypatch.setattr(peer_module, "OPEN_SECONDS", 0.5)
    ws, _ = await tab(served)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.createDataChannel("sound")
    await connection.setLocalDescription(await connection.createOffer())
    await ws.send_json({"type": "rtc", "sdp": connection.localDescription.sdp})
    assert "sdp" in await answer(ws)
    (line,) = served.host.lines.values()
    peer = line.peer
    assert peer is not None
    await until(lambda: peer.closed)
    await ws.close()
    await connection.close()


async def test_too_long_an_offer_is_refused_unread(served: Served) -> None:
    """As is one to an app that uses no WebRTC."""
    ws, _ = await tab(served)
    await ws.send_json({"type": "rtc", "sdp": "v" * 16_385})
    async with asyncio.timeout(10):
        while (message := await ws.receive_json())["type"] != "refused":
            pass
    assert "1 to 16384 characters" in message["message"]
    await ws.close()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes when the app is built, and names what to install."""

    def nothing(name: str) -> None:
        return None

    monkeypatch.setattr("ossicle.components.audio_arguments.find_spec", nothing)
    with pytest.raises(oc.DeclarationError, match=r'pip install "ossicle\[webrtc\]"'):
        oc.Audio(label="Mic", transport="webrtc")
    assert oc.Audio().transport == "socket"


@pytest.mark.parametrize("transport", ["socket", "webrtc"])
async def test_it_is_loaded_before_the_first_page_comes(
    transport: Literal["socket", "webrtc"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the first offer, in a third of a second in which nobody would be heard."""
    monkeypatch.delitem(sys.modules, "aiortc")
    with oc.Blocks() as app:
        oc.Audio(streaming=True, transport=transport)
    host = Host(app.plan())
    await host.begin()
    assert ("aiortc" in sys.modules) == (transport == "webrtc")
    await host.close()


def test_it_is_loaded_where_it_is_used() -> None:
    """An app over sockets does not pay for it."""
    import subprocess

    code = "import sys, ossicle as oc; oc.Interface(str, oc.Audio(streaming=True), 'text').plan();"
    code += "import ossicle.runtime.host; print('aiortc' in sys.modules, 'av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
