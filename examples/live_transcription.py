"""Text while you speak: pauses cut speech into utterances, a model turns each into words.

The model here is a stand-in that tells length and loudness; put your own into `recognise`.
"""

import numpy as np

import ossicle as oc
from ossicle import sound

RATE = 16_000  # Hertz that the model wants


def recognise(samples: np.ndarray) -> str:
    """int16 samples at 16 kHz → what was said."""
    seconds = len(samples) / RATE
    loudness = float(np.sqrt(np.mean(np.square(samples / 32768))))
    return f"{seconds:.1f} s, {'loud' if loudness > 0.1 else 'quiet'}"


def transcribe(utterance: tuple[int, np.ndarray], said: list[str]) -> tuple[list[str], str]:
    """`said` is what was understood so far: State, so each visitor has their own."""
    _, samples = utterance
    said = [*said, recognise(samples)]
    return said, "\n".join(said)


with oc.Blocks(title="Live transcription") as demo:
    microphone = oc.Audio(label="Microphone", streaming=True, raw=False)
    text = oc.Textbox(label="Said", lines=8, interactive=False)
    said = oc.State([])
    utterances = microphone.stream.pipe(sound.mono(), sound.resample(RATE), sound.pause("400 ms"))
    utterances(transcribe, [microphone, said], [said, text], on_overload="block")
    microphone.start_recording(lambda: ([], ""), None, [said, text])

if __name__ == "__main__":
    demo.launch()
