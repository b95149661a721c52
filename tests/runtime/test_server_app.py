"""The whole way, as a page goes it: a real app, a real socket, a sound in, another sound out."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest_asyncio
from numpy.typing import NDArray

import ossicle as oc
from ossicle.runtime.frontends.web.server import make_app, serve
from ossicle.runtime.host import Host

Message = dict[str, Any]


class Page:
    """What a page does over its socket."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.origin = {"Origin": "/".join(url.split("/")[:3])}
        self.seq = 0
        self.token = ""
        self.app: Message = {}
        self.patches: list[Message] = []
        self.frames = 0

    async def open(self) -> Message:
        self.ws = await self.http.ws_connect(
            f"{self.url}ws?seq={self.seq}",
            headers=self.origin,
            protocols=("ossicle", f"session.{self.token}") if self.token else ("ossicle",),
        )
        first = await self.receive()
        if first["type"] == "open":
            self.token, self.seq, self.app = first["session"], first["seq"], first["app"]
        return first

    async def receive(self) -> Message:
        async with asyncio.timeout(20):
            message: Message = await self.ws.receive_json()
        if message["type"] == "patches":
            self.frames += 1
            self.seq = message["seq"]
            self.patches += message["patches"]
        return message

    async def until(self, state: str) -> None:
        """Read on until a run of any listener is there."""
        while not any(patch.get("state") == state for patch in self.patches):
            await self.receive()

    def node(self, kind: str, label: str | None = None) -> int:
        return next(
            node["id"]
            for node in self.app["nodes"]
            if node["type"] == kind and label in (None, node["props"].get("label"))
        )

    def value(self, node: int) -> Any:
        return [p["props"]["value"] for p in self.patches if p.get("node") == node][-1]

    async def act(self, node: int, act: str, **more: Any) -> None:
        await self.ws.send_json({"type": "act", "node": node, "act": act, **more})

    async def upload(self, node: int, data: bytes) -> Message:
        async with self.http.post(
            f"{self.url}upload?node={node}&name=voice.wav",
            data=data,
            headers={**self.origin, "X-Ossicle-Session": self.token},
        ) as answer:
            assert answer.status == 200
            value: Message = await answer.json()
        await self.act(node, "upload", value={"clip": value["clip"]})
        return value

    async def get(self, path: str) -> bytes:
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200
            return await answer.read()


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    def reverse(sound: tuple[int, NDArray[np.int16]]) -> tuple[int, NDArray[np.int16]]:
        return sound[0], sound[1][::-1]

    def count() -> Iterator[str]:
        for number in range(1000):
            yield str(number)

    with oc.Blocks() as demo:
        sound = oc.Audio(label="in")
        back = oc.Audio(label="out")
        oc.Button("Go").click(reverse, sound, back)
        shown = oc.Textbox(label="shown")
        number = oc.Number(label="start")
        number.submit(count, None, shown)
    host = Host(demo.plan())
    running = await serve(make_app(host), port=0, root="/some/where")
    async with aiohttp.ClientSession() as http:
        yield Page(running.url, http)
    await running.close()
    await host.close()


def wav(samples: NDArray[np.int16], rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def samples_of(data: bytes) -> NDArray[np.int16]:
    with wave.open(io.BytesIO(data), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


async def test_a_sound_there_and_back(page: Page) -> None:
    """Upload, press the button, download: the sound reversed, sample by sample, under a prefix."""
    samples = np.random.default_rng(3).integers(-30000, 30000, 16_000).astype(np.int16)
    assert (await page.open())["type"] == "open"
    value = await page.upload(page.node("audio", "in"), wav(samples))
    assert value["frames"] == 16_000 and value["name"] == "voice.wav"
    assert samples_of(await page.get(value["url"])).tolist() == samples.tolist()
    await page.act(page.node("button"), "click")
    await page.until("succeeded")
    result = page.value(page.node("audio", "out"))
    out = await page.get(result["url"] + "?download")
    assert np.array_equal(samples_of(out), samples[::-1])
    peaks = np.frombuffer(await page.get(result["peaks"] + "?width=100"), "<i2")
    assert peaks.max() == samples.max() and peaks.min() == samples.min()
    await page.ws.close()


async def test_a_lost_line(page: Page) -> None:
    """The socket breaks in the middle; the page comes back and has missed nothing."""
    await page.open()
    button, audio = page.node("button"), page.node("audio", "in")
    await page.upload(audio, wav(np.arange(1000, dtype=np.int16)))
    await page.act(button, "click")
    transport = page.ws._response.connection.transport  # pyright: ignore
    transport.abort()  # pyright: ignore
    assert (await page.open())["type"] in ("resume", "open")
    while not any(patch.get("node") == page.node("audio", "out") for patch in page.patches):
        await page.receive()
    result = page.value(page.node("audio", "out"))
    assert samples_of(await page.get(result["url"]))[0] == 999
    await page.ws.close()


async def test_a_fast_generator(page: Page) -> None:
    """1,000 yields arrive in order and in far fewer frames; the last one stays."""
    await page.open()
    shown = page.node("textbox", "shown")
    await page.act(page.node("number"), "submit")
    await page.until("succeeded")
    numbers = [int(p["props"]["value"]) for p in page.patches if p.get("node") == shown]
    assert numbers == sorted(numbers) and numbers[-1] == 999
    assert page.frames < 500
    await page.ws.close()
