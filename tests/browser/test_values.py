"""Values typed, moved, chosen and set, and whose they are."""

from __future__ import annotations

import re

import numpy as np
from playwright.async_api import expect

import ossicle as oc

from .conftest import HURRY, Open, Serve

TONE = (9000 * np.sin(np.arange(8000) / 9)).astype(np.int16)


async def test_typing_runs_the_listener_and_enter_submits(visit: Open) -> None:
    """Each state of the text is told; the last one is what stays."""
    with oc.Blocks() as app:
        name = oc.Textbox(label="Name")
        shout = oc.Textbox(label="Shout")
        sent = oc.Textbox(label="Sent")
        name.change(str.upper, name, shout)

        def bracket(text: str) -> str:
            return f"<{text}>"

        name.submit(bracket, name, sent)
    page = (await visit(app)).page
    await page.get_by_label("Name").press_sequentially("ossicle")
    await expect(page.get_by_label("Shout")).to_have_value("OSSICLE")
    await page.get_by_label("Name").press("Enter")
    await expect(page.get_by_label("Sent")).to_have_value("<ossicle>")


async def test_two_tabs_know_nothing_of_each_other(visit: Open, serve: Serve) -> None:
    """Values and State are each tab's own, also in one browser profile."""
    with oc.Blocks() as app:
        name = oc.Textbox(label="Name")
        count = oc.State(0)
        seen = oc.Number(label="Seen")

        def more(n: int) -> tuple[int, int]:
            return n + 1, n + 1

        name.submit(more, count, [count, seen])
    site = await serve(app)
    first = (await visit(site)).page
    second = (await visit(site, context=False)).page
    await first.get_by_label("Name").fill("mine")
    for expected in ("1", "2"):
        await first.get_by_label("Name").press("Enter")
        await expect(first.get_by_label("Seen")).to_have_value(expected)
    await second.get_by_label("Name").press("Enter")
    await expect(second.get_by_label("Seen")).to_have_value("1")
    await expect(second.get_by_label("Name")).to_have_value("")


async def test_number_slider_and_dropdown_give_their_values(visit: Open) -> None:
    """By keyboard as by mouse, and the function gets what is seen."""
    with oc.Blocks() as app:
        tempo = oc.Number(120, label="Tempo")
        gain = oc.Slider(0, 10, 5, step=1, label="Gain")
        form = oc.Dropdown([("WAV file", "wav"), ("MP3 file", "mp3")], label="Format")
        many = oc.Dropdown(["a", "b", "c"], label="Several", multiselect=True)
        out = oc.Textbox(label="Out")
        go = oc.Button("Go")

        def told(*given: object) -> str:
            return repr(given)

        go.click(told, [tempo, gain, form, many], out)
    page = (await visit(app)).page
    await page.get_by_label("Tempo").fill("90")
    await page.locator("input[type=range]").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("spinbutton", name="Gain")).to_have_value("6")
    await page.get_by_label("Format").select_option(label="MP3 file")
    await page.get_by_role("combobox", name="Several").click()
    await page.get_by_role("option", name="b").click()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value(
        re.compile(r"^\(90(\.0)?, 6(\.0)?, 'mp3', \['b', 'c'\]\)$")
    )


async def test_boxes_and_radios_give_their_values(visit: Open) -> None:
    """A tick is a value at once; a group keeps the order of its choices."""
    with oc.Blocks() as app:
        tick = oc.Checkbox(label="Normalise")
        stems = oc.CheckboxGroup(["vocals", "drums", "bass"], ["bass"], label="Stems")
        quality = oc.Radio(["low", "high"], label="Quality")
        out = oc.Textbox(label="Out")

        def told(*given: object) -> str:
            return repr(given)

        oc.Button("Go").click(told, [tick, stems, quality], out)
    page = (await visit(app)).page
    await page.get_by_label("Normalise").check()
    await page.get_by_role("group", name="Stems").get_by_label("vocals").check()
    await page.get_by_role("radiogroup", name="Quality").get_by_label("high").check()
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value("(True, ['vocals', 'bass'], 'high')")


