"""What the page shows of the work: line, progress, results, errors, ends, and a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from playwright.async_api import expect

import ossicle as oc

from .conftest import HURRY, Open, Serve
from .listening import until


async def test_an_error_stands_at_the_component_until_it_is_dismissed(visit: Open) -> None:
    """Its words are at the output, not in a corner, and the page works on."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        def fail() -> str:
            raise oc.Error("The sound is too short.")

        go.click(fail, None, out)
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    error = page.locator("[data-type=textbox]").get_by_role("alert")
    await expect(error).to_contain_text("The sound is too short.")
    await expect(page.locator(".toast")).to_have_count(0)
    await page.get_by_role("button", name="Dismiss").click()
    await expect(error).to_have_count(0)


async def test_an_unexpected_exception_tells_nothing_of_itself(visit: Open) -> None:
    """Without show_error its text stays on the server."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        def fail() -> str:
            raise RuntimeError("secret")

        go.click(fail, None, out)
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("alert")).to_contain_text("The app failed here")
    await expect(page.get_by_text("secret")).to_have_count(0)


async def test_each_yield_shows_and_nothing_covers_it(visit: Open) -> None:
    """A generator's steps are seen one after the other, with a quiet sign that it goes on."""
    steps = [asyncio.Event(), asyncio.Event()]
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        async def count() -> AsyncIterator[str]:
            for i, step in enumerate(steps):
                yield f"step {i}"
                await step.wait()
            yield "end"

        go.click(count, None, out)
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    box = page.get_by_label("Out")
    await expect(box).to_have_value("step 0")
    await expect(page.locator(".run.compact")).to_be_visible()
    await expect(page.locator(".cover")).to_have_count(0)
    steps[0].set()
    await expect(box).to_have_value("step 1")
    steps[1].set()
    await expect(box).to_have_value("end")
    await expect(page.locator(".run")).to_have_count(0)


async def test_cancel_is_where_the_work_is(visit: Open) -> None:
    """It says so at once, closes the generator, and shows none of its later steps."""
    step, closed = asyncio.Event(), asyncio.Event()
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        async def endless() -> AsyncIterator[str]:
            try:
                yield "begun"
                while True:
                    await step.wait()
                    yield "another step"
            finally:
                closed.set()

        go.click(endless, None, out)
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value("begun")
    await page.get_by_role("button", name="Cancel endless").click()
    await expect(page.locator(".run")).to_have_text("Stopped")
    step.set()
    async with asyncio.timeout(10):
        await closed.wait()
    await expect(page.get_by_label("Out")).to_have_value("begun")


