"""What may go wrong with live sound on a page: each is said there, and nothing is lost unseen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import expect

import ossicle as oc

from .conftest import HURRY, RATE, Listen, noise
from .listening import (
    OUT,
    Heard,
    Sound,
    click,
    drawn,
    hearing,
    listens,
    recorded,
    recording,
    until,
    voice,
)
from .test_recording import longest_run, samples_of

SLEEP = """
async () => {
  const context = window.contexts()[0];
  const resume = context.resume;
  context.resume = () => Promise.resolve();
  await context.suspend();
  setTimeout(() => (context.resume = resume), 1500);
}
"""

MICROPHONES = """
() => {
  const media = navigator.mediaDevices;
  const ask = media.getUserMedia.bind(media);
  window.streams = [];
  media.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    window.streams.push(stream);
    return stream;
  };
}
"""

UNPLUG = """
() => {
  const [track] = window.streams.at(-1).getAudioTracks();
  track.stop();
  track.dispatchEvent(new Event('ended'));
}
"""

PLUG = """
async () => {
  const media = navigator.mediaDevices;
  const known = await media.enumerateDevices();
  const made = { kind: 'audioinput', deviceId: 'new', groupId: 'new', label: 'A new microphone' };
  media.enumerateDevices = async () => [...known, made];
  media.dispatchEvent(new Event('devicechange'));
}
"""


async def whole(heard: Heard) -> None:
    """The take is there, all of it was in chunks, and no chunk is missing."""
    await until(lambda: bool(heard.takes))
    await until(lambda: sum(map(len, heard.chunks)) >= len(heard.takes[0]))
    assert {gap for _, gap in heard.places} == {0}
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))


async def test_a_page_that_slept_tells_what_was_not_heard(listen: Listen) -> None:
    """It wakes its own sound again; the app gets a gap, the take silence, and the note stays."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.3)
    await tab.page.evaluate(SLEEP)
    slept = tab.page.get_by_text(re.compile(r"The page slept: [1-9]\d*\.\d s were not heard\."))
    await expect(slept).to_be_visible()
    before = len(heard.chunks)
    await until(lambda: len(heard.chunks) > before + 3)
    await click(tab.page, "Stop")
    await drawn(tab.page)
    await expect(slept).to_be_visible()
    said = float(re.findall(r"([\d.]+) s", await slept.inner_text())[0])
    await until(lambda: bool(heard.takes))
    await until(lambda: heard.end == len(heard.takes[0]))
    gap = sum(gap for _, gap in heard.places)
    assert abs(gap / RATE - said) <= 0.05 + 1e-6, "the page says it to a tenth of a second"
    take = heard.takes[0]
    for (index, before), chunk in zip(heard.places, heard.chunks, strict=True):
        np.testing.assert_array_equal(take[index : index + len(chunk)], chunk)
        assert not take[index - before : index].any(), "what was not heard is silence"


async def test_a_microphone_that_is_unplugged_ends_the_recording_and_says_so(
    listen: Listen,
) -> None:
    app, _, heard = hearing(0.1)
    tab = await listen(app)
    await tab.page.evaluate(MICROPHONES)
    await click(tab.page, "Record")
    await recorded(tab.page, 0.3)
    await tab.page.evaluate(UNPLUG)
    await expect(tab.page.get_by_text("The microphone went away.")).to_be_visible()
    await drawn(tab.page)
    await whole(heard)
    assert len(heard.takes[0]) > 0.2 * RATE
    # What is said of a recorder that the app took away is not said here.
    await expect(tab.page.get_by_text("Recording ended")).to_have_count(0)


async def test_a_microphone_that_is_plugged_in_can_be_chosen(listen: Listen) -> None:
    """While it records: the list is the one of now."""
    app, _, _ = hearing(0.1)
    tab = await recording(listen, app, 0.1)
    choice = tab.page.get_by_label("Microphone").get_by_role("combobox")
    before = await choice.locator("option").count()
    await tab.page.evaluate(PLUG)
    await expect(choice.locator("option")).to_have_count(before + 1)
    await expect(choice.locator("option").last).to_have_text("A new microphone")


async def test_a_recording_goes_on_with_another_microphone(listen: Listen) -> None:
    """Chosen while it records: one take, without a gap."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.3)
    choice = tab.page.get_by_label("Microphone").get_by_role("combobox")
    await choice.select_option(index=1)
    before = len(heard.chunks)
    await until(lambda: len(heard.chunks) > before + 5)
    assert await choice.evaluate("select => select.selectedIndex") == 1
    await click(tab.page, "Stop")
    await drawn(tab.page)
    await whole(heard)
    assert longest_run(heard.takes[0], noise()) >= RATE // 4


async def test_a_tab_that_the_browser_freezes_loses_nothing_of_a_recording(listen: Listen) -> None:
    """Its timers and its own thread stand; what was recorded meanwhile comes, if need be later."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.3)
    devtools: Any = await tab.page.context.new_cdp_session(tab.page)
    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    begin = heard.end
    await asyncio.sleep(1)  # it is frozen for so long: this is what is tested
    await devtools.send("Page.setWebLifecycleState", {"state": "active"})
    await until(lambda: heard.end > begin + RATE)
    await click(tab.page, "Stop")
    await drawn(tab.page)
    await whole(heard)


