"""Takes pictures of the page in all its states: light and dark, wide and narrow. `make gallery`.

examples/gallery.py is every component at rest; tests/browser/states.py is a page at work. They go
to tests/browser/shots, which git ignores: they are for people to look at, not to compare byte for
byte, because fonts differ from one machine to the next. Arguments like
"dark-390" name the ones to take.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from ossicle.runtime.frontends.web.server import make_app, serve
from ossicle.runtime.launching import Launching, serve_app
from ossicle.runtime.loading import load

sys.path.insert(0, str(Path(__file__).parent))
from states import states_app, walk, wav  # beside this file

ROOT = Path(__file__).resolve().parent.parent.parent
APP = ROOT / "examples" / "gallery.py"
SHOTS = Path(__file__).resolve().parent / "shots"
WIDTHS = (1200, 390)


async def tab(browser: Browser, url: str, dark: bool, width: int) -> Page:
    context = await browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        has_touch=width < 700,
        permissions=["microphone"],
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def at_rest(browser: Browser, url: str, name: str, dark: bool, width: int) -> None:
    page = await tab(browser, url, dark, width)
    await page.get_by_text("In a group").first.wait_for()
    await page.wait_for_load_state("networkidle")
    await page.locator(".wave.drawn").nth(8).wait_for()
    await page.get_by_role("button", name="Let the first one fail").click()
    await page.get_by_text("Resample it, and try again.").wait_for()
    await page.screenshot(path=SHOTS / f"gallery-{name}.png", full_page=True)
    await page.context.close()


async def at_work(browser: Browser, name: str, dark: bool, width: int) -> None:
    host, running = await serve_app(states_app(), Launching(server_port=0, quiet=True))
    try:
        page = await tab(browser, running.url, dark, width)

        async def mend() -> None:
            await serve(make_app(host), running.address, running.port)

        async for state, where in walk(page, running.close, mend):
            await (where or page).screenshot(path=SHOTS / f"state-{state}-{name}.png")
        await page.context.close()
    finally:
        await host.close()


async def main() -> None:
    SHOTS.mkdir(exist_ok=True)
    app = load(str(APP)).app
    launching = Launching(server_port=0, quiet=True, reconnect_window=0, show_error=False)
    host, running = await serve_app(app, launching)
    try:
        with tempfile.NamedTemporaryFile(suffix=".wav") as speech:
            speech.write(wav(20.0))
            speech.flush()
            async with async_playwright() as driver:
                browser = await driver.chromium.launch(
                    executable_path=os.environ["OSSICLE_CHROMIUM"],
                    args=[
                        "--use-fake-device-for-media-stream",
                        "--use-fake-ui-for-media-stream",
                        f"--use-file-for-fake-audio-capture={speech.name}",
                    ],
                )
                for dark in (False, True):
                    for width in WIDTHS:
                        name = f"{'dark' if dark else 'light'}-{width}"
                        if sys.argv[1:] and name not in sys.argv[1:]:
                            continue
                        await at_rest(browser, running.url, name, dark, width)
                        await at_work(browser, name, dark, width)
                        print(f"{name}: done")
                await browser.close()
    finally:
        await running.close()
        await host.close()
    print(f"pictures: {SHOTS.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
