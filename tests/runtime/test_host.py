"""One app for many sessions: what threads may ask of it, and what no session does to another."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.flow.audio import Clip, ClipError
from ossicle.runtime.host import Host
from ossicle.runtime.media import store as stores

Message = dict[str, Any]


@pytest_asyncio.fixture
async def host() -> AsyncIterator[Host]:
    with oc.Blocks() as demo:
        text = oc.Textbox()
        text.input(str, text, oc.Textbox())
    made = Host(demo.plan(), reconnect_window=0)
    yield made
    await made.close()


def clip() -> Clip:
    return Clip.of(8000, np.arange(100, dtype=np.int16), name="take")


async def test_two_threads_that_ask_first_share_one_store(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two functions that make the first sounds at once: the page finds both."""
    together = threading.Barrier(2)

    class Slow(stores.Store):
        def __init__(self) -> None:
            try:
                together.wait(0.5)  # for another one, which must not come
            except threading.BrokenBarrierError:
                pass
            super().__init__()

    monkeypatch.setattr(stores, "Store", Slow)
    first, second = await asyncio.gather(*(asyncio.to_thread(lambda: host.store) for _ in range(2)))
    assert first is second


async def test_a_job_that_outlives_its_session_stores_nothing(host: Host) -> None:
    """Also where it makes the first sound of all, and however many sessions have ended since."""
    page = host.connect(None, 0, lambda _: None)
    media = host.program.sessions[page.session or ""].media
    page.close()
    while host.lines:
        await asyncio.sleep(0)
    for _ in range(2):
        with pytest.raises(ClipError, match="session is over"):
            media.file(clip(), "wav")
    assert host.store.used == 0


async def test_a_guess_loads_no_codecs(host: Host) -> None:
    """Whoever asks for a file that nobody made holds up the loop for no import."""
    with pytest.raises(KeyError):
        host.sound("1-guess")
    assert host._store is None  # pyright: ignore[reportPrivateUsage]


async def test_a_front_end_that_fails_silences_no_other(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    """What is due to others comes in the same turn, and is not stuck behind it."""
    heard = list[Message]()
    patches = asyncio.Event()

    def broken(message: Message | bytes) -> None:
        if isinstance(message, dict) and message["type"] == "patches":
            raise RuntimeError("broken")

    def listen(message: Message | bytes) -> None:
        if isinstance(message, dict) and message["type"] == "patches":
            heard.append(message)
            patches.set()

    pages = [host.connect(None, 0, send) for send in (broken, listen)]
    for page in pages:
        page.receive({"type": "act", "node": 1, "act": "input", "value": "x"})
    async with asyncio.timeout(10):
        await patches.wait()
    assert heard and "front end failed" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


async def test_an_app_that_ends_as_a_recording_begins_complains_of_nothing() -> None:
    """What would have been loaded for the recording is not needed any more."""
    with oc.Blocks() as demo:
        microphone = oc.Audio(sources=["microphone"])
    host, complaints = Host(demo.plan()), list[Message]()
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    page = host.connect(None, 0, lambda _: None)
    page.receive({"type": "act", "node": microphone.id, "act": "start_recording"})
    await host.close()
    for _ in range(3):  # what was begun ends, and is forgotten
        await asyncio.sleep(0)
    gc.collect()
    assert not complaints
