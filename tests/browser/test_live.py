"""Live sound in a real browser: what is generated is heard, what is said arrives, to the sample."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.runtime.loading import load

from .conftest import HURRY, PATIENCE, RATE, Listen, Listening, noise
from .listening import (
    HEARD,
    OUT,
    Heard,
    Sound,
    click,
    drawn,
    heard_all,
    hearing,
    kept_all,
    listens,
    recorded,
    recording,
    shows,
    speaks,
    until,
    voice,
)
from .test_recording import longest_run, samples_of


def sinks(tab: Listening) -> list[dict[str, int]]:
    """The server's counters of what it sent to this page's speakers."""
    return tab.site.host.metrics.snapshot()["sessions"][0]["sinks"]


class Ended:
    """What `playback_finished` said."""

    def __init__(self, audio: oc.Audio) -> None:
        self.events = list[dict[str, int]]()
        audio.playback_finished(self._note, None, None)

    def _note(self, event: oc.EventData) -> None:
        names = ("heard", "unheard", "interrupted", "underruns")
        self.events.append({name: getattr(event, name) for name in names})


def speaking(
    speak: Callable[[], object],
) -> tuple[oc.Blocks, oc.Audio, Ended]:
    """An app that speaks at a click, and stops at another."""
    with oc.Blocks() as app:
        out = oc.Audio(label="Voice", streaming=True, interactive=False)
        go, stop = oc.Button("Speak"), oc.Button("Stop it")
        run = go.click(speak, None, out)
        stop.click(None, None, None, cancels=[run])
        ended = Ended(out)
    return app, out, ended


# -- out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [0.005, 0.02, 0.1, 4.0])
async def test_what_is_generated_is_heard_sample_by_sample(listen: Listen, chunk: float) -> None:
    """Gapless, from chunks of 5 ms to twice what is kept in memory; then it is a file with the
    same samples."""
    sound, size = voice(max(1.5, chunk + 0.3)), round(chunk * OUT)

    def speak() -> Iterator[Sound]:
        for at in range(0, len(sound), size):
            yield OUT, sound[at : at + size]

    app, _, ended = speaking(speak)
    tab = await speaks(listen, app)
    await heard_all(tab, sound)
    np.testing.assert_array_equal(await samples_of(tab.page, 0, OUT), sound)
    await until(lambda: bool(ended.events))
    assert ended.events[0] | {"underruns": 0} == {
        "heard": len(sound), "unheard": 0, "interrupted": False, "underruns": 0
    }  # fmt: skip


@pytest.mark.parametrize("first", [0.005, 0.1])
async def test_sound_begins_with_the_first_yield(listen: Listen, first: float) -> None:
    """It waits for no second one: the function goes on only when the first is heard. Nor for the
    device, which the page opens while the function still works."""
    sound, opened, heard = voice(0.5), asyncio.Event(), asyncio.Event()
    size = round(first * OUT)

    async def speak() -> AsyncIterator[Sound]:
        await opened.wait()
        yield OUT, sound[:size]
        await heard.wait()
        yield OUT, sound[size:]

    app, out, _ = speaking(speak)
    with app:

        async def note() -> None:
            heard.set()

        out.play(note, None, None, queue=False)
    tab = await speaks(listen, app)
    await tab.page.wait_for_function("contexts().some((each) => each.state === 'running')")
    opened.set()
    await heard_all(tab, sound)


async def test_a_single_short_chunk_is_heard(listen: Listen) -> None:
    sound = voice(0.03)

    def speak() -> Iterator[Sound]:
        yield OUT, sound

    app, _, _ = speaking(speak)
    tab = await speaks(listen, app)
    await heard_all(tab, sound)


async def test_a_producer_that_is_too_slow_loses_nothing(listen: Listen) -> None:
    """Each time that it ran dry is counted; what was made is heard all the same."""
    sound, size = voice(0.8), round(0.1 * OUT)

    async def speak() -> AsyncIterator[Sound]:
        for at in range(0, len(sound), size):
            yield OUT, sound[at : at + size]
            await asyncio.sleep(0.3)  # it takes so long: this is what is tested

    app, _, ended = speaking(speak)
    tab = await speaks(listen, app)
    await heard_all(tab, sound)
    await until(lambda: bool(ended.events))
    assert ended.events[0]["underruns"] >= 4


async def test_stereo_keeps_its_sides(listen: Listen) -> None:
    left = voice(0.3)
    both = np.stack((left, left[::-1]), axis=1)

    def speak() -> Iterator[Sound]:
        yield OUT, both

    app, _, _ = speaking(speak)
    tab = await speaks(listen, app)
    await drawn(tab.page)
    np.testing.assert_array_equal(await tab.tap.heard(OUT), left)
    np.testing.assert_array_equal(await samples_of(tab.page, 0, OUT), both)


async def test_an_interruption_is_silence_at_once(listen: Listen) -> None:
    """The app learns how much was heard, to the sample; the page does not play on."""
    sound = voice(20)

    async def speak() -> AsyncIterator[Sound]:
        for at in range(0, len(sound), OUT):
            yield OUT, sound[at : at + OUT]
        await asyncio.Event().wait()

    app, _, ended = speaking(speak)
    tab = await speaks(listen, app)
    await shows(tab.page, HEARD, 1)
    await click(tab.page, "Stop it")
    await until(lambda: bool(ended.events))
    await drawn(tab.page)
    tapped = await tab.tap.sound(OUT)
    heard = np.rint(tapped.heard * 32768).astype(np.int16)
    played = heard[heard != 0]
    said = ended.events[0]
    assert said["interrupted"]
    assert said["heard"] + said["unheard"] == len(sound)
    whole = len(played) - round(0.006 * OUT)
    np.testing.assert_array_equal(played[:whole], sound[:whole])  # what follows fades
    # Of the fade that ends it the last few samples round to nothing.
    assert 0 <= said["heard"] - len(played) <= 16
    (stream,) = sinks(tab)
    assert stream["sent"] > stream["heard"], "what the page held already was not played either"


async def test_it_can_be_paused_and_goes_on_at_the_sample(listen: Listen) -> None:
    sound = voice(2.5)
    acts = list[str]()

    def speak() -> Iterator[Sound]:
        yield OUT, sound

    app, out, ended = speaking(speak)
    with app:
        for name in ("play", "pause", "stop"):
            getattr(out, name)(lambda name=name: acts.append(name), None, None, queue=False)
    tab = await speaks(listen, app)
    await shows(tab.page, HEARD, 0.3)
    await click(tab.page, "Pause")
    await until(lambda: "pause" in acts)
    assert not ended.events
    await click(tab.page, "Play")
    await heard_all(tab, sound)
    await until(lambda: "stop" in acts)
    assert acts == ["play", "pause", "pause", "stop"]


async def test_a_line_that_breaks_costs_no_sample_of_a_speech(listen: Listen) -> None:
    """What was under way is sent again; what came twice is heard once."""
    sound = voice(4)

    def speak() -> Iterator[Sound]:
        yield OUT, sound

    app, _, ended = speaking(speak)
    tab = await speaks(listen, app)
    await shows(tab.page, HEARD, 1)
    await tab.site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await tab.site.mend()
    await heard_all(tab, sound)
    await until(lambda: bool(ended.events))
    assert ended.events[0]["heard"] == len(sound)


JANK = """
() => {
  const end = performance.now() + 6000;
  const jam = () => {
    const until = performance.now() + 250;
    while (performance.now() < until);
    if (performance.now() < end) setTimeout(jam, 50);
  };
  setTimeout(jam, 50);
}
"""


async def test_a_busy_page_does_not_disturb_the_sound(listen: Listen) -> None:
    """The page's own thread stands still for 250 of every 300 ms; the sound does not."""
    sound = voice(4)

    def speak() -> Iterator[Sound]:
        for at in range(0, len(sound), 960):
            yield OUT, sound[at : at + 960]

    app, _, ended = speaking(speak)
    tab = await speaks(listen, app)
    await expect(tab.page.locator(".streamed")).to_have_attribute("data-state", "playing")
    await tab.page.evaluate(JANK)
    await until(lambda: bool(ended.events), 30)
    np.testing.assert_array_equal(await tab.tap.heard(OUT), sound)
    assert ended.events[0]["heard"] == len(sound)
    assert ended.events[0]["underruns"] <= 3, "of 13 times that the page stood still"


