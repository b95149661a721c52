"""A disk without room, for real: the kernel refuses the bytes, and nothing of them stays.

Most tests let the process write no file beyond 100 kB, which any user may ask of the kernel; that
fails in the same places as a full disk. What a full disk itself says comes from /dev/full.
"""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.audio import Clip, ClipError
from ossicle.runtime.flagging import FlagLog
from ossicle.runtime.media.encode import encode
from ossicle.runtime.media.store import Store
from ossicle.testing import Lab

RATE = 44_100
ROOM = 100_000
NOISE = np.random.default_rng(3).integers(-9000, 9000, (5 * RATE, 2)).astype(np.int16)


@contextmanager
def little_room() -> Generator[None]:
    """No file may grow beyond ROOM bytes; Python ignores the signal, so writing fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the store's private folder is made."""
    home = tmp_path / "temp"
    home.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(home))
    return home


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_upload(home: Path) -> None:
    """It ends with the first byte that finds no room."""
    store = Store()
    store.session("a")
    upload = store.receive("a", "take.wav")
    with little_room(), pytest.raises(ClipError, match="'take.wav' could not be stored: File too"):
        for _ in range(20):
            upload.write(bytes(10_000))
    upload.abort()
    assert (store.used, files(home)) == (0, [])
    store.close()


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3"])
def test_an_output_and_a_path_for_a_function(home: Path, format: str) -> None:
    """Both say so by the sound's name, and the room that was counted is free again."""
    store = Store()
    media = store.session("a")
    clip = Clip.of(RATE, NOISE, name="answer")
    if format in ("ogg", "mp3"):  # they are smaller
        clip = Clip.of(RATE, np.tile(NOISE, (3, 1)), name="answer")
    with little_room():
        for write in (media.file, media.stored):
            with pytest.raises(ClipError, match="'answer' could not be stored: File too large"):
                write(clip, format)
    assert (store.used, files(home)) == (0, [])
    assert media.stored(clip, format).stat().st_size > ROOM  # there is room again
    store.close()


def test_a_sound_that_needs_a_copy(home: Path, tmp_path: Path) -> None:
    """The file is small, what it decodes to is not."""
    import av

    path = tmp_path / "voice.m4a"
    with cast(Any, av).open(str(path), "w") as media:  # its own types leave the stream unknown
        stream = media.add_stream("aac", rate=RATE)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 3 * RATE), "f4"), "fltp", "stereo")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)
    assert path.stat().st_size < ROOM
    store = Store()
    with little_room(), pytest.raises(ClipError, match="'voice.m4a' could not be stored"):
        store.session("a").open(path)
    assert (store.used, files(home)) == (0, [])
    store.close()


def test_no_folder_at_all(home: Path) -> None:
    """Where even the private folder cannot be made, the reason is told, without a path."""
    home.rmdir()
    store = Store()
    with pytest.raises(ClipError, match="could not be stored: No such file") as raised:
        store.session("a").open(b"RIFF")
    assert str(home) not in str(raised.value)


def test_a_flag_without_room_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """No half row, no half sound; the next flag is a row of its own."""
    log = FlagLog(tmp_path / "flags", ["text", "sound"])
    log.append(["first", None])
    before = (tmp_path / "flags" / "dataset1.csv").read_text()
    with little_room():
        with pytest.raises(OSError, match="File too large"):
            log.append(["x" * 2 * ROOM, None])
        with pytest.raises(ClipError, match="could not be stored"):
            log.append(["second", Clip.of(RATE, NOISE)])
    assert files(tmp_path / "flags") == [tmp_path / "flags" / "dataset1.csv"]
    assert (tmp_path / "flags" / "dataset1.csv").read_text() == before
    log.append(["third", None])
    rows = (tmp_path / "flags" / "dataset1.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["text", "first", "third"]


def test_results_of_examples(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sound from the cache that a function wants as a file fails there, and leaves nothing."""

    def louder(text: str) -> tuple[int, np.ndarray]:
        return RATE, NOISE

    with oc.Blocks() as app:
        text, sound = oc.Textbox(), oc.Audio(type="filepath")
        paths: list[str] = []
        examples = oc.Examples(["a"], text, sound, louder, cache_examples="lazy")
        sound.change(paths.append, sound)
    with Lab(app) as lab:
        with little_room():
            lab.select(examples, 0)
        assert paths == []
        assert "could not be stored: File too large" in caplog.text
        assert files(home) == []
        lab.select(examples, 0)  # there is room again
        lab.clear(sound)
        assert paths == [None]


@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_what_a_full_disk_says(tmp_path: Path, format: str) -> None:
    """libsndfile knows only "System error"; the user is told what it was."""
    path = tmp_path / "x"
    path.symlink_to("/dev/full")
    with pytest.raises(ClipError, match="^the disk is full; 'take' was not stored$"):
        encode(Clip.of(RATE, NOISE, name="take"), path, format)
    assert not path.is_symlink()
