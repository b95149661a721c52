"""Pictures, files and examples in the page; what an app gives the page itself."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Pillow
from playwright.async_api import FilePayload, expect

import ossicle as oc
from ossicle.flow.pictures import png

from .conftest import Open

SHADES = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)


def payload(content: bytes, name: str, kind: str = "application/octet-stream") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


async def test_a_picture_goes_in_and_comes_out(visit: Open) -> None:
    """Chosen, shown, handed to the function as its pixels, and the answer shown bit for bit."""

    def negative(image: Any) -> Any:
        return None if image is None else 255 - image

    tab = await visit(oc.Interface(negative, oc.Image(), oc.Image()))
    await tab.page.locator("input[type=file]").set_input_files(payload(png(SHADES), "a.png"))
    images = tab.page.locator("[data-type=image] img")
    await expect(images).to_have_count(1)
    await tab.page.get_by_role("button", name="Submit").click()
    await expect(images).to_have_count(2)
    await expect(images.nth(1)).to_have_js_property("naturalWidth", 60)
    async with tab.page.expect_download() as saving:
        await tab.page.get_by_role("link", name="Download").nth(1).click()
    path = await (await saving.value).path()
    with Pillow.open(io.BytesIO(Path(path).read_bytes())) as opened:
        assert np.array_equal(np.asarray(opened), 255 - SHADES)
    await tab.page.get_by_role("button", name="Clear", exact=True).first.click()
    await expect(images).to_have_count(1)


async def test_what_is_no_picture_is_said_at_the_component(visit: Open) -> None:
    with oc.Blocks() as demo:
        oc.Image(label="Scan", interactive=True)
    tab = await visit(demo)
    await tab.page.locator("input[type=file]").set_input_files(payload(b"<html>", "a.png"))
    await expect(tab.page.get_by_role("alert")).to_contain_text("'a.png' is no picture")
    tab.errors.clear()  # the browser's own line on the status 422


async def test_figures_are_shown_in_both_forms(visit: Open) -> None:
    """A drawing too, though its address alone is only ever saved."""
    figure = Figure(figsize=(4, 2), dpi=100)
    figure.subplots().plot([1, 3, 2])  # pyright: ignore[reportUnknownMemberType]
    with oc.Blocks() as demo:
        oc.Plot(figure, label="Pixels")
        oc.Plot(figure, format="svg", label="Lines")
    tab = await visit(demo)
    images = tab.page.locator("[data-type=plot] img")
    await expect(images).to_have_count(2)
    for image in await images.all():
        await expect(image).to_have_js_property("complete", True)
        assert await image.evaluate("image => image.naturalWidth > 0")
    box = await images.first.bounding_box()
    assert box and (round(box["width"]), round(box["height"])) == (400, 200)


async def test_files_are_taken_listed_and_given_back(visit: Open) -> None:
    def join(paths: list[str]) -> bytes:
        return b"".join(Path(path).read_bytes() for path in paths)

    demo = oc.Interface(join, oc.File(file_count="multiple"), oc.DownloadButton("Get it"))
    tab = await visit(demo)
    await tab.page.locator("input[type=file]").set_input_files(
        [payload(b"<b>", "one.html"), payload(b"two", "two.txt")]
    )
    await expect(tab.page.get_by_text("one.html")).to_be_visible()
    await tab.page.get_by_role("button", name="Submit").click()
    async with tab.page.expect_download() as saving:
        await tab.page.get_by_role("link", name="Get it").click()
    assert Path(await (await saving.value).path()).read_bytes() == b"<b>two"


async def test_a_folder_is_taken_with_what_fits(visit: Open, tmp_path: Path) -> None:
    """Of all that lies in it, and below it: neither other types nor what is hidden."""
    (tmp_path / "in" / "below").mkdir(parents=True)
    for name in ("a.csv", "below/b.csv", "c.txt", ".hidden.csv"):
        (tmp_path / "in" / name).write_text(name)
    with oc.Blocks() as app:
        files = oc.File(file_count="directory", file_types=[".csv"], label="Folder")
        names = oc.Textbox(label="Names")

        def list_names(paths: list[str]) -> str:
            return " ".join(sorted(Path(path).name for path in paths))

        files.upload(list_names, files, names)
    tab = await visit(app)
    async with tab.page.expect_file_chooser() as chosen:
        await tab.page.get_by_role("button", name="Choose a folder").click()
    await (await chosen.value).set_files(tmp_path / "in")
    named = tab.page.get_by_role("textbox", name="Names")
    await expect(named).to_have_value("a.csv b.csv")


async def test_examples_turn_pages_and_fill(visit: Open) -> None:
    with oc.Blocks() as demo:
        number = oc.Number(label="Level")
        oc.Examples(list(range(25)), number, examples_per_page=10)
    tab = await visit(demo)
    chips = tab.page.locator("[data-type=examples] .chips button")
    await expect(chips).to_have_count(10)
    await tab.page.get_by_role("button", name="Next").click()
    await tab.page.get_by_role("button", name="Next").click()
    await expect(chips).to_have_count(5)
    await expect(tab.page.get_by_role("button", name="Next")).to_be_disabled()
    await chips.nth(1).click()
    await expect(tab.page.get_by_label("Level")).to_have_value("21")


async def test_an_app_gives_its_page_theme_css_js_and_head(visit: Open) -> None:
    """All of it works under the page's content policy, which stays strict."""
    with oc.Blocks(
        title="Own",
        theme={"accent": "rgb(1, 2, 3)", "--radius": "0px"},
        css=".mine button { letter-spacing: 3px }",
        js="() => { document.body.dataset.mine = 'yes' }",
        head='<meta name="author" content="Somebody">',
    ) as demo:
        oc.Button("Go", variant="primary", elem_classes="mine")
    tab = await visit(demo)
    button = tab.page.get_by_role("button", name="Go")
    await expect(button).to_have_css("background-color", "rgb(1, 2, 3)")
    await expect(button).to_have_css("letter-spacing", "3px")
    await expect(tab.page.locator("body")).to_have_attribute("data-mine", "yes")
    await expect(tab.page.locator("meta[name=author]")).to_have_attribute("content", "Somebody")
    await expect(tab.page).to_have_title(re.compile("Own"))


