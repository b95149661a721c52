"""Before HTTP: clients that hold connections, say nothing, or say it letter by letter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.runtime.frontends.web import door as door_module
from ossicle.runtime.frontends.web.door import Door
from ossicle.runtime.frontends.web.server import DOOR, Running, make_app, serve
from ossicle.runtime.host import Host

from .conftest import Site

STRANGER = "10.9.8.7"


@pytest_asyncio.fixture
async def served() -> AsyncIterator[tuple[Door, Running, Host]]:
    """A server whose door is small and has no patience."""
    host = Host(oc.Interface(str, "text", "text").plan())
    app = make_app(host, max_connections=3)
    app[DOOR].patience = 0.2
    running = await serve(app, port=0)
    yield app[DOOR], running, host
    await running.close()
    await host.close()


@pytest.fixture
def all_are_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine itself is not bounded, and here everybody is this machine."""

    def nobody(address: str) -> bool:
        return False

    monkeypatch.setattr(door_module, "is_loopback", nobody)


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other end closes."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "said", [b"", b"G", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "], ids=["", "G", "header"]
)
async def test_who_sends_no_request_is_let_go(
    served: tuple[Door, Running, Host], said: bytes
) -> None:
    """Nothing at all, or a request that does not end: the connection does not last."""
    door, running, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(said)
    assert await ended(reader) == b""
    assert (door.counters.entered, door.counters.silent) == (1, 1)
    writer.close()


async def test_letter_by_letter_is_no_excuse(served: tuple[Door, Running, Host]) -> None:
    """Each letter comes in time; the request as a whole does not."""
    door, running, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)

    async def dribble() -> None:
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.02)  # its pace is what is tested

    task = asyncio.create_task(dribble())
    await ended(reader)
    task.cancel()
    assert door.counters.silent == 1
    writer.close()


async def test_who_did_ask_may_stay(served: tuple[Door, Running, Host]) -> None:
    """A page's socket outlives the patience for the first request by far."""
    door, running, _ = served
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": running.url.rstrip("/")}
        async with http.ws_connect(running.url + "ws", headers=headers) as ws:
            await ws.receive_json()
            await asyncio.sleep(2 * door.patience)  # nothing is to happen in this time
            await ws.send_str("{")
            assert (await ws.receive_json())["type"] == "refused"
    assert door.counters.silent == 0


@pytest.mark.usefixtures("all_are_strangers")
async def test_too_many_connections_of_one_client(
    served: tuple[Door, Running, Host], caplog: pytest.LogCaptureFixture
) -> None:
    """The next one is closed unread, it is logged once with the way out, and room comes back."""
    door, running, _ = served
    door.patience = 60.0
    opened = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            assert await ended(reader) == b""
            writer.close()
    assert door.counters.crowded == 2
    (said,) = [each.message for each in caplog.records if each.name.endswith("door")]
    assert "max_connections" in said
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(running.url) as answer:
                    assert answer.status in (200, 503)
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0)  # the server has not seen the ends yet


@pytest.mark.usefixtures("all_are_strangers")
async def test_sessions_are_not_begun_without_end(site: Site) -> None:
    """Each page that is opened and left costs memory for a minute: one client has a pace."""
    headers = {"Origin": site.origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        for _ in range(200):
            async with site.http.ws_connect(site.url + "ws", headers=headers) as ws:
                await ws.receive_json()
    assert refused.value.status == 429
    assert refused.value.headers and refused.value.headers["Retry-After"] == "1"
    assert len(site.host.lines) < 130


async def test_the_paces_of_many_clients_are_bounded() -> None:
    """Who comes from ever new addresses fills no memory, and one client does not slow another."""
    door = Door()
    assert all(door.may_begin(f"2001:db8::{each:x}") for each in range(10_000))
    assert len(door._paces) <= door_module._REMEMBERED  # pyright: ignore[reportPrivateUsage] # its bound
    while door.may_begin(STRANGER):
        pass
    assert door.may_begin("10.0.0.1")
    assert all(door.may_begin("127.0.0.1") for _ in range(1000))


def test_what_enters_leaves() -> None:
    """The count of a client's connections is exact."""
    door = Door(2)
    assert [door.enter(STRANGER) for _ in range(3)] == [True, True, False]
    assert door.enter("10.0.0.1")
    door.leave(STRANGER)
    assert door.enter(STRANGER) and not door.enter(STRANGER)
