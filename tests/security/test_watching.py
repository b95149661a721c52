"""The outline of a sound that is still being sent: for the page that sends it, and only then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio

from ossicle.flow.samples import Digest, Samples
from ossicle.runtime.frontends.web import upload
from ossicle.runtime.frontends.web.files import MAX_WIDTH
from ossicle.runtime.media import ahead, decode, facts
from ossicle.runtime.media.session import Upload

from .conftest import Site, Tab, sound

NAME = "0123456789abcdef" * 2
WIDTH = 64
SENT = sound(seconds=10)
HALF = len(SENT) // 2


async def asked(site: Site, name: str, token: str, width: object = WIDTH, **headers: str) -> Any:
    """GET upload/peaks, read to its end."""
    answer = await site.http.get(
        f"{site.url}upload/peaks",
        params={"watch": name, "width": str(width)},
        headers={"X-Ossicle-Session": token} | headers,
    )
    await answer.read()
    return answer


@dataclass
class Halfway:
    """An upload that waits in its middle."""

    tab: Tab
    task: asyncio.Task[aiohttp.ClientResponse]
    rest: asyncio.Event = field(default_factory=asyncio.Event)


@pytest_asyncio.fixture
async def halfway(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Halfway]:
    """Half of a sound is there and looked through, and its page asks for the first time."""
    monkeypatch.setattr(ahead, "WORTH", 1000)
    monkeypatch.setattr(decode, "BLOCK", 4096)
    monkeypatch.setattr(upload, "_PIECE", 10_000)
    rest = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield SENT[:HALF]
        await rest.wait()
        yield SENT[HALF:]

    async def post(tab: Tab) -> aiohttp.ClientResponse:
        answer = await site.http.post(
            f"{site.url}upload",
            params={"node": str(tab.node("audio")), "name": "a.wav", "watch": NAME},
            data=body(),
            headers={
                "Origin": site.origin,
                "X-Ossicle-Session": tab.token,
                "Content-Length": str(len(SENT)),
            },
        )
        await answer.read()
        return answer

    tab = await site.open()
    task = asyncio.create_task(post(tab))
    async with asyncio.timeout(10):
        while (await asked(site, NAME, tab.token)).status != 200:
            assert not task.done()
    yield Halfway(tab, task, rest)
    task.cancel()
    await asyncio.wait([task])
    await tab.ws.close()


async def test_its_page_sees_what_is_there_so_far(site: Site, halfway: Halfway) -> None:
    """Frames from the beginning, of as many as there will be; after the end nothing."""
    answer = await asked(site, NAME, halfway.tab.token)
    said = {name: int(answer.headers[f"X-Ossicle-{name}"]) for name in ("Frames", "Of", "Channels")}
    assert said["Of"] == 80_000
    assert 0 < said["Frames"] <= HALF // 2
    assert said["Channels"] == 1
    assert answer.headers["Cache-Control"] == "no-store"
    values = np.frombuffer(await answer.read(), "<i2").reshape(1, -1, 3)
    assert values.shape[1] == int(answer.headers["X-Ossicle-Width"]) <= WIDTH
    assert (values[..., 1] > 11_000).all()
    assert (values[..., 0] < -11_000).all()

    halfway.rest.set()
    done = await halfway.task
    assert done.status == 200
    assert (await done.json())["frames"] == 80_000
    assert (await asked(site, NAME, halfway.tab.token)).status == 204


async def test_nobody_else_sees_it(site: Site, halfway: Halfway) -> None:
    """Another session with the right name, this one with a wrong name: nothing, and no hint."""
    other = await site.open()
    for name, token in (
        (NAME, other.token),
        (NAME[::-1], halfway.tab.token),
        (NAME.upper(), halfway.tab.token),
        ("../" + NAME, halfway.tab.token),
        ("", halfway.tab.token),
    ):
        answer = await asked(site, name, token)
        assert (answer.status, await answer.read()) == (204, b"")
    for token in ("", "x", "a" * 300):
        assert (await asked(site, NAME, token)).status == 403
    assert (await asked(site, NAME, halfway.tab.token, Host="evil.example")).status == 403
    await other.ws.close()


@pytest.mark.parametrize("width", ["", "0", "-1", "1e3", str(MAX_WIDTH + 1), "9" * 40, "٣"])
async def test_a_width_is_a_small_number(site: Site, halfway: Halfway, width: str) -> None:
    """Everything else is refused before it costs anything."""
    assert (await asked(site, NAME, halfway.tab.token, width)).status == 400


async def test_a_name_in_use_stays_with_its_upload(site: Site, halfway: Halfway) -> None:
    """A second upload by the same name is taken, and ends the sight of the first one not at all."""
    answer = await site.http.post(
        f"{site.url}upload",
        params={"node": str(halfway.tab.node("audio")), "name": "b.wav", "watch": NAME},
        data=sound(),
        headers={"Origin": site.origin, "X-Ossicle-Session": halfway.tab.token},
    )
    assert answer.status == 200
    await answer.read()
    assert (await asked(site, NAME, halfway.tab.token)).headers["X-Ossicle-Of"] == "80000"


async def test_an_upload_given_up_is_seen_no_more(site: Site, halfway: Halfway) -> None:
    """The line of the upload ends in its middle: name, outline and bytes go."""
    halfway.task.cancel()
    async with asyncio.timeout(10):
        while (await asked(site, NAME, halfway.tab.token)).status != 204 or site.host.store.used:
            pass  # each round waits for the server


async def test_a_session_that_is_over_sees_nothing(site: Site, halfway: Halfway) -> None:
    """The token is no more good for this address than for any other."""
    line = site.host.lines.pop(halfway.tab.token)
    assert (await asked(site, NAME, halfway.tab.token)).status == 403
    site.host.lines[halfway.tab.token] = line


async def test_an_upload_given_up_after_its_last_byte_is_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that left while the sound was looked through cannot claim it, so it goes.

    And nobody looks any further than the block in which that was noticed.
    """
    looking, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(decode, "BLOCK", 4096)
    true = facts.update_hash
    blocks = 0

    def held(digest: Digest, block: Samples) -> None:
        nonlocal blocks
        blocks += 1
        looking.set()
        go_on.wait(10)
        true(digest, block)

    monkeypatch.setattr(facts, "update_hash", held)
    tab = await site.open()
    task = asyncio.create_task(site.upload(tab, SENT))
    assert await asyncio.to_thread(looking.wait, 10)
    ended, stopped = asyncio.Event(), asyncio.Event()
    true_abort, true_give_up = Upload.abort, Upload.give_up

    def give_up(self: Upload) -> None:
        true_give_up(self)
        stopped.set()

    monkeypatch.setattr(Upload, "give_up", give_up)

    def abort(self: Upload) -> None:
        true_abort(self)
        ended.set()

    monkeypatch.setattr(Upload, "abort", abort)
    task.cancel()
    await asyncio.wait([task])
    async with asyncio.timeout(10):
        await stopped.wait()
    go_on.set()
    async with asyncio.timeout(10):
        await ended.wait()
    assert site.host.store.used == 0
    assert blocks == 1
    await tab.ws.close()


async def test_an_upload_given_up_takes_nothing_from_others(site: Site) -> None:
    """Two sessions that send the same file share it; that one gives its own up harms nobody."""
    mine, other = await site.open(), await site.open()
    upload = site.host.writer(mine.token, "a.wav", mine.node("audio"))
    upload.write(SENT)
    upload.finish()
    value = await (await site.upload(other, SENT)).json()
    upload.abort()
    async with site.http.get(site.url + value["url"] + "?download") as answer:
        assert await answer.read() == SENT
    await mine.ws.close()
    await other.ws.close()
