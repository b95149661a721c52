"""Which note sounds, and how far it is off."""

import ossicle as oc
from ossicle import sound

CLEAR = 0.8  # of 1; below it what is heard is no single note


def show(pitch: sound.Pitch) -> tuple[str, float]:
    """The nearest note, and how many cents (hundredths of a semitone) it is above it."""
    if pitch.hertz is None or pitch.note is None or pitch.cents is None or pitch.clarity < CLEAR:
        return "–", 0.0
    return f"{pitch.note}  {pitch.hertz:.1f} Hz", round(pitch.cents, 1)


with oc.Blocks(title="Tuner") as demo:
    microphone = oc.Audio(label="Instrument", streaming=True)
    note = oc.Label(label="Note")
    cents = oc.Slider(-50, 50, 0, label="Cents too high", interactive=False)
    pitches = microphone.stream.pipe(sound.pitch_track(low=60, high=1200, hop="100 ms"))
    pitches(show, microphone, [note, cents], on_overload="latest")

if __name__ == "__main__":
    demo.launch()
