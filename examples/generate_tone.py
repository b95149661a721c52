"""A tone from a note, an octave and a length in seconds."""

import numpy as np

import ossicle as oc

NOTES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
RATE = 48_000
FADE = 480  # samples: 10 ms at both ends, so that the tone starts and stops without a click


def frequency(note: int, octave: int) -> float:
    """Hertz of a note (0 is C) in equal temperament, A of octave 4 at 440 Hz."""
    return 440.0 * 2 ** (octave - 4 + (note - 9) / 12)


def generate_tone(note: int, octave: int, seconds: float) -> tuple[int, np.ndarray]:
    """int16 samples of a sine at half of full scale."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * frequency(note, octave) * time)
    fade = np.minimum(1, np.arange(len(tone)) / FADE)
    return RATE, (tone * fade * fade[::-1] * 32767).astype(np.int16)


demo = oc.Interface(
    generate_tone,
    [
        oc.Dropdown(NOTES, type="index", value="A", label="Note"),
        oc.Slider(2, 7, 4, step=1, label="Octave"),
        oc.Slider(0.25, 10, 1, step=0.25, label="Length (s)"),
    ],
    oc.Audio(label="Tone"),
    title="Tone",
)

if __name__ == "__main__":
    demo.launch()
