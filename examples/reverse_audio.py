"""Record or upload a sound, press Submit, hear it backwards.

Run it with `ossicle run examples/reverse_audio.py`, or without a browser with
`ossicle render examples/reverse_audio.py --input in.wav --output out.wav`.
"""

import numpy as np

import ossicle as oc


def reverse_audio(sound: tuple[int, np.ndarray] | None) -> tuple[int, np.ndarray]:
    """(samples,) or (samples, channels) int16 in; the same shape out, last sample first."""
    if sound is None:
        raise oc.Error("Record or upload a sound first.")
    rate, samples = sound
    return rate, np.flipud(samples)


demo = oc.Interface(
    reverse_audio,
    oc.Audio(label="Sound"),
    oc.Audio(label="Backwards"),
    title="Reverse",
    description="Record your voice or drop a file, then press Submit.",
)

if __name__ == "__main__":
    demo.launch()
