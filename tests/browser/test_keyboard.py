"""A whole session without a mouse, and without losing one's place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from playwright.async_api import Page, expect

import ossicle as oc

from .conftest import Open
from .states import tone, wav


async def focused(page: Page) -> str:
    """The name of what has the focus, and whether one can see that it has."""
    found: dict[str, Any] = await page.evaluate(
        """() => {
            const at = document.activeElement, ring = getComputedStyle(at.closest('.box') ?? at);
            const name = at.getAttribute('aria-label') ?? at.innerText;
            return {name: name.trim(), seen: ring.outlineStyle === 'solid'};
        }"""
    )
    assert found["seen"], f"{found['name']!r} has the focus, and nothing shows it"
    return str(found["name"])


def reverse(sound: tuple[int, Any] | None) -> tuple[int, Any] | None:
    return sound and (sound[0], sound[1][::-1])


def app() -> oc.Blocks:
    with oc.Blocks(title="Keys") as made:
        with oc.Sidebar(label="Settings"):
            oc.Slider(0, 1, label="Gain", interactive=True)
        oc.Markdown("# Reverse")
        source, result = oc.Audio(label="Sound"), oc.Audio(label="Reversed")
        go = oc.Button("Go", variant="primary")
        go.click(reverse, source, result)
        table = oc.Dataframe([["Verse", 1], ["Chorus", 2]], headers=["Part", "Bar"], label="Parts")
        chosen = oc.Textbox(label="Chosen")

        def choose(event: oc.SelectData) -> str:
            return f"{event.index} {event.value}"

        table.select(choose, None, chosen)
    return made


async def test_a_session_without_a_mouse(visit: Open) -> None:
    """Record, trim, undo, run, clear, upload: what is pressed goes, its successor has the focus."""
    page = (await visit(app())).page
    sound = page.locator("section.block", has=page.get_by_text("Sound", exact=True)).first
    keys = page.keyboard

    await keys.press("Tab")
    assert await focused(page) == "Skip to the content"
    await keys.press("Enter")
    assert await focused(page) == "Choose a file"  # past the sidebar
    await keys.press("Tab")
    assert await focused(page) == "Record"
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Stop")).to_be_focused()
    await expect(sound.get_by_text(re.compile(r"0:0[1-9]\."))).to_be_visible()
    await keys.press("Enter")
    wave = sound.get_by_role("slider", name="Position")
    await expect(wave).to_be_focused()
    assert await focused(page) == "Sound Position"

    length = await wave.get_attribute("aria-valuemax")
    for _ in range(3):
        await keys.press("Shift+ArrowRight")
    await keys.press("Escape")
    await expect(sound.get_by_role("button", name="Trim", exact=True)).to_have_count(0)
    for _ in range(3):
        await keys.press("Shift+ArrowRight")
    await keys.press("Enter")
    undo = sound.get_by_role("button", name="Undo trim")
    await expect(undo).to_be_visible()
    await expect(wave).to_be_focused()
    await undo.focus()
    await keys.press("Enter")
    await expect(undo).to_have_count(0)
    await expect(wave).to_be_focused()
    await expect(wave).to_have_attribute("aria-valuemax", length or "")

    await page.get_by_role("button", name="Go").focus()
    await keys.press("Enter")
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    assert await focused(page) == "Go"

    await sound.get_by_role("button", name="Clear", exact=True).focus()
    await keys.press("Enter")
    async with page.expect_file_chooser() as choosing:
        await expect(sound.get_by_role("button", name="Choose a file")).to_be_focused()
        await keys.press("Enter")
    file: Any = {"name": "a.wav", "mimeType": "audio/wav", "buffer": wav(1.0)}
    await (await choosing.value).set_files([file])
    await expect(wave).to_be_focused()


async def test_the_cells_of_a_table_are_one_stop(visit: Open) -> None:
    """Arrows go from cell to cell, and Enter chooses, where somebody listens for it."""
    page = (await visit(app())).page
    await page.get_by_role("gridcell", name="Verse").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    assert await focused(page) == "2"
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Chosen")).to_have_value("[1, 1] 2")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Chosen")).to_be_focused()


async def test_a_place_in_a_picture(visit: Open) -> None:
    """Arrows point into it, and Enter chooses what a click would have chosen."""
    with oc.Blocks() as made:
        picture = oc.Image(np.zeros((40, 60, 3), np.uint8), label="Map", height=20)
        chosen = oc.Textbox(label="Chosen")

        def choose(event: oc.SelectData) -> str:
            return str(event.index)

        picture.select(choose, None, chosen)
    page = (await visit(made)).page
    image = page.get_by_role("button", name="Map")
    await expect(image.locator("img")).to_have_js_property("naturalWidth", 60)
    await image.click(position={"x": 28, "y": 2})  # half as large as it is
    await expect(page.get_by_label("Chosen")).to_have_value("[56, 4]")
    await image.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Chosen")).to_have_value("[30, 20]")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "ArrowUp"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("status").filter(has_text="32, 19")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Chosen")).to_have_value("[32, 19]")


async def test_a_part_made_anew_keeps_the_focus_near(visit: Open) -> None:
    """What had the focus is gone with its part: what stands there now gets it."""
    with oc.Blocks() as demo:
        count = oc.Number(1, label="Count")

        @oc.render(inputs=count)
        def part(n: int) -> None:
            more = oc.Button(f"More than {n}")
            more.click(lambda: n + 1, None, count)
            if n == 2:
                oc.Audio(tone(1.0), label="Two")

    page = (await visit(demo)).page
    await page.get_by_role("button", name="More than 1").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="More than 2")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="More than 3")).to_be_focused()


async def test_escape_closes_a_sidebar_that_lies_over_the_page(visit: Open) -> None:
    """On a phone it covers what people came for."""
    page = (await visit(app(), width=390)).page
    await page.get_by_role("button", name="Open sidebar").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Gain").first.focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Open sidebar")).to_be_focused()
