"""Sound files: what goes in comes out, and what is no sound is told in one clear error."""

from __future__ import annotations

import os
import struct
import sys
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from ossicle.flow.audio import Clip, ClipError
from ossicle.runtime.media import foreign
from ossicle.runtime.media.decode import FileClip, scan
from ossicle.runtime.media.encode import ENCODERS, encode
from ossicle.runtime.media.limits import Limits

RATE = 44_100


def tone(frames: int = RATE, channels: int = 1, level: float = 0.5) -> np.ndarray[Any, Any]:
    """A sweep, another in each channel, as float64 in -level..level."""
    t = np.arange(frames) / RATE
    rows = [np.sin(2 * np.pi * (200 + 150 * c + 300 * t) * t) for c in range(channels)]
    return level * (rows[0] if channels == 1 else np.stack(rows, axis=1))


def opened(path: Path, name: str = "a.wav", limits: Limits | None = None) -> FileClip:
    """The file as a clip, the way the store does it: under a path without suffix."""
    limits = limits or Limits()
    plain = path.with_name("plain")
    plain.write_bytes(path.read_bytes())
    copy = path.with_name("copy")
    facts, copied = scan(plain, copy, name=name, limits=limits)
    size = plain.stat().st_size
    return FileClip(
        copy if copied else plain, facts, name=name, key="", size=size, memory=limits.memory
    )


