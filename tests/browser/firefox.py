"""A look at the page in Firefox, by hand: upload, submit, play, record, and live sound.

Not one of the tests: Debian's Firefox is steered by the WebDriver BiDi that some versions of
Playwright speak and others do not, and it records only where there is a sound device to play to.

    python -m venv firefox-env && firefox-env/bin/pip install "playwright==1.62.0"
    ossicle run examples/reverse_audio.py --port 7860
    firefox-env/bin/python tests/browser/firefox.py http://127.0.0.1:7860/ some.wav

On a machine without a sound device, `pulseaudio -n --load=module-null-sink
--load=module-native-protocol-unix` is one. Pictures go to tests/browser/shots.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from playwright.async_api import async_playwright, expect

SHOTS = Path(__file__).resolve().parent / "shots"
PREFERENCES: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,  # a tone of 440 Hz
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
}


async def main(url: str, sound: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    path = os.environ.get("OSSICLE_FIREFOX", "/usr/bin/firefox-esr")
    async with async_playwright() as driver:
        browser = await driver.firefox.launch(
            channel="moz-firefox", executable_path=path, firefox_user_prefs=PREFERENCES
        )
        page = await browser.new_page()
        page.on("console", lambda said: print("console:", said.text))
        page.on("pageerror", lambda error: print("error:", error))
        await page.goto(url)
        source = page.locator("[data-type=audio]").first

        await source.locator("input[type=file]").set_input_files(sound)
        await expect(page.locator(".wave.drawn")).to_have_count(1, timeout=15_000)
        await page.get_by_role("button", name="Submit").click()
        await expect(page.locator(".wave.drawn")).to_have_count(2, timeout=15_000)
        print("upload, submit: done")

        await page.get_by_role("button", name="Play", exact=True).last.click()
        playing = "() => document.querySelectorAll('audio')[1].currentTime > 0"
        while not await page.evaluate(playing):
            await asyncio.sleep(0.1)
        await page.screenshot(path=SHOTS / "firefox-playing.png")
        print("play: done")

        await source.get_by_role("button", name="Clear", exact=True).click()
        await source.get_by_role("button", name="Record").click()
        await expect(source.get_by_text("0:02.")).to_be_visible(timeout=15_000)
        await page.screenshot(path=SHOTS / "firefox-recording.png")
        await source.get_by_role("button", name="Stop", exact=True).click()
        await expect(source.locator(".wave.drawn")).to_be_visible(timeout=15_000)
        await page.screenshot(path=SHOTS / "firefox-recorded.png")
        print("record: done")
        await browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: firefox.py URL SOUND")
    asyncio.run(main(sys.argv[1], sys.argv[2]))
