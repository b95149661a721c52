"""Live sound from pages that lie: refused in words, counted, bounded; no other session notices."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import WSMsgType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.blocks import END, START, Block
from ossicle.runtime.frontends.web.server import make_app, serve
from ossicle.runtime.host import Host
from ossicle.runtime.streams.frame import HEADER, MAX_BYTES, Frame, unpack
from ossicle.runtime.streams.incoming import MOST_DEBT, NOW

RATE, HOP = 48_000, 960


@dataclass
class Page:
    """A page with a microphone (node `mic`) whose sound comes back at `out`."""

    ws: aiohttp.ClientWebSocketResponse
    mic: int
    out: int
    text: int
    token: str
    refused: list[str] = field(default_factory=list[str])
    heard: list[Frame] = field(default_factory=list[Frame])
    n: int = 0

    async def act(self, act: str) -> None:
        await self.ws.send_json({"type": "act", "node": self.mic, "act": act})

    async def talk(self, flags: int = 0) -> None:
        """The next frame, each of its own value."""
        flags |= 0 if self.n else START
        samples = np.full((HOP, 1), self.n % 30_000, np.int16)
        frame = Frame(self.mic, flags, self.n, RATE, self.n * HOP, 0.0, samples)
        self.n += 1
        await self.ws.send_bytes(frame.pack())

    @property
    def came_back(self) -> list[int]:
        """The numbers of the frames that it heard, of which several may have come as one."""
        return [int(each) for frame in self.heard for each in frame.samples[::HOP, 0]]

    async def until_pong(self) -> None:
        """Read on until the server has taken all that was sent before."""
        await self.ws.send_json({"type": "ping", "at": 1})
        async with asyncio.timeout(20):
            while True:
                message = await self.ws.receive()
                if message.type is WSMsgType.BINARY:
                    self.heard.append(unpack(message.data))
                elif message.type is WSMsgType.TEXT:
                    found: dict[str, Any] = message.json()
                    if found["type"] == "pong":
                        return
                    if found["type"] == "refused":
                        self.refused.append(found["message"])
                else:
                    raise ConnectionError(f"closed: {self.ws.close_code}")


class Studio:
    """A server whose every page echoes its microphone."""

    def __init__(self, url: str, host: Host, http: aiohttp.ClientSession) -> None:
        self.url, self.host, self.http = url, host, http

    async def open(self) -> Page:
        ws = await self.http.ws_connect(f"{self.url}ws", origin=self.url.rstrip("/"))
        first = await ws.receive_json()
        mic, out, text = (node["id"] for node in first["app"]["nodes"])
        return Page(ws, mic, out, text, first["session"])

    def source(self, page: Page) -> dict[str, Any]:
        """What the server counted of a page's newest recording."""
        (found,) = self.host.lines[page.token].metrics.sources.values()
        return found.snapshot()


