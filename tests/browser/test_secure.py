"""https in a real browser, and what is left of a page that came over http from another machine."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
import soundfile
from numpy.typing import NDArray
from playwright.async_api import Browser, BrowserContext, FilePayload, Page, expect

import ossicle as oc

from .conftest import ELSEWHERE, PATIENCE, RATE, Serve, Site, noise
from .listening import OUT, Sound, click, until, voice
from .test_live import speaking
from .test_recording import longest_run

# A page without an audio thread has no worklet to listen with. A recorder takes every sample beside
# the page's own thread, so it hears what there is while the page stands still.
LISTEN = """
(() => {
  const heard = [];
  window.heard = async () => {
    const bytes = new Uint8Array(await new Blob(heard.splice(0)).arrayBuffer());
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  };
  // The last of what it played is on its way to the recorder still.
  AudioContext.prototype.close = () => Promise.resolve();
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (...args) {
    const to = connect.apply(this, args);
    if (!(to instanceof AudioDestinationNode)) return to;
    const tap = this.context.createMediaStreamDestination();
    tap.channelCount = 1;
    const silence = new ConstantSourceNode(this.context, { offset: 0 }); // else it hears no pause
    silence.start();
    connect.call(silence, tap);
    connect.call(this, tap);
    const recorder = new MediaRecorder(tap.stream, { mimeType: 'audio/webm;codecs=pcm' });
    recorder.ondataavailable = ({ data }) => heard.push(data);
    recorder.start(100);
    return to;
  };
})();
"""


class Ear:
    """All that the one player of a page played, at 16 bit."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._recorded = b""

    async def sound(self) -> NDArray[np.int16]:
        self._recorded += base64.b64decode(await self._page.evaluate("window.heard()"))
        parts = [np.zeros(0, np.float32)]
        if self._recorded:
            with av.open(io.BytesIO(self._recorded), "r") as file:
                parts += [frame.to_ndarray()[0] for frame in file.decode(file.streams.audio[0])]
        return np.rint(np.concatenate(parts) * 32768).astype(np.int16)

    async def all(self, frames: int) -> NDArray[np.int16]:
        """What is no silence, when so much of it was heard."""
        sound = await self.until(frames)
        return sound[sound != 0]

    async def until(self, frames: int) -> NDArray[np.int16]:
        """As soon as so many frames that are no silence were heard."""
        sound = np.zeros(0, np.int16)
        try:
            async with asyncio.timeout(2 * PATIENCE / 1000):
                while np.count_nonzero(sound := await self.sound()) < frames:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"heard {np.count_nonzero(sound)} of {frames} frames") from None
        return sound


