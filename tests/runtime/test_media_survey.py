"""A first look at the whole of a long sound while it is still decoded, and an end to that."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from ossicle.flow.audio import Clip, ClipError
from ossicle.flow.samples import Digest, Samples
from ossicle.runtime.media import facts, survey
from ossicle.runtime.media.glimpse import Glimpse, Sketch
from ossicle.runtime.media.session import Upload
from ossicle.runtime.media.store import Store

RATE = 16_000
SECONDS = 90
CELLS = 64  # so that a cell of this short sound is as long as one of a long sound
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
}


def swelling() -> Any:
    """Stereo noise that becomes louder from the beginning to the end, the right half as loud."""
    noise = np.random.default_rng(4).uniform(-0.9, 0.9, (RATE * SECONDS, 2)).astype("f4")
    return noise * np.linspace(0, 1, RATE * SECONDS, dtype="f4")[:, None] * np.array([1, 0.5], "f4")


@pytest.fixture(scope="module")
def sounds() -> dict[str, bytes]:
    made, whole = dict[str, bytes](), swelling()
    for kind, (format, subtype) in FORMATS.items():
        out = io.BytesIO()
        with soundfile.SoundFile(out, "w", RATE, 2, format=format, subtype=subtype) as file:
            for at in range(0, len(whole), 65_536):
                file.write(whole[at : at + 65_536])
        made[kind] = out.getvalue()
    return made


class Held:
    """The decoder waits before its block number `at`, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.waits = threading.Event()
        self.go_on = threading.Event()
        self.blocks = 0
        true = facts.update_hash

        def update(digest: Digest, block: Samples) -> None:
            if self.blocks == self.at:
                self.waits.set()
                assert self.go_on.wait(30)
            self.blocks += 1
            true(digest, block)

        monkeypatch.setattr(facts, "update_hash", update)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made = Held(monkeypatch)
    yield made
    made.go_on.set()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(survey, "WORTH", 1 << 20)
    monkeypatch.setattr(survey, "CELLS", CELLS)
    made = Store()
    made.session("a")
    yield made
    made.close()


class Committing:
    """An upload that is complete, and looked through in a thread of its own."""

    def __init__(self, store: Store, data: bytes) -> None:
        self.upload: Upload = store.receive("a", "long")
        self.upload.expect(len(data))
        self.upload.write(data)
        self.clip: Clip | None = None
        self.error: ClipError | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.clip = self.upload.commit()
        except ClipError as error:
            self.error = error

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def columns(sketch: Sketch | None) -> Any:
    assert sketch is not None
    return np.frombuffer(sketch.body, "<i2").reshape(sketch.channels, sketch.width, 3).astype(int)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_whole_is_seen_before_it_is_decoded(
    kind: str, sounds: dict[str, bytes], store: Store, held: Held
) -> None:
    """Finer each time, never higher than what comes then, and what is exact takes its place."""
    coming = Committing(store, sounds[kind])
    assert held.waits.wait(30)
    found = [coming.upload.sketch(4000) for _ in range(4)]
    assert [each and (each.width, each.exact) for each in found] == [
        (16, 0),
        (32, 0),
        (64, 0),
        (64, 0),
    ]
    first, last = found[0], found[-1]
    assert first is not None
    assert last is not None
    assert first.frames == first.of == pytest.approx(RATE * SECONDS, abs=4000)
    loud = columns(first)[0, :, 1]  # quiet at first, loud at the end
    assert loud[0] < 3000 < 20_000 < loud[-1]
    assert columns(coming.upload.sketch(40)).shape[1] == 32

    held.waits.clear()
    held.at, go_on = 14, held.go_on
    held.go_on = threading.Event()
    go_on.set()
    assert held.waits.wait(30)
    half = coming.upload.sketch(4000)
    assert half is not None
    assert 0.5 < half.exact / half.of < 0.8
    held.go_on.set()
    coming.join()
    assert coming.clip is not None
    handle = str(store.session("a").describe(coming.clip)["clip"])
    channels, width, body = store.sound(handle).peaks(CELLS, 0, coming.clip.frames)
    exact = np.frombuffer(body, "<i2").reshape(channels, width, 3).astype(int)
    count = int(half.exact / half.of * CELLS)
    for seen in (columns(last), columns(half)):
        # The head of an mp3 says a length that is not quite true: its columns begin elsewhere.
        slack = 500 if kind == "mp3" else 0
        assert (seen[..., 1] <= exact[..., 1] + slack).all()
        assert (seen[..., 0] >= exact[..., 0] - slack).all()
    grown = columns(half)[:, :count]
    assert (grown[..., 1] >= columns(last)[:, :count, 1]).all()
    if kind in ("wav", "flac"):  # a part takes in every bucket that it touches, here and there
        assert np.allclose(grown[..., :2], exact[:, :count, :2], atol=100)


def test_a_sound_given_up_is_decoded_no_further(
    sounds: dict[str, bytes], store: Store, held: Held
) -> None:
    """One block more at most; its thread ends, and so does its file."""
    held.at = 3
    coming = Committing(store, sounds["mp3"])
    assert held.waits.wait(30)
    coming.upload.give_up()
    held.go_on.set()
    coming.join()
    coming.upload.abort()
    assert "given up" in str(coming.error)
    assert held.blocks <= 4
    assert store.used == 0


def test_what_is_decoded_into_a_copy_is_seen_as_it_comes(store: Store, held: Held) -> None:
    """An m4a is drawn while its copy is made; its end is guessed by how much of it was read."""
    import av

    out = io.BytesIO()
    with cast(Any, av).open(out, "w", format="mp4") as media:
        stream = media.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(swelling().T), format="fltp", layout="stereo"
        )
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)
    held.at = 10
    coming = Committing(store, out.getvalue())
    assert held.waits.wait(30)
    seen = coming.upload.sketch(100)
    assert seen is not None
    assert (seen.channels, seen.width) == (2, 100)
    assert 9 * 65_536 < seen.exact == seen.frames < 12 * 65_536
    assert seen.of == pytest.approx(RATE * SECONDS, rel=0.25)
    held.go_on.set()
    coming.join()
    assert coming.clip is not None
    assert coming.clip.frames == pytest.approx(RATE * SECONDS, abs=4000)
    assert coming.clip.format == "m4a"


def test_a_copy_given_up_leaves_nothing(store: Store, held: Held) -> None:
    """Neither the file nor the half of its copy."""
    import av

    out = io.BytesIO()
    with cast(Any, av).open(out, "w", format="mp4") as media:
        stream = media.add_stream("aac", rate=RATE, layout="mono")
        silence = np.zeros((1, RATE * 60), "f4")
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)
    held.at = 2
    coming = Committing(store, out.getvalue())
    assert held.waits.wait(30)
    coming.upload.give_up()
    held.go_on.set()
    coming.join()
    coming.upload.abort()
    assert coming.error is not None
    assert store.used == 0


def test_damage_ends_the_look_and_not_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose middle is none: who decodes it says so; who watches is told nothing."""
    monkeypatch.setattr(survey, "WORTH", 1000)
    path = tmp_path / "damaged"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="FLAC") as file:
        file.write(np.random.default_rng(1).integers(-99, 99, 4_000_000).astype(np.int16))
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = b"\x55" * third
    path.write_bytes(data)
    watched = Glimpse()
    watched.complete(path)
    assert (watched.sketch(100), watched.sketch(100)) == (None, None)
    watched.close()
