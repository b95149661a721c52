"""On a slow line: what happens is told, and nothing jumps."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import FilePayload, expect

import ossicle as oc

from .conftest import Open, Serve
from .states import wav

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.shifts.push(each.value);
}).observe({type: 'layout-shift', buffered: true});
"""
SLOW = {"offline": False, "latency": 100, "downloadThroughput": 150_000}


def file(seconds: float) -> FilePayload:
    return {"name": "take.wav", "mimeType": "audio/wav", "buffer": wav(seconds)}


@pytest.mark.parametrize("width", [1200, 390])
async def test_nothing_jumps(visit: Open, serve: Serve, width: int) -> None:
    """From the first drawing to the answer what stands on the page stays where it is.

    0.1 is what counts as good for a cumulative layout shift.
    """

    def reverse(sound: tuple[int, Any]) -> tuple[int, Any]:
        return sound[0], sound[1][::-1]

    app = oc.Interface(
        reverse,
        oc.Audio(label="Sound"),
        oc.Audio(label="Reversed"),
        title="Reverse",
        description="A sound, turned round.",
        article="That is all.",
    )
    site = await serve(app)
    page = (await visit(site, width=width)).page
    wire: Any = await page.context.new_cdp_session(page)
    await wire.send("Network.enable")
    await wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await wire.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": 50_000})
    await page.add_init_script(SHIFTS)
    await page.reload()

    await page.locator("input[type=file]").first.set_input_files(file(8.0))
    await expect(page.get_by_text("Sending take.wav")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("button", name="Choose a file")).to_be_visible()
    await wire.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})
    await page.locator("input[type=file]").first.set_input_files(file(2.0))
    await expect(page.locator(".wave.drawn")).to_have_count(1)
    await page.get_by_role("button", name="Submit").click()
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    assert sum(await page.evaluate("window.shifts")) < 0.02