def written(path: Path, samples: Any, **more: Any) -> Path:
    sf.write(str(path), samples, RATE, **more)  # pyright: ignore[reportUnknownMemberType]
    return path


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("format", ["wav", "flac"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_lossless_within_one_step(tmp_path: Path, format: str, subtype: str, channels: int) -> None:
    """16, 24, 32 bit and float survive decoding and encoding within one step of 16 bit."""
    if format == "flac" and subtype in ("PCM_32", "FLOAT"):
        subtype = "PCM_24"  # the deepest that flac has
    exact = tone(3000, channels, 0.999)
    clip = opened(written(tmp_path / "x", exact, format=format, subtype=subtype))
    assert clip.int16().shape == exact.shape
    assert clip.int16().dtype == np.int16
    assert np.abs(clip.int16() - exact * 32768).max() <= 1
    for out in ("wav", "flac"):
        encode(clip, tmp_path / "again", out)
        again = opened(tmp_path / "again")
        assert np.abs(again.int16().astype(int) - clip.int16()).max() <= 1
        assert (again.rate, again.channels, again.format) == (RATE, channels, out)


@pytest.mark.parametrize("channels", [1, 2])
def test_16_bit_is_the_same_sound(tmp_path: Path, channels: int) -> None:
    """A 16-bit clip through wav and flac is the very same: its id does not move."""
    clip = Clip.of(RATE, (tone(3000, channels) * 32768).astype(np.int16))
    for format in ("wav", "flac"):
        encode(clip, tmp_path / "x", format)
        assert opened(tmp_path / "x").id == clip.id


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("format", ["ogg", "mp3"])
def test_lossy_is_the_same_to_the_ear(tmp_path: Path, format: str, channels: int) -> None:
    """ogg and mp3 keep length, level and shape; the error is 30 dB below the sound."""
    clip = Clip.of(RATE, (tone(RATE, channels) * 32768).astype(np.int16))
    encode(clip, tmp_path / "x", format)
    back = opened(tmp_path / "x")
    assert (back.frames, back.channels, back.format) == (clip.frames, channels, format)
    sound = clip.int16().astype(float)
    assert np.std(back.int16() - sound) < np.std(sound) / 30


def test_a_long_ogg_does_not_crash(tmp_path: Path) -> None:
    """Six million frames in one write end the process; blocks do not (libsndfile #1095)."""
    clip = Clip.of(RATE, np.zeros(6_000_000, np.int16))
    encode(clip, tmp_path / "x", "ogg")
    assert opened(tmp_path / "x").frames == 6_000_000


def test_any_part_is_exact(tmp_path: Path) -> None:
    """Blocks and parts are slices of the whole, also where the decoder cannot seek exactly."""
    clip = Clip.of(RATE, (tone(200_000) * 32768).astype(np.int16))
    for format in ENCODERS:
        encode(clip, tmp_path / "x", format)
        back = opened(tmp_path / "x")
        whole = back.samples()
        assert np.array_equal(np.concatenate(list(back.blocks(1000))), whole)
        for start, end in [(0, 1), (70_000, 140_001), (199_999, 200_000)]:
            assert np.array_equal(back.read(start, end), whole[start:end])


def test_loud_float_is_cut_and_counted(tmp_path: Path) -> None:
    """What lies beyond full scale in a float file stops there; it does not wrap round."""
    path = written(tmp_path / "x", np.array([1.5, -1.5, 0.5, 1.0]), format="WAV", subtype="FLOAT")
    clip = opened(path)
    assert clip.int16().tolist() == [32767, -32768, 16384, 32767]
    assert clip.clipped == 2
    assert clip.samples().tolist() == [1.5, -1.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("codec", "container", "format"),
    [("aac", "mp4", "m4a"), ("libopus", "webm", "webm"), ("aac", "adts", "aac")],
)
def test_what_only_ffmpeg_reads(tmp_path: Path, codec: str, container: str, format: str) -> None:
    """m4a, webm and aac come in as 16 bit, at their own rate, whatever they are called."""
    path = tmp_path / "x"
    sound = foreign_file(path, codec, container)
    clip = opened(path, name="song.wav")
    assert (clip.format, clip.rate, clip.channels) == (format, 48_000, 2)
    assert 0 <= clip.frames - sound.shape[0] <= 2048  # the last AAC frame is filled up
    middle = slice(20_000, 30_000)
    power = np.abs(np.fft.rfft(clip.int16()[middle, 0].astype(float)))
    expected = np.abs(np.fft.rfft(sound[middle, 0].astype(float)))
    assert abs(int(power.argmax()) - int(expected.argmax())) <= 1


def foreign_file(path: Path, codec: str, container: str) -> np.ndarray[Any, Any]:
    av: Any = import_module("av")
    t = np.arange(48_000) / 48_000
    sound = np.stack([np.sin(2 * np.pi * 440 * t)] * 2, axis=1) * 9000
    samples = sound.astype(np.int16)
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=48_000)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = 48_000
        size = stream.codec_context.frame_size or 960
        convert = av.AudioResampler(
            format=stream.codec_context.format, layout="stereo", rate=48_000, frame_size=size
        )
        for piece in [*convert.resample(frame), *convert.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return samples


def wav(
    rate: int = RATE, channels: int = 1, data: bytes = bytes(2000), promised: int | None = None
) -> bytes:
    """A 16-bit WAV with a header that may lie."""
    size = len(data) if promised is None else promised
    width = channels * 2 & 0xFFFF
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * width & 0xFFFFFFFF, width, 16)
    riff = (36 + size) & 0xFFFFFFFF
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    return head + b"data" + struct.pack("<I", size) + data


def encoded(format: str, frames: int = RATE) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        path = folder / "made"
        encode(Clip.of(RATE, (tone(frames) * 32768).astype(np.int16)), path, format)
        data = path.read_bytes()
        path.unlink()
        return data

    return make


def half(make: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    def cut(folder: Path) -> bytes:
        data = make(folder)
        return data[: len(data) // 2]

    return cut


def foreign_half(codec: str, container: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        path = folder / "made"
        foreign_file(path, codec, container)
        data = path.read_bytes()
        path.unlink()
        return data[: len(data) // 2]

    return make


def with_nan(folder: Path) -> bytes:
    path = written(folder / "made", np.array([0, np.nan, 0, np.inf]), format="WAV", subtype="FLOAT")
    data = path.read_bytes()
    path.unlink()
    return data


def aiff(folder: Path) -> bytes:
    path = written(folder / "made", tone(), format="AIFF", subtype="PCM_16")
    data = path.read_bytes()
    path.unlink()
    return data


def more_frames(folder: Path) -> bytes:
    data = aiff(folder)
    at = data.index(b"COMM") + 10
    return data[:at] + struct.pack(">I", 2 * RATE) + data[at + 4 :]


BAD: list[tuple[str, bytes | Callable[[Path], bytes], str]] = [
    ("empty", b"", r"'a.wav' is empty \(0 bytes\)"),
    ("text", b"this is not sound at all\n" * 99, "'a.wav' is not a sound file; send wav"),
    ("zeros", bytes(5000), "not a sound file"),
    ("random", b"\0" + np.random.default_rng(1).bytes(50_000), "not a sound file"),
    ("html", b"<html>" * 500, "not a sound file"),
    ("png", b"\x89PNG\r\n\x1a\n" + bytes(500), "not a sound file"),
    ("playlist", b"#EXTM3U\n#EXTINF:1\nfile:///etc/hostname\n", "not a sound file"),
    ("concat", b"ffconcat version 1.0\nfile /etc/hostname\n", "not a sound file"),
    ("RIFF only", b"RIFF", "not a sound file"),
    ("wav head only", wav()[:20], "looks like wav but cannot be read"),
    ("id3 and nothing", b"ID3\x03\0\0\0\0\0\x0a" + bytes(1000), "looks like mp3 but cannot"),
    ("mp3 syncs", b"\xff\xfb\x90\x00" * 5000, "mp3|0 samples|cut off"),
    ("m4a head", b"\0\0\0\x20ftypM4A " + bytes(900), "looks like m4a but cannot be read"),
    ("webm head", b"\x1a\x45\xdf\xa3" + bytes(900), "looks like mkv but cannot be read"),
    ("0 frames", wav(data=b""), "holds 0 samples"),
    ("0 Hz", wav(rate=0), "sample rate of 0 Hz; 1 to 768000"),
    ("1 MHz", wav(rate=1_000_000), "sample rate of 1000000 Hz"),
    ("64 channels", wav(channels=64, data=bytes(12_800)), "64 channels; 1 to 32"),
    ("0 channels", wav(channels=0), "0 channels"),
    ("2 GB promised", wav(promised=2 << 30), "promises 2 GB of sound, but only 1.95 kB"),
    ("half a wav", half(encoded("wav")), "cut off: its header promises 86.1 kB of sound"),
    ("half an aiff", half(aiff), "cut off: its header promises"),
    ("an aiff of more frames", more_frames, "cut off: its header promises 172 kB of sound"),
    ("half a flac", half(encoded("flac")), "damaged or cut off"),
    ("half an ogg", half(encoded("ogg")), "cut off"),
    ("half an mp3", half(encoded("mp3", 5 * RATE)), "cut off: its header promises 220500 frames"),
    ("half an m4a", foreign_half("aac", "mp4"), "looks like m4a but cannot be read"),
    ("half a webm", foreign_half("libopus", "webm"), "cut off"),
    ("nan", with_nan, "2 samples of 'a.wav' are NaN or infinite, the first at frame 1;"),
]


@pytest.mark.parametrize(("content", "text"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_is_no_sound(
    tmp_path: Path, content: bytes | Callable[[Path], bytes], text: str
) -> None:
    """One error on one line, with the user's name for it and no path, and nothing left behind."""
    path = tmp_path / "x"
    path.write_bytes(content if isinstance(content, bytes) else content(tmp_path))
    with pytest.raises(ClipError, match=text) as raised:
        scan(path, tmp_path / "copy", name="a.wav", limits=Limits())
    assert str(tmp_path) not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_an_mp3_is_as_long_as_what_is_in_it(tmp_path: Path) -> None:
    """One that does not say its length is no lie: what is guessed from its size counts its tags."""
    frame = b"\xff\xfb\x90\xc4".ljust(417, b"\0")  # MPEG-1, layer 3, 128 kbit/s: 1152 of silence
    picture = b"ID3\x03\0\0" + bytes((0, 1, 127, 127)) + bytes(32_767)
    (tmp_path / "x").write_bytes(picture + 200 * frame + b"TAG".ljust(128, b"\0"))
    clip = opened(tmp_path / "x")
    assert clip.frames == 200 * 1152
    assert not clip.samples().any()


def test_an_mp3_whose_bitrate_grows_is_read_to_its_end(tmp_path: Path) -> None:
    """Nothing in it says how long it is, and its first frame is the shortest."""
    quiet = b"\xff\xfb\x10\xc4".ljust(104, b"\0")  # 32 kbit/s, and 320
    loud = b"\xff\xfb\xe0\xc4".ljust(1044, b"\0")
    (tmp_path / "x").write_bytes(10 * quiet + 100 * loud)
    clip = opened(tmp_path / "x")
    assert abs(clip.frames - 110 * 1152) <= 1152  # decoders differ in what comes before the sound


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0x7FFFF000])
def test_a_length_nobody_knew_is_no_lie(tmp_path: Path, promised: int) -> None:
    """Programs that write WAV into a pipe cannot know its length, and say so with these numbers."""
    (tmp_path / "x").write_bytes(wav(promised=promised))
    assert opened(tmp_path / "x").frames == 1000


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    """A flac that is called .mp3 is a flac."""
    (tmp_path / "x").write_bytes(encoded("flac")(tmp_path))
    assert opened(tmp_path / "x", name="song.mp3").format == "flac"


def test_a_small_file_that_is_long(tmp_path: Path) -> None:
    """Hours of silence compress to nothing: the length is bounded, before and while decoding."""
    clip = Clip.of(RATE, np.zeros(20 * RATE, np.int16))
    for format in ("flac", "ogg", "wav"):
        encode(clip, tmp_path / "x", format)
        with pytest.raises(ClipError, match=r"longer than 10 s \(20 s or more at 44100 Hz\)"):
            opened(tmp_path / "x", limits=Limits(seconds=10))
    foreign_file(tmp_path / "y", "aac", "mp4")
    with pytest.raises(ClipError, match="longer than 0.5 s"):
        opened(tmp_path / "y", limits=Limits(seconds=0.5))


def test_one_array_is_bounded(tmp_path: Path) -> None:
    """A sound too long for memory says so, and can still be read in blocks."""
    encode(Clip.of(RATE, np.zeros(RATE, np.int16)), tmp_path / "x", "flac")
    clip = opened(tmp_path / "x", limits=Limits(memory=10_000))
    with pytest.raises(ClipError, match="86.1 kB as one array .*type='filepath'"):
        clip.samples()
    assert sum(block.shape[0] for block in clip.blocks()) == RATE


def test_a_file_deleted_under_us(tmp_path: Path) -> None:
    """The error is about the sound, not about a path."""
    encode(Clip.of(RATE, np.zeros(RATE, np.int16)), tmp_path / "x", "wav")
    clip = opened(tmp_path / "x", name="take.wav")
    (tmp_path / "plain").unlink()
    with pytest.raises(ClipError, match="^the file of 'take.wav' is gone"):
        clip.samples()


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten minutes (53 MB) come in, are hashed, drawn and written again in a few MB."""
    path = tmp_path / "x"
    minute = (tone(60 * RATE) * 32768).astype(np.int16)
    with sf.SoundFile(str(path), "w", RATE, 1, format="WAV", subtype="PCM_16") as file:
        for _ in range(10):
            file.write(minute)  # pyright: ignore[reportUnknownMemberType]
    tracemalloc.start()
    try:
        facts, _ = scan(path, tmp_path / "copy", name="x", limits=Limits())
        clip = FileClip(path, facts, name="x", key="", size=0, memory=Limits().memory)
        encode(clip, tmp_path / "y", "flac")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert clip.frames == 600 * RATE
    assert peak < 8_000_000


ODD: list[tuple[str, int, int, str]] = [
    ("mp3", 44_100, 6, "6 channels at 44100 Hz, but mp3 holds at most 2 channels"),
    ("mp3", 96_000, 1, "mp3 knows only the rates"),
    ("flac", 44_100, 9, "flac holds at most 8 channels"),
    ("flac", 768_000, 1, "too fast for flac"),
    ("xyz", 44_100, 1, "format 'xyz'; choose one of wav, flac, ogg, mp3"),
]


@pytest.mark.parametrize(("format", "rate", "channels", "text"), ODD)
def test_what_a_format_cannot_hold(
    tmp_path: Path, format: str, rate: int, channels: int, text: str
) -> None:
    """The error names the limit and the way out, and no half file is left."""
    clip = Clip.of(rate, np.zeros((500, channels), np.int16))
    with pytest.raises(ClipError, match=text):
        encode(clip, tmp_path / "x", format)
    assert not list(tmp_path.iterdir())


def test_without_a_codec_the_way_to_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither PyAV nor ffmpeg: the error says what to install and what needs nothing."""
    foreign_file(tmp_path / "x", "aac", "mp4")
    monkeypatch.setattr(foreign.importlib.util, "find_spec", lambda name: None)  # pyright: ignore
    monkeypatch.setattr(foreign.shutil, "which", lambda name: None)  # pyright: ignore
    with pytest.raises(ClipError, match=r"'a.wav' is m4a, .*ossicle\[codecs\].*or send wav"):
        opened(tmp_path / "x")


FAKE = """#!{python}
import shutil, sys
from pathlib import Path
Path({log!r}).write_text(" ".join(sys.argv[1:]))
shutil.copyfile({wav!r}, sys.argv[-1])
sys.exit({code})
"""


@pytest.mark.parametrize("code", [0, 1])
def test_an_ffmpeg_program_where_pyav_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It is told what to read, to open nothing else, and where to stop; its copy is what counts."""
    foreign_file(tmp_path / "x", "aac", "mp4")
    decoded = written(tmp_path / "decoded", tone(3000, 2), format="WAV", subtype="PCM_16")
    program, log = tmp_path / "ffmpeg", tmp_path / "log"
    program.write_text(
        FAKE.format(python=sys.executable, log=str(log), wav=str(decoded), code=code)
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(foreign.importlib.util, "find_spec", lambda name: None)  # pyright: ignore
    if code:
        with pytest.raises(ClipError, match="looks like m4a but cannot be read: ffmpeg cannot"):
            opened(tmp_path / "x")
        assert not (tmp_path / "copy").exists()
        return
    clip = opened(tmp_path / "x", limits=Limits(seconds=9))
    assert (clip.format, clip.rate, clip.channels, clip.frames) == ("m4a", RATE, 2, 3000)
    assert np.abs(clip.int16() - tone(3000, 2) * 32768).max() <= 1
    assert "-protocol_whitelist file -f mp4 -i" in log.read_text()
    assert "-t 10.000 " in log.read_text()
    with pytest.raises(ClipError, match="longer than 0.05 s"):
        opened(tmp_path / "x", limits=Limits(seconds=0.05))
