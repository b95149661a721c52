"""`python -m benchmarks.live`: from the microphone through Python to the speaker, as Markdown.

In a browser: a fake microphone plays noise, a tap in the page's own audio graph records what the
microphone gives and what the speaker gets, and the two are correlated, stretch by stretch. So the
delay is exact to the sample and counts everything between them, but not the devices.

Without a browser: many front ends made of Python, beside a bare echo; see `benchmarks.crowd`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import soundfile
from playwright.async_api import Browser, async_playwright

from tests.browser.tap import Tap

from .crowd import crowd, table
from .first import first_sound
from .report import load_average, machine
from .served import serving

CHROMIUM = "OSSICLE_CHROMIUM"
MICROPHONE_RATE = 44_100  # of the fake device, at which nothing is resampled
RATE = 48_000
WARM_UP = 2.0  # seconds in which buffers find their size
PAGES: tuple[tuple[str, float, float | None], ...] = (
    ("echo", 20.0, 45),
    ("echo", 10.0, 25),
    ("straight", 20.0, 45),
    ("straight", 10.0, 25),
    ("operators", 20.0, 45),
    ("stall", 20.0, 60),
    ("jank 50", 20.0, 45),
    ("jank 150", 20.0, 45),
    ("webrtc", 20.0, None),
)
"""App, ms of a frame, goal for p50 in ms where there is one."""
JANK = """
(ms) => setInterval(() => {
  const until = performance.now() + ms;
  while (performance.now() < until);
}, 500)
"""
CROWDS = {
    1: ["bare", "straight", "operators", "strip", "echo"],
    20: ["bare", "straight", "operators", "strip", "echo", "coroutine"],
    50: ["bare", "operators", "echo", "coroutine"],
    200: ["bare", "bare uvloop", "by hand", "straight", "operators", "operators uvloop"],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each recording in a page")
    parser.add_argument("--crowds", type=int, nargs="*", default=list(CROWDS), metavar="SESSIONS")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side of a crowd")
    parser.add_argument("--turn", type=float, default=3.0, help="seconds of a turn")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("the CPU figures come from Linux' clocks")
    for name, value in {**machine(), "load average": load_average()}.items():
        print(f"- {name}: {value}")
    if not options.no_browser:
        asyncio.run(in_browser(options.seconds))
    found = {
        many: asyncio.run(crowd(CROWDS.get(many, CROWDS[200]), many, options.rounds, options.turn))
        for many in options.crowds
    }
    if found:
        print(f"\n{table(found)}")


async def in_browser(seconds: float) -> None:
    print("\n| in Chromium | p50 | p95 | goal |\n| --- | ---: | ---: | --- |")
    said = list[str]()
    async with chromium() as browser:
        for which, frame, goal in PAGES:
            said.append(await in_page(browser, which, frame, seconds, goal))
        await interruption(browser)
        await first_sound(browser)
    print("\n" + "\n".join(said))


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


async def in_page(
    browser: Browser, which: str, frame: float, seconds: float, goal: float | None
) -> str:
    """Prints a row; returns what the page's badge says and what the server took."""
    async with serving(which.split()[0], frame) as served:
        context = await browser.new_context(permissions=["microphone"], bypass_csp=True)
        page = await context.new_page()
        tap = Tap(page)
        await tap.install()
        await page.goto(served.url)
        await page.get_by_role("button", name="Record").click()
        await page.locator(".badge").nth(1).wait_for()
        if which.startswith("jank"):
            await page.evaluate(JANK, int(which.split()[1]))
        await asyncio.sleep(WARM_UP)
        before = served.cpu()
        await asyncio.sleep(seconds)
        cpu = served.cpu() - before
        await page.locator(".badge").nth(1).click()
        said = " | ".join((await page.locator(".live dl").nth(0).inner_text()).splitlines())
        sound = await tap.sound(MICROPHONE_RATE)
        delays = sound.delays(0.1)[round(WARM_UP / 0.1) :]
        name, frames = f"{which}, {frame:g} ms frames", seconds * 1000 / frame
        # Without any: the machine was so busy that nothing of the microphone was heard.
        delays = delays or [float("inf")]
        p50, p95 = median(delays), percentile(delays, 95)
        wanted = "" if goal is None else f"≤ {goal}: {met(p50 <= goal)}"
        print(f"| {name} [ms] | {p50:.1f} | {p95:.1f} | {wanted} |", flush=True)
        await context.close()
    return f"- {name}: server {1e6 * cpu / frames:.0f} µs of CPU a frame; the page says: {said}"


async def interruption(browser: Browser) -> None:
    """From the click on a button, through Python's cancel, to the silence that the page gives its
    audio device. Both ask the one machine's wall clock."""
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
            found.append(sound.silent - clicked)
            await context.close()
        p50, most = median(found), max(found)
        print(f"| interruption, five times [ms] | {p50:.1f} | {most:.1f} at most "
              f"| ≤ 50: {met(p50 <= 50)} |")  # fmt: skip


def percentile(values: list[float], which: int) -> float:
    return values[0] if len(values) < 2 else quantiles(values, n=100)[which - 1]


def met(goal: bool) -> str:
    return "met" if goal else "missed"


if __name__ == "__main__":
    main()