async def test_tabs_keep_what_is_on_a_page_that_is_not_seen(visit: Open) -> None:
    """By arrow keys between them; a text on the first is there after a look at the second."""
    with oc.Blocks() as app:
        with oc.Tabs():
            with oc.Tab("One"):
                oc.Textbox(label="First")
            with oc.Tab("Two"):
                oc.Audio((8000, TONE), label="Sound")
    page = (await visit(app)).page
    await page.get_by_label("First").fill("kept")
    await page.get_by_role("tab", name="One").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Two")).to_be_focused()
    await expect(page.locator(".wave.drawn")).to_be_visible()
    await expect(page.get_by_label("First")).to_be_hidden()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_label("First")).to_have_value("kept")


async def test_a_tab_that_a_function_selects_shows_and_is_a_change(visit: Open) -> None:
    """`change` comes whoever chose; what is selected again shows again."""
    with oc.Blocks() as app:
        back, seen = oc.Button("Back"), oc.Textbox(label="Seen")
        with oc.Tabs() as tabs:
            oc.Tab("One", id="one")
            oc.Tab("Two", id="two")
        log = list[str]()

        def note(word: str) -> str:
            log.append(word)
            return " ".join(log)

        back.click(lambda: oc.Tabs(selected="one"), None, tabs)
        tabs.change(lambda: note("change"), None, seen, trigger_mode="multiple")
    page = (await visit(app)).page
    two = page.get_by_role("tab", name="Two")
    await two.click()
    await expect(page.get_by_label("Seen")).to_have_value("change")
    for count in (2, 4):
        await page.get_by_role("button", name="Back").click()
        await expect(page.get_by_role("tab", name="One")).to_have_attribute("aria-selected", "true")
        await expect(page.get_by_label("Seen")).to_have_value(" ".join(["change"] * count))
        await two.click()
        await expect(page.get_by_label("Seen")).to_have_value(" ".join(["change"] * (count + 1)))


async def test_a_dropdown_tells_each_key(visit: Open) -> None:
    """With what stands in its field, also where it is the browser's own list."""
    with oc.Blocks() as app:
        short, seen = oc.Dropdown(["a", "b"], label="Short"), oc.Textbox(label="Seen")
        long = oc.Dropdown(["a", "b"], label="Long", allow_custom_value=True)

        def note(event: oc.KeyUpData) -> str:
            return f"{event.key} {event.input_value}"

        oc.on([short.key_up, long.key_up], note, None, seen)
    page = (await visit(app)).page
    await page.get_by_label("Short").focus()
    await page.keyboard.press("Shift")
    await expect(page.get_by_label("Seen")).to_have_value("Shift a")
    await page.get_by_label("Long").fill("new")
    await page.keyboard.press("x")
    await expect(page.get_by_label("Seen")).to_have_value("x newx")


async def test_an_accordion_opens_and_closes(visit: Open) -> None:
    """Closed it shows its name alone."""
    with oc.Blocks() as app:
        with oc.Accordion("More", open=False):
            oc.Textbox(label="Inside")
    page = (await visit(app)).page
    await expect(page.get_by_label("Inside")).to_be_hidden()
    await page.get_by_role("button", name="More").click()
    await expect(page.get_by_label("Inside")).to_be_visible()
    await page.get_by_role("button", name="More").click()
    await expect(page.get_by_label("Inside")).to_be_hidden()


async def test_tables_and_trees_are_shown(visit: Open) -> None:
    """Each cell and each key is on the page, and HTML has lost its scripts."""
    with oc.Blocks() as app:
        oc.Dataframe([["a.wav", 3.5]], headers=["Name", "Seconds"], label="Table")
        oc.JSON({"rate": 48_000, "peaks": [1, 2]}, label="Data")
        oc.HTML("<b>bold</b><script>window.harmed = true</script>")
    page = (await visit(app)).page
    await expect(page.get_by_role("columnheader", name="Seconds")).to_be_visible()
    await expect(page.get_by_role("cell", name="3.5")).to_be_visible()
    await expect(page.locator(".json")).to_contain_text("48000")
    await expect(page.locator(".rich b")).to_have_text("bold")
    assert await page.evaluate("() => window.harmed") is None