# -- in ----------------------------------------------------------------------------------------


async def test_chunks_of_a_microphone_are_contiguous_and_the_take_is_all_of_them(
    listen: Listen,
) -> None:
    """Exactly 0.1 s each, the remainder, then the whole; bit for bit what the microphone gave."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 1)
    await click(tab.page, "Stop")
    await drawn(tab.page)
    await until(lambda: bool(heard.takes))
    sizes = [len(each) for each in heard.chunks]
    assert set(sizes[:-1]) == {RATE // 10}
    assert [index for index, _ in heard.places] == [sum(sizes[:n]) for n in range(len(sizes))]
    take = np.concatenate(heard.chunks)
    assert take.ndim == 1, "a mono microphone is mono, whatever the browser makes of it"
    np.testing.assert_array_equal(heard.takes[0], take)
    np.testing.assert_array_equal(await samples_of(tab.page, 0), take)
    assert longest_run(take, noise()) >= RATE // 4, "the microphone's own samples"


async def test_two_tabs_that_record_at_once_keep_what_each_heard(listen: Listen) -> None:
    """All of it, and nothing of the other's."""
    app, _, _ = hearing(0.1)
    first = await recording(listen, app)
    second = await recording(listen, first.site)
    for tab in (first, second):
        await recorded(tab.page, 1)
    for tab in (first, second):
        await click(tab.page, "Stop")
    for tab in (first, second):
        await drawn(tab.page)
        take = await samples_of(tab.page, 0)
        assert len(take) >= 0.9 * RATE
        await kept_all(tab, take)


