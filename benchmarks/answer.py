"""What a user waits for: from the end of a recording until the answer to it can be played.

The page itself keeps the time, on both sides in the same way: from the time stamp of the click on
the stop button to the event after which the answer can be played. What drives the browser, and how
often it could look, is not in it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import wave
from array import array
from pathlib import Path
from random import Random

from aiohttp import ClientSession
from playwright.async_api import Page, async_playwright

from .environments import Side
from .measure import Figures, Measure, first_page
from .page import CHROMIUM
from .process import HERE, Server

SECONDS = 10
RATE = 48_000
APP = HERE / "apps" / "answer.py"
TAKES = 3
"""Recordings on one visit; the first one meets code that was never run before."""

MEASURES = (
    Measure("answer_first", f"{SECONDS} s recorded, stop to playable answer, first", "ms"),
    Measure("answer", "the same, later takes of the visit", "ms", goal_ratio=4),
    Measure("answer_cpu", "server CPU of one such answer", "ms"),
)

_WATCH = """seconds => {
  const playable = () => {
    const answer = document.querySelector('#answer');
    // The peer plays what its waveform has decoded, which then says how long it is; ours plays by
    // the element that stands in the page.
    const said = answer?.querySelector('#duration');
    const own = answer?.querySelector('audio');
    if (!said) return own?.readyState >= 3 && own.duration > seconds - 1;
    const [minutes, rest] = said.textContent.split(':').map(Number);
    return minutes * 60 + rest > seconds - 1.5;
  };
  window.answered = new Promise((resolve) => {
    let start = null;
    document.addEventListener('click', (event) => { start ??= event.timeStamp; }, true);
    const look = () => {
      if (start !== null && playable()) resolve(performance.now() - start);
    };
    for (const sign of ['loadeddata', 'canplay']) document.addEventListener(sign, look, true);
    const all = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(look).observe(document.body, all);
  });
}"""
"""Puts the clock into the page. Media events do not bubble, but they can be caught on their way."""


async def hear(side: Side) -> Figures:
    """Start a side's server, record in its page, and wait for the answers. Needs a Chromium."""
    path = os.environ.get(CHROMIUM)
    if not path:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        voice = _voice(Path(folder) / "voice.wav")
        arguments = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
        ]
        if os.geteuid() == 0:  # Chromium's sandbox refuses to run as root, which containers are
            arguments.append("--no-sandbox")
        async with ClientSession() as http, Server(side, app=APP) as server:
            await first_page(http, server)
            async with async_playwright() as p:
                browser = await p.chromium.launch(executable_path=path, args=arguments)
                try:
                    context = await browser.new_context(permissions=["microphone"])
                    return await _takes(await context.new_page(), server)
                finally:
                    await browser.close()


async def _takes(page: Page, server: Server) -> Figures:
    times, cpu = list[float](), list[float]()
    await page.goto(server.base)
    for n in range(TAKES):
        if n:
            await page.reload()  # an empty recorder, with all code in the browser's cache
        record = page.get_by_role("button", name="Record", exact=True)
        await record.click(timeout=30_000)
        stop = page.locator("#voice").get_by_role("button", name="Stop", exact=True)
        await stop.wait_for()
        await page.wait_for_timeout(1000 * SECONDS)  # the length is what is measured with
        await page.evaluate(_WATCH, SECONDS)
        before = server.cpu()
        await stop.click()
        async with asyncio.timeout(60):
            times.append(await page.evaluate("answered"))
        cpu.append(1e3 * (server.cpu() - before))
        server.check()
    later = sorted(times[1:])[(len(times) - 1) // 2]
    return {"answer_first": times[0], "answer": later, "answer_cpu": min(cpu)}


def _voice(path: Path) -> Path:
    """What the microphone hears: noise, which no codec finds easy."""
    random = Random(7)
    samples = array("h", (random.randrange(-9000, 9000) for _ in range(RATE * 2)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path
