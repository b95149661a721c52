"""What people do while the line breaks, in a real browser: once each, in order, or told."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

import ossicle as oc

from .conftest import HURRY, PATIENCE, Open, Serve

BURST = """
(count) => new Promise((done) => {
  const [first, second] = document.querySelectorAll('[data-type=button] button');
  let left = count;
  const turn = () => {
    // Now one and then the other, because of impatient clicks on one only the last is kept.
    for (let i = 0; i < 2 && left; i++) (left-- % 2 ? second : first).click();
    if (left) setTimeout(turn, 1);
    else done();
  };
  turn();
})
"""


async def test_a_burst_of_clicks_over_a_line_that_breaks_comes_once_each(
    serve: Serve, visit: Open
) -> None:
    """Clicks on their way when the socket dies are sent again; those that had come are not."""
    clicked = list[str]()
    with oc.Blocks() as app:
        for name in ("one", "two"):

            def note(name: str = name) -> None:
                clicked.append(name)

            oc.Button(name).click(note, None, None, trigger_mode="multiple", queue=False)
    site = await serve(app)
    tab = await visit(site)
    cuts = 3
    for cut in range(1, cuts + 1):
        burst = asyncio.create_task(tab.page.evaluate(BURST, 100))
        async with asyncio.timeout(PATIENCE / 1000):
            while len(clicked) < 100 * (cut - 1) + 10:
                await asyncio.sleep(0)
        await site.cut()
        await expect(tab.page.locator(".banner")).to_be_visible()
        await burst
        await site.mend()
        await tab.page.evaluate(HURRY)
        await expect(tab.page.locator(".banner")).to_be_hidden()
        async with asyncio.timeout(PATIENCE / 1000):
            while len(clicked) < 100 * cut:
                await asyncio.sleep(0.01)
    assert clicked == ["one", "two"] * (50 * cuts)
    tab.errors[:] = [each for each in tab.errors if "WebSocket connection to" not in each]


async def test_a_server_that_starts_anew_is_told_with_what_it_never_got(
    serve: Serve, visit: Open
) -> None:
    """Another server at the same address does not know the session: the page says what is lost."""
    with oc.Blocks() as app:
        oc.Button("one").click(lambda: None)
    site = await serve(app)
    tab = await visit(site)
    await site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await tab.page.get_by_role("button", name="one", exact=True).click()
    for token in list(site.host.lines):
        site.host.lines.pop(token)
    await site.mend()
    await tab.page.evaluate(HURRY)
    banner = tab.page.locator(".banner")
    await expect(banner).to_contain_text("This session is over")
    await expect(banner).to_contain_text("The last thing you did never came there.")
    tab.errors[:] = [each for each in tab.errors if "WebSocket connection to" not in each]
