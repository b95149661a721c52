"""The player: by mouse, by keyboard, and what it tells the app."""

from __future__ import annotations

import re

import numpy as np
from playwright.async_api import Locator, expect

import ossicle as oc

from .conftest import Open, Visit
from .test_recording import samples_of

RATE = 8000
SOUND = (RATE, (10_000 * np.sin(np.arange(2 * RATE) / 9)).astype(np.int16))


def showing() -> oc.Blocks:
    with oc.Blocks() as app:
        oc.Audio(SOUND, label="Sound", interactive=True)
    return app


async def slider(tab: Visit) -> Locator:
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
    return tab.page.get_by_role("slider", name=re.compile("Position"))


def note_all(sound: oc.Audio, seen: list[str], count: oc.Number) -> None:
    """What the player tells goes to `seen`, and how much that is to `count`."""

    def note(name: str):
        async def noted() -> int:
            seen.append(name)
            return len(seen)

        return noted

    for port in ("play", "pause", "stop"):
        getattr(sound, port)(note(port), None, count, queue=False, trigger_mode="multiple")


async def test_it_tells_play_and_pause_and_the_natural_end(visit: Open) -> None:
    """play, pause while the user stops it; at the end pause, then stop, and nothing twice."""
    seen: list[str] = []
    with oc.Blocks() as app:
        sound = oc.Audio((RATE, SOUND[1][: RATE // 2]), label="Sound")
        count = oc.Number(0, label="Count")

        note_all(sound, seen, count)
    tab = await visit(app)
    wave = await slider(tab)
    await tab.page.get_by_role("button", name="Play", exact=True).click()
    await expect(tab.page.get_by_label("Count")).to_have_value("3")
    await expect(wave).to_have_attribute("aria-valuenow", "0.5")
    assert seen == ["play", "pause", "stop"]


async def test_the_keyboard_does_what_the_mouse_does(visit: Open) -> None:
    """Space, arrows, Home, End move and play; Shift selects, Escape drops, Enter trims."""
    tab = await visit(showing())
    wave = await slider(tab)
    await wave.focus()
    await tab.page.keyboard.press("End")
    await expect(wave).to_have_attribute("aria-valuenow", "2")
    await tab.page.keyboard.press("Home")
    await tab.page.keyboard.press("ArrowRight")
    await expect(wave).to_have_attribute("aria-valuetext", "0:00.04 of 0:02.00")
    await tab.page.keyboard.press("ArrowLeft")
    await expect(wave).to_have_attribute("aria-valuenow", "0")

    await tab.page.keyboard.press("Space")
    await expect(tab.page.get_by_role("button", name="Pause")).to_be_visible()
    await tab.page.keyboard.press("Space")
    await expect(tab.page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    await tab.page.keyboard.press("Home")
    for _ in range(10):
        await tab.page.keyboard.press("Shift+ArrowRight")
    await expect(tab.page.get_by_text("0:00.00 – 0:00.40")).to_be_visible()
    await tab.page.keyboard.press("Escape")
    await expect(tab.page.get_by_text("0:00.00 – 0:00.40")).to_be_hidden()

    await tab.page.keyboard.press("Home")
    for _ in range(10):
        await tab.page.keyboard.press("Shift+ArrowRight")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.get_by_text("0:00.40 · wav")).to_be_visible()
    assert np.array_equal(await samples_of_mono(tab), SOUND[1][: int(0.4 * RATE)])
    await tab.page.get_by_role("button", name="Undo trim").click()
    await expect(tab.page.get_by_text("0:02.00 · wav")).to_be_visible()


async def test_a_trim_that_is_refused_leaves_nothing_to_undo(visit: Open) -> None:
    """It is said why, the sound stays whole, and the next trim can be tried."""
    with oc.Blocks() as app:
        oc.Audio(SOUND, label="Sound", interactive=True, min_length=1)
    tab = await visit(app)
    wave = await slider(tab)
    await wave.focus()
    for _ in range(2):
        await tab.page.keyboard.press("Home")
        for _ in range(10):
            await tab.page.keyboard.press("Shift+ArrowRight")
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.get_by_text("but min_length is 1 s")).to_be_visible()
        await expect(tab.page.get_by_role("button", name="Trim", exact=True)).to_be_enabled()
        await expect(tab.page.get_by_role("button", name="Undo trim")).to_be_hidden()
        await tab.page.keyboard.press("Escape")


async def samples_of_mono(tab: Visit) -> np.ndarray:
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
    return await samples_of(tab.page, 0, RATE)


async def test_a_drag_selects_and_the_selection_plays_to_its_end(visit: Open) -> None:
    """Playing a selection stops where it ends."""
    tab = await visit(showing())
    wave = await slider(tab)
    box = await wave.bounding_box()
    assert box
    await tab.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    await tab.page.mouse.down()
    await tab.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 45, steps=8)
    await tab.page.mouse.up()
    await tab.page.get_by_role("button", name="Play selection").click()
    await expect(tab.page.get_by_role("button", name="Pause")).to_be_visible()
    await expect(tab.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    stood = float(await wave.get_attribute("aria-valuenow") or "nan")
    assert abs(stood - 1.0) < 0.02


async def test_a_click_seeks(visit: Open) -> None:
    """A click three quarters along is at three quarters of the time."""
    tab = await visit(showing())
    wave = await slider(tab)
    box = await wave.bounding_box()
    assert box
    await tab.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 40)
    await expect(wave).to_have_attribute("aria-valuetext", re.compile(r"^0:01\.[45]"))


async def test_zoom_shows_a_part_and_the_ruler_says_which(visit: Open) -> None:
    """Twice as close is half of the time on the ruler."""
    tab = await visit(showing())
    await slider(tab)
    ruler = tab.page.locator(".ruler")
    await expect(ruler).to_contain_text("0:02.0")
    await tab.page.get_by_role("button", name="Zoom in").click()
    await expect(ruler).not_to_contain_text("0:02.0")
    await expect(ruler).to_contain_text("0:01.0")
    await tab.page.get_by_role("button", name="Zoom out").click()
    await expect(ruler).to_contain_text("0:02.0")


async def test_a_loop_tells_neither_pause_nor_stop(visit: Open) -> None:
    """At the wrap of a looping sound nothing is told; when the user stops it, pause is."""
    seen: list[str] = []
    with oc.Blocks() as app:
        sound = oc.Audio((RATE, SOUND[1][: RATE // 5]), label="Sound", loop=True)
        count = oc.Number(0, label="Count")

        note_all(sound, seen, count)
    tab = await visit(app)
    await slider(tab)
    await tab.page.evaluate(
        """() => {
            window.wraps = 0;
            let last = 0;
            document.querySelector('audio').addEventListener('timeupdate', (event) => {
                if (event.target.currentTime < last) window.wraps += 1;
                last = event.target.currentTime;
            });
        }"""
    )
    await tab.page.get_by_role("button", name="Play", exact=True).click()
    await tab.page.wait_for_function("() => window.wraps >= 2")
    await tab.page.get_by_role("button", name="Pause").click()
    await expect(tab.page.get_by_label("Count")).to_have_value("2")
    assert seen == ["play", "pause"]


HOUR = 3600 * RATE
CLICK = 20_000_123  # a frame in its third quarter
PEAKS_AT = """(canvas) => {
    const { width, height } = canvas;
    const data = canvas.getContext('2d').getImageData(0, 0, width, Math.floor(height / 4)).data;
    const found = [];
    for (let x = 0; x < width; x++) {
        for (let y = 0; y < height / 4 - 1; y++) {
            if (!data[(y * width + x) * 4 + 3]) continue;
            if (found.length && x - found.at(-1)[1] < 3) found.at(-1)[1] = x;
            else found.push([x, x]);
            break;
        }
    }
    return found.map(([a, b]) => (a + b) / 2 / width);
}"""
"""Where the wave reaches into the upper quarter, as parts of the view."""


def an_hour(**more: object) -> oc.Blocks:
    """An hour of silence with two clicks of one frame each, four frames apart."""
    samples = np.zeros(HOUR, np.int16)
    samples[[CLICK, CLICK + 4]] = 30_000
    with oc.Blocks() as app:
        oc.Audio((RATE, samples), label="Hour", **more)  # pyright: ignore[reportArgumentType]
    return app


async def test_an_hour_zooms_down_to_its_samples(visit: Open) -> None:
    """From afar two clicks are one; close enough they are two, where their frames say."""
    tab = await visit(an_hour(playback_position=CLICK / RATE))
    await slider(tab)
    canvas = tab.page.locator(".wave canvas").first
    await tab.page.wait_for_function(
        f"(c) => ({PEAKS_AT})(c).length", arg=await canvas.element_handle()
    )
    (far,) = await canvas.evaluate(PEAKS_AT)
    assert abs(far - CLICK / HOUR) < 0.002
    for _ in range(20):  # 28,800,000 frames become 27
        await tab.page.get_by_role("button", name="Zoom in").click()
    handle = await canvas.element_handle()
    await tab.page.wait_for_function(f"(c) => ({PEAKS_AT})(c).length === 2", arg=handle)
    first, second = await canvas.evaluate(PEAKS_AT)
    assert abs((second - first) - 4 / (HOUR / 2**20)) < 0.01
    asked = [url for url in tab.asked if "/peaks" in url]
    assert len(asked) < 20, "a quick zoom does not ask at every step"
    await tab.page.get_by_role("button", name="Zoom out").click(click_count=2)
    await expect(tab.page.locator(".ruler")).to_contain_text("41:40.0")


async def test_an_hour_seeks_by_ranges(visit: Open) -> None:
    """A seek asks for the place and not for what lies before it, and is there at once."""
    tab = await visit(an_hour())
    await slider(tab)
    ranges: list[str] = []
    tab.page.on(
        "request",
        lambda made: ranges.append(made.headers["range"]) if "range" in made.headers else None,
    )
    took = await tab.page.evaluate(
        """async () => {
            const media = document.querySelector('audio');
            const took = [];
            for (const time of [3000, 100, 2000, 3500, 700]) {
                const begun = performance.now();
                media.currentTime = time;
                await new Promise((done) => media.addEventListener('seeked', done, { once: true }));
                took.push(performance.now() - begun);
            }
            return took;
        }"""
    )
    starts = [int(re.findall(r"\d+", each)[0]) for each in ranges]
    assert any(start > 2 * RATE * 2900 for start in starts)
    assert min(took) < 300  # of five, because the machine may be busy with other things


async def test_clipped_columns_are_marked(visit: Open) -> None:
    """A place that was cut has a red mark over it, and no other place; loudness alone is no cut."""
    samples = np.tile(np.array([9000, -9000], np.int16), RATE)
    samples[RATE : RATE + 100] = 32767
    with oc.Blocks() as app:
        oc.Audio((RATE, samples), label="Clipped")
        oc.Audio((RATE, np.sin(np.arange(RATE) / 9)), label="As loud as can be")
    tab = await visit(app)
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    await expect(tab.page.get_by_text("samples clipped")).to_have_text("100 samples clipped")
    red = """(canvas) => {
        const { width } = canvas;
        const data = canvas.getContext('2d').getImageData(0, 0, width, 2).data;
        const at = Array.from({ length: width }, (_, x) => x);
        return at.filter((x) => data[x * 4] > 150 && data[x * 4 + 2] < 80).map((x) => x / width);
    }"""
    canvas = tab.page.locator(".wave canvas").first
    await tab.page.wait_for_function(f"(c) => ({red})(c).length", arg=await canvas.element_handle())
    marked = await canvas.evaluate(red)
    assert min(marked) > 0.495 and max(marked) < 0.515
    loud = tab.page.locator("[data-type=audio]").nth(1).locator(".wave canvas").first
    assert await loud.evaluate(red) == []
