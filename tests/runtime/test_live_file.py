"""A file through a live graph: the samples of a live session, faster than live, hours in little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import tone
from ossicle.flow.operators import delay, gain, level, mix, overlay
from ossicle.runtime.cli import main
from ossicle.sound import stream_file
from ossicle.testing import Lab

RATE = 16_000


def ramp(frames: int) -> NDArray[np.int16]:
    return (np.arange(frames) % 8000 - 4000).astype(np.int16)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "in.wav", ramp(50_000), RATE)
    return tmp_path / "in.wav"


def ignore(reading: object) -> None:
    """A listener whose work does not matter here."""


def chained() -> tuple[oc.Blocks, oc.Audio, oc.Audio]:
    with oc.Blocks() as demo:
        music = oc.Slider(-60, 0, -6, label="Music")
        track = oc.Audio((RATE, ramp(3000)), label="Track")
        mic = oc.Audio(label="Mic", streaming=True)
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        mic.stream.pipe(delay("30 ms"), overlay(track, music, loops=None)).to(out)
        mic.stream.pipe(level())(ignore, mic, None)
    return demo, mic, out


def test_a_chain_gives_the_samples_of_a_session(source: Path, tmp_path: Path) -> None:
    """With the first values of the app's components, its State and files among them."""
    demo, mic, out = chained()
    path = stream_file(demo, source, tmp_path / "out.wav")
    with Lab(demo) as lab:
        lab.record(mic, source)
        lab.run(10)
        live = lab.stored(out)
        assert isinstance(live, Clip)
        heard = live.int16()
    rendered, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(rendered, heard)


def test_what_is_mixed_into_a_file_ends_with_it(source: Path, tmp_path: Path) -> None:
    """As in a session: other streams begin and end with the take."""
    with oc.Blocks() as demo:
        mic = oc.Audio(label="Mic", streaming=True)
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        mic.stream.pipe(mix(tone(100.0, 60.0, rate=RATE, level=-40.0))).to(out)
    rendered, _ = soundfile.read(stream_file(demo, source, tmp_path / "out.wav"), dtype="int16")
    with Lab(demo) as lab:
        lab.record(mic, source)
        lab.run(1)
        live = lab.stored(out)
        assert isinstance(live, Clip) and live.frames == 50_000
        np.testing.assert_array_equal(rendered, live.int16())
    assert not np.array_equal(rendered, ramp(50_000))


def test_values_are_set_by_label(source: Path, tmp_path: Path) -> None:
    """Another level and another track change what comes out."""
    demo, _, _ = chained()
    soundfile.write(tmp_path / "silence.wav", np.zeros(10, np.int16), RATE)
    alone = {"Track": tmp_path / "silence.wav"}
    one = stream_file(demo, source, tmp_path / "a.wav", values={"Music": -60} | alone)
    other = stream_file(demo, source, tmp_path / "b.wav", values={"Music": 0} | alone)
    assert one.read_bytes() == other.read_bytes(), "silence is silent at every level"
    loud = stream_file(demo, source, tmp_path / "c.wav", values={"Music": 0})
    assert loud.read_bytes() != one.read_bytes()


def test_a_function_on_chunks_is_run_in_a_session(source: Path, tmp_path: Path) -> None:
    """State and all; its virtual clock waits for nobody."""

    def turn(chunk: tuple[int, NDArray[np.int16]], n: int) -> tuple[object, int]:
        return (chunk[0], chunk[1] * (-1) ** n), n + 1

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        n = oc.State(0)
        mic.stream(turn, [mic, n], [out, n], stream_every=0.5)
    heard, _ = soundfile.read(stream_file(demo, source, tmp_path / "o.wav"), dtype="int16")
    signs = np.resize(np.repeat([1, -1], 8000), 50_000)
    np.testing.assert_array_equal(heard, ramp(50_000) * signs)


def test_what_cannot_be_streamed_is_said(source: Path, tmp_path: Path) -> None:
    """An app without live sound, two outputs, and a function that fails."""
    with oc.Blocks() as silent:
        oc.Audio()
    with pytest.raises(DeclarationError, match="there is none"):
        stream_file(silent, source, tmp_path / "o.wav")
    with oc.Blocks() as two:
        mic = oc.Audio(streaming=True)
        outs = [oc.Audio(label=name, streaming=True, interactive=False) for name in "ab"]
        for out in outs:
            mic.stream.pipe(gain(-3.0)).to(out)
    with pytest.raises(DeclarationError, match="Audio 'a', Audio 'b'"):
        stream_file(two, source, tmp_path / "o.wav")
    assert stream_file(two, source, tmp_path / "o.wav", output=outs[1]).exists()

    def fail(chunk: object) -> object:
        raise oc.Error("not today")

    with oc.Blocks() as failing:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream(fail, mic, out)
    with pytest.raises(DeclarationError, match="not today"):
        stream_file(failing, source, tmp_path / "never.wav")
    assert not (tmp_path / "never.wav").exists()


def test_the_command_streams_too(source: Path, tmp_path: Path) -> None:
    """`ossicle render` of an app whose sound is live; --set moves a slider."""
    examples = Path(__file__).parents[2] / "examples"
    command = ["render", str(examples / "karaoke.py"), "--input", str(source)]
    loud, soft = tmp_path / "loud.wav", tmp_path / "soft.wav"
    assert main([*command, "--output", str(loud)]) == 0
    assert main([*command, "--output", str(soft), "--set", "Voice=-40"]) == 0
    both, track = (soundfile.read(path, dtype="int16")[0].astype(int) for path in (loud, soft))
    voice = ramp(50_000)
    np.testing.assert_allclose(both - track, voice - voice / 100, atol=2)