@pytest_asyncio.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A tab that takes any certificate. At the end its page may not have complained."""
    context: BrowserContext = await browser.new_context(
        permissions=["microphone"], ignore_https_errors=True
    )
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    complaints = list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    await context.close()
    assert complaints == []


async def elsewhere(serve: Serve, app: oc.Blocks, page: Page) -> Site:
    """The app as another machine sees it, over http."""
    site = await serve(app, allowed_hosts=[ELSEWHERE])
    await page.add_init_script(LISTEN)
    await page.goto(site.url.replace("127.0.0.1", ELSEWHERE))
    await page.locator("main > *").first.wait_for()
    assert not await page.evaluate("isSecureContext || 'audioWorklet' in AudioContext.prototype")
    return site


def one_run(heard: NDArray[np.int16]) -> NDArray[np.int16]:
    """What was heard, from its first to its last sample: with all silence in between."""
    places = np.flatnonzero(heard)
    return heard[places[0] : places[-1] + 1]


# -- https -------------------------------------------------------------------------------------


async def test_the_whole_page_over_https(
    serve: Serve, tab: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a name that is not this machine's, with a certificate of our own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with oc.Blocks() as app:
        microphone = oc.Audio(label="Microphone")
        out = oc.Audio(label="Out")
        takes = list[Sound]()

        def keep(sound: Sound) -> Sound:
            takes.append(sound)
            return sound

        microphone.stop_recording(keep, microphone, out)
    site = await serve(app, tls="self-signed", allowed_hosts=[ELSEWHERE])
    assert site.url.startswith("https://")
    await tab.goto(site.url.replace("127.0.0.1", ELSEWHERE))
    await click(tab, "Record")
    await expect(tab.locator(".recorder .time b")).to_have_text(re.compile(r"0:0[1-9]"))
    await click(tab, "Stop")
    await expect(tab.locator(".wave.drawn")).to_have_count(2)
    rate, mono = takes[0]
    assert rate == RATE
    mono = mono if mono.ndim == 1 else mono[:, 0]
    assert longest_run(mono, noise()) > RATE // 2


# -- http from another machine -----------------------------------------------------------------


async def test_no_microphone_is_told_in_its_place(serve: Serve, tab: Page) -> None:
    """Why, and what to do; files work, and where only files are asked for nothing is said."""
    with oc.Blocks() as app:
        voice = oc.Audio(label="Voice")
        oc.Audio(label="Only spoken", sources="microphone")
        oc.Audio(label="Only files", sources="upload")
        length = oc.Textbox(label="Length")

        def measured(sound: Sound) -> str:
            return str(len(sound[1]))

        voice.upload(measured, voice, length)
    await elsewhere(serve, app, tab)
    notes = tab.get_by_role("note")
    await expect(notes).to_have_count(2)
    await expect(notes.first).to_contain_text('start it with tls="self-signed"')
    await expect(notes.first).to_contain_text("Files work")
    await expect(notes.nth(1)).not_to_contain_text("Files work")
    await expect(tab.get_by_role("button", name="Record")).to_have_count(0)
    file = io.BytesIO()
    soundfile.write(file, np.ones(500, np.int16), 8000, format="WAV")
    given: FilePayload = {"name": "a.wav", "mimeType": "audio/wav", "buffer": file.getvalue()}
    await tab.locator("input[type=file]").first.set_input_files(given)
    await expect(tab.get_by_label("Length")).to_have_value("500")


@pytest.mark.parametrize("chunk", [0.02, 0.5])
async def test_sound_is_heard_sample_by_sample_without_an_audio_thread(
    serve: Serve, tab: Page, chunk: float
) -> None:
    """Without a seam, as exactly as with one; the end that was heard is told."""
    sound, size = voice(2.5), round(chunk * OUT)

    def speak() -> Iterator[Sound]:
        for at in range(0, len(sound), size):
            yield OUT, sound[at : at + size]

    app, _, ended = speaking(speak)
    await elsewhere(serve, app, tab)
    ear = Ear(tab)
    await click(tab, "Speak")
    await expect(tab.locator(".wave.drawn")).to_be_visible()
    heard = await ear.until(len(sound))
    np.testing.assert_array_equal(heard[heard != 0], sound)
    await until(lambda: bool(ended.events))
    if not ended.events[0]["underruns"]:
        np.testing.assert_array_equal(one_run(heard), sound)
    assert ended.events[0] | {"underruns": 0} == {
        "heard": len(sound), "unheard": 0, "interrupted": False, "underruns": 0
    }  # fmt: skip


STALL = """
(() => {
  const start = AudioBufferSourceNode.prototype.start;
  let pieces = 0;
  const stand = (...at) => {
    const end = performance.now() + 400;
    while (at.includes(pieces) && performance.now() < end);
  };
  AudioBufferSourceNode.prototype.start = function (...args) {
    pieces += 1;
    stand(BEFORE);
    start.apply(this, args);
    stand(BEHIND);
  };
})();
"""


@pytest.mark.parametrize(("before", "behind"), [("1, 6", "0"), ("0", "1, 6"), ("1", "6")])
async def test_a_page_that_stands_still_while_it_schedules_loses_nothing(
    serve: Serve, tab: Page, before: str, behind: str
) -> None:
    """And says nothing twice. For longer than it looks ahead, which is counted."""
    sound = voice(2)

    def speak() -> Iterator[Sound]:
        yield OUT, sound

    app, _, ended = speaking(speak)
    await tab.add_init_script(STALL.replace("BEFORE", before).replace("BEHIND", behind))
    await elsewhere(serve, app, tab)
    ear = Ear(tab)
    await click(tab, "Speak")
    await until(lambda: bool(ended.events))
    np.testing.assert_array_equal(await ear.all(len(sound)), sound)
    assert ended.events[0]["heard"] == len(sound)
    assert ended.events[0]["underruns"] >= 2


async def test_an_interruption_is_silence_without_an_audio_thread(serve: Serve, tab: Page) -> None:
    """At once, and what was heard until then is told to the sample."""
    sound = voice(20)

    async def speak() -> AsyncIterator[Sound]:
        for at in range(0, len(sound), OUT):
            yield OUT, sound[at : at + OUT]
        await asyncio.Event().wait()

    app, _, ended = speaking(speak)
    await elsewhere(serve, app, tab)
    ear = Ear(tab)
    await click(tab, "Speak")
    await ear.until(OUT)
    await click(tab, "Stop it")
    await until(lambda: bool(ended.events))
    await expect(tab.locator(".wave.drawn")).to_be_visible()
    said = ended.events[0]
    assert said["interrupted"] and said["heard"] + said["unheard"] == len(sound)
    heard = await ear.sound()
    played = heard[heard != 0]
    assert len(played) < 10 * OUT
    faded = round(0.006 * OUT)
    np.testing.assert_array_equal(played[:-faded], sound[: len(played) - faded])


async def test_a_pause_without_an_audio_thread(serve: Serve, tab: Page) -> None:
    """It goes on at the very sample."""
    sound = voice(6)  # long enough to press Pause in time on a slow machine

    def speak() -> Iterator[Sound]:
        yield OUT, sound

    app, _, ended = speaking(speak)
    await elsewhere(serve, app, tab)
    ear = Ear(tab)
    await click(tab, "Speak")
    await ear.until(OUT // 4)
    await click(tab, "Pause")
    await expect(tab.locator(".streamed")).to_have_attribute("data-state", "paused")
    assert not ended.events
    await click(tab, "Play")
    await expect(tab.locator(".wave.drawn")).to_be_visible()
    heard = await ear.all(len(sound))
    np.testing.assert_array_equal(heard, sound)
