"""`python -m benchmarks.live`: from the microphone through Python to the speaker.

In a browser: a fake microphone plays noise, a tap in the page's own audio graph records what the
microphone gives and what the speaker gets, and the two are correlated, stretch by stretch. So the
delay is exact to the sample and counts everything between them, but not the devices.

Without a browser: many front ends made of Python send frames as pages do and hear what comes back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import soundfile
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType
from playwright.async_api import Browser, async_playwright

from ossicle.flow.blocks import START
from ossicle.runtime.streams.frame import Frame, unpack
from tests.browser.tap import Tap

from .process import until
from .report import load_average

APP = Path(__file__).parent / "apps" / "live.py"
CHROMIUM = "OSSICLE_CHROMIUM"
MICROPHONE_RATE = 44_100  # of the fake device, at which nothing is resampled
RATE = 48_000
WARM_UP = 2.0  # seconds in which buffers find their size


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each recording")
    parser.add_argument("--crowds", type=int, nargs="*", default=[1, 20, 50], metavar="SESSIONS")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("the CPU figures come from Linux' clocks")
    print(f"load average {load_average()} before")
    asyncio.run(measure(options.seconds, options.crowds, not options.no_browser))
    print(f"load average {load_average()} after")


async def measure(seconds: float, crowds: list[int], in_browser: bool) -> None:
    if in_browser:
        async with chromium() as browser:
            for which, frame in (
                ("echo", 20),
                ("echo", 10),
                ("straight", 20),
                ("straight", 10),
                ("operators", 20),
                ("stall", 20),
            ):
                await in_page(browser, which, frame, seconds)
            await interruption(browser)
    for which in ("echo", "straight", "operators"):
        for sessions in crowds:
            await crowd(which, sessions, min(seconds, 8.0))


# -- a server ------------------------------------------------------------------------------------


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cpu(self) -> float:
        """Seconds of all its threads so far; the id is made as clock_getcpuclockid(3) does."""
        return time.clock_gettime((~self.process.pid << 3) | 2)


@contextlib.asynccontextmanager
async def serving(which: str, frame: float) -> AsyncGenerator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, str(APP), str(port), which, str(frame)]
    process = subprocess.Popen(command, cwd=APP.parents[2], stdin=subprocess.DEVNULL)
    served = Served(process, port)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        if not await until(listens, 30):
            raise SystemExit(f"the server for {which} did not come up")
        yield served
    finally:
        process.terminate()
        process.wait()


# -- in a browser --------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    path = os.environ.get(CHROMIUM)
    if not path:
        raise SystemExit(f"{CHROMIUM} names no Chromium; --no-browser leaves it out")
    with tempfile.TemporaryDirectory() as folder:
        noise = Path(folder) / "noise.wav"
        samples = np.random.default_rng(7).integers(-9000, 9000, MICROPHONE_RATE * 60)
        soundfile.write(noise, samples.astype(np.int16), MICROPHONE_RATE, subtype="PCM_16")
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=path,
                args=[
                    "--use-fake-device-for-media-stream",
                    "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-audio-capture={noise}",
                ],
            )
            yield browser
            await browser.close()


async def in_page(browser: Browser, which: str, frame: float, seconds: float) -> None:
    async with serving(which, frame) as served:
        context = await browser.new_context(permissions=["microphone"], bypass_csp=True)
        page = await context.new_page()
        tap = Tap(page)
        await tap.install()
        await page.goto(served.url)
        await page.get_by_role("button", name="Record").click()
        await page.locator(".badge").nth(1).wait_for()
        await asyncio.sleep(WARM_UP)
        before = served.cpu()
        await asyncio.sleep(seconds)
        cpu = served.cpu() - before
        await page.locator(".badge").nth(1).click()
        said = " | ".join((await page.locator(".live dl").nth(0).inner_text()).splitlines())
        sound = await tap.sound(MICROPHONE_RATE)
        delays = sound.delays(0.1)[round(WARM_UP / 0.1) :]
        name = f"{which}, {frame:g} ms frames"
        frames = seconds * 1000 / frame
        print(
            f"{name:26} p50 {median(delays):6.1f} ms  p95 {percentile(delays, 95):6.1f} ms  "
            f"of {len(delays)} stretches  server CPU {1e6 * cpu / frames:5.0f} µs a frame, "
            f"in and out\n{'':26} the page says: {said}"
        )
        await context.close()


async def interruption(browser: Browser) -> None:
    """From the click on a button, through Python's cancel, to silence."""
    async with serving("speak", 20) as served:
        found = list[float]()
        for _ in range(5):
            context = await browser.new_context(bypass_csp=True)
            page = await context.new_page()
            tap = Tap(page)
            await tap.install()
            await page.goto(served.url)
            await page.get_by_role("button", name="Speak").click()
            await page.locator(".streamed[data-state=playing]").wait_for()
            await asyncio.sleep(0.7)
            await page.get_by_role("button", name="Quiet").click()
            await page.locator(".wave.drawn").wait_for()
            sound = await tap.sound(RATE)
            clicked: float = await page.evaluate("window.clicked")
            last = int(np.flatnonzero(sound.heard)[-1])
            found.append(1000 * (sound.start + last - clicked) / RATE)
            await context.close()
        print(
            f"{'interruption':26} p50 {median(found):6.1f} ms  most {max(found):6.1f} ms  "
            "from the click to silence"
        )


