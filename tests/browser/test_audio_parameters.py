"""Every argument of Audio that a page shows, each beside its other setting, on a few pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Locator, Page, expect

import ossicle as oc

from .conftest import Open
from .test_files import payload, wav
from .test_player import slider

RATE = 8000
SOUND = (RATE, (10_000 * np.sin(np.arange(4 * RATE) / 9)).astype(np.int16))
SRT = "1\n00:00:00,000 --> 00:00:01,500\nOne\n\n2\n00:00:01,500 --> 00:00:04,000\nTwo\n"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.500\nUno\n\n00:01.500 --> 00:04.000\nDue\n"
LINES = [{"text": "Eins", "timestamp": [0, 1.5]}, {"text": "Zwei", "timestamp": [1.5, 4]}]

COLOURED = """([canvas, red, green, blue]) => {
  const { width, height } = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255)
      return true;
  return false;
}"""


def block(page: Page, label: str) -> Locator:
    """The component of that label, with its head."""
    return page.locator("[data-type=audio]").filter(has=page.get_by_text(label, exact=True))


async def test_what_frames_a_sound(visit: Open) -> None:
    """label, show_label, container, scale, min_width, visible, elem_id, elem_classes, render."""
    with oc.Blocks(css=".wide { outline: 1px solid red }") as app:
        with oc.Row():
            oc.Audio(SOUND, label="Narrow", min_width=200, elem_id="narrow")
            oc.Audio(SOUND, label="Wide", scale=2, elem_id="wide", elem_classes=["wide", "loud"])
        oc.Audio(SOUND, label="Untold", show_label=False, elem_id="untold")
        oc.Audio(SOUND, label="Bare", container=False, elem_id="bare")
        oc.Audio(SOUND, label="Absent", visible=False, elem_id="absent")
        hidden = oc.Audio(SOUND, label="Hidden", visible="hidden", elem_id="hidden")
        later = oc.Audio(SOUND, label="Later", render=False, elem_id="later", info="Comes last")
        show = oc.Button("Show")
        show.click(lambda: oc.Audio(visible=True), None, hidden)
        later.render()
    tab = await visit(app)
    page = tab.page
    await page.set_viewport_size({"width": 1100, "height": 900})
    await expect(page.locator("#bare .wave.drawn")).to_be_visible()
    narrow = await page.locator("#narrow").bounding_box()
    wide = await page.locator("#wide").bounding_box()
    assert narrow is not None
    assert wide is not None
    assert narrow["y"] == wide["y"]
    assert wide["width"] > narrow["width"] * 1.2  # the room that is left is shared 2 to 1
    await expect(page.locator("#wide")).to_have_class(re.compile(r"\bwide\b.*\bloud\b"))
    await expect(page.locator("#wide")).to_have_css("outline-color", "rgb(255, 0, 0)")
    await expect(page.get_by_text("Narrow", exact=True)).to_be_visible()
    await expect(page.get_by_text("Untold", exact=True)).to_have_class("sr-only")
    frames = [
        await page.locator(f"#{n} > *").first.evaluate("e => getComputedStyle(e).borderTopWidth")
        for n in ("narrow", "bare")
    ]
    assert frames == ["1px", "0px"]
    await expect(page.locator("#absent")).to_have_count(0)
    await expect(page.locator("#hidden")).to_be_hidden()
    order = await page.locator("[data-node]").evaluate_all("all => all.map((e) => e.id)")
    assert order[-1] == "later"
    await expect(page.locator("#later").get_by_text("Comes last")).to_be_visible()
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#hidden .wave.drawn")).to_be_visible()
    await page.set_viewport_size({"width": 420, "height": 900})  # less than both need
    await expect(page.locator("#wide")).not_to_have_css("width", f"{wide['width']}px")
    boxes = [await page.locator(f"#{n}").bounding_box() for n in ("narrow", "wide")]
    assert boxes[0] and boxes[1] and boxes[0]["y"] < boxes[1]["y"]


async def test_what_stands_in_its_head(visit: Open) -> None:
    """interactive, show_download_button, show_share_button, buttons, format, in all settings."""
    with oc.Blocks() as app:
        oc.Audio(SOUND, label="Player", interactive=False)
        oc.Audio(SOUND, label="Editor", interactive=True)
        oc.Audio(SOUND, label="Kept", interactive=False, show_download_button=False)
        oc.Audio(SOUND, label="Given", interactive=True, show_download_button=True, format="mp3")
        oc.Audio(SOUND, label="Shared", interactive=False, show_share_button=True)
        oc.Audio(SOUND, label="Named", interactive=False, buttons=["share"])
        oc.Audio(SOUND, label="None", interactive=True, buttons=[])
    tab = await visit(app)
    page = tab.page
    await expect(page.locator(".wave.drawn")).to_have_count(7)
    want = {
        "Player": (True, False, False),
        "Editor": (False, False, True),
        "Kept": (False, False, False),
        "Given": (True, False, True),
        "Shared": (True, True, False),
        "Named": (False, True, False),
        "None": (False, False, True),
    }
    for label, expected in want.items():
        head = block(page, label)
        found = (
            await head.get_by_role("link", name="Download").count() == 1,
            await head.get_by_role("button", name="Share").count() == 1,
            await head.get_by_role("button", name="Clear").count() == 1,
        )
        assert found == expected, label
    async with page.expect_download() as download:
        await block(page, "Given").get_by_role("link", name="Download").click()
    saved = await (await download.value).path()
    assert (await download.value).suggested_filename.endswith(".mp3")
    head = saved.read_bytes()[:3]
    assert head == b"ID3" or (head[0] == 0xFF and head[1] & 0xE0 == 0xE0)


async def test_every_waveform_option_of_a_player(visit: Open) -> None:
    """waveform_color, waveform_progress_color, trim_region_color, skip_length, show_controls."""
    options = oc.WaveformOptions(
        waveform_color="#ff0000",
        waveform_progress_color="#00ff00",
        trim_region_color="rgb(0, 0, 255)",
        skip_length=2,
        show_controls=True,
    )
    with oc.Blocks() as app:
        oc.Audio(SOUND, label="Sound", interactive=True, waveform_options=options)
        oc.Audio(SOUND, label="Plain", interactive=True, editable=False)
    tab = await visit(app)
    page = tab.page
    await expect(page.locator(".wave.drawn")).to_have_count(2)
    for canvas, colour in ((0, [255, 0, 0]), (1, [0, 255, 0])):
        drawn = await block(page, "Sound").locator("canvas").nth(canvas).element_handle()
        assert await page.evaluate(COLOURED, [drawn, *colour])
    wave = block(page, "Sound").get_by_role("slider", name="Position")
    await block(page, "Sound").get_by_role("button", name="Forward 2 s").click()
    await expect(wave).to_have_attribute("aria-valuenow", "2")
    await expect(block(page, "Sound").locator("audio")).to_be_visible()
    await expect(block(page, "Plain").locator("audio")).to_be_hidden()
    await expect(block(page, "Plain").get_by_role("button", name="Forward 5 s")).to_be_visible()
    for label, trims in (("Sound", 1), ("Plain", 0)):
        await block(page, label).get_by_role("slider", name="Position").focus()
        await page.keyboard.press("Home")
        await page.keyboard.press("Shift+End")
        await expect(block(page, label).locator(".wave .selection")).to_be_visible()
        trim = block(page, label).get_by_role("button", name="Trim", exact=True)
        await expect(trim).to_have_count(trims)
    selection = block(page, "Sound").locator(".wave .selection")
    await expect(selection).to_have_css("background-color", "rgb(0, 0, 255)")


async def test_subtitles_in_each_form(visit: Open, tmp_path: Path) -> None:
    """.srt, .vtt, .json and a list: the line at the play head, at the start and after a seek."""
    (tmp_path / "a.srt").write_text(SRT)
    (tmp_path / "a.vtt").write_text(VTT)
    (tmp_path / "a.json").write_text(json.dumps(LINES))
    forms = {
        "srt": (str(tmp_path / "a.srt"), "One", "Two"),
        "vtt": (tmp_path / "a.vtt", "Uno", "Due"),
        "json": (str(tmp_path / "a.json"), "Eins", "Zwei"),
        "list": (LINES, "Eins", "Zwei"),
    }
    with oc.Blocks() as app:
        for label, (form, _, _) in forms.items():
            oc.Audio(SOUND, label=label, subtitles=form)  # pyright: ignore[reportArgumentType]
    tab = await visit(app)
    for label, (_, first, second) in forms.items():
        here = block(tab.page, label)
        await expect(here.locator(".subtitle")).to_have_text(first)
        await here.get_by_role("slider", name="Position").focus()
        await tab.page.keyboard.press("End")
        await tab.page.keyboard.press("ArrowLeft")
        await expect(here.locator(".subtitle")).to_have_text(second)


@pytest.mark.parametrize("form", ["tuple", "path", "callable", "bytes"])
async def test_a_first_value_in_each_form(visit: Open, tmp_path: Path, form: str) -> None:
    """It is there when the page opens; `autoplay` plays it, `loop` goes on, it starts in place."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(SOUND[1], RATE))
    value = {"tuple": SOUND, "path": path, "callable": lambda: SOUND, "bytes": path.read_bytes()}
    with oc.Blocks() as app:
        oc.Audio(value[form], label="Sound", playback_position=1.5, loop=True)
    tab = await visit(app)
    wave = await slider(tab)
    await expect(wave).to_have_attribute("aria-valuenow", "1.5")
    await expect(tab.page.locator("audio")).to_have_js_property("loop", True)
    await expect(tab.page.get_by_text("8 kHz · mono · 0:04.00 · wav")).to_be_visible()