async def test_a_function_may_change_properties(visit: Open) -> None:
    """A returned component changes what it names and nothing else."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        box = oc.Textbox("kept", label="Before")
        gone = oc.Textbox(label="Gone")
        go.click(lambda: [oc.Textbox(label="After"), oc.Textbox(visible=False)], None, [box, gone])
    page = (await visit(app)).page
    await expect(page.get_by_label("Before")).to_have_value("kept")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("After")).to_have_value("kept")
    await expect(page.get_by_label("Gone")).to_have_count(0)


async def test_a_label_shows_how_sure_it_is(visit: Open) -> None:
    """The best name large, every name with its share."""
    with oc.Blocks() as app:
        oc.Label({"violin": 0.7, "viola": 0.3}, label="Instrument")
    page = (await visit(app)).page
    await expect(page.locator(".best")).to_have_text("violin")
    await expect(page.get_by_text("70 %")).to_be_visible()
    await expect(page.get_by_text("30 %")).to_be_visible()


async def test_markdown_is_formatted_and_does_no_harm(visit: Open) -> None:
    """Headings are headings; scripts and handlers in it do not run."""
    with oc.Blocks() as app:
        oc.Markdown(
            "# Title\n\n**bold** <img src=x onerror='window.harmed = true'>"
            "<script>window.harmed = true</script> [link](javascript:window.harmed=true)"
        )
    tab = await visit(app)
    page = tab.page
    await expect(page.get_by_role("heading", name="Title")).to_be_visible()
    await expect(page.locator("strong")).to_have_text("bold")
    assert await page.locator("main script, main [onerror], main a[href^=javascript]").count() == 0
    assert await page.evaluate("window.harmed") is None
    tab.errors.clear()  # the picture that is not there


async def test_js_runs_in_the_page_before_the_function(visit: Open) -> None:
    """What it returns becomes the function's input."""
    with oc.Blocks() as app:
        box = oc.Textbox("abc", label="In")
        out = oc.Textbox(label="Out")
        go = oc.Button("Go")
        go.click(str.upper, box, out, js="(value) => [value + ':' + document.title]")
    page = (await visit(app)).page
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value("ABC:OSSICLE")


async def test_js_without_a_function_needs_no_line(visit: Open, serve: Serve) -> None:
    """Rule J1: what it sets is there at once while the line is down; a function gets it later.

    In a part of the page, too.
    """
    with oc.Blocks() as app:
        box, out, seen = oc.Textbox(label="Box"), oc.Textbox(label="Out"), oc.Textbox(label="Seen")
        go, ask = oc.Button("Go"), oc.Button("Ask")
        go.click(None, box, out, js="(text) => text.toUpperCase()")
        box.input(None, box, seen, js="(text) => `${text.length} letters`")
        ask.click(lambda *said: " ".join(said), [out, seen], seen)

        @oc.render()
        def part() -> None:
            inner = oc.Textbox(label="Inner")
            oc.Button("Within").click(None, box, [inner, box], js="(text) => [text + '!', text]")

    site = await serve(app)
    page = (await visit(site, lossy=True)).page
    await page.get_by_label("Box").fill("hello")
    await site.cut()
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_label("Out")).to_have_value("HELLO")
    await expect(page.get_by_label("Seen")).to_have_value("5 letters")
    await page.get_by_role("button", name="Within").click()
    await expect(page.get_by_label("Inner")).to_have_value("hello!")
    await site.mend()
    await page.evaluate(HURRY)
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_label("Seen")).to_have_value("HELLO 5 letters")


async def test_js_that_fails_or_sets_what_cannot_be_is_said(visit: Open) -> None:
    """And the value that stands is shown again."""
    with oc.Blocks() as app:
        out = oc.Number(7, label="Out")
        bad, none, throws = oc.Button("Bad"), oc.Button("None"), oc.Button("Throws")
        bad.click(None, None, out, js="() => 'no number'")
        none.click(None, None, out, js="5")
        throws.click(str, out, out, js="() => { throw new Error('on purpose') }")
    seen = await visit(app)
    page = seen.page
    await page.get_by_role("button", name="None").click()
    await expect(page.locator(".toast")).to_contain_text("None: its JavaScript failed: 5 is no fun")
    assert [each for each in seen.errors if "is no function" not in each] == []
    seen.errors.clear()
    await page.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Throws").click()
    await expect(page.get_by_role("alert")).to_contain_text("str: its js failed: on purpose")
    await page.get_by_role("button", name="Bad").click()
    await expect(page.locator(".toast")).to_contain_text("must be a number")
    await expect(page.get_by_label("Out")).to_have_value("7")
