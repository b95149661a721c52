"""What the arguments of a sound do on the page, and what an app changes of them later."""

from __future__ import annotations

import re

import numpy as np
from playwright.async_api import expect

import ossicle as oc

from .conftest import Open
from .test_player import slider

RATE = 8000
SOUND = (RATE, (10_000 * np.sin(np.arange(4 * RATE) / 9)).astype(np.int16))
AT = "aria-valuenow"


async def test_the_play_head_is_read_and_placed(visit: Open) -> None:
    """By a function that asks for it after a seek; and placed where it stood before, again."""
    with oc.Blocks() as app:
        sound = oc.Audio(SOUND, label="Sound", interactive=True, playback_position=1)
        where = oc.Number(label="Where")

        def read(sound: oc.Audio) -> float:
            return sound.playback_position

        oc.Button("Read").click(read, sound, where)
        oc.Button("Back").click(lambda: oc.Audio(playback_position=1), None, sound)
        oc.Button("Other").click(
            lambda: oc.Audio(value=(RATE, SOUND[1][::-1]), playback_position=2), None, sound
        )
        oc.Button("Plain").click(lambda: SOUND, None, sound)
    tab = await visit(app)
    wave = await slider(tab)

    async def press(name: str) -> None:
        await tab.page.get_by_role("button", name=name, exact=True).click()

    await expect(wave).to_have_attribute(AT, "1")
    await wave.focus()
    await tab.page.keyboard.press("End")
    await press("Read")
    await expect(tab.page.get_by_label("Where")).to_have_value("4")
    for key in ("Home", "End"):
        await wave.focus()
        await tab.page.keyboard.press(key)
        await press("Back")
        await expect(wave).to_have_attribute(AT, "1")
    await press("Other")
    await expect(wave).to_have_attribute(AT, "2")
    await press("Plain")  # another sound begins where sounds begin
    await expect(wave).to_have_attribute(AT, "0")
    await press("Read")
    await expect(tab.page.get_by_label("Where")).to_have_value("0")


async def test_a_timer_reads_where_it_plays(visit: Open) -> None:
    """The server is told while it plays, without an act of the user; and where it was paused."""
    with oc.Blocks() as app:
        sound = oc.Audio(SOUND, label="Sound", loop=True)
        now, paused = oc.Number(label="Now"), oc.Number(label="Paused")

        def read(sound: oc.Audio) -> float:
            return sound.playback_position

        def at(event: oc.EventData) -> float:
            return event.playback_position

        oc.Timer(0.2).tick(read, sound, now, show_progress="hidden")
        sound.pause(at, None, paused)
    tab = await visit(app)
    wave = await slider(tab)
    await tab.page.get_by_role("button", name="Play", exact=True).click()
    await expect(tab.page.get_by_label("Now")).to_have_value(re.compile(r"^[\d.]*[1-9]\d*$"))
    await tab.page.get_by_role("button", name="Pause", exact=True).click()
    await expect(tab.page.get_by_label("Paused")).not_to_have_value("")
    stopped = await tab.page.get_by_label("Paused").input_value()
    assert round(float(stopped), 3) == float(await wave.get_attribute(AT) or "nan")


async def test_buttons_of_the_app_stand_in_the_head(visit: Open) -> None:
    """Beside the standard ones that were named, before there is a sound, too."""
    with oc.Blocks() as app:
        said = oc.Textbox(label="Said")
        ask = oc.Button("Ask")
        sound = oc.Audio(label="Sound", interactive=True, buttons=["download", ask])
        oc.Button("Fill").click(lambda: SOUND, None, sound)

        def length(sound: tuple[int, np.ndarray] | None) -> str:
            return "none" if sound is None else str(len(sound[1]))

        ask.click(length, sound, said)
    tab = await visit(app)
    head = tab.page.locator("header", has_text="Sound")
    await head.get_by_role("button", name="Ask").click()
    await expect(tab.page.get_by_label("Said")).to_have_value("none")
    await expect(tab.page.get_by_role("button", name="Ask")).to_have_count(1)
    await tab.page.get_by_role("button", name="Fill").click()
    await expect(head.get_by_role("link", name="Download")).to_be_visible()
    await expect(head.get_by_role("button", name=re.compile("Share|link"))).to_have_count(0)
    await head.get_by_role("button", name="Ask").click()
    await expect(tab.page.get_by_label("Said")).to_have_value(str(4 * RATE))
