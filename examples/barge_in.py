"""An answer that falls silent as soon as you speak, and knows how much of it you heard.

The voice is a stand-in, a tone for each letter. Use headphones, or it hears itself.
"""

from collections.abc import Iterator

import numpy as np
import reactivex.operators as ops

import ossicle as oc
from ossicle import sound

RATE = 24_000
WORDS = "It was the best of times, it was the worst of times, it was the age of wisdom".split()


def say(word: str) -> np.ndarray:
    """float samples of one word: a tone for each letter, and a short silence."""
    time = np.arange(round(0.09 * RATE)) / RATE
    swell = np.sin(np.pi * time / 0.09)
    letters = [swell * np.sin(2 * np.pi * (150 + 12 * (ord(c) % 32)) * time) for c in word]
    return 0.3 * np.concatenate([*letters, np.zeros(round(0.06 * RATE))])


def answer() -> Iterator[tuple[int, np.ndarray]]:
    """Made in a moment and heard for some seconds, as a fast model's."""
    for word in WORDS:
        yield RATE, say(word)


def report(event: oc.EventData) -> str:
    heard, all_of_it = event.heard / RATE, (event.heard + event.unheard) / RATE
    if event.interrupted:
        return f"Interrupted: {heard:.1f} of {all_of_it:.1f} s were heard."
    return f"All {heard:.1f} s were heard."


with oc.Blocks(title="Barge in") as demo:
    microphone = oc.Audio(label="You", streaming=True, raw=False)
    ask = oc.Button("Answer me", variant="primary")
    voice = oc.Audio(label="Answer", streaming=True, interactive=False)
    told = oc.Textbox(label="What became of it", interactive=False)
    ask.click(answer, None, voice)
    # Once for each time that somebody begins to speak.
    speech = microphone.stream.pipe(
        sound.mono(),
        sound.resample(16_000),
        sound.vad(),
        ops.map(lambda each: each.speaking),
        ops.distinct_until_changed(),
        ops.filter(bool),
    )
    speech(oc.flush, None, voice, trigger_mode="multiple")
    voice.playback_finished(report, None, told)

if __name__ == "__main__":
    demo.launch()
