"""What this machine cannot read or write: said when the app starts, and at the file itself."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator

import pytest
import soundfile

import ossicle as oc
from ossicle.flow.audio import ClipError
from ossicle.flow.errors import DeclarationError, WorldError
from ossicle.runtime.host import Host
from ossicle.runtime.media import codecs
from ossicle.runtime.media.store import Store

ALL = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "m4a", "aac", "webm")
M4A = b"\0\0\0\x20ftypM4A " + bytes(900)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No PyAV and no ffmpeg program."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A libsndfile that was built without the libraries for MP3 and for Xiph's formats."""
    here = soundfile.available_formats()  # pyright: ignore
    left = {name: text for name, text in here.items() if name not in ("MP3", "OGG", "FLAC")}  # pyright: ignore
    monkeypatch.setattr(soundfile, "available_formats", lambda: left)  # pyright: ignore


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def opened(app: oc.Blocks) -> dict[str, object]:
    """What a page of the app is told when it opens."""

    async def visit() -> dict[str, object]:
        host = Host(app.plan())
        try:
            await host.begin()
            told = list[dict[str, object]]()
            host.connect(None, 0, told.append)  # pyright: ignore[reportArgumentType]
            return told[0]["app"]  # pyright: ignore[reportReturnType]
        finally:
            await host.close()

    return asyncio.run(visit())


def app(**given: object) -> oc.Blocks:
    with oc.Blocks() as made:
        oc.Audio(label="Voice", interactive=True, **given)  # pyright: ignore[reportArgumentType]
    return made


def test_with_all_codecs_nothing_is_kept_out(caplog: pytest.LogCaptureFixture) -> None:
    """The picker offers every sound and nothing is said."""
    assert codecs.readable() == ALL
    sounds = opened(app())["sounds"]
    names = ["WAV", "FLAC", "OGG", "Opus", "MP3", "AIFF", "M4A", "AAC", "WebM"]
    assert sounds == {"names": names, "accept": "audio/*,video/webm,video/mp4"}
    assert not caplog.records


def test_an_app_without_sound_asks_for_no_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask would load them."""
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with oc.Blocks() as made:
        oc.Textbox()
    assert "sounds" not in opened(made)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("format", ["mp3", "flac", "ogg"])
def test_a_missing_encoder_fails_the_launch(format: str) -> None:
    """With the component, the format and the ways out."""
    text = f"Audio 'Voice': format='{format}' needs an encoder .* choose wav, or install"
    with pytest.raises(DeclarationError, match=text):
        app(format=format).launch(prevent_thread_lock=True, quiet=True, server_port=0)


@pytest.mark.usefixtures("small")
def test_what_needs_no_missing_encoder_starts() -> None:
    """wav is always there, and PyAV reads what libsndfile does not."""
    assert len(opened(app(format="wav"))["sounds"]["names"]) == len(ALL)  # pyright: ignore


@pytest.mark.usefixtures("bare")
def test_missing_decoders_are_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """However many components would take them; and the page neither names nor offers them."""
    with oc.Blocks() as made:
        oc.Audio(interactive=True)
        oc.Audio(interactive=True)
    with caplog.at_level(logging.WARNING):
        sounds = opened(made)["sounds"]
    (said,) = caplog.messages
    assert said.startswith("Users cannot bring m4a, aac or webm files: nothing here decodes them.")
    assert "pip install 'ossicle[codecs]'" in said
    assert sounds["names"] == ["WAV", "FLAC", "OGG", "Opus", "MP3", "AIFF"]  # pyright: ignore
    assert "audio/mpeg,.mp3" in sounds["accept"]  # pyright: ignore
    assert "*" not in sounds["accept"]  # pyright: ignore
    assert "mp4" not in sounds["accept"]  # pyright: ignore


@pytest.mark.usefixtures("bare")
def test_nothing_is_said_where_nobody_brings_files(caplog: pytest.LogCaptureFixture) -> None:
    """A recorder sends wav, and a player takes nothing."""
    with oc.Blocks() as made:
        oc.Audio(sources="microphone", interactive=True)
        oc.Audio(interactive=False)
    opened(made)
    assert not caplog.messages


@pytest.mark.usefixtures("bare")
def test_a_kind_that_cannot_be_read_is_refused_at_its_first_bytes(store: Store) -> None:
    """Not after an hour of sending it; the text has the way out, and nothing is left."""
    store.session("a")
    upload = store.receive("a", "memo.m4a")
    text = "'memo.m4a' is m4a, which needs another decoder: .* or send wav, flac, ogg, opus, mp3"
    with pytest.raises(ClipError, match=text):
        upload.write(M4A[:200])
    upload.abort()
    assert store.used == 0


@pytest.mark.usefixtures("bare", "small")
@pytest.mark.parametrize("head", [b"ID3\x03", b"fLaC", b"OggS"])
def test_so_is_a_common_one_where_libsndfile_lacks_it(store: Store, head: bytes) -> None:
    """What could be sent instead is what can be read here."""
    store.session("a")
    upload = store.receive("a", "song")
    with pytest.raises(ClipError, match="needs another decoder: .* or send wav or aiff"):
        upload.write(head + bytes(200))
    upload.abort()


def test_a_wheel_of_soundfile_need_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is believed of its libsndfile, so that an app starts without numpy, is so."""
    asked = codecs.native()
    monkeypatch.delitem(sys.modules, "soundfile")
    assert codecs.native() == asked
    assert "soundfile" not in sys.modules


def test_no_libsndfile_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is there, the library behind it is not."""

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "soundfile":
                raise OSError("sndfile library not found")

    monkeypatch.setitem(sys.modules, "_soundfile_data", None)
    monkeypatch.delitem(sys.modules, "soundfile")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(WorldError, match="finds no libsndfile .* pip install --force-reinstall"):
        codecs.native()
