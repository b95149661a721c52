"""Speech that is heard while it is made, and can be interrupted at any word.

The voice is a stand-in, a tone for each letter; put a text-to-speech model into `say`.
"""

from collections.abc import Iterator

import numpy as np

import ossicle as oc

RATE = 24_000
LETTER = 0.09  # seconds


def say(word: str) -> np.ndarray:
    """float samples of one word: a tone for each letter, and a short silence."""
    time = np.arange(round(LETTER * RATE)) / RATE
    swell = np.sin(np.pi * time / LETTER)
    letters = [swell * np.sin(2 * np.pi * (150 + 12 * (ord(c) % 32)) * time) for c in word]
    return 0.3 * np.concatenate([*letters, np.zeros(round(0.06 * RATE))])


def speak(text: str) -> Iterator[tuple[int, np.ndarray]]:
    for word in text.split():
        yield RATE, say(word)


def report(event: oc.EventData) -> str:
    """What the listener really heard, to the sample."""
    heard = event.heard / RATE
    if event.interrupted:
        return f"Interrupted after {heard:.2f} s; {event.unheard / RATE:.2f} s were not heard."
    return f"All {heard:.2f} s were heard."


with oc.Blocks(title="Speak") as demo:
    text = oc.Textbox("The quick brown fox jumps over the lazy dog.", label="Text")
    with oc.Row():
        go = oc.Button("Speak", variant="primary")
        hush = oc.Button("Be quiet")
    voice = oc.Audio(label="Voice", streaming=True, interactive=False)
    heard = oc.Textbox(label="Heard", interactive=False)
    speech = go.click(speak, text, voice)
    hush.click(None, None, None, cancels=[speech])
    voice.playback_finished(report, None, heard)

if __name__ == "__main__":
    demo.launch()