async def test_lengths_and_clipping_are_told(visit: Open) -> None:
    """min_length and max_length of a file, in words at the component; and what was cut."""
    loud = (RATE, (np.sin(np.arange(RATE) / 9) * 1.5).astype(np.float32))
    with oc.Blocks() as app:
        oc.Audio(
            label="Bounded", interactive=True, min_length=2, max_length=3, max_file_size="1 MB"
        )
        oc.Audio(loud, label="Cut", normalize="clip")
        oc.Audio(loud, label="Whole")
    tab = await visit(app)
    page = tab.page
    bounded = block(page, "Bounded")
    await expect(bounded).to_contain_text("at least 2 s · up to 3 s · up to 1 MB")
    await expect(block(page, "Cut")).to_contain_text(re.compile(r"\d{3,} samples clipped"))
    await expect(block(page, "Whole").locator(".wave.drawn")).to_be_visible()
    await expect(block(page, "Whole")).not_to_contain_text("clipped")
    for frames, why in ((RATE, "is 1 s long, but min_length"), (4 * RATE, "is 4 s long, but max")):
        sound = payload(wav(SOUND[1][:frames], RATE))
        await bounded.locator("input[type=file]").set_input_files(sound)
        await expect(bounded.get_by_role("alert")).to_contain_text(why)
        await expect(bounded.get_by_role("button", name="Choose a file")).to_be_visible()
    await bounded.locator("input[type=file]").set_input_files(
        payload(wav(SOUND[1][: 2 * RATE], RATE))
    )
    await expect(bounded.locator(".wave.drawn")).to_be_visible()
    tab.errors.clear()  # the browser writes down every answer that refuses