async def test_the_line_and_progress_are_told_at_the_output(visit: Open, serve: Serve) -> None:
    """The second tab waits and knows its place; the first sees how far the work is."""
    gate = asyncio.Event()
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        async def work(progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
            progress((3, 10), desc="Reading", unit="blocks")
            await gate.wait()
            return "done"

        go.click(work, None, out)
    site = await serve(app)
    first, second = (await visit(site)).page, (await visit(site)).page
    await first.get_by_role("button", name="Go").click()
    bar = first.get_by_role("progressbar", name="Reading")
    await expect(bar).to_have_js_property("value", 0.3)
    await expect(first.get_by_text("3 / 10 blocks")).to_be_visible()
    await second.get_by_role("button", name="Go").click()
    await expect(second.locator(".run")).to_contain_text("Next in line")
    gate.set()
    for page in (first, second):
        await expect(page.get_by_label("Out")).to_have_value("done")
        await expect(page.locator(".run")).to_have_count(0)


async def test_a_hidden_listener_shows_nothing_while_it_works(visit: Open) -> None:
    """show_progress="hidden" leaves the output as it is."""
    begun, gate = asyncio.Event(), asyncio.Event()
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Textbox(label="Out")

        async def work() -> AsyncIterator[str]:
            yield "begun"
            begun.set()
            await gate.wait()
            yield "done"

        go.click(work, None, out, show_progress="hidden")
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value("begun")
    await expect(page.locator(".run")).to_have_count(0)
    gate.set()
    await expect(page.get_by_label("Out")).to_have_value("done")


async def test_a_lost_connection_is_told_and_what_was_missed_comes_back(
    visit: Open, serve: Serve
) -> None:
    """The banner names what goes on; the result made meanwhile is there when it goes away."""
    gate, finished = asyncio.Event(), asyncio.Event()
    with oc.Blocks() as app:
        go = oc.Button("Go")
        name = oc.Textbox(label="Name")
        out = oc.Textbox(label="Out")
        echo = oc.Textbox(label="Echo")

        async def work() -> str:
            await gate.wait()
            finished.set()
            return "made while you were away"

        go.click(work, None, out)

        async def repeat(text: str) -> str:
            return text

        name.change(repeat, name, echo)
    site = await serve(app)
    tab = await visit(site)
    page = tab.page
    await page.get_by_role("button", name="Go").click()
    await expect(page.locator(".cover .run")).to_be_visible()
    await site.cut()
    banner = page.locator(".banner")
    await expect(banner).to_contain_text("“work” goes on at the server")
    gate.set()
    async with asyncio.timeout(10):
        await finished.wait()
    await page.get_by_label("Name").fill("typed offline")
    await site.mend()
    await expect(page.get_by_label("Out")).to_have_value("made while you were away")
    await expect(page.get_by_label("Echo")).to_have_value("typed offline")
    await expect(banner).to_have_count(0)
    await expect(page.locator(".run")).to_have_count(0)
    tab.errors.clear()  # the browser notes each refused socket by itself


async def test_a_session_that_is_over_offers_a_new_start(visit: Open, serve: Serve) -> None:
    """After a restart of the app the page says so, keeps what it shows, and reloads when asked."""
    with oc.Blocks() as app:
        oc.Textbox("as it was", label="Text")
    site, other = await serve(app), await serve(app)
    tab = await visit(site)
    await site.cut()
    await expect(tab.page.locator(".banner")).to_contain_text("Connection lost")
    await other.cut()
    other.running = site.running  # the restarted app listens where the first one did
    await other.mend()
    await expect(tab.page.locator(".banner")).to_contain_text("This session is over")
    await expect(tab.page.get_by_label("Text")).to_have_value("as it was")
    await tab.page.get_by_role("button", name="Start again").click()
    await expect(tab.page.locator(".banner")).to_have_count(0)
    await expect(tab.page.get_by_label("Text")).to_have_value("as it was")
    tab.errors.clear()


async def test_toasts_reach_the_tab_that_asked(visit: Open, serve: Serve) -> None:
    """Info and Warning show in the corner of one page only, and can be closed."""
    with oc.Blocks() as app:
        go = oc.Button("Go")

        def tell() -> None:
            oc.Info("The model is warm.")

        go.click(tell, None, None)
    site = await serve(app)
    first, second = (await visit(site)).page, (await visit(site)).page
    await first.get_by_role("button", name="Go").click()
    await expect(first.locator(".toast")).to_contain_text("The model is warm.")
    await expect(second.locator(".toast")).to_have_count(0)
    await first.get_by_role("button", name="Close").click()
    await expect(first.locator(".toast")).to_have_count(0)


async def test_a_page_that_missed_too_much_keeps_what_its_user_did(
    visit: Open, serve: Serve
) -> None:
    """It gets the whole page again (policy: resync); tab, open part, cursor and words stay."""
    with oc.Blocks(js="() => document.body.setAttribute('data-runs', 'x')") as app:
        text, out = oc.Textbox(label="Text"), oc.Textbox(label="Out")
        with oc.Tabs():
            with oc.Tab("First"):
                oc.Markdown("the first")
            with oc.Tab("Second"):
                oc.Markdown("the second")
        with oc.Accordion("More", open=False):
            oc.Markdown("the rest")
        with oc.Tabs(selected="a") as given:
            with oc.Tab("A", id="a"):
                oc.Markdown("page a")
            with oc.Tab("B", id="b"):
                oc.Markdown("page b")

        @oc.render(inputs=out)
        def made(words: str) -> None:
            oc.Markdown(f"made of {words}")

        await_go = asyncio.Event()

        async def later() -> tuple[str, oc.Tabs]:
            await await_go.wait()
            return "came", oc.Tabs(selected="b")

        app.load(later, None, [out, given])
    site = await serve(app)
    page = (await visit(site, lossy=True)).page
    await page.get_by_role("tab", name="Second").click()
    await page.get_by_role("button", name="More").click()
    await expect(page.get_by_text("the rest")).to_be_visible()
    await page.evaluate("document.body.removeAttribute('data-runs')")
    field = page.get_by_label("Text")
    await field.focus()
    (line,) = site.host.lines.values()
    await site.cut()
    await field.press_sequentially("words")
    await_go.set()
    await until(lambda: site.host.program.sessions[line.token].values[out.id] == "came")
    await until(lambda: not site.host.program.working)
    line.missed.clear()
    await site.mend()
    await page.evaluate(HURRY)
    await expect(page.get_by_label("Out")).to_have_value("came")
    await expect(page.get_by_text("made of came")).to_be_visible()
    await expect(page.get_by_text("page b")).to_be_visible()
    await expect(page.get_by_text("the second")).to_be_visible()
    await expect(page.get_by_text("the rest")).to_be_visible()
    await expect(field).to_have_value("words")
    await expect(field).to_be_focused()
    assert await page.evaluate("document.body.dataset.runs") is None
    await until(lambda: site.host.program.sessions[line.token].values[text.id] == "words")
