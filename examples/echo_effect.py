"""Hear yourself with an echo, while you speak: microphone, operators, speaker.

Use headphones, or the microphone hears the speaker and the echo never ends.
"""

import numpy as np

import ossicle as oc
from ossicle.flow.operators import delay, gain

Sound = tuple[int, np.ndarray]


def play(sound: Sound) -> Sound:
    """Each piece as it comes: what is returned for a streaming output goes on where it ended."""
    return sound


with oc.Blocks(title="Echo") as demo:
    microphone = oc.Audio(label="Microphone", streaming=True)
    echo = oc.Audio(label="Echo", streaming=True, interactive=False)
    with_echo = microphone.stream.pipe(gain(-3.0), delay("250 ms", feedback=0.4, mix=0.5))
    with_echo(play, microphone, echo)

if __name__ == "__main__":
    demo.launch()
