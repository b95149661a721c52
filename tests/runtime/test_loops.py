"""Served on every loop that there is: asyncio's and uvloop's, with and without TLS."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray

import ossicle as oc
from ossicle.flow.blocks import START
from ossicle.runtime.launching import Launched, Launching, serve_app
from ossicle.runtime.streams.frame import Frame, unpack

from .test_tls import write_pair

LOOPS = ["asyncio"] if sys.platform == "win32" else ["asyncio", "uvloop"]
RATE, SIZE, FRAMES = 48_000, 960, 60


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[None, None, None]], None]:
    """Runs a coroutine on a loop of that kind, in a thread that has none."""
    if request.param == "asyncio":
        factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    else:
        import uvloop

        factory = uvloop.new_event_loop

    def go(work: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work)

    return go


def straight() -> tuple[oc.Blocks, int]:
    with oc.Blocks() as app:
        microphone = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        microphone.stream.to(out)
    return app, microphone.id


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_live_sound_comes_back(
    run: Callable[[Coroutine[None, None, None]], None], secure: bool, tmp_path: Path
) -> None:
    """Sixty frames at once, faster than any microphone, come back sample for sample."""
    app, node = straight()
    tls = write_pair(tmp_path) if secure else None
    sound = np.random.default_rng(1).integers(-9000, 9000, (FRAMES, SIZE, 1)).astype(np.int16)

    heard = list[NDArray[np.int16]]()

    async def talk() -> None:
        host, running = await serve_app(app, Launching(server_port=0, tls=tls))
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        url = f"{'https' if secure else 'http'}://127.0.0.1:{running.port}"
        try:
            async with (
                asyncio.timeout(20),
                aiohttp.ClientSession() as http,
                http.ws_connect(f"{url}/ws", headers={"Origin": url}, ssl=trust) as page,
            ):
                await page.send_json({"type": "act", "node": node, "act": "start_recording"})
                for n, samples in enumerate(sound):
                    flags = START if n == 0 else 0
                    await page.send_bytes(
                        Frame(node, flags, n, RATE, n * SIZE, 0.0, samples).pack()
                    )
                while sum(map(len, heard)) < sound.size // 4:  # the rest waits to be heard
                    message = await page.receive()
                    if message.type is aiohttp.WSMsgType.BINARY:
                        heard.append(unpack(message.data).samples)
        finally:
            await running.close()
            await host.close()

    await asyncio.to_thread(run, talk())
    got = np.concatenate(heard)
    np.testing.assert_array_equal(got, sound.reshape(-1, 1)[: len(got)])


async def test_an_app_is_served_on_the_quickest() -> None:
    """A launched app has uvloop where it is installed, as it is here, and asyncio's loop else."""
    app, _ = straight()
    seen = list[str]()

    async def note() -> None:
        seen.append(type(asyncio.get_running_loop()).__module__)

    with app:
        app.load(note, None, None)
    launched = Launched(app, Launching(server_port=0, quiet=True))
    await asyncio.to_thread(launched.start)
    with launched:
        async with asyncio.timeout(20), aiohttp.ClientSession() as http:
            headers = {"Origin": launched.url.rstrip("/")}
            async with http.ws_connect(f"{launched.url}ws", headers=headers) as page:
                while not seen:
                    await page.receive()
    assert seen[0].split(".")[0] == LOOPS[-1]