async def test_a_picture_from_the_camera_and_from_the_clipboard(visit: Open) -> None:
    """What the camera sees is taken, and what is pasted goes to the first that wants it."""
    with oc.Blocks() as demo:
        oc.Audio(label="Sound")  # it takes no pictures
        seen = oc.Image(
            label="Seen", sources="webcam", webcam_options={"constraints": {"width": 320}}
        )
        pasted = oc.Image(label="Pasted", sources=["clipboard"])
        said = oc.Textbox(label="Said")

        def tell(image: Any) -> str:
            return "x".join(map(str, image.shape))

        seen.upload(tell, seen, said)
        pasted.upload(tell, pasted, said)
    page = (await visit(demo)).page
    await page.context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Camera").click()
    await page.get_by_role("button", name="Take the picture").click()
    await expect(page.get_by_label("Said")).to_have_value(re.compile(r"^\d+x320x3$"))
    await page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement('canvas'), {width: 7, height: 5});
            canvas.getContext('2d');
            const blob = await new Promise((resolve) => canvas.toBlob(resolve));
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }"""
    )
    await page.keyboard.press("Control+V")
    await expect(page.get_by_label("Said")).to_have_value("5x7x3")


async def test_a_camera_that_is_not_there_is_told(visit: Open) -> None:
    with oc.Blocks() as demo:
        oc.Image(label="Seen", interactive=True)
    page = (await visit(demo)).page
    await page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('none', 'NotFoundError')); }"
    )
    await page.get_by_role("button", name="Camera").click()
    await expect(page.get_by_role("alert")).to_contain_text("No camera was found")
    await expect(page.get_by_role("button", name="Choose a file")).to_be_visible()


async def test_formulas_are_drawn_and_code_is_left_alone(visit: Open) -> None:
    """Between the signs that the app names; what is no formula stays as it was written."""
    signs = [{"left": "$", "right": "$", "display": False}]
    with oc.Blocks(fill_height=True) as demo:
        oc.Markdown("A $5 note, `$$x$$`, and $$\\frac{a_1}{b_1}$$", elem_id="plain")
        oc.Markdown(
            "So $x_1 * y_1 * z$ it is, <b>safely</b>.", latex_delimiters=signs, elem_id="own"
        )
        oc.Markdown("$$x$$", latex_delimiters=[], elem_id="none")
        oc.Textbox(label="At the foot", scale=1)
    page = (await visit(demo)).page
    await expect(page.locator("#plain mfrac")).to_be_visible()
    await expect(page.locator("#plain")).to_contain_text("A $5 note, $$x$$")
    await expect(page.locator("#own math")).to_have_count(1)
    await expect(page.locator("#own em")).to_have_count(0)
    await expect(page.locator("#none")).to_have_text("$$x$$")
    foot = await page.locator("section.block", has=page.get_by_label("At the foot")).bounding_box()
    assert foot
    assert foot["y"] + foot["height"] > 800  # of 900: what is below is the page's edge
