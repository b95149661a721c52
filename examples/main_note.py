"""Which note a recording is mostly made of, and how likely the next ones are."""

import numpy as np

import ossicle as oc

NOTES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
LOWEST, HIGHEST = 27.5, 4186.0  # Hertz: the range of a piano


def main_note(sound: tuple[int, np.ndarray] | None) -> dict[str, float]:
    """The share of the spectrum's energy per note of the octave, the strongest five."""
    if sound is None:
        raise oc.Error("Record or upload a sound first.")
    rate, samples = sound
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples.astype(float)
    power = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2
    hertz = np.fft.rfftfreq(len(mono), 1 / rate)
    heard = (hertz >= LOWEST) & (hertz <= HIGHEST)
    if not power[heard].any():
        raise oc.Error("There is nothing to hear between 27.5 and 4,186 Hz.")
    pitch = np.round(12 * np.log2(hertz[heard] / 440.0)).astype(int) + 9
    energy = np.bincount(pitch % 12, weights=power[heard], minlength=12)
    shares = energy / energy.sum()
    best = np.argsort(shares)[::-1][:5]
    return {NOTES[i]: float(shares[i]) for i in best}


demo = oc.Interface(
    main_note,
    oc.Audio(label="Sound"),
    oc.Label(label="Notes"),
    title="Main note",
    description="Hum, whistle or play one note.",
)

if __name__ == "__main__":
    demo.launch()
