"""Takes pictures of examples/gallery.py: light and dark, wide and narrow. `make gallery`.

They go to tests/browser/shots, which git ignores: they are for people to look at, not to compare
byte for byte, because fonts differ from one machine to the next.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from ossicle.runtime.launching import Launching, serve_app
from ossicle.runtime.loading import load

ROOT = Path(__file__).resolve().parent.parent.parent
APP = ROOT / "examples" / "gallery.py"
SHOTS = Path(__file__).resolve().parent / "shots"
WIDTHS = (1200, 390)


async def shoot(browser: Browser, url: str, dark: bool, width: int) -> Path:
    context = await browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        has_touch=width < 700,
    )
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_text("In a group").first.wait_for()
    await page.wait_for_load_state("networkidle")
    await page.locator(".wave.drawn").nth(8).wait_for()
    await page.get_by_role("button", name="Let the first one fail").click()
    await page.get_by_text("Resample it, and try again.").wait_for()
    path = SHOTS / f"gallery-{'dark' if dark else 'light'}-{width}.png"
    await page.screenshot(path=path, full_page=True)
    await context.close()
    return path


async def main() -> None:
    SHOTS.mkdir(exist_ok=True)
    app = load(str(APP)).app
    host, running = await serve_app(app, Launching(server_port=0, quiet=True, reconnect_window=0))
    try:
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=os.environ["OSSICLE_CHROMIUM"])
            for dark in (False, True):
                for width in WIDTHS:
                    print(await shoot(browser, running.url, dark, width))
            await browser.close()
    finally:
        await running.close()
        await host.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
