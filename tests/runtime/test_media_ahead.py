"""Looking through a sound while it arrives: the same facts, sooner; and never a wrong one."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.flow.audio import ClipError
from ossicle.flow.samples import Digest, Samples
from ossicle.runtime.media import ahead, decode, facts
from ossicle.runtime.media.ahead import Growing
from ossicle.runtime.media.store import Store

RATE = 44_100
PIECE = 100_000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "wav24": ("WAV", "PCM_24"),
    "aiff": ("AIFF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def encoded(kind: str, seconds: int = 10) -> bytes:
    noise = np.random.default_rng(3).standard_normal((RATE * seconds, 2)) * 0.2
    file = io.BytesIO()
    format, subtype = FORMATS[kind]
    soundfile.write(file, noise, RATE, format=format, subtype=subtype)
    return file.getvalue()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """One that finds every file worth it."""
    monkeypatch.setattr(ahead, "WORTH", 100_000)
    made = Store()
    yield made
    made.close()


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which files were decoded, one entry for each pass."""
    seen: list[str] = []
    true = decode.scan_sound

    def noted(*args: object) -> decode.Facts:
        seen.append(threading.current_thread().name)
        return true(*args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(decode, "scan_sound", noted)
    monkeypatch.setattr(ahead, "scan_sound", noted)
    return seen


def sent(store: Store, data: bytes, *, total: int | None = None) -> decode.Facts:
    upload = store.session("a").receive("x")
    upload.expect(len(data) if total is None else total)
    try:
        for at in range(0, len(data), PIECE):
            upload.write(data[at : at + PIECE])
        clip = upload.commit()
    except BaseException:
        upload.abort()
        raise
    assert isinstance(clip, decode.FileClip)
    return clip.facts


@pytest.mark.parametrize("kind", FORMATS)
def test_the_facts_are_those_of_a_look_afterwards(
    kind: str, store: Store, passes: list[str], tmp_path: Path
) -> None:
    """In one pass, which began before the last byte was there."""
    data = encoded(kind)
    early = sent(store, data)
    assert passes == ["ossicle-ahead"]
    (tmp_path / "x").write_bytes(data)
    late, _ = decode.scan(tmp_path / "x", tmp_path / "y", name="x", limits=store.limits)
    assert (early.id, early.frames, early.peak) == (late.id, late.frames, late.peak)
    for mine, other in zip(early.pyramid.levels, late.pyramid.levels, strict=True):
        assert np.array_equal(mine, other)


def test_it_begins_before_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a file is half decoded, with nothing more to come for now."""
    half = threading.Event()
    true = facts.update_hash
    frames = 0

    def counted(digest: Digest, block: Samples) -> None:
        nonlocal frames
        frames += block.shape[0]
        if frames >= 4 * RATE:
            half.set()
        true(digest, block)

    monkeypatch.setattr(facts, "update_hash", counted)
    data = encoded("wav")
    upload = store.session("a").receive("x")
    upload.expect(len(data))
    upload.write(data[: len(data) // 2])
    assert half.wait(10)
    upload.write(data[len(data) // 2 :])
    assert upload.commit().frames == 10 * RATE


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_it_shows_how_far_it_is(kind: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its first byte nothing, in its middle a beginning, at its end the whole."""
    looked = threading.Event()
    true = facts.update_hash

    def noted(digest: Digest, block: Samples) -> None:
        if upload.sketch(100) is not None:
            looked.set()
        true(digest, block)

    monkeypatch.setattr(facts, "update_hash", noted)
    data = encoded(kind)
    upload = store.session("a").receive("x")
    upload.expect(len(data))
    assert upload.sketch(100) is None
    upload.write(data[: len(data) // 2])
    assert looked.wait(10)
    early = upload.sketch(100)
    assert early is not None
    assert (early.channels, early.width, len(early.body)) == (2, 100, 2 * 100 * 3 * 2)
    assert 0 < early.frames < 6 * RATE < 10 * RATE <= early.of < 10.2 * RATE
    upload.write(data[len(data) // 2 :])
    clip = upload.commit()
    late = upload.sketch(100)
    assert late is not None
    assert clip.frames - 512 < late.frames <= clip.frames


def test_a_look_afterwards_is_shown_as_well(store: Store) -> None:
    """ogg says its length at its end alone: nothing is known before, and all of it then."""
    upload = store.session("a").receive("x")
    file = io.BytesIO()
    soundfile.write(file, np.zeros(RATE * 2), RATE, format="OGG", subtype="VORBIS")
    upload.expect(len(file.getvalue()))
    upload.write(file.getvalue())
    assert upload.sketch(100) is None
    upload.commit()
    seen = upload.sketch(100)
    assert seen is not None
    assert (seen.of, seen.frames) == (2 * RATE, 2 * RATE // 512 * 512)


def test_chunks_behind_the_sound_do_not_hold_it_up(store: Store, passes: list[str]) -> None:
    """Many programs write their name after the samples."""
    data = bytearray(encoded("wav"))
    data += b"LIST" + (26).to_bytes(4, "little") + b"INFOISFT" + (14).to_bytes(4, "little")
    data += b"Some program \0"
    data[4:8] = (len(data) - 8).to_bytes(4, "little")
    assert sent(store, bytes(data)).frames == 10 * RATE
    assert passes == ["ossicle-ahead"]


def test_an_mp3_with_a_tag_at_its_end_is_looked_through_again(
    store: Store, passes: list[str]
) -> None:
    """The tag cannot be known before it is there; the facts are those without it."""
    plain = encoded("mp3")
    tagged = sent(store, plain + b"TAG" + b"title".ljust(125, b"\0"))
    assert len(passes) == 2
    assert tagged.id == sent(store, plain).id


def test_no_sound_and_half_a_sound_are_refused(store: Store, tmp_path: Path) -> None:
    """In the words that a look afterwards has, and nothing is left."""
    data = encoded("wav")
    for broken in (data[: len(data) // 2], b"\1\2\3" * 100_000, b"fLaC" + bytes(300_000)):
        for total in (len(broken), len(data)):
            with pytest.raises(ClipError):
                sent(store, broken, total=total)
    bad = soundfile_of(np.full((RATE * 4, 2), np.nan, np.float32))
    with pytest.raises(ClipError, match="NaN or infinite, the first at frame 0"):
        sent(store, bad)
    assert store.used == 0
    assert not [each for each in threading.enumerate() if each.name == "ossicle-ahead"]


def soundfile_of(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


def test_an_upload_that_is_given_up_ends_its_thread(store: Store) -> None:
    """Also while that waits for bytes that never come; its place is free for the next."""
    data = encoded("flac")
    for _ in range(6):
        upload = store.session("a").receive("x")
        upload.expect(len(data))
        upload.write(data[: len(data) // 3])
        upload.abort()
        upload.abort()
    assert not [each for each in threading.enumerate() if each.name == "ossicle-ahead"]
    assert store.used == 0


def test_reading_waits_for_what_was_asked(tmp_path: Path) -> None:
    """Not for more, and at the end it gives what there is."""
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    with Growing(path, 10) as growing:
        growing.arrived(4)
        assert growing.read(4) == b"0123"
        late = threading.Timer(0.01, growing.arrived, (10,), {"done": True})
        late.start()
        assert growing.read(3) == b"456"
        assert (growing.read(), growing.read(1), growing.tell()) == (b"789", b"", 10)
        late.join()