async def test_a_pause_leaves_no_gap(listen: Listen) -> None:
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.3)
    await click(tab.page, "Pause")
    await expect(tab.page.get_by_text("Paused")).to_be_visible()
    await click(tab.page, "Go on")
    await recorded(tab.page, 0.7)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    assert {gap for _, gap in heard.places} == {0}
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))


async def test_a_time_limit_ends_the_recording(listen: Listen) -> None:
    """The app says when, the page does what its stop button does."""
    app, _, heard = hearing(0.1, time_limit=1)
    tab = await recording(listen, app)
    await drawn(tab.page)
    await until(lambda: bool(heard.takes))
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))
    assert 0.3 * RATE < len(heard.takes[0])


async def test_a_busy_page_loses_nothing_of_a_recording(listen: Listen) -> None:
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.1)
    await tab.page.evaluate(JANK)
    await recorded(tab.page, 3)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes), 30)
    assert {gap for _, gap in heard.places} == {0}
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))
    assert longest_run(heard.takes[0], noise()) >= RATE // 4


async def test_a_loss_of_the_line_costs_no_sample_of_a_recording(listen: Listen) -> None:
    """Seconds without a line are kept and sent when it is back."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.5)
    await tab.site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await recorded(tab.page, 3)
    await tab.site.mend()
    await tab.page.evaluate(HURRY)
    await expect(tab.page.locator(".banner")).to_be_hidden()
    before = len(heard.chunks)
    await until(lambda: len(heard.chunks) > before + 5)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    assert {gap for _, gap in heard.places} == {0}
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))
    assert len(heard.takes[0]) > 2.5 * RATE
    assert longest_run(heard.takes[0], noise()) >= RATE // 4


async def test_a_recording_that_ends_without_a_line_is_whole(listen: Listen) -> None:
    """Its end waits for the line as well, and comes after the last sample."""
    app, _, heard = hearing(0.1)
    tab = await recording(listen, app, 0.5)
    await tab.site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await recorded(tab.page, 1.5)
    await click(tab.page, "Stop")
    await expect(tab.page.locator(".recorder")).to_be_hidden()
    await tab.site.mend()
    # What waited without a line comes all at once, and the calls for it one after another.
    await until(lambda: bool(heard.takes))
    await until(lambda: sum(map(len, heard.chunks)) >= len(heard.takes[0]))
    assert {gap for _, gap in heard.places} == {0}
    np.testing.assert_array_equal(heard.takes[0], np.concatenate(heard.chunks))
    assert len(heard.takes[0]) > 1.4 * RATE


async def test_a_loss_that_is_too_long_is_told_on_the_page_and_to_the_app(listen: Listen) -> None:
    """A megabyte is kept; what is older is dropped, and everybody learns where and how much."""
    rate = 192_000
    heard = Heard()
    with oc.Blocks() as app:
        mic = oc.Audio(
            label="Microphone",
            streaming=True,
            waveform_options=oc.WaveformOptions(sample_rate=rate),
        )
        listens(mic, heard)
    tab = await recording(listen, app, 0.5)
    await tab.site.cut()
    lost = tab.page.get_by_text(re.compile(r"\d\.\d s were lost"))
    await expect(lost).to_be_visible()
    await tab.site.mend()
    await tab.page.evaluate(HURRY)
    await expect(tab.page.locator(".banner")).to_be_hidden()
    before = len(heard.chunks)
    await until(lambda: len(heard.chunks) > before + 5)
    await expect(lost).to_be_visible()
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    gaps = [gap for _, gap in heard.places if gap]
    assert len(gaps) == 1
    sent = sum(len(each) for each in heard.chunks)
    assert len(heard.takes[0]) == sent + gaps[0], "in the take a loss is silence"
    ends = [index + len(each) for (index, _), each in zip(heard.places, heard.chunks, strict=True)]
    starts = [index - gap for index, gap in heard.places]
    assert starts[1:] == ends[:-1]


# -- both --------------------------------------------------------------------------------------


def echo(chunk: Sound) -> Sound:
    return chunk


def echoing(milliseconds: float) -> tuple[oc.Blocks, oc.Audio]:
    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True, frame_ms=milliseconds)
        out = oc.Audio(label="Echo", streaming=True, interactive=False)
        mic.stream(echo, mic, out, stream_every=milliseconds / 1000)
    return app, out


async def test_an_echo_through_python_is_heard_and_does_not_pile_up(listen: Listen) -> None:
    """While it is recorded, and never more of it waits than a player's cap and its server's."""
    app, out = echoing(20)
    tab = await recording(listen, app)
    badge = tab.page.locator(".badge").nth(1)
    await expect(badge).to_contain_text(re.compile(r"Live.* \d+ ms"))
    await badge.click()
    await expect(tab.page.get_by_text("Microphone to speaker")).to_be_visible()
    buffered = tab.page.locator(".live dd", has_text=re.compile(r"\d ms / \d+ ms"))
    async with asyncio.timeout(PATIENCE / 1000):
        while len((await tab.tap.sound(RATE)).delays(0.1)) < 10:
            await asyncio.sleep(0.2)
            fill, target = map(float, re.findall(r"(\d+) ms", await buffered.inner_text()))
            # How soon is a benchmark's to say; that nothing piles up is the player's promise.
            assert fill <= target + 200 + 20
    (stream,) = sinks(tab)
    assert stream["most_waiting"] <= 0.2 * RATE
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)
    session = next(iter(tab.site.host.program.sessions.values()))
    value = session.values[out.id]
    assert isinstance(value, Clip)
    assert longest_run(value.int16(), noise()) >= RATE // 4, "the echo is the microphone's sound"


async def test_what_a_function_makes_is_heard_whole_though_it_is_too_slow(
    listen: Listen,
) -> None:
    """Half as long again as its sound lasts: it is silent between the chunks, and all are heard.

    A starved machine makes chunks late as a bad line does; what the player leaves out then is told.
    """
    made = list[np.ndarray]()

    def slow(chunk: Sound) -> Sound:
        time.sleep(1.5 * len(chunk[1]) / chunk[0])  # this is what is tested
        made.append(chunk[1])
        return chunk

    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)
        out = oc.Audio(label="Echo", streaming=True, interactive=False)
        mic.stream(slow, mic, out, stream_every=0.3)
        ended = Ended(out)
    tab = await recording(listen, app, 1.5)
    await click(tab.page, "Stop")
    await until(lambda: bool(ended.events))
    sound = np.concatenate(made)
    heard, whole = await tab.tap.heard(RATE), sound[sound != 0]
    (sink,) = tab.site.host.metrics.snapshot()["sessions"][0]["sinks"]
    skipped = sink["skipped"]
    if skipped == 0:
        np.testing.assert_array_equal(heard, whole)
    assert 0 <= len(sound) - skipped - len(heard) <= len(sound) - len(whole)
    assert skipped < len(sound) / 4
    assert len(sound) > RATE
    assert ended.events[0]["underruns"] > 2


async def test_an_echo_is_soon_again_after_the_server_stood_still(listen: Listen) -> None:
    """What a standstill held up is left out, so that nobody hears it late from then on."""
    app, _ = echoing(20)
    tab = await recording(listen, app, 2)
    before = min((await tab.tap.sound(RATE)).delays(0.1))
    time.sleep(0.3)  # nothing on the server moves: this is what is tested
    stood = len((await tab.tap.sound(RATE)).heard)
    async with asyncio.timeout(PATIENCE / 1000):
        while True:
            sound = await tab.tap.sound(RATE)
            late = replace(sound, heard=sound.heard[stood:], spoken=sound.spoken[stood:])
            if len(late.heard) > RATE and min(late.delays(0.1)[-5:], default=1000) < before + 60:
                break
            await asyncio.sleep(0.1)
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)


STANDSTILL = """
() => {
  const [context] = window.contexts();
  const begin = context.currentTime * context.sampleRate;
  const end = performance.now() + 2000;
  while (performance.now() < end);
  return [begin, context.currentTime * context.sampleRate];
}
"""


async def test_an_echo_goes_on_while_the_page_stands_still(listen: Listen) -> None:
    """Two seconds in which the page's own thread does nothing: neither way leads through it."""
    app, _ = echoing(20)
    tab = await recording(listen, app, 1)
    begin, end = await tab.page.evaluate(STANDSTILL)
    sound = await tab.tap.sound(RATE)
    during = sound.heard[round(begin) - sound.start : round(end) - sound.start]
    # What a player holds is a fifth of a second at most; the rest came meanwhile.
    assert np.count_nonzero(during) > len(during) / 2
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)
    (source,) = tab.site.host.metrics.snapshot()["sessions"][0]["sources"]
    assert (source["lost"], source["discontinuities"]) == (0, 0)


