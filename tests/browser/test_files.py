"""Files into the page: chosen, dropped, too large, not a sound."""

from __future__ import annotations

import base64
import io
import re
import shutil
import sys

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.async_api import FilePayload, Route, expect

import ossicle as oc

from .conftest import Open
from .test_recording import read, record, reversing, samples_of

TONE = (8000 * np.sin(np.arange(44_100) / 20)).astype(np.int16)


def wav(samples: NDArray[np.int16] = TONE, rate: int = 44_100) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def payload(content: bytes, name: str = "tone.wav", kind: str = "audio/wav") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


async def test_a_chosen_file_is_played_and_sent(visit: Open) -> None:
    """The file's own samples arrive, its facts stand in the head, and the function gets it."""
    tab = await visit(reversing())
    await tab.page.locator("input[type=file]").set_input_files(payload(wav()))
    await expect(tab.page.get_by_text("44.1 kHz · mono · 0:01.00 · wav")).to_be_visible()
    await tab.page.get_by_role("button", name="Submit").click()
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
    assert np.array_equal(await samples_of(tab.page, 0), TONE)
    assert np.array_equal(await samples_of(tab.page, 1), TONE[::-1])


async def test_a_dropped_file_is_taken(visit: Open) -> None:
    """What is dropped on the component is the same as what is chosen."""
    tab = await visit(reversing())
    handle = await tab.page.evaluate_handle(
        """content => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], 'dropped.wav', { type: 'audio/wav' }));
            return data;
        }""",
        base64.b64encode(wav()).decode(),
    )
    area = tab.page.locator(".audio").first
    await area.dispatch_event("dragover", {"dataTransfer": handle})
    await expect(tab.page.get_by_text("Let go to use this sound")).to_be_visible()
    await area.dispatch_event("drop", {"dataTransfer": handle})
    await expect(tab.page.get_by_text("0:01.00 · wav")).to_be_visible()


async def test_a_pasted_file_is_taken_wherever_the_focus_is(visit: Open) -> None:
    """A paste meant for no field goes to the sound that is empty."""
    tab = await visit(reversing())
    await tab.page.evaluate(
        """content => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], 'pasted.wav', { type: 'audio/wav' }));
            const paste = { clipboardData, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent('paste', paste));
        }""",
        base64.b64encode(wav()).decode(),
    )
    await expect(tab.page.get_by_text("0:01.00 · wav")).to_be_visible()


async def test_what_is_no_sound_is_refused_in_words(visit: Open) -> None:
    """By its type in the page; by its content on the server, whatever it calls itself."""
    tab = await visit(reversing())
    files = tab.page.locator("input[type=file]")
    await files.set_input_files(payload(b"hello", "note.txt", "text/plain"))
    await expect(tab.page.get_by_role("alert")).to_have_text(re.compile("note.txt is not a sound"))
    await files.set_input_files(payload(b"hello" * 100, "liar.wav"))
    await expect(tab.page.get_by_role("alert")).to_contain_text("liar.wav")
    await expect(tab.page.get_by_role("button", name="Record")).to_be_visible()
    tab.errors.clear()  # the browser notes the refusal (422) by itself


async def test_what_cannot_be_decoded_here_is_not_offered(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in words nor in the browser's picker; dropped in spite of that, it is refused."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)  # pyright: ignore
    tab = await visit(reversing())
    await expect(
        tab.page.get_by_text("WAV, FLAC, OGG, Opus, MP3, AIFF", exact=True)
    ).to_be_visible()
    chooser = tab.page.locator("input[type=file]")
    accept = await chooser.get_attribute("accept")
    assert accept is not None
    assert ".mp3" in accept
    assert "m4a" not in accept
    assert "audio/*" not in accept
    memo = b"\0\0\0\x20ftypM4A " + bytes(900)
    await chooser.set_input_files(payload(memo, "memo.m4a", "audio/mp4"))
    await expect(tab.page.get_by_role("alert")).to_contain_text("memo.m4a' is m4a, which needs")
    tab.errors.clear()  # the browser writes down every answer that refuses


async def test_a_file_beyond_the_limit_is_not_sent(visit: Open) -> None:
    """max_file_size is told beforehand and kept before a byte goes out."""
    with oc.Blocks() as app:
        oc.Audio(label="Sound", max_file_size="20 kB")
    tab = await visit(app)
    await expect(tab.page.get_by_text(re.compile("up to 20"))).to_be_visible()
    await tab.page.locator("input[type=file]").set_input_files(payload(wav()))
    await expect(tab.page.get_by_role("alert")).to_contain_text("at most")
    assert not [url for url in tab.asked if "/upload?" in url]


async def test_an_upload_can_be_cancelled(visit: Open) -> None:
    """While it is on its way it says so; Cancel goes back to the empty sound."""
    tab = await visit(reversing())
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    await tab.page.route("**/upload?*", hold)
    await tab.page.locator("input[type=file]").set_input_files(payload(wav()))
    await expect(tab.page.get_by_text("Sending tone.wav")).to_be_visible()
    await tab.page.get_by_role("button", name="Cancel").click()
    await expect(tab.page.get_by_role("button", name="Record")).to_be_visible()
    assert len(held) == 1


async def test_a_take_that_did_not_arrive_can_be_sent_again(visit: Open) -> None:
    """A recording is not lost with the connection: it stays, to be sent again or saved."""
    tab = await visit(reversing())
    await tab.page.route("**/upload?*", lambda route: route.abort(), times=1)
    await record(tab.page)
    await expect(tab.page.get_by_role("alert")).to_contain_text("did not arrive")
    async with tab.page.expect_download() as download:
        await tab.page.get_by_role("button", name="Save the take").click()
    _, take = read(await (await download.value).path())
    await tab.page.get_by_role("button", name="Send again").click()
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
    assert np.array_equal(await samples_of(tab.page, 0), take)
    tab.errors.clear()  # the browser notes the aborted request by itself


async def test_clear_empties_the_sound_here_and_there(visit: Open) -> None:
    """The clear button fires `clear`, and the listener sees no sound."""
    with oc.Blocks() as app:
        sound = oc.Audio(label="Sound")
        seen = oc.Textbox(label="Seen")

        def told(value: object) -> str:
            return "empty" if value is None else "full"

        sound.clear(told, sound, seen)
    tab = await visit(app)
    await tab.page.locator("input[type=file]").set_input_files(payload(wav()))
    await tab.page.get_by_role("button", name="Clear").click()
    await expect(tab.page.get_by_label("Seen")).to_have_value("empty")
    await expect(tab.page.get_by_role("button", name="Record")).to_be_visible()
