"""A sound on its way from the microphone to the file that one saves, sample by sample."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.async_api import Page, expect

import ossicle as oc

from .conftest import RATE, Open, Visit, noise


def reverse(sound: tuple[int, NDArray[np.int16]]) -> tuple[int, NDArray[np.int16]]:
    rate, samples = sound
    return rate, samples[::-1]


def reversing() -> oc.Interface:
    return oc.Interface(reverse, oc.Audio(label="Sound"), oc.Audio(label="Backwards"))


async def record(page: Page, until: str = r"^0:0[1-9]\.") -> None:
    """Record into the first empty sound until the clock shows that much."""
    await page.get_by_role("button", name="Record").click()
    await expect(page.locator(".recorder .time b")).to_have_text(re.compile(until))
    await page.get_by_role("button", name="Stop", exact=True).click()


def read(file: io.BytesIO | Path) -> tuple[int, NDArray[np.int16]]:
    samples, rate = soundfile.read(file, dtype="int16")
    return rate, samples.astype(np.int16)


async def samples_of(page: Page, player: int, expected_rate: int = RATE) -> NDArray[np.int16]:
    """The file behind a player, as its browser gets it."""
    address = await page.locator("audio").nth(player).evaluate("element => element.src")
    answer = await page.request.get(address)
    rate, samples = read(io.BytesIO(await answer.body()))
    assert rate == expected_rate
    return samples


async def saved(visit: Visit) -> NDArray[np.int16]:
    """What the download button saves."""
    async with visit.page.expect_download() as download:
        await visit.page.get_by_role("link", name="Download").click()
    rate, samples = read(await (await download.value).path())
    assert rate == RATE
    return samples


def longest_run(took: NDArray[np.int16], heard: NDArray[np.int16]) -> int:
    """Frames in a row that are, bit for bit, a stretch of what the microphone played."""
    places = {heard[i : i + 8].tobytes(): i for i in range(len(heard) - 8)}
    best = at = 0
    while at + 8 <= len(took):
        place = places.get(took[at : at + 8].tobytes())
        if place is None:
            at += 1
            continue
        length = min(len(took) - at, len(heard) - place)
        differs = np.flatnonzero(took[at : at + length] != heard[place : place + length])
        run = int(differs[0]) if len(differs) else length
        best = max(best, run)
        at += max(run, 1)
    return best


async def test_what_is_saved_is_the_recording_backwards(visit: Open) -> None:
    """Record, submit, hear, save: the file is the recording reversed, sample by sample."""
    tab = await visit(reversing())
    await record(tab.page)
    await tab.page.get_by_role("button", name="Submit").click()
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)

    took = await samples_of(tab.page, 0)
    assert took.ndim == 1, "both channels were the same, so it is stored as mono"
    assert len(took) >= RATE, "a second was recorded"
    assert longest_run(took, noise()) >= RATE // 4, "the microphone's own samples, unprocessed"
    assert np.array_equal(await saved(tab), took[::-1])

    backwards = tab.page.locator("audio").nth(1)
    await tab.page.get_by_role("button", name="Play", exact=True).nth(1).click()
    await tab.page.wait_for_function(
        "element => element.currentTime > 0.1 && !element.paused",
        arg=await backwards.element_handle(),
    )


async def test_a_take_is_loaded_when_somebody_reaches_for_it(visit: Open) -> None:
    """The answer to a take is loaded at once; the take itself not before it is reached for, and it
    then plays from where one asked."""
    tab = await visit(reversing())
    fetched = list[str]()
    tab.page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.locator(".recorder .time b")).to_have_text(re.compile(r"^0:0[1-9]\."))
    await tab.page.mouse.move(0, 0)  # a pointer on the player would reach for it
    await tab.page.get_by_role("button", name="Stop", exact=True).press("Enter")
    await tab.page.get_by_role("button", name="Submit").press("Enter")
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    take, answer = tab.page.locator("audio").nth(0), tab.page.locator("audio").nth(1)
    await tab.page.wait_for_function("e => e.readyState >= 3", arg=await answer.element_handle())
    assert fetched.count("recording.wav") == 0
    assert await take.evaluate("element => element.readyState") == 0
    await expect(tab.page.locator(".foot .time").first).to_have_text(re.compile(r"/ 0:\d[1-9]"))

    wave = tab.page.get_by_role("slider", name="Position").first
    await wave.focus()
    await wave.press("End")
    await wave.press("ArrowLeft")  # the keys seek before anything is loaded, and it is loaded now
    at = "element => element.readyState >= 1 && element.currentTime"
    sought = await (
        await tab.page.wait_for_function(at, arg=await take.element_handle())
    ).json_value()
    await wave.press(" ")
    moved = "([element, from]) => !element.paused && element.currentTime > from"
    await tab.page.wait_for_function(moved, arg=[await take.element_handle(), sought])
    assert sought > 0.5
    assert fetched.count("recording.wav") > 0


async def test_what_is_clicked_right_after_stop_waits_for_the_take(visit: Open) -> None:
    """In the same instant, before the last samples are there."""
    tab = await visit(reversing())
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.locator(".recorder .time b")).to_have_text(re.compile(r"^0:00\.[1-9]"))
    submit = await tab.page.get_by_role("button", name="Submit").element_handle()
    stop = tab.page.get_by_role("button", name="Stop", exact=True)
    await stop.evaluate("(stop, submit) => { stop.click(); submit.click(); }", submit)
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)


async def test_acts_of_a_recording_come_in_order(visit: Open) -> None:
    """start_recording, pause_recording, stop_recording, input, change; the value is the take."""
    seen: list[str] = []
    with oc.Blocks() as app:
        sound = oc.Audio(label="Sound")
        done = oc.Textbox(label="Seen")

        def note(name: str):
            async def noted() -> None:
                seen.append(name)

            return noted

        sound.start_recording(note("start"), None, None, queue=False)
        sound.pause_recording(note("pause"), None, None, queue=False)
        sound.stop_recording(note("stop"), None, None, queue=False)
        sound.input(note("input"), None, None, queue=False)

        async def changed(value: tuple[int, NDArray[np.int16]]) -> str:
            seen.append("change")
            return f"{len(value[1])} frames"

        sound.change(changed, sound, done)
    tab = await visit(app)
    page = tab.page
    await page.get_by_role("button", name="Record").click()
    clock = page.locator(".recorder .time b")
    await expect(clock).to_have_text(re.compile(r"0:00\.[1-9]"))
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused")).to_be_visible()
    await page.get_by_role("button", name="Go on").click()
    await expect(clock).to_have_text(re.compile(r"0:00\.[4-9]|0:0[1-9]"))
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.get_by_label("Seen")).to_have_value(re.compile(r"\d+ frames"))
    assert seen == ["start", "pause", "stop", "input", "change"]
    took = await samples_of(page, 0)
    assert await page.get_by_label("Seen").input_value() == f"{len(took)} frames"


async def test_a_recording_stops_by_itself_at_the_exact_sample(visit: Open) -> None:
    """max_length=0.5 at 44.1 kHz gives 22,050 frames, no more and no less."""
    with oc.Blocks() as app:
        oc.Audio(label="Sound", max_length=0.5)
    tab = await visit(app)
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
    assert len(await samples_of(tab.page, 0)) == RATE // 2


async def test_stop_waits_for_the_least_length(visit: Open) -> None:
    """Before min_length the stop button says from when on it works."""
    with oc.Blocks() as app:
        oc.Audio(label="Sound", min_length=1)
    tab = await visit(app)
    await tab.page.get_by_role("button", name="Record").click()
    stop = tab.page.get_by_role("button", name="Stop", exact=True)
    await expect(stop).to_be_disabled()
    await expect(tab.page.get_by_text("Stop is possible after 1 s")).to_be_visible()
    await expect(stop).to_be_enabled()
    await stop.click()
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()


async def test_a_discarded_take_leaves_no_value(visit: Open) -> None:
    """Discard goes back to the empty sound, and the next recording starts from nothing."""
    tab = await visit(reversing())
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.locator(".recorder .time b")).to_have_text(re.compile(r"0:00\.[1-9]"))
    await tab.page.get_by_role("button", name="Discard").click()
    await expect(tab.page.get_by_role("button", name="Record")).to_be_visible()
    await tab.page.get_by_role("button", name="Submit").click()
    await expect(tab.page.get_by_role("alert")).to_be_visible()


async def test_a_refused_microphone_is_told_in_words(visit: Open) -> None:
    """Without permission the page says what to do, and a file can still be chosen."""
    tab = await visit(reversing())
    await tab.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    )
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.get_by_role("alert")).to_contain_text("Allow it in the address bar")
    await expect(tab.page.get_by_role("button", name="Choose a file")).to_be_visible()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("new DOMException('no', 'NotAllowedError')", "Allow it in the address bar"),
        ("new DOMException('denied by system', 'NotAllowedError')", "system’s privacy settings"),
        ("new DOMException('none', 'NotFoundError')", "No microphone was found"),
        ("new DOMException('busy', 'NotReadableError')", "in use by another program"),
        ("new TypeError('strange')", "could not be opened: strange"),
    ],
    ids=["denied", "system", "none", "busy", "other"],
)
async def test_each_trouble_has_its_own_words(visit: Open, trouble: str, words: str) -> None:
    """At once, and in place of the question that the browser does not ask."""
    page = (await visit(reversing())).page
    await page.evaluate(
        f"() => {{ navigator.mediaDevices.getUserMedia = () => Promise.reject({trouble}); }}"
    )
    await page.get_by_role("button", name="Record").click()
    await expect(page.get_by_role("alert")).to_contain_text(words)
    await expect(page.get_by_text("The browser asks")).to_have_count(0)


async def test_it_says_what_it_waits_for(visit: Open) -> None:
    """For the person where the browser asks, then for the device; one that never begins is told."""
    page = (await visit(reversing())).page
    await page.evaluate(
        """() => {
            const query = navigator.permissions.query.bind(navigator.permissions);
            navigator.permissions.query = (what) =>
                what.name === 'microphone' ? Promise.resolve({ state: 'prompt' }) : query(what);
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = (wanted) =>
                new Promise((resolve) => (window.allow = () => resolve(ask(wanted))));
            // Firefox without a sound device to play to
            AudioContext.prototype.resume = () => new Promise(() => undefined);
        }"""
    )
    await page.clock.install()
    await page.get_by_role("button", name="Record").click()
    await expect(page.get_by_text("The browser asks whether it may use")).to_be_visible()
    await page.evaluate("allow()")
    await expect(page.get_by_text("Opening the microphone")).to_be_visible()
    await page.clock.fast_forward(5000)
    await expect(page.get_by_role("alert")).to_contain_text("Connect speakers or headphones")
    await expect(page.get_by_role("button", name="Record")).to_be_visible()


async def test_silence_is_told_while_it_lasts(visit: Open) -> None:
    """A microphone that gives nothing is spoken of before the take is over."""
    tab = await visit(reversing())
    await tab.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () =>"
        " new AudioContext({ sampleRate: 44100 }).createMediaStreamDestination().stream; }"
    )
    await tab.page.get_by_role("button", name="Record").click()
    await expect(tab.page.get_by_text("Nothing is heard.")).to_be_visible()