# -- the examples ------------------------------------------------------------------------------


def example(name: str) -> oc.Blocks:
    return load(str(Path(__file__).parents[2] / "examples" / f"{name}.py")).app


async def test_the_echo_example_is_heard(listen: Listen) -> None:
    """The microphone's noise comes back through the operators, and then as a file."""
    tab = await recording(listen, example("echo_effect"), 2)
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)
    said, echoed = await samples_of(tab.page, 0), await samples_of(tab.page, 1)
    assert len(said) == len(echoed)
    before = round(0.25 * RATE)
    gain = 10 ** (-3 / 20)
    # Until the first repetition only the gain is in it, and then the sound a quarter second ago.
    np.testing.assert_allclose(echoed[:before], said[:before] * gain, atol=1)
    once = said[before : 2 * before] * gain + 0.5 * gain * said[:before]
    np.testing.assert_allclose(echoed[before : 2 * before], once, atol=1)
    assert np.count_nonzero((await tab.tap.sound(RATE)).heard) > RATE


async def test_the_spectrogram_example_draws_while_it_listens(listen: Listen) -> None:
    tab = await recording(listen, example("spectrogram"))
    picture = tab.page.locator("[data-type=image] img")
    await expect(picture).to_be_visible()
    first = await picture.get_attribute("src")
    assert first is not None
    await expect(picture).not_to_have_attribute("src", first)
    size: list[int] = await picture.evaluate("img => [img.naturalWidth, img.naturalHeight]")
    assert size == [400, 257]
    await click(tab.page, "Stop")
    await drawn(tab.page)


async def test_the_speech_example_tells_what_was_heard_of_it(listen: Listen) -> None:
    """Quiet at once, though the function that spoke had made all of it and ended."""
    tab = await speaks(listen, example("speak_stream"))
    await shows(tab.page, HEARD, 0.5)
    await click(tab.page, "Be quiet")
    heard = tab.page.get_by_label("Heard")
    await expect(heard).to_have_value(re.compile(r"^Interrupted after \d\.\d\d s"))
    await drawn(tab.page)


async def test_an_answer_falls_silent_when_somebody_speaks(listen: Listen) -> None:
    """The microphone's noise is heard as speech, and what is under way to the speaker is void."""
    tab = await speaks(listen, example("barge_in"), "Answer me")
    await shows(tab.page, HEARD, 0.5)
    await click(tab.page, "Record")
    told = tab.page.get_by_label("What became of it")
    await expect(told).to_have_value(re.compile(r"^Interrupted: \d\.\d of 6\.5 s were heard\."))
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)
