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


async def test_the_first_source_comes_first(visit: Open) -> None:
    """In the order that the app names them; the documented default begins with upload."""
    with oc.Blocks() as app:
        oc.Audio(label="One")
        oc.Audio(label="Two", sources=["microphone", "upload"])
    tab = await visit(app)
    ways = tab.page.locator(".ways button")
    await expect(ways).to_have_text(["Choose a file", "Record", "Record", "Choose a file"])


async def test_what_changes_later_shows(visit: Open) -> None:
    """Loop and colours of a player that stands already; the user's own choice holds until then."""
    with oc.Blocks() as app:
        sound = oc.Audio(SOUND, label="Sound")
        oc.Button("Loop").click(lambda: oc.Audio(loop=True), None, sound)
        red = {"waveform_color": "#ff0000", "waveform_progress_color": "#ff0000"}
        oc.Button("Red").click(lambda: oc.Audio(waveform_options=red), None, sound)
    tab = await visit(app)
    await slider(tab)
    loop = tab.page.get_by_role("button", name="Loop", exact=True).last
    reds = """() => {
        const canvas = document.querySelector('.wave canvas');
        const [context, { width, height }] = [canvas.getContext('2d'), canvas];
        const data = context.getImageData(0, 0, width, height).data;
        for (let i = 0; i < data.length; i += 4)
            if (data[i] > 250 && data[i + 1] < 5 && data[i + 3] > 250) return true;
        return false;
    }"""
    assert await tab.page.evaluate(reds) is False
    await tab.page.get_by_role("button", name="Red").click()
    await tab.page.wait_for_function(reds)
    await tab.page.locator("main").get_by_role("button", name="Loop", exact=True).first.click()
    await expect(tab.page.locator("audio")).to_have_js_property("loop", True)
    await expect(tab.page.locator("[aria-pressed=true]")).to_have_count(1)
    assert await loop.is_visible()


async def test_the_app_records(visit: Open) -> None:
    """recording=True starts the recorder and recording=False ends the take, each time anew."""
    frames: list[int] = []
    with oc.Blocks() as app:
        sound = oc.Audio(label="Sound", sources=["microphone"])
        count = oc.Number(0, label="Count")
        oc.Button("Go").click(lambda: oc.Audio(value=None, recording=True), None, sound)
        oc.Button("Halt").click(lambda: oc.Audio(recording=False), None, sound)

        def note(take: tuple[int, np.ndarray]) -> int:
            frames.append(len(take[1]))
            return len(frames)

        sound.stop_recording(note, sound, count)
    tab = await visit(app)
    for n in ("1", "2"):
        await tab.page.get_by_role("button", name="Go").click()
        await expect(tab.page.locator(".recorder .time b")).not_to_have_text("0:00.0")
        await tab.page.get_by_role("button", name="Halt").click()
        await expect(tab.page.get_by_label("Count")).to_have_value(n)
    assert all(frames)


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