# -- without one ---------------------------------------------------------------------------------


@dataclass
class Crowd:
    trips: list[float] = field(default_factory=list[float])
    sent: int = 0
    heard: int = 0


async def crowd(which: str, sessions: int, seconds: float, frame: float = 20) -> None:
    async with serving(which, frame) as served, ClientSession() as http:
        found = Crowd()
        begin = time.perf_counter() + 1.0
        people = [
            asyncio.create_task(talk(http, served.url, found, begin, seconds, frame, n / sessions))
            for n in range(sessions)
        ]
        await asyncio.sleep(1.0)
        before = served.cpu()
        await asyncio.sleep(seconds)
        cpu, sent = served.cpu() - before, found.sent
        await asyncio.gather(*people)
        trips = found.trips or [float("nan")]
        print(
            f"{which + f', {sessions} sessions':26} p50 {1000 * median(trips):6.1f} ms  "
            f"p99 {1000 * percentile(trips, 99):6.1f} ms  back at the front end; "
            f"{100 * found.heard / max(1, found.sent):.1f} % of {found.sent} frames came back; "
            f"server CPU {1e6 * cpu / max(1, sent):5.0f} µs a frame, in and out"
        )


async def talk(
    http: ClientSession,
    url: str,
    crowd: Crowd,
    begin: float,
    seconds: float,
    frame: float,
    phase: float,
) -> None:
    """One front end: frames at their time, acknowledgements, and how long each took."""
    size = round(RATE * frame / 1000)
    samples = np.random.default_rng(1).integers(-9000, 9000, (size, 1)).astype(np.int16)
    try:
        async with http.ws_connect(url + "ws", origin=url.rstrip("/")) as line:
            opened = json.loads((await line.receive()).data)
            node = opened["app"]["nodes"][0]["id"]
            out = opened["app"]["nodes"][1]["id"]
            await line.send_json({"type": "act", "node": node, "act": "start_recording"})
            hearing = asyncio.create_task(hear(line, out, crowd))
            for n in range(round(1000 * seconds / frame)):
                due = begin + (n + phase) * frame / 1000
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                now = (time.perf_counter() % 100_000) * 1000
                flags = 0 if n else START
                await line.send_bytes(Frame(node, flags, n, RATE, n * size, now, samples).pack())
                crowd.sent += 1
            await asyncio.sleep(0.5)
            hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hearing
    except ClientError as error:
        print(f"a front end failed: {error}", file=sys.stderr)


async def hear(line: ClientWebSocketResponse, out: int, crowd: Crowd) -> None:
    told = 0.0
    async for message in line:
        if message.type is not WSMsgType.BINARY:
            continue
        frame = unpack(message.data)
        now = time.perf_counter()
        crowd.heard += 1
        crowd.trips.append(((now % 100_000) * 10_000 - frame.seq) % (1 << 32) / 10_000)
        if now - told > 0.1:
            told = now
            at = frame.index + len(frame.samples)
            await line.send_json(
                {"type": "played", "node": out, "epoch": round(frame.time), "frames": at,
                 "underruns": 0}
            )  # fmt: skip


def percentile(values: list[float], which: int) -> float:
    return values[0] if len(values) < 2 else quantiles(values, n=100)[which - 1]


if __name__ == "__main__":
    main()
