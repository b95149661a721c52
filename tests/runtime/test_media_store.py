"""The store: who owns a file, when it goes, how much there may be, and what names it gets."""

from __future__ import annotations

import gc
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from ossicle.flow.audio import Clip, ClipError, trimmed
from ossicle.runtime.media.limits import Limits
from ossicle.runtime.media.names import safe_name, with_suffix
from ossicle.runtime.media.removal import AT_ONCE
from ossicle.runtime.media.store import Store

RATE = 8000


@pytest.fixture
def store(temp_folder: Path) -> Iterator[Store]:
    made = Store(Limits(quota=2_000_000, upload=300_000))
    yield made
    made.close()
    assert not list(temp_folder.iterdir())


def files(temp_folder: Path) -> list[Path]:
    return [p for p in temp_folder.rglob("*") if p.is_file()]


def clip(frames: int = 1000, seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    return Clip.of(RATE, rng.integers(-9000, 9000, frames).astype(np.int16), name="take")


def sound_file(folder: Path, name: str = "a.wav", frames: int = 1000, seed: int = 0) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(str(path), clip(frames, seed).int16(), RATE, format="WAV")  # pyright: ignore
    return path


def sound_bytes(frames: int, seed: int) -> bytes:
    file = io.BytesIO()
    sf.write(file, clip(frames, seed).int16(), RATE, format="WAV")  # pyright: ignore
    return file.getvalue()


def test_nothing_on_disk_before_the_first_sound(store: Store, temp_folder: Path) -> None:
    """Asking for a session, a handle and a description writes nothing."""
    store.session("a").describe(clip())
    assert not list(temp_folder.iterdir())


def test_the_folder_is_private(store: Store, temp_folder: Path) -> None:
    """Only the user who runs the app can look into it."""
    store.session("a").file(clip(), "wav")
    (folder,) = temp_folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_description(store: Store, tmp_path: Path) -> None:
    """The wire's form: what the page needs to draw and play, and no path."""
    opened = store.session("a").open(sound_file(tmp_path, "Über 1.wav"))
    made = store.session("a").describe(opened)
    handle = str(made["clip"])
    assert len(handle) >= 24
    assert made == {
        "clip": handle,
        "name": "Über 1.wav",
        "url": f"files/{handle}/%C3%9Cber%201.wav",
        "peaks": f"files/{handle}/peaks",
        "rate": RATE,
        "channels": 1,
        "frames": 1000,
        "format": "wav",
        "bytes": 2044,
        "peak": pytest.approx(opened.peak, abs=1e-6),
        "clipped": 0,
    }


def test_handles_belong_to_a_session(store: Store) -> None:
    """One clip has one handle in a session, another in the next, and neither takes the other's."""
    a, b, sound = store.session("a"), store.session("b"), clip()
    first, second = str(a.describe(sound)["clip"]), str(b.describe(sound)["clip"])
    assert a.describe(sound)["clip"] == first != second
    assert a.clip(first) is sound
    for session, handle in [(a, second), (b, first), (a, "1-x"), (a, ""), (a, "../..")]:
        with pytest.raises(KeyError):
            session.clip(handle)
    for handle in ("", "1-x", "99-x", "x"):
        with pytest.raises(KeyError):
            store.sound(handle)


def test_a_handle_ends_with_its_clip(store: Store) -> None:
    """A value that was replaced and that no job holds is gone, with all its files."""
    session, sound = store.session("a"), clip()
    handle = str(session.describe(sound)["clip"])
    store.sound(handle).file("wav")
    assert store.used == 2044
    del sound
    gc.collect()
    assert store.used == 0
    with pytest.raises(KeyError):
        session.clip(handle)


def test_equal_sound_is_stored_once(store: Store, temp_folder: Path, tmp_path: Path) -> None:
    """Two sessions, one file: it goes when the second of them is over, not before."""
    path = sound_file(tmp_path / "in")
    a = store.session("a").open(path)
    b = store.session("b").open(path.read_bytes(), name="other.wav")
    assert (a.id, a.name, b.name) == (b.id, "a.wav", "other.wav")
    assert store.used == path.stat().st_size
    store.release("a")
    assert np.array_equal(b.int16(), clip().int16())
    store.release("b")
    assert (store.used, files(temp_folder)) == (0, [])
    with pytest.raises(ClipError, match="the file of 'other.wav' is gone"):
        b.samples()


def test_a_clip_of_the_app_lives_in_every_session(store: Store, tmp_path: Path) -> None:
    """A first value is opened once and described in each session; it outlives those that end."""
    shared = store.session("").open(sound_file(tmp_path))
    for token in ("a", "b"):
        handle = str(store.session(token).describe(trimmed(shared, 10, 500))["clip"])
        store.session(token).describe(shared)
        del handle
        store.release(token)
    assert shared.int16().shape == (1000,)


def test_a_path_for_a_function_is_its_own(store: Store, temp_folder: Path, tmp_path: Path) -> None:
    """It has the name and the suffix, may be changed, and goes with the session."""
    session = store.session("a")
    sound = session.open(sound_file(tmp_path, "song.wav"))
    path = session.file(sound, "wav")
    assert path.name == "song.wav"
    assert session.file(sound, "wav") == path
    path.write_bytes(b"overwritten by the function")
    again = session.file(sound, "wav")
    assert again != path
    assert again.read_bytes() == (tmp_path / "song.wav").read_bytes()
    assert session.file(sound, "flac").name == "song.flac"
    del sound
    gc.collect()
    assert again.exists()
    store.release("a")
    assert (store.used, files(temp_folder)) == (0, [])


def test_upload(store: Store, temp_folder: Path, tmp_path: Path) -> None:
    """Written in pieces, described at the end, kept until the page claims it, then like any."""
    data = sound_file(tmp_path).read_bytes()
    store.session("a")
    upload = store.receive("a", "../../etc/pass\nwd.wav")
    for at in range(0, len(data), 100):
        upload.write(data[at : at + 100])
    assert store.used == len(data)
    made = upload.finish()
    assert made["name"] == "passwd.wav"
    gc.collect()
    claimed = store.session("a").clip(str(made["clip"]))
    assert np.array_equal(claimed.int16(), clip().int16())
    upload.abort()  # the server may, after the end
    assert np.array_equal(claimed.int16(), clip().int16())
    del claimed
    gc.collect()
    assert (store.used, files(temp_folder)) == (0, [])


def test_an_aborted_upload_leaves_nothing(store: Store, temp_folder: Path) -> None:
    """However often it is aborted; writing on is refused."""
    store.session("a")
    upload = store.receive("a", "a.wav")
    upload.write(b"RIFF" * 1000)
    upload.abort()
    upload.abort()
    assert (store.used, files(temp_folder)) == (0, [])
    with pytest.raises(ClipError, match="given up"):
        upload.write(b"more")
    with pytest.raises(ClipError, match="given up"):
        upload.finish()


@pytest.mark.parametrize("content", [b"", b"no sound at all" * 100])
def test_an_upload_that_is_no_sound_leaves_nothing(
    store: Store, temp_folder: Path, content: bytes
) -> None:
    """The error is the decoder's, and the session goes on."""
    store.session("a")
    upload = store.receive("a", "a.wav")
    upload.write(content)
    with pytest.raises(ClipError, match="'a.wav' is "):
        upload.finish()
    assert (store.used, files(temp_folder)) == (0, [])
    assert store.session("a").file(clip(), "wav").exists()


def test_an_upload_is_bounded(store: Store, temp_folder: Path) -> None:
    """The first byte too many ends it."""
    store.session("a")
    upload = store.receive("a", "a.wav")
    upload.write(bytes(300_000))
    with pytest.raises(ClipError, match="more than 293 kB, which is the most for one file"):
        upload.write(b"x")
    assert (store.used, files(temp_folder)) == (0, [])


def test_the_quota_bounds_everything(store: Store, temp_folder: Path, tmp_path: Path) -> None:
    """Uploads, files by path and encoded ones count; the error says how full it is."""
    session = store.session("a")
    held = [session.open(sound_file(tmp_path, f"{i}.wav", 140_000, i)) for i in range(7)]
    used, before = store.used, len(files(temp_folder))
    assert used == 7 * 280_044
    with pytest.raises(ClipError, match="needs .* but of the 1.91 MB for all sounds 1.87 MB are"):
        session.open(sound_file(tmp_path, "7.wav", 140_000, 7))
    with pytest.raises(ClipError, match="for all sounds"):
        session.file(clip(100_000, 8), "wav")
    with pytest.raises(ClipError, match="for all sounds"):
        session.file(held[0], "wav")
    assert (store.used, len(files(temp_folder))) == (used, before)
    held.clear()
    gc.collect()
    assert session.file(clip(100_000, 8), "wav").exists()


def test_one_session_holds_only_its_share(temp_folder: Path, tmp_path: Path) -> None:
    """What arrives, what is held and what functions got count for its session, equal sound once."""
    store = Store(Limits(session=100_000))
    greedy, modest = store.session("greedy"), store.session("modest")
    held = [greedy.open(sound_file(tmp_path, "0.wav", 20_000, 0)) for _ in range(5)]  # 40 kB, once
    upload = store.receive("greedy", "1.wav")
    upload.write(sound_bytes(20_000, 1))
    full = r"'2.wav' needs .* of the 97.7 kB for one page 78.2 kB are in use; clear what is no"
    with pytest.raises(ClipError, match=full):
        greedy.open(sound_file(tmp_path, "2.wav", 20_000, 2))
    modest.open(sound_file(tmp_path, "2.wav", 20_000, 2))
    held.append(upload.commit())
    with pytest.raises(ClipError, match="for one page"):
        greedy.file(held[0], "wav")
    with pytest.raises(ClipError, match="for one page"):
        greedy.stored(clip(20_000, 3), "flac")
    with pytest.raises(ClipError, match="for one page"):
        greedy.keep(b"x" * 30_000)
    held.pop()
    gc.collect()
    again = store.receive("greedy", "4.wav")  # it has room again, and what is given up leaves it
    again.write(sound_bytes(20_000, 4))
    again.abort()
    with pytest.raises(ClipError, match="not a sound file"):
        greedy.open(b"no sound" * 2_500)
    assert greedy.file(held[0], "wav").exists()
    assert greedy.file(held[0], "wav").exists()  # the same copy
    with pytest.raises(ClipError, match="for one page"):
        greedy.open(sound_file(tmp_path, "2.wav", 20_000, 2))
    store.release("greedy")
    assert store.session("").open(sound_file(tmp_path, "5.wav", 60_000, 5)).frames == 60_000
    store.close()


def test_copies_of_empty_files_are_bounded_too(temp_folder: Path) -> None:
    """Each is a file and a folder on the disk, and a page may send thousands, by other names."""
    store = Store(Limits(session=100_000))
    session = store.session("a")

    def upload(name: str) -> Path:
        found = session.document(
            str(store.receive_document("a", name, picture=False).finish()["file"])
        )
        return session.path(found)

    given = [upload(f"{n}.txt") for n in range(12)]
    assert all(path.read_bytes() == b"" for path in given)
    with pytest.raises(ClipError, match="for one page"):
        upload("12.txt")
    store.release("a")
    assert (store.used, files(temp_folder)) == (0, [])
    store.close()


BAD_SOURCES: list[tuple[str, str]] = [
    ("missing.wav", "the file '.*missing.wav' does not exist"),
    (".", "is not a file; pass the path of a sound file"),
    ("text.wav", "'text.wav' is not a sound file"),
    ("empty.wav", "'empty.wav' is empty"),
]


@pytest.mark.parametrize(("name", "text"), BAD_SOURCES)
def test_paths_that_are_no_sound(
    store: Store, temp_folder: Path, tmp_path: Path, name: str, text: str
) -> None:
    """One clear error, nothing left behind."""
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(ClipError, match=text):
        store.session("a").open(tmp_path / name)
    assert (store.used, files(temp_folder)) == (0, [])


def test_a_pipe_is_refused_not_waited_for(store: Store, tmp_path: Path) -> None:
    """Opening one would block for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ClipError, match="is not a file"):
        store.session("a").open(tmp_path / "pipe")


def test_what_a_browser_cannot_play_is_sent_as_wav(store: Store, tmp_path: Path) -> None:
    """It is played as wav and downloaded as what the app chose."""
    sound = clip().int16()
    sf.write(str(tmp_path / "x.aiff"), sound, RATE, format="AIFF")  # pyright: ignore
    sf.write(str(tmp_path / "u.wav"), sound, RATE, format="WAV", subtype="ULAW")  # pyright: ignore
    session = store.session("a")
    aiff, ulaw = session.open(tmp_path / "x.aiff"), session.open(tmp_path / "u.wav")
    for opened in (aiff, ulaw):
        made = session.describe(opened)
        assert (made["format"], made["bytes"]) == ("wav", 2044)
        sent = store.sound(str(made["clip"])).file("wav")
        assert sf.info(str(sent)).subtype == "PCM_16"  # pyright: ignore
        assert sent.stat().st_size == 2044
    kept = store.sound(str(session.describe(aiff)["clip"]))
    assert (kept.plays, kept.format, kept.file_name("wav")) == ("wav", "aiff", "x.wav")
    assert kept.file("aiff").read_bytes() == (tmp_path / "x.aiff").read_bytes()
    memory = clip()
    chosen = store.sound(str(session.describe(memory, format="MP3")["clip"]))
    assert (chosen.plays, chosen.format, chosen.file_name("mp3")) == ("wav", "mp3", "take.mp3")


def test_waveform_of_a_handle(store: Store) -> None:
    """Channel after channel, little-endian minimum, maximum and RMS."""
    session, sound = store.session("a"), Clip.of(RATE, np.arange(20, dtype=np.int16).reshape(10, 2))
    channels, width, body = store.sound(str(session.describe(sound)["clip"])).peaks(5, 0, 10)
    assert (channels, width) == (2, 5)
    assert np.frombuffer(body, "<i2").tolist() == [
        *(0, 2, 1, 4, 6, 5, 8, 10, 9, 12, 14, 13, 16, 18, 17),
        *(1, 3, 2, 5, 7, 6, 9, 11, 10, 13, 15, 14, 17, 19, 18),
    ]


def test_a_session_that_is_over_stays_over(store: Store, temp_folder: Path) -> None:
    """What a job still asks of it after the release is refused."""
    session = store.session("a")
    held = clip()
    handle = str(session.describe(held)["clip"])
    store.release("a")
    store.release("a")
    with pytest.raises(ClipError, match="session is over"):
        session.describe(held)
    with pytest.raises(ClipError, match="session is over"):
        session.file(held, "wav")
    with pytest.raises(KeyError):
        store.sound(handle)
    with pytest.raises(KeyError):
        store.receive("a", "a.wav")
    assert (store.used, files(temp_folder)) == (0, [])


def test_closing_removes_everything(temp_folder: Path, tmp_path: Path) -> None:
    """Running uploads, values and given paths: the folder itself is gone, for good."""
    store = Store()
    session = store.session("a")
    held = session.open(sound_file(tmp_path))
    session.file(held, "flac")
    upload = store.receive("a", "b.wav")
    upload.write(b"RIFF")
    store.close()
    store.close()
    assert not list(temp_folder.iterdir())
    with pytest.raises(ClipError, match="shutting down"):
        store.session("b").open(sound_file(tmp_path))
    upload.abort()
    assert store.used == 0


KILLED = """
import os, signal, tempfile
tempfile.tempdir = {temp_folder!r}
from ossicle.runtime.media.removal import AT_ONCE
from ossicle.runtime.media.store import Store
store = Store()
store.session("a").open({path!r})
if {kill}:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kill", [False, True])
def test_a_process_that_ends_leaves_nothing(temp_folder: Path, tmp_path: Path, kill: bool) -> None:
    """In order, at its exit; killed, when the next app starts. Living ones keep theirs."""
    living = Store()
    kept = living.session("a").open(sound_file(tmp_path))
    code = KILLED.format(temp_folder=str(temp_folder), path=str(tmp_path / "a.wav"), kill=kill)
    subprocess.run([sys.executable, "-c", code], check=not kill)
    assert len(list(temp_folder.iterdir())) == 1 + kill
    other = Store()
    other.session("a").open(tmp_path / "a.wav")
    assert len(list(temp_folder.iterdir())) == 2
    assert np.array_equal(kept.int16(), clip().int16())
    living.close()
    other.close()
    assert not list(temp_folder.iterdir())


def test_many_threads(store: Store, temp_folder: Path, tmp_path: Path) -> None:
    """Eight threads open, encode, describe, read and release the same sounds at once."""
    paths = [sound_file(tmp_path, f"{i}.wav", 2000, i) for i in range(3)]
    start, problems = threading.Barrier(8), list[BaseException]()

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(12):
                token = f"{number}-{turn % 3}" if turn < 9 else f"{number}-end-{turn}"
                session = store.session(token)
                if turn in (2, 5):
                    store.release(f"{number}-other")
                sound = session.open(paths[turn % 3])
                handle = str(session.describe(sound)["clip"])
                assert session.clip(handle) is sound
                assert np.array_equal(sound.int16(), clip(2000, turn % 3).int16())
                assert session.file(sound, "flac").exists()
                assert store.sound(handle).file("ogg").exists()
                if turn >= 9:
                    store.release(token)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    for number in range(8):
        for turn in range(3):
            store.release(f"{number}-{turn}")
    assert (store.used, files(temp_folder)) == (0, [])


NAMES: list[tuple[str, str]] = [
    ("song.wav", "song.wav"),
    ("../../etc/passwd", "passwd"),
    ("C:\\music\\a.wav", "a.wav"),
    ("a\r\nSet-Cookie: x=1.wav", "aSet-Cookie_ x=1.wav"),
    ("\u202egnp.wav", "gnp.wav"),
    ("...", "audio"),
    ("", "audio"),
    (".hidden.wav", "hidden.wav"),
    ("con.wav", "_con.wav"),
    ("日本.wav", "日本.wav"),
    ("\ud800.wav", "wav"),
]


@pytest.mark.parametrize(("given", "safe"), NAMES)
def test_names(given: str, safe: str) -> None:
    """Only the last part, nothing that controls, hides or escapes."""
    assert safe_name(given) == safe


def test_long_names_keep_their_suffix() -> None:
    """200 bytes, cut between characters."""
    name = safe_name("ü" * 500 + ".flac")
    assert name.endswith("ü.flac")
    assert 198 <= len(name.encode()) <= 200


def test_suffixes() -> None:
    """The suffix tells the format; what only looks like one stays."""
    assert with_suffix("a.m4a", "wav") == "a.wav"
    assert with_suffix("take 1.30 pm", "wav") == "take 1.30 pm.wav"
    assert re.fullmatch(r"audio\.mp3", with_suffix("audio", "mp3"))


def test_refused_uploads_are_not_counted(store: Store) -> None:
    """Sounds that nobody would take use up no quota, one after the other, whoever else is there."""

    def refuse(_: Clip) -> None:
        raise ClipError("too long")

    store.session("a")
    for seed in range(20):  # 120 kB each of the 2 MB
        upload = store.receive("a", "x.wav", refuse)
        with pytest.raises(ClipError, match="too long"):
            upload.write(sound_bytes(60_000, seed))
            upload.finish()
        upload.abort()


def test_large_files_are_deleted_beside(
    temp_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who ends a session, the loop, does not wait until a disk has given back what it had."""
    deleted: dict[int, bool] = {}
    unlink = Path.unlink

    def seen(path: Path, missing_ok: bool = False) -> None:
        deleted[path.stat().st_size] = threading.current_thread() is threading.main_thread()
        unlink(path, missing_ok)

    store = Store()
    kept = [
        store.session("a").keep(b"x"),
        store.session("a").keep(bytes(AT_ONCE + 1)),
    ]
    monkeypatch.setattr(Path, "unlink", seen)
    store.release("a")
    for thread in threading.enumerate():
        if thread.name == "ossicle-remove":
            thread.join()
    assert deleted == {1: True, AT_ONCE + 1: False}
    assert (store.used, files(temp_folder)) == (0, [])
    del kept
    store.close()


def test_a_store_that_loses_its_disk_counts_nothing(temp_folder: Path) -> None:
    """A file that cannot be moved to its place is an error in words, and its bytes are free."""
    store = Store()
    upload = store.session("a").receive_document("x.bin", picture=False)
    upload.write(b"abc")
    shutil.rmtree(next(temp_folder.iterdir()) / "blobs")
    with pytest.raises(ClipError, match="could not be stored"):
        upload.finish()
    assert (store.used, files(temp_folder)) == (0, [])
    store.close()
