"""Waveforms of parts of clips: exact where one zooms in, whatever holds the sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.flow.audio import Clip, trimmed
from ossicle.flow.samples import Samples
from ossicle.runtime.media.decode import FileClip
from ossicle.runtime.media.peaks import peaks_of
from ossicle.runtime.media.store import Store
from ossicle.runtime.media.waveform import Waveforms

RATE = 44_100
FORMATS = {
    "wav": ("WAV", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
}


def sound(seconds: int = 8) -> np.ndarray[Any, Any]:
    noise = np.random.default_rng(5).standard_normal((RATE * seconds, 2)) * 0.1
    return noise * np.linspace(0.1, 1, RATE * seconds)[:, None]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FileClip]:
    """A file of the format that the test names."""
    path = tmp_path / f"a.{request.param}"
    format, subtype = FORMATS[request.param]
    soundfile.write(path, sound(), RATE, format=format, subtype=subtype)
    store = Store()
    clip = store.session("a").open(path)
    assert isinstance(clip, FileClip)
    yield clip
    store.close()


def exact(clip: Clip, start: int, end: int, width: int) -> Samples:
    part = clip.int16()[start:end]
    return peaks_of(iter([part]), end - start, clip.channels, width)


@pytest.mark.parametrize("opened", FORMATS, indirect=True)
@pytest.mark.parametrize(
    ("start", "length", "width"), [(0, 500, 500), (123_457, 64, 900), (300_001, 9999, 1200)]
)
def test_zoomed_in_it_is_exact(opened: FileClip, start: int, length: int, width: int) -> None:
    """Also in mp3 and Vorbis, where a seek has to be proved."""
    found = Waveforms().part(opened, start, start + length, width)
    assert np.array_equal(found, exact(opened, start, start + length, min(width, length)))


@pytest.mark.parametrize("opened", FORMATS, indirect=True)
def test_the_whole_and_its_end(opened: FileClip) -> None:
    """The last frames are there, and the whole has the peak of the clip."""
    n = opened.frames
    assert np.array_equal(Waveforms().part(opened, n - 300, n, 300), exact(opened, n - 300, n, 300))
    whole = Waveforms().part(opened, 0, n, 640)
    assert max(whole.max(), -int(whole.min())) == round(opened.peak * 32768)


@pytest.mark.parametrize("opened", FORMATS, indirect=True)
@pytest.mark.parametrize(("start", "end"), [(100_000, 100_050), (44_100, 220_500), (1, 352_000)])
def test_the_peak_of_a_trim_is_known_without_decoding(
    opened: FileClip, start: int, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No less than it is, and no more than that of what stands around it."""
    levels = np.abs(opened.int16().astype(np.int32))
    around = max(256, (end - start) // 2)
    monkeypatch.setattr(FileClip, "blocks", None)
    monkeypatch.setattr(FileClip, "near", None)
    peak = Waveforms().peak(trimmed(opened, start, end)) * 32768
    assert levels[start:end].max() <= peak <= levels[max(0, start - around) : end + around].max()


@pytest.mark.parametrize("opened", ["mp3"], indirect=True)
@pytest.mark.parametrize("miss", [-1, 1, 1152])
def test_a_seek_that_misses_is_not_believed(
    opened: FileClip, miss: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it answers from what the first decoding saw, in columns as fine as that was."""
    true = FileClip.near

    def missing(clip: FileClip, start: int, end: int, *, lead: int) -> Iterator[Samples]:
        return true(clip, start + miss, end + miss, lead=lead)

    monkeypatch.setattr(FileClip, "near", missing)
    found = Waveforms().part(opened, 102_400, 112_640, 1000)
    assert found.shape == (2, 40, 3)
    assert np.array_equal(found[..., :2], exact(opened, 102_400, 112_640, 40)[..., :2])


def test_a_trimmed_sound_shows_its_own_frames() -> None:
    """Of a sound in memory, short and long, and of a part of a part."""
    samples = np.random.default_rng(2).integers(-9000, 9000, 3_000_000).astype(np.int16)
    whole = Clip.of(RATE, samples)
    part = trimmed(trimmed(whole, 1000, 2_900_000), 500, 2_800_000)
    waveforms = Waveforms()
    near = waveforms.part(part, 77, 177, 100)
    assert near[0, :, 0].tolist() == samples[1577:1677].tolist()
    far = waveforms.part(part, 0, part.frames, 100)
    assert (far.min(), far.max()) == (samples.min(), samples.max())
    assert waveforms.part(part, 0, part.frames, 5).shape == (1, 5, 3)
