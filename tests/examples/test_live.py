"""The live examples, in virtual time: what is played into their microphones, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.model import Kind
from ossicle.runtime.loading import load
from ossicle.testing import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE = 48_000
T = TypeVar("T")


def app(name: str) -> oc.Blocks:
    return load(str(EXAMPLES / f"{name}.py")).app


def find(demo: oc.Blocks, kind: type[T], label: str) -> T:
    return next(n for n in demo.nodes if isinstance(n, kind) and n.label == label)  # type: ignore[attr-defined]


def tone(hertz: float, seconds: float, level: float = 0.3) -> NDArray[np.int16]:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.round(level * 32768 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(seconds * RATE), np.int16)


def during(
    lab: Lab, microphone: oc.Audio, sound: NDArray[np.int16], look: Callable[[], T], *at: float
) -> list[T]:
    """Record it; what `look` sees at these seconds of it."""
    seen, begin = list[T](), lab.seconds
    for second in at:
        lab.clock.at(begin + second, lambda: seen.append(look()))
    lab.record(microphone, (RATE, sound))
    return seen


def heard(lab: Lab, out: oc.Audio) -> NDArray[np.int16]:
    """All that the page was given to play."""
    return np.concatenate([f.samples[:, 0] for f in lab.page.heard[out.id]])


def test_echo_effect_repeats_what_is_said() -> None:
    demo = app("echo_effect")
    microphone, out = find(demo, oc.Audio, "Microphone"), find(demo, oc.Audio, "Echo")
    click = silence(1.0)
    click[4800] = 20_000
    with Lab(demo) as lab:
        lab.record(microphone, (RATE, click))
        lab.run(2)
        played = heard(lab, out)
        value = lab.stored(out)
    assert len(played) == RATE
    echoes = np.flatnonzero(np.abs(played) > 100)
    assert echoes.tolist() == [4800 + n * RATE // 4 for n in range(4)]
    assert isinstance(value, Clip)
    np.testing.assert_array_equal(value.int16(), played)


def test_noise_gate_lets_only_loud_sound_pass() -> None:
    demo = app("noise_gate")
    microphone, out = find(demo, oc.Audio, "Microphone"), find(demo, oc.Audio, "What passes")
    meter = find(demo, oc.Textbox, "Level behind the gate")
    quiet, loud = tone(440, 1.0, 0.002), tone(440, 1.0, 0.5)
    with Lab(demo) as lab:
        sound = np.concatenate((quiet, loud, quiet))
        seen = during(lab, microphone, sound, lambda: lab.value(meter), 0.9, 1.9, 2.9)
        assert seen == ["closed", "-9.0 dB", "closed"]
        lab.run(1)
        played = heard(lab, out)
    assert np.abs(played[: RATE // 2]).max() == 0
    np.testing.assert_array_equal(played[RATE + 4800 : 2 * RATE], loud[4800:])
    assert np.abs(played[-RATE // 2 :]).max() == 0


def test_tuner_names_the_note_and_how_far_it_is_off() -> None:
    demo = app("tuner")
    instrument = find(demo, oc.Audio, "Instrument")
    note, cents = find(demo, oc.Label, "Note"), find(demo, oc.Slider, "Cents too high")
    with Lab(demo) as lab:
        sound = np.concatenate((tone(444, 0.6), silence(0.6)))
        look = lambda: (lab.stored(note)["label"], lab.value(cents))  # noqa: E731
        tuned, still = during(lab, instrument, sound, look, 0.5, 1.1)
    assert tuned[0] == "A4  444.0 Hz"
    assert abs(tuned[1] - 15.7) < 0.5
    assert still == ("–", 0)


def test_live_transcription_writes_what_was_said_and_forgets_it_at_the_next_start() -> None:
    demo = app("live_transcription")
    microphone, text = find(demo, oc.Audio, "Microphone"), find(demo, oc.Textbox, "Said")
    speech = np.concatenate(
        (silence(0.5), tone(200, 0.8), silence(1), tone(300, 0.5, 0.05), silence(1))
    )
    with Lab(demo) as lab:
        first, both = during(lab, microphone, speech, lambda: lab.value(text), 2.2, 3.7)
        lab.record(microphone, (RATE, silence(0.2)))
        assert lab.value(text) == ""
    assert first.endswith("loud") and "\n" not in first
    assert both.startswith(first + "\n") and both.endswith("quiet")


def test_speak_stream_is_heard_word_by_word_and_ends_as_a_file() -> None:
    demo = app("speak_stream")
    voice, told = find(demo, oc.Audio, "Voice"), find(demo, oc.Textbox, "Heard")
    text = find(demo, oc.Textbox, "Text")
    go = next(n for n in demo.nodes if isinstance(n, oc.Button) and n.value == "Speak")
    with Lab(demo) as lab:
        lab.input(text, "one two")
        lab.click(go)
        lab.run(5)
        played, value, words = heard(lab, voice), lab.stored(voice), lab.value(told)
    assert len(played) == 24_000 * (6 * 9 + 2 * 6) // 100
    assert isinstance(value, Clip)
    np.testing.assert_array_equal(value.int16(), played)
    assert words == "All 0.66 s were heard."


def test_barge_in_hears_the_beginning_of_speech_and_no_more() -> None:
    demo = app("barge_in")
    microphone, voice = find(demo, oc.Audio, "You"), find(demo, oc.Audio, "Answer")
    told = find(demo, oc.Textbox, "What became of it")
    ask = next(n for n in demo.nodes if isinstance(n, oc.Button))
    speech = np.concatenate((silence(1), tone(200, 1), silence(1), tone(300, 1)))
    with Lab(demo) as lab:
        lab.click(ask)
        assert lab.value(told) == "All 6.5 s were heard."
        assert isinstance(lab.stored(voice), Clip)
        lab.record(microphone, (RATE, speech))
        flushes = [o for o in lab.outcomes if o.listener == "flush" and o.kind is Kind.SUCCEEDED]
    assert [round(o.at, 1) for o in flushes] == [1.1, 3.1]


def test_spectrogram_shows_a_tone_as_a_line_at_its_height() -> None:
    demo = app("spectrogram")
    sound, image = find(demo, oc.Audio, "Sound"), find(demo, oc.Image, "Spectrogram")
    picture = next(n for n in demo.nodes if isinstance(n, oc.State))
    with Lab(demo) as lab:
        lab.record(sound, (RATE, tone(2000, 1.0)))
        lab.run(2)
        drawn = lab.stored(picture)
        assert lab.stored(image) is not None
    assert drawn.shape == (257, 400)
    assert int(np.argmax(drawn[:, -10])) == 256 - 64, "2,000 of 8,000 Hz is a quarter of the height"
    assert drawn[:, 100].max() == 0, "one second is a quarter of the width"


def test_karaoke_mixes_voice_and_track_and_moves_levels_without_a_click() -> None:
    demo = app("karaoke")
    microphone, out = find(demo, oc.Audio, "Microphone"), find(demo, oc.Audio, "Both")
    backing = find(demo, oc.Audio, "Backing track")
    voice, music = find(demo, oc.Slider, "Voice"), find(demo, oc.Slider, "Music")
    under = tone(150, 1.5, 0.2)
    with Lab(demo) as lab:
        lab.upload(backing, (RATE, under))
        begin = lab.seconds
        for second, slider, level in ((1, music, -40), (2, voice, -40), (2.5, voice, 0)):
            lab.clock.at(begin + second, lambda s=slider, d=level: lab.input(s, d))
        sung = tone(200, 3.0, 0.3)
        lab.record(microphone, (RATE, sung))
        lab.run(1)
        value = lab.stored(out)
        assert isinstance(value, Clip)
        got = value.int16().astype(float)
    assert len(got) == len(sung)
    first = slice(0, round(0.95 * RATE))
    np.testing.assert_allclose(got[first], sung[first] + under[first] * 10 ** (-6 / 20), atol=2)
    later = slice(round(1.2 * RATE), round(1.4 * RATE))
    np.testing.assert_allclose(got[later], sung[later] + under[later] / 100, atol=2)
    assert np.abs(got[round(2.2 * RATE) : round(2.4 * RATE)]).max() < 250
    steepest = 32768 * 2 * np.pi / RATE * (200 * 0.3 + 150 * 0.2)
    assert np.abs(np.diff(got)).max() < 1.1 * steepest
