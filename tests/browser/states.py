"""The states that a page comes into while it is used, one after another: for pictures and axe."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import Locator, Page, expect

import ossicle as oc

RATE = 24_000


def tone(seconds: float) -> tuple[int, np.ndarray]:
    """A sound that swells and fades, so that its wave looks like one."""
    t = np.arange(int(seconds * RATE)) / RATE
    swell = np.abs(np.sin(2 * np.pi * 0.8 * t)) * np.exp(-t / seconds)
    return RATE, (24_000 * swell * np.sin(2 * np.pi * 220 * t)).astype(np.int16)


def wav(seconds: float) -> bytes:
    """The same as a file."""
    file = io.BytesIO()
    rate, samples = tone(seconds)
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


def states_app() -> oc.Blocks:
    """One small app that can come into all of them."""
    with oc.Blocks(title="States") as app:
        oc.Markdown("# A page at work\nOne of each thing that may happen to a sound.")
        with oc.Row():
            source = oc.Audio(label="Source", interactive=True)
            # in a loop: it plays for as long as a slow machine looks at it
            made = oc.Audio(tone(3.0), label="Made", interactive=True, loop=True)
        with oc.Row():
            live = oc.Microphone(label="Live in", streaming=True)
            heard = oc.Audio(label="Live out", streaming=True, autoplay=True, interactive=False)

        def same(sound: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
            return sound

        live.stream(same, live, heard, stream_every=0.25)
        with oc.Row():
            result = oc.Textbox(label="Result", interactive=False)
            waiting = oc.Textbox(label="In line", interactive=False)
            failed = oc.Textbox(label="Failed", interactive=False)
        with oc.Row():
            quick, work = oc.Button("Quick"), oc.Button("Work", variant="primary")
            fail, tell = oc.Button("Fail", variant="stop"), oc.Button("Tell")
        with oc.Row():
            # several: a list that the page draws; the browser's own is in no picture
            rooms = ["Hall", "Room", "Plate", "Spring"]
            oc.Dropdown(rooms, ["Hall"], multiselect=True, label="Reverb", interactive=True)
            oc.Slider(0, 10, 4, label="Mix", interactive=True)
            oc.Textbox(label="Name", placeholder="Who is speaking?", interactive=True)
        with oc.Tab("First"):
            oc.Checkbox(True, label="Normalise", interactive=True)
        with oc.Tab("Second"):
            oc.Radio(["low", "high"], "low", label="Quality", interactive=True)
        with oc.Accordion("More", open=False):
            oc.Textbox(label="Inside", interactive=True)

        async def short() -> str:
            await asyncio.sleep(0.2)
            return "quick"

        async def long(progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
            for step in range(3):
                progress((step + 1, 8), desc="Separating the voices", unit="parts")
                await asyncio.sleep(0.02)
            await asyncio.sleep(3600)
            return ""

        def told() -> None:
            oc.Info("The model is being loaded; this happens once.", title="First run")
            oc.Success("Saved as take-3.flac.", title="Saved")
            oc.Warning("The sound is shorter than the model likes.", title="Short")

        def broken() -> str:
            raise oc.Error("The model takes 16 kHz; this sound has 24 kHz. Resample it.")

        shared: dict[str, object] = {"concurrency_id": "model", "interrupt": True}
        quick.click(short, None, waiting, trigger_mode="multiple", **shared)
        work.click(long, None, result, trigger_mode="multiple", **shared)
        fail.click(broken, None, failed)
        tell.click(told, None, None)
        source.clear(lambda: None, None, made)
    return app


Shot = tuple[str, Locator | None]
"""A state, and the part that shows it; None where that is the window, as it is scrolled."""


async def walk(
    page: Page, cut: Callable[[], Awaitable[None]], mend: Callable[[], Awaitable[None]]
) -> AsyncIterator[Shot]:
    """Bring the page into one state after another.

    What stands in the window and not on the page (toasts, a banner), and what closes when the
    window changes, is shown by the window: a picture of the whole page makes it another.
    """
    main = page.locator("body")

    def block(label: str) -> Locator:
        return page.locator("section.block", has=page.get_by_text(label, exact=True)).first

    def button(name: str, inside: Locator | Page = page) -> Locator:
        return inside.get_by_role("button", name=name, exact=True)

    source, made = block("Source"), block("Made")
    await expect(made.locator(".wave.drawn")).to_be_visible()
    await button("Record", source).hover()
    yield "hover", source
    await page.mouse.move(0, 0)
    await page.keyboard.press("Tab")
    yield "focus", source

    async for shot in _sound(page, source, made, button):
        yield shot
    async for shot in _calls(page, block, button):
        yield shot

    live = block("Live in")
    await button("Record", live).click()
    await expect(block("Live out").locator(".streamed")).to_be_visible()
    await expect(live.get_by_text("Recording").first).to_be_visible()
    yield "live", main
    await button("Stop", live).click()
    for each in (live, block("Live out")):
        await expect(each.locator(".wave.drawn")).to_be_visible()

    await button("Tell").click()
    await expect(page.locator(".toast")).to_have_count(3)
    yield "toasts", None
    # All at once: each would go by itself, perhaps while one aims at it.
    await page.locator(".toast button").evaluate_all("all => all.forEach((one) => one.click())")
    await expect(page.locator(".toast")).to_have_count(0)

    reverb = page.get_by_role("combobox", name="Reverb")
    await reverb.click()
    await expect(page.get_by_role("option", name="Plate")).to_be_visible()
    yield "dropdown", None
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name="First").focus()
    await page.keyboard.press("ArrowRight")
    await button("More").click()
    yield "opened", main

    await button("Work").click()
    await expect(block("Result").get_by_text("/ 8 parts").first).to_be_visible()
    await cut()
    await expect(page.get_by_text("Connection lost.").first).to_be_visible()
    yield "banner", None
    await mend()
    # As "Try now" does, which is gone where the page was quicker.
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(page.get_by_text("Connection lost.")).to_have_count(0)


async def _sound(
    page: Page, source: Locator, made: Locator, button: Callable[..., Locator]
) -> AsyncIterator[Shot]:
    """Upload, play, select, trim, record."""
    wire: Any = await page.context.new_cdp_session(page)  # its messages are any JSON
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 60_000}
    await wire.send("Network.enable")
    await wire.send("Network.emulateNetworkConditions", slow)
    file: Any = {"name": "rehearsal.wav", "mimeType": "audio/wav", "buffer": wav(16.0)}
    await source.locator("input[type=file]").set_input_files([file])
    await expect(source.get_by_text("Sending rehearsal.wav")).to_be_visible()
    yield "uploading", source
    await button("Cancel", source).click()
    await wire.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})

    await button("Play", made).click()
    await expect(button("Pause", made)).to_be_visible()
    yield "playing", made
    await button("Pause", made).click()
    wave = made.get_by_role("slider", name="Position")
    await wave.focus()
    await page.keyboard.press("Home")
    for _ in range(6):
        await page.keyboard.press("Shift+ArrowRight")
    await expect(made.get_by_role("button", name="Trim", exact=True)).to_be_visible()
    yield "selection", made
    await page.keyboard.press("Enter")
    await expect(made.get_by_role("button", name="Undo trim")).to_be_visible()
    yield "trimmed", made

    await button("Record", source).click()
    await expect(source.get_by_text("Recording").first).to_be_visible()
    await expect(source.get_by_text(re.compile(r"0:0[1-9]\."))).to_be_visible()
    yield "recording", source
    await button("Pause", source).click()
    yield "paused", source
    await button("Discard", source).click()
    await expect(button("Record", source)).to_be_visible()
    await expect(page.locator(".toast")).to_have_count(0)  # nothing was lost: it was asked for


async def _calls(
    page: Page, block: Callable[[str], Locator], button: Callable[..., Locator]
) -> AsyncIterator[Shot]:
    """Waiting, working, stopped, failed."""
    await button("Quick").click()
    await expect(block("In line").locator("input")).to_have_value("quick")
    await button("Work").click()
    await expect(block("Result").get_by_text("/ 8 parts").first).to_be_visible()
    await button("Quick").click()
    await button("Quick").click()
    await expect(block("In line").get_by_text("2 of 2").first).to_be_visible()
    await button("Fail").click()
    await expect(block("Failed").get_by_text("Resample it")).to_be_visible()
    row = page.locator(".row", has=block("In line")).last
    yield "calls", row
    await block("Result").get_by_role("button", name="Cancel").click()
    await expect(block("Result").get_by_text("Stopped").first).to_be_visible()
    await expect(block("In line")).to_have_attribute("aria-busy", "false")
    yield "stopped", row