@contextlib.asynccontextmanager
async def studio(work: Callable[[Block], object] | None = None) -> AsyncGenerator[Studio]:
    """work: what an operator does with each block, on its way to a function."""
    with oc.Blocks() as demo:
        microphone = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        oc.Textbox()
        microphone.stream.to(out)
        if work:
            microphone.stream.pipe(ops.map(work), ops.filter(bool))(lambda: None, None, None)
    host = Host(demo.plan())
    running = await serve(make_app(host), port=0)
    async with aiohttp.ClientSession() as http:
        yield Studio(running.url, host, http)
    await running.close()
    await host.close()


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Studio]:
    async with studio() as made:
        yield made


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Bytes of a page: noise, a header that lies, or sound that jumps about."""
    kind = draw(st.sampled_from(["noise", "lie", "jump"]))
    if kind == "noise":
        return draw(st.binary(max_size=100))
    if kind == "jump":
        index, count = draw(st.integers(0, 3000)), draw(st.integers(0, 200))
        flags = draw(st.sampled_from([0, START, END, START | END]))
        samples = np.ones((count, 1), np.int16)
        return Frame(1, flags, 0, RATE, index, 0.0, samples).pack()
    head = HEADER.pack(
        draw(st.integers(0, 2)),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 255)),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 65_535)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from([0, 1, 8000, RATE, 2**32 - 1])),
        draw(st.one_of(st.integers(0, 10_000), st.integers(0, 2**64 - 1))),
        draw(st.floats()),
    )
    return head + draw(st.binary(max_size=64))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(frames(), min_size=1, max_size=40))
def test_any_frames_leave_the_other_session_as_it_was(sent: list[bytes]) -> None:
    """Garbage, lies, repeats and jumps: answered in words; another page hears itself, complete."""

    async def run() -> None:
        async with studio() as place:
            evil, good = await place.open(), await place.open()
            await evil.act("start_recording")
            await good.act("start_recording")
            for number, data in enumerate(sent):
                await evil.ws.send_bytes(data)
                if number % 4 == 0:
                    await good.talk()
            await evil.until_pong()
            await good.until_pong()
            assert good.came_back == list(range(good.n))
            assert good.refused == []
            for told in evil.refused:
                assert 0 < len(told) < 300 and "/" not in told and "Traceback" not in told
            await evil.act("stop_recording")
            await evil.until_pong()

    asyncio.run(run())


async def test_repeated_and_reordered_frames_are_taken_once(place: Studio) -> None:
    """A frame that came before is left out and counted; one that is missing is a loss."""
    page = await place.open()
    await page.act("start_recording")
    for index in (0, 1, 1, 4, 3, 2, 5):
        page.n = index
        await page.talk()
    await page.until_pong()
    assert page.refused == []
    source = place.source(page)
    assert (source["lost"], source["discontinuities"]) == (2 * HOP, 1)
    assert source["repeated"] == 3 * HOP
    assert source["received"] == 4 * HOP
    assert page.came_back == [0, 1, 4, 5]
    await page.ws.close()


async def test_a_flood_of_beginnings_keeps_one_recording(place: Studio) -> None:
    """A client that begins again and again holds no more than one that begins once."""
    page, other = await place.open(), await place.open()
    for _ in range(300):
        await page.act("start_recording")
        page.n = 0
        await page.talk()
    await other.act("start_recording")
    await other.talk()
    await page.until_pong()
    await other.until_pong()
    line = place.host.lines[page.token]
    assert line.live_sound is not None
    assert len(line.live_sound.incoming) == 1
    assert len(line.metrics.sources) == 1
    assert line.metrics.sums().recorded["received"] == 300 * HOP
    assert other.came_back == [0]
    await page.ws.close()
    await other.ws.close()


async def test_frames_that_nobody_asked_for_are_named(place: Studio) -> None:
    """For what takes none, only gives some, or is not there; and after the recording."""
    page = await place.open()
    samples = np.ones((HOP, 1), np.int16)
    for node in (page.text, page.out, 60_000):
        await page.ws.send_bytes(Frame(node, START, 0, RATE, 0, 0.0, samples).pack())
    await page.act("start_recording")
    await page.talk()
    await page.act("stop_recording")
    await page.until_pong()
    assert [told.split(" takes")[0] for told in page.refused] == [
        f"component {node}" for node in (page.text, page.out, 60_000)
    ]
    async with asyncio.timeout(20):
        while place.host.lines[page.token].held is not None:
            await page.until_pong()
    await page.talk()
    await page.until_pong()
    assert "is over" in page.refused[-1]
    await page.ws.close()


async def test_a_frame_too_large_ends_its_own_socket_only(place: Studio) -> None:
    page, other = await place.open(), await place.open()
    await page.ws.send_bytes(b"\x01" * (MAX_BYTES + 1))
    async with asyncio.timeout(20):
        while (await page.ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    assert page.ws.close_code == 1009
    await other.act("start_recording")
    await other.talk()
    await other.until_pong()
    assert len(other.heard) == 1
    await other.ws.close()


async def test_frames_without_end_are_cut_off_when_they_are_no_sound(place: Studio) -> None:
    """A hundred refusals are answered, then the socket is closed: 1008."""
    page = await place.open()
    for _ in range(150):
        await page.ws.send_bytes(b"\x09" * 40)
    async with asyncio.timeout(20):
        while (await page.ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    assert page.ws.close_code == 1008
    assert place.host.metrics.snapshot()["open"] == 1


async def test_operators_before_a_function_are_seconds_behind_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each block takes them half a second: of sixty the ninth and those behind it are left out
    until the app is with the sound of now again. It is counted, and the take is whole."""
    now = 0.0
    seen = list[int]()

    def work(block: Block) -> None:
        nonlocal now
        now += 0.5
        seen.append(block.index // HOP)

    monkeypatch.setattr("ossicle.runtime.live_sound.perf_counter", lambda: now)
    async with studio(work) as place:
        page = await place.open()
        await page.act("start_recording")
        for _ in range(300):
            await page.talk()
        await page.until_pong()
        source = place.source(page)
        chains = place.host.lines[page.token].metrics.chains
        (chain,) = (each for each in chains if each.target is None)
        await page.ws.close()
    first = math.ceil(MOST_DEBT / (0.5 - HOP / RATE))
    waits = math.ceil((first * (0.5 - HOP / RATE) - NOW) / (HOP / RATE))
    assert seen[: first + 1] == [*range(first), first + waits]
    assert source["received"] == 300 * HOP
    assert source["dropped"] == chain.dropped == (300 - len(seen)) * HOP
