"""The gallery app is fit to be shown: nothing is cut off, and nobody is kept out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ossicle.runtime.loading import load

from .conftest import Open, Serve
from .states import states_app, walk

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SETTLED = """Promise.allSettled(
    document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity)
        .map((a) => a.finished))"""
DRAWN = 9  # sounds with a wave: the filled ones, and the one that is being worked on


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_the_gallery(visit: Open, dark: bool, width: int) -> None:
    """Every state at once: no scrolling sideways, no serious violation that axe can see."""
    app = load(str(ROOT / "examples" / "gallery.py")).app
    tab = await visit(app, dark=dark, width=width)
    page = tab.page
    await expect(page.locator(".wave.drawn")).to_have_count(DRAWN)
    await page.get_by_role("button", name="Let the first one fail").click()
    await expect(page.get_by_text("Resample it, and try again.")).to_be_visible()
    await expect(page.get_by_text("Next in line").first).to_be_visible()
    sideways = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert sideways == 0
    assert await violations(page) == []


WIDE = 1200


@pytest.mark.parametrize("width", [WIDE, 390])
async def test_a_page_at_work(visit: Open, serve: Serve, width: int) -> None:
    """In each state that use brings it into, the page keeps nobody out, and says what it does.

    Each state is looked at in light and, once, in dark, and nothing lies over what it does not
    belong to.
    """
    site = await serve(states_app())
    page = (await visit(site, width=width, lossy=True)).page
    found = dict[str, Any]()
    async for state, _ in walk(page, site.cut, site.mend):
        if wrong := await violations(page):
            found[state] = wrong
        if width == WIDE:
            # Roles and names are the same in the dark; only colours are not, at whatever width.
            await page.emulate_media(color_scheme="dark")
            if wrong := await violations(page, ["color-contrast"]):
                found[f"{state}, dark"] = wrong
            await page.emulate_media(color_scheme="light")
        if wrong := await page.evaluate(OUTSIDE):
            found[f"{state}, outside"] = wrong
    assert found == {}


OUTSIDE = """() => [...document.querySelectorAll('section.block .run, section.block header *')]
    .filter((each) => each.checkVisibility() && !each.closest('.sr-only, .panel'))
    .filter((each) => {
        const own = each.getBoundingClientRect();
        const home = each.closest('section.block').getBoundingClientRect();
        return own.right > home.right || own.left < home.left || own.bottom > home.bottom + 1;
    })
    .map((each) => each.outerHTML.slice(0, 200))"""
"""What hangs out of its card: notes on work, and what stands in its head."""


async def violations(page: Page, rules: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
    """What axe finds, and where."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    # a transition half done has colours that nobody will see
    await page.evaluate(SETTLED)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found: dict[str, Any] = await page.evaluate("(how) => axe.run(document, how)", options)
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]
    ]