async def test_the_microphone_that_was_asked_for(visit: Open) -> None:
    """`device` by a part of its name; another choice is remembered; what is gone gives way."""
    with oc.Blocks() as app:
        oc.Microphone(label="Named", device="input 2")
        oc.Microphone(label="Free")
    tab = await visit(app)

    async def opened(label: str) -> str:
        here = block(tab.page, label)
        await here.get_by_role("button", name="Record").click()
        await expect(here.locator(".time b")).not_to_have_text("0:00.0")
        return await here.locator("select").evaluate("e => e.selectedOptions[0].text")

    assert await opened("Named") == "Fake Audio Input 2"
    here = block(tab.page, "Named")
    await here.locator("select").select_option(label="Fake Audio Input 1")
    await tab.page.wait_for_function("() => localStorage.getItem('ossicle-microphone')")
    await here.get_by_role("button", name="Discard").click()
    assert await opened("Named") == await opened("Free") == "Fake Audio Input 1"
    for label in ("Named", "Free"):
        await block(tab.page, label).get_by_role("button", name="Discard").click()
    await tab.page.evaluate("localStorage.setItem('ossicle-microphone', 'unplugged')")
    assert await opened("Free") == "Fake Default Audio Input"


async def test_every_option_of_a_recorder(visit: Open) -> None:
    """sources, sample_rate, show_recording_waveform, device, raw, type and format of its take."""
    got = dict[str, Any]()

    def keep_path(path: str) -> None:
        got["plain"] = path

    def keep_sound(sound: tuple[int, NDArray[np.int16]]) -> None:
        got["other"] = sound

    still = {"show_recording_waveform": False, "sample_rate": 16_000}
    with oc.Blocks() as app:
        plain = oc.Microphone(label="Plain", type="filepath", format="flac", device="Fake")
        other = oc.Audio(
            label="Other", sources="microphone", waveform_options=still, raw=False, format=None
        )
        plain.stop_recording(keep_path, plain, None)
        other.stop_recording(keep_sound, other, None)
    tab = await visit(app)
    asked = """() => {
      window.asked = [];
      const media = navigator.mediaDevices;
      const get = media.getUserMedia.bind(media);
      media.getUserMedia = (wanted) => (window.asked.push(wanted.audio), get(wanted));
    }"""
    await tab.page.evaluate(asked)
    for label, drawn in (("Plain", 1), ("Other", 0)):
        here = block(tab.page, label)
        await expect(here.get_by_role("button", name="Choose a file")).to_have_count(0)
        await here.get_by_role("button", name="Record").click()
        await expect(here.locator(".time b")).not_to_have_text("0:00.0")
        assert await here.locator(".recorder canvas").count() == drawn
        await here.get_by_role("button", name="Stop").click()
        await expect(here.locator(".wave.drawn")).to_be_visible()
    assert str(got["plain"]).endswith(".flac")
    rate, samples = got["other"]
    assert rate == 16_000
    assert samples.dtype == np.int16
    wanted = await tab.page.evaluate("asked.map((a) => [a.echoCancellation, a.autoGainControl])")
    assert wanted[0] == [False, False]
    assert wanted[-1] == [True, True]
