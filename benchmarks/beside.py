"""`python -m benchmarks.beside`: echoes through Python as others make them, beside ours.

One fake microphone, one Chromium, and one measure for all: what the microphone gives and what is
played are correlated, stretch by stretch, on one clock. The sides take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playwright.async_api import Browser, Locator, Page

from tests.browser.tap import Tap

from . import blackbox, environments
from .environments import HERE, Side
from .live import WARM_UP, chromium, percentile
from .process import Server
from .report import load_average, machine
from .served import serving

WINDOW, MOST = 0.5, 8.0  # seconds of a stretch, and that it may be late
PATIENCE = 30.0  # seconds until an echo is heard at all


@dataclass
class Echo:
    """One side: delays in milliseconds, and the server's CPU for a second of sound."""

    name: str
    turn: Callable[[Browser, float, Echo], Coroutine[Any, Any, None]]
    side: Side | None = None
    app: str = ""
    every: int = 20
    delays: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def row(self, least: float) -> str:
        p50 = median(self.delays)
        return (f"| {self.name} | {p50:.0f} | {percentile(self.delays, 95):.0f} | "
                f"{p50 / least:.1f} | {1000 * median(self.cpu):.0f} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each recording")
    parser.add_argument("--gradio", default="gradio", help="requirement of the peer")
    parser.add_argument(
        "--fastrtc", default="fastrtc>=0.0.34", help="requirement; none leaves it out"
    )
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("the CPU figures come from Linux' clocks")
    peer = environments.peer(options.gradio)
    with_ffmpeg(peer)
    echoes = [
        Echo("ossicle, 10 ms frames", our_turn, every=10),
        Echo("ossicle, 20 ms frames", our_turn),
        Echo("gradio, chunks of 0.5 s", their_turn, peer, "gradio_echo.py", 500),
        Echo("gradio, chunks of 0.1 s", their_turn, peer, "gradio_echo.py", 100),
    ]
    if options.fastrtc != "none":
        rtc = environments.fastrtc(options.fastrtc)
        echoes.append(Echo("fastrtc", their_turn, rtc, "fastrtc_echo.py"))
    for name, value in {**machine(), "load average": load_average()}.items():
        print(f"- {name}: {value}")
    for side in {each.side for each in echoes if each.side}:
        print(f"- {side.module}: {side.version()}")
    asyncio.run(compare(echoes, options.rounds, options.seconds))
    print("\n| microphone to speaker | p50 [ms] | p95 [ms] | × ours | server CPU [ms/s] |")
    print("| --- | ---: | ---: | ---: | ---: |")
    ours = median(echoes[1].delays)
    for each in echoes:
        print(each.row(ours) if each.delays else f"| {each.name} | nothing was heard | | | |")


async def compare(echoes: list[Echo], rounds: int, seconds: float) -> None:
    async with chromium() as browser:
        for n in range(rounds):
            for each in echoes:
                print(f"round {n + 1} of {rounds}: {each.name}", file=sys.stderr)
                await each.turn(browser, seconds, each)


async def our_turn(browser: Browser, seconds: float, echo: Echo) -> None:
    async with serving("echo", echo.every) as served:
        page = await opened(browser)
        tap = Tap(page)
        await tap.install()
        await page.goto(served.url)
        await page.get_by_role("button", name="Record").click()
        await page.locator(".badge").nth(1).wait_for()
        await asyncio.sleep(WARM_UP)
        before = served.cpu()
        await asyncio.sleep(seconds)
        echo.cpu.append((served.cpu() - before) / seconds)
        sound = await tap.sound()
        echo.delays += sound.delays(WINDOW, MOST)[round(WARM_UP / WINDOW) :]
        await page.context.close()


async def their_turn(browser: Browser, seconds: float, echo: Echo) -> None:
    assert echo.side
    async with Server(echo.side, echo.every, app=HERE / "apps" / echo.app) as server:
        page = await opened(browser)
        await blackbox.install(page)
        await arrived(page, server)
        await button(page, "Record").click()
        go = button(page, "Go")
        if await go.count():
            await go.click()
        async with asyncio.timeout(PATIENCE):
            while not (await blackbox.sound(page)).heard.any():
                await asyncio.sleep(0.2)
        await asyncio.sleep(WARM_UP)
        before = server.cpu()
        await asyncio.sleep(seconds)
        echo.cpu.append((server.cpu() - before) / seconds)
        sound = await blackbox.sound(page)
        echo.delays += sound.delays(WINDOW, MOST)[-round(seconds / WINDOW) :]
        await page.context.close()


async def opened(browser: Browser) -> Page:
    context = await browser.new_context(permissions=["microphone"], bypass_csp=True)
    return await context.new_page()


async def arrived(page: Page, server: Server) -> None:
    """Open the page as soon as its server listens."""
    async with asyncio.timeout(PATIENCE):
        while not await listens(server.port):
            server.check()
            await asyncio.sleep(0.1)
    await page.goto(server.base, wait_until="domcontentloaded")
    await button(page, "Record").wait_for()
    await asyncio.sleep(1)  # its scripts are still being fetched, and an early click is lost


def button(page: Page, words: str) -> Locator:
    return page.locator("button").filter(has_text=re.compile(rf"^\s*{words}\s*$"))


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def with_ffmpeg(side: Side) -> None:
    """The peer's streams need an ffmpeg; where the machine has none, its environment gets one."""
    linked = side.python.parent / "ffmpeg"
    if shutil.which("ffmpeg") or linked.exists():
        return
    environments.run([str(side.python), "-m", "pip", "install", "--quiet", "imageio-ffmpeg"])
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    os.symlink(environments.run([str(side.python), "-c", code]), linked)


if __name__ == "__main__":
    main()
