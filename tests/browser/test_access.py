"""For everybody, in light and dark, and without a request to anybody else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image as Pillow
from playwright.async_api import expect

import ossicle as oc

from .conftest import Open, Serve

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def everything() -> oc.Blocks:
    """An app with one of each, in several states."""
    tone = (8000, (9000 * np.sin(np.arange(16_000) / 9)).astype(np.int16))
    with oc.Blocks(title="Everything") as app:
        oc.Markdown("# Everything\n\nWith a [link](https://example.org/) in it.")
        with oc.Row():
            oc.Audio(label="Empty", max_length=30)
            oc.Audio(tone, label="A sound", interactive=True)
        oc.Audio(tone, label="To hear", interactive=False)
        with oc.Row():
            oc.Textbox(label="Text", placeholder="Type here", info="What it is for")
            oc.Textbox("to read", label="Read", interactive=False)
            oc.Textbox("a\nb", label="Lines", lines=3)
        with oc.Row():
            oc.Number(3, label="Number")
            oc.Slider(0, 10, 4, label="Slider")
            oc.Dropdown(["a", "b"], label="Few")
            oc.Dropdown(["a", "b"], ["a"], label="Several", multiselect=True)
        oc.Label({"violin": 0.7, "viola": 0.3}, label="Instrument")
        with oc.Row():
            oc.Button("Go", variant="primary")
            oc.Button("Stop", variant="stop")
            fail = oc.Button("Fail")
        broken = oc.Textbox(label="Broken")

        def failing() -> str:
            oc.Warning("Look out.")
            raise oc.Error("It did not work.")

        fail.click(failing, None, broken)
        with oc.Row():
            oc.Checkbox(True, label="Normalise")
            oc.CheckboxGroup(["vocals", "drums"], ["drums"], label="Stems")
            oc.Radio(["low", "high"], "low", label="Quality")
        with oc.Group():
            oc.Textbox(label="First of a group")
            oc.Textbox(label="Second of a group")
        with oc.Tabs():
            with oc.Tab("One"):
                oc.JSON({"rate": 48_000, "peaks": [1, 2]}, label="Data")
                oc.Dataframe([["a.wav", 3.5]], headers=["Name", "Seconds"], label="Table")
                oc.HTML("<b>bold</b>", label="Marked up")
            with oc.Tab("Two"):
                oc.Textbox(label="On two")
        with oc.Accordion("More", open=False):
            oc.Textbox(label="Inside")
        with oc.Group():  # whose author gave them no names
            oc.Textbox("a")
            oc.Number(1)
            oc.Slider(0, 1)
            oc.Dropdown(["a"])
            oc.Dropdown(["a"], ["a"], multiselect=True)
        oc.HTML("<p>a</p>" * 20, max_height=80)
        oc.Markdown("a\n\nb\n\n" * 20, max_height=80)
    return app


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_axe_finds_nothing_serious(visit: Open, dark: bool, width: int) -> None:
    """Contrast, names, roles: no violation that would keep somebody out."""
    tab = await visit(everything(), dark=dark, width=width)
    page = tab.page
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    await page.get_by_role("button", name="Fail").click()
    await expect(page.get_by_text("It did not work.")).to_be_visible()
    await expect(page.locator(".toast")).to_be_visible()
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("width", [1200, 768, 390, 320])
async def test_nothing_is_wider_than_the_window(visit: Open, width: int) -> None:
    """From a desk to a small phone, nobody has to scroll sideways."""
    page = (await visit(everything(), width=width)).page
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_no_request_leaves_the_host(visit: Open) -> None:
    """Fonts, scripts, sounds, socket: all from where the page came from."""
    tab = await visit(everything())
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    await tab.page.get_by_role("button", name="Play", exact=True).first.click()
    hosts = {urlsplit(url).netloc for url in tab.asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(tab.page.url).netloc}


async def test_it_works_under_a_prefix(visit: Open, serve: Serve) -> None:
    """All addresses are relative: sound, outline, socket and parts come from under the prefix."""
    tab = await visit(await serve(everything(), root_path="/tools/sound"))
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    assert {urlsplit(url).path[:13] for url in tab.asked if "data:" not in url} == {"/tools/sound/"}


async def test_the_page_is_light(visit: Open) -> None:
    """All that an app with sound and text loads stays below 150 kB on the wire."""
    tab = await visit(everything())
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    sizes: dict[str, int] = await tab.page.evaluate(
        """() => Object.fromEntries(
            ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
                .filter((entry) => !entry.name.includes('/files/'))
                .map((entry) => [entry.name, entry.encodedBodySize]))"""
    )
    assert len(sizes) > 3
    assert all(sizes.values()), "a size of 0 was not measured"
    assert sum(sizes.values()) < 150_000


async def test_every_control_is_reached_by_the_keyboard_and_shows_it(visit: Open) -> None:
    """Tab stops on each control once, and each draws an outline."""
    page = (await visit(everything())).page
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    wanted = await page.locator(
        "main button:visible:not([tabindex='-1']):enabled, main [role=slider], main textarea"
    ).count()
    reached: set[str] = set()
    for _ in range(200):
        await page.keyboard.press("Tab")
        outline: list[str] = await page.evaluate(
            """() => {
                const at = document.activeElement;
                const box = at.closest('.box') ?? at;
                const style = getComputedStyle(box);
                at.dataset.stop ??= String(Math.random());
                const name = at.tagName === 'BODY' ? '' : at.dataset.stop;
                return [name, style.outlineStyle, at.outerHTML];
            }"""
        )
        if not outline[0]:
            break
        assert outline[1] != "none", outline[2][:200]
        reached.add(outline[0])
    assert len(reached) >= wanted


async def test_a_page_in_another_language(visit: Open) -> None:
    """A table of words replaces ours, plural forms among them; Arabic runs from right to left."""
    words = {
        "choose": "اختر ملفًا",
        "record": "تسجيل",
        "rows": "صفوف: {1}|صف واحد|صفان|{1} صفوف|{1} صفًا|{1} صف",
        "liveState.good": "مباشر",
    }
    with oc.Blocks(lang="ar", strings=words) as app:
        with oc.Row():
            oc.Audio(label="صوت", interactive=True)
            oc.Audio((8000, np.zeros(8000, np.int16)), label="آخر", interactive=False)
        oc.Dataframe([[1], [2]], headers=["a"], label="جدول")
    page = (await visit(app, width=390)).page
    await expect(page.get_by_role("button", name="اختر ملفًا")).to_be_visible()
    await expect(page.get_by_text("صفان", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()  # left out
    assert await page.evaluate("[document.documentElement.lang, document.dir]") == ["ar", "rtl"]
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_banner_covers_no_title(visit: Open, serve: Serve) -> None:
    """It stands at the foot of the window, and goes by itself."""
    with oc.Blocks() as app:
        oc.Markdown("# Title")
    site = await serve(app)
    page = (await visit(site, lossy=True)).page
    await site.cut()
    banner = page.get_by_text("Connection lost.")
    await expect(banner).to_be_visible()
    title, at = await page.get_by_role("heading").bounding_box(), await banner.bounding_box()
    assert title and at
    assert at["y"] > title["y"] + title["height"]
    await site.mend()
    await expect(banner).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_theme_reads_well(visit: Open, dark: bool) -> None:
    """No theme of ours has text that axe finds hard to read."""
    with oc.Blocks(theme="default") as app:
        oc.Markdown("# Title\n\nWith a [link](https://example.org/).")
        oc.Textbox(label="Text", placeholder="Type here", info="What it is for")
        with oc.Row():
            oc.Button("Go", variant="primary")
            oc.Button("Stop", variant="stop")
        oc.Audio(label="Sound")
        oc.Dropdown(["a", "b"], ["a"], label="Several", multiselect=True)
    page = (await visit(app, dark=dark)).page
    await expect(page.get_by_role("link")).to_be_visible()
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    for name, theme in oc.themes.NAMED.items():
        await page.evaluate(
            "(set) => set.forEach((each) => document.documentElement.style.setProperty(...each))",
            [[f"--{key}", value] for key, value in theme().variables().items()],
        )
        only = "axe.run(document, {runOnly: ['color-contrast']})"
        found: dict[str, Any] = await page.evaluate(only)
        assert [(name, each["nodes"][0]["html"]) for each in found["violations"]] == []


async def test_a_wave_is_drawn_in_the_themes_colour(visit: Open) -> None:
    """A canvas knows no light-dark(); what a theme may say is worked out before it is drawn."""
    sound = (8000, (30_000 * np.sin(np.arange(16_000) / 9)).astype(np.int16))
    with oc.Blocks(theme={"wave": "light-dark(#ff0000, #00ff00)"}) as app:
        oc.Audio(sound, label="Sound", interactive=False)
    for dark, colour in ((False, [255, 0, 0]), (True, [0, 255, 0])):
        page = (await visit(app, dark=dark)).page
        await expect(page.locator(".wave.drawn")).to_be_visible()
        found = await page.locator(".wave canvas").first.evaluate(
            """(canvas) => {
                const { width, height } = canvas;
                const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
                const seen = new Set();
                for (let i = 0; i < data.length; i += 4)
                    if (data[i + 3] === 255) seen.add([data[i], data[i + 1], data[i + 2]].join());
                return [...seen].map((each) => each.split(',').map(Number));
            }"""
        )
        assert colour in found


async def test_what_is_told_by_a_shape_is_seen_in_the_systems_colours(visit: Open) -> None:
    """Who reads in high contrast loses grounds and gradients, but no thumb, level or switch."""
    with oc.Blocks() as app:
        oc.Slider(0, 10, 4, label="Mix", interactive=True)
        oc.Label({"violin": 0.7}, label="Instrument")
        oc.Audio((8000, np.ones(8000, np.int16)), label="Sound", loop=True)
    page = (await visit(app)).page
    await expect(page.locator(".wave.drawn")).to_be_visible()
    await page.emulate_media(forced_colors="active")
    for shape in ("input[type=range]", "[data-type=label] .bar", "[aria-pressed=true]", ".play"):
        picture = Pillow.open(io.BytesIO(await page.locator(shape).first.screenshot()))
        colours = picture.convert("RGB").getcolors(1 << 16)
        assert colours is not None
        ground = max(colours)[0]
        assert ground < picture.width * picture.height * 0.98, f"{shape} is not seen"