async def test_the_badge_tells_what_the_app_was_too_slow_for(listen: Listen) -> None:
    """Chunks that no function got are red on the microphone, and counted at the server."""
    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)

        async def stuck(_: Sound) -> None:
            await asyncio.Event().wait()

        mic.stream(stuck, mic, None, stream_every=0.1, on_overload="latest")
    tab = await recording(listen, app)
    badge = tab.page.locator(".badge")
    await expect(badge).to_have_text(re.compile("Live, disturbed"))
    await badge.click()
    missed = tab.page.locator("dt", has_text="Left out by the app").locator("+ dd")
    await expect(missed).to_have_text(re.compile(r"[1-9]\d* ms"))
    told = float((await missed.inner_text()).split()[0].replace(",", ""))
    (source,) = tab.site.host.metrics.snapshot()["sessions"][0]["sources"]
    assert source["dropped"] >= told * RATE / 1000 - 1


async def test_many_streams_of_one_page_do_not_disturb_each_other(listen: Listen) -> None:
    """Three voices at once while two components record: each is whole."""
    sounds = [voice(1.5)[n:] for n in range(3)]
    finished = dict[int, tuple[int, bool]]()
    taken = [Heard(), Heard()]
    with oc.Blocks() as app:
        go = oc.Button("Speak")
        for n, sound in enumerate(sounds):

            def speak(sound: np.ndarray = sound) -> Iterator[Sound]:
                for at in range(0, len(sound), 4800):
                    yield OUT, sound[at : at + 4800]

            def note(event: oc.EventData, n: int = n) -> None:
                finished[n] = event.heard, event.interrupted

            out = oc.Audio(label=f"Voice {n}", streaming=True, interactive=False)
            go.click(speak, None, out)
            out.playback_finished(note, None, None)
        for n, heard in enumerate(taken):
            microphone = oc.Audio(label=f"Microphone {n}", streaming=True, sources="microphone")
            listens(microphone, heard)
    tab = await listen(app)
    for n in range(2):
        await tab.page.get_by_role("button", name="Record", exact=True).first.click()
        await expect(tab.page.locator(".recorder .time b")).to_have_count(n + 1)
        await expect(tab.page.locator(".recorder .time b").nth(n)).to_have_text(
            re.compile(r"0:00\.[1-9]|0:0[1-9]")
        )
    await click(tab.page, "Speak")
    await until(lambda: len(finished) == 3)
    assert finished == {n: (len(sound), False) for n, sound in enumerate(sounds)}
    for _ in range(2):
        await tab.page.get_by_role("button", name="Stop", exact=True).first.click()
    await drawn(tab.page, 5)
    for n, sound in enumerate(sounds):
        np.testing.assert_array_equal(await samples_of(tab.page, n, OUT), sound)
    for heard in taken:
        await whole(heard)
        assert longest_run(heard.takes[0], noise()) >= RATE // 4


async def test_a_recording_whose_session_is_over_ends_and_says_so(listen: Listen) -> None:
    """It would go nowhere, and the app has lost it; what the page still has can be saved."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.1)
    await tab.site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    tab.site.host.lines.clear()
    await tab.site.mend()
    await tab.page.evaluate(HURRY)
    await expect(tab.page.get_by_text("The recording ended with the session")).to_be_visible()
    await expect(tab.page.locator(".recorder")).to_be_hidden()
    await expect(tab.page.get_by_role("button", name="Send again")).to_be_hidden()
    async with tab.page.expect_download() as saving:
        await click(tab.page, "Save the take")
    samples, rate = soundfile.read(await (await saving.value).path(), dtype="int16")
    sent = np.concatenate(heard.chunks)
    assert rate == RATE
    np.testing.assert_array_equal(samples[: len(sent)], sent)


def parted(key: str | None) -> tuple[oc.Blocks, Heard]:
    """A recorder in a part that is made anew at a click."""
    heard = Heard()
    with oc.Blocks() as app:
        times = oc.Number(0, label="Times")

        def again(n: float) -> float:
            return n + 1

        oc.Button("Anew").click(again, times, times)

        @oc.render(inputs=times)
        def part(n: float) -> None:
            listens(oc.Audio(label=f"Microphone {n:g}", streaming=True, key=key), heard)

    return app, heard


async def test_a_recorder_that_is_taken_away_says_what_was_lost_with_it(listen: Listen) -> None:
    app, heard = parted(None)
    tab = await recording(listen, app, 0.3)
    await click(tab.page, "Anew")
    await expect(tab.page.get_by_text("Recording ended")).to_be_visible()
    await expect(tab.page.get_by_text(re.compile(r"A recording of \d\.\d s ended"))).to_be_visible()
    await expect(tab.page.get_by_text("Microphone 1")).to_be_visible()
    await click(tab.page, "Record")
    await recorded(tab.page, 0.3)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    assert len(heard.takes) == 1


async def test_a_recorder_with_a_key_goes_on_while_its_part_is_made_anew(listen: Listen) -> None:
    app, heard = parted("mic")
    tab = await recording(listen, app, 0.3)
    before = len(heard.chunks)
    await click(tab.page, "Anew")
    await expect(tab.page.get_by_text("Microphone 1")).to_be_visible()
    await until(lambda: len(heard.chunks) > before + 3)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    assert len(heard.takes[0]) > 0.5 * RATE
    assert longest_run(heard.takes[0], noise()) >= RATE // 4
