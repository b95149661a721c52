"""Sing to a track: microphone and music mixed while you sing, with levels that you move as you go.

Use headphones. A component may stand where an operator takes a number or a clip: each visitor's
own slider moves their own sound, without a click.
"""

import numpy as np

import ossicle as oc
from ossicle import sound

RATE = 48_000
BAR = 2.0  # seconds
CHORDS = [(220, 261.6, 329.6), (174.6, 220, 261.6), (196, 246.9, 293.7), (164.8, 196, 246.9)]


def track() -> tuple[int, np.ndarray]:
    """Four bars of plucked chords, float samples: something to sing to until you bring your own."""
    time = np.arange(round(BAR * RATE)) / RATE
    pluck = np.exp(-3 * (time % 0.5)) * np.minimum(1, (time % 0.5) / 0.005)
    bars = [pluck * sum(np.sin(2 * np.pi * hertz * time) for hertz in chord) for chord in CHORDS]
    return RATE, 0.2 * np.concatenate(bars)


with oc.Blocks(title="Karaoke") as demo:
    backing = oc.Audio(track(), label="Backing track", interactive=True)
    with oc.Row():
        voice = oc.Slider(-40, 12, 0, step=0.5, label="Voice", info="dB")
        music = oc.Slider(-40, 6, -6, step=0.5, label="Music", info="dB")
    microphone = oc.Audio(label="Microphone", streaming=True)
    mixed = oc.Audio(label="Both", streaming=True, interactive=False)
    microphone.stream.pipe(
        sound.gain(voice), sound.overlay(backing, music, loops=None), sound.limiter()
    ).to(mixed)

if __name__ == "__main__":
    demo.launch()
