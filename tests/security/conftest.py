"""A real app behind a real, listening server, and clients that do what browsers would not."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import struct
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

import ossicle as oc
from ossicle.runtime.frontends.web.server import Running, make_app, serve
from ossicle.runtime.host import Host

MAX_UPLOAD = 200_000


@dataclass
class Tab:
    """One open page: its session, its socket, and everything it was told."""

    ws: aiohttp.ClientWebSocketResponse
    token: str
    app: dict[str, Any]
    got: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def node(self, kind: str) -> int:
        """The number of the first component of that type."""
        return next(node["id"] for node in self.app["nodes"] if node["type"] == kind)

    async def until(self, kind: str) -> dict[str, Any]:
        """Read on to the next message of that type."""
        async with asyncio.timeout(10):
            while True:
                message = await self.ws.receive_json()
                self.got.append(message)
                if message["type"] == kind:
                    return message


class Site:
    """A server and a client with no manners: it sends only the headers it is told to."""

    def __init__(
        self, running: Running, host: Host, http: aiohttp.ClientSession, app: web.Application
    ) -> None:
        self.running = running
        self.app = app
        self.host = host
        self.http = http
        self.url = running.url
        self.origin = running.url.rstrip("/")

    async def open(self, query: str = "", session: str = "", **headers: str) -> Tab:
        """A page, as a browser opens it; with the token of a session, as it comes back."""
        headers = headers or {"Origin": self.origin}
        protocols = ("ossicle", f"session.{session}") if session else ("ossicle",)
        ws = await self.http.ws_connect(
            f"{self.url}ws{query}", headers=headers, protocols=protocols
        )
        async with asyncio.timeout(10):
            first = await ws.receive_json()
        return Tab(ws, first.get("session", ""), first.get("app", {}), [first])

    async def upload(
        self, tab: Tab, data: Any, name: str = "a.wav", **headers: str
    ) -> aiohttp.ClientResponse:
        """POST a file as the page does."""
        answer = await self.http.post(
            f"{self.url}upload",
            params={"node": str(tab.node("audio")), "name": name},
            data=data,
            headers={"Origin": self.origin, "X-Ossicle-Session": tab.token} | headers,
        )
        await answer.read()
        return answer


def sound(seconds: float = 0.5, frequency: float = 440.0, rate: int = 8000) -> bytes:
    """A tone as a WAV file."""
    frames = [
        round(12000 * math.sin(2 * math.pi * frequency * n / rate))
        for n in range(int(seconds * rate))
    ]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return file.getvalue()


@pytest.fixture
def wav() -> bytes:
    """Half a second of 440 Hz."""
    return sound()


@pytest.fixture(autouse=True)
def own_temp_folder(temp_folder: Path) -> Path:
    """What is left behind is seen in every test."""
    return temp_folder


@contextlib.asynccontextmanager
async def serving(demo: oc.Blocks) -> AsyncGenerator[Site]:
    """The app on a port of this machine."""
    host = Host(demo.plan())
    app = make_app(host, max_upload=MAX_UPLOAD)
    running = await serve(app, port=0)
    async with aiohttp.ClientSession() as http:
        yield Site(running, host, http, app)
    await running.close()
    await host.close()


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    with oc.Blocks() as demo:
        audio = oc.Audio(label="in")
        text = oc.Textbox(label="text")
        out = oc.Audio(label="out")
        button = oc.Button("Go")

        def same(value: Any) -> Any:
            return value

        def fail(value: Any) -> Any:
            raise RuntimeError("/secret/path and the password")

        button.click(same, audio, out)
        text.submit(fail, text, text)
    async with serving(demo) as made:
        yield made
