"""The three demos that Audio's page names, as apps: what their users do, and what they get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ossicle as oc
from ossicle.runtime.loading import load
from ossicle.testing import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE = 16_000


def app(name: str) -> oc.Interface:
    found = load(str(EXAMPLES / f"{name}.py")).app
    assert isinstance(found, oc.Interface)
    return found


def button(demo: oc.Blocks, text: str) -> oc.Button:
    return next(n for n in demo.nodes if isinstance(n, oc.Button) and n.value == text)


def test_reverse_audio_turns_a_recording_round_sample_by_sample() -> None:
    demo = app("reverse_audio")
    samples = np.random.default_rng(1).integers(-9000, 9000, (RATE, 2)).astype(np.int16)
    with Lab(demo) as lab:
        lab.record(demo.input_components[0], (RATE, samples))
        lab.click(button(demo, "Submit"))
        lab.settle()
        rate, heard = lab.value(demo.output_components[0])
    assert rate == RATE
    np.testing.assert_array_equal(heard, samples[::-1])


def test_reverse_audio_without_a_sound_says_what_to_do() -> None:
    demo = app("reverse_audio")
    with Lab(demo) as lab:
        lab.click(button(demo, "Submit"))
        lab.settle()
        assert [t.message for t in lab.toasts] == ["Record or upload a sound first."]


@pytest.mark.parametrize(
    ("note", "octave", "hertz"), [("A", 4, 440.0), ("C", 5, 523.25), ("B", 2, 123.47)]
)
def test_generate_tone_has_the_pitch_of_its_note(note: str, octave: int, hertz: float) -> None:
    demo = app("generate_tone")
    notes, octaves, length = demo.input_components
    with Lab(demo) as lab:
        lab.input(notes, note)
        lab.input(octaves, octave)
        lab.input(length, 2)
        lab.click(button(demo, "Submit"))
        lab.settle()
        rate, tone = lab.value(demo.output_components[0])
    assert len(tone) == 2 * rate
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
    assert abs(np.argmax(spectrum) * rate / len(tone) - hertz) <= 0.5
    assert tone[0] == tone[-1] == 0
    assert abs(int(np.abs(tone).max()) - 16384) < 20


def test_main_note_hears_what_generate_tone_plays() -> None:
    demo = app("main_note")
    seconds = np.arange(RATE) / RATE
    tone = (0.4 * 32767 * np.sin(2 * np.pi * 311.13 * seconds)).astype(np.int16)
    with Lab(demo) as lab:
        lab.upload(demo.input_components[0], (RATE, tone))
        lab.click(button(demo, "Submit"))
        lab.settle()
        shown = lab.props(demo.output_components[0])["value"]
    assert shown["label"] == "D#"
    assert shown["confidences"][0]["confidence"] > 0.95
    assert len(shown["confidences"]) == 5


def test_main_note_of_silence_is_an_error_in_words() -> None:
    demo = app("main_note")
    with Lab(demo) as lab:
        lab.upload(demo.input_components[0], (RATE, np.zeros(RATE, np.int16)))
        lab.click(button(demo, "Submit"))
        lab.settle()
        assert "nothing to hear" in str(lab.toasts[0].message)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_each_example_is_an_app_that_a_session_can_open(path: Path) -> None:
    with Lab(load(str(path)).app) as lab:
        lab.settle()
        assert lab.connected
        assert not [t for t in lab.toasts if t.level == "error"]
