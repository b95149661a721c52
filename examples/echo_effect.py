"""Hear yourself with an echo, while you speak: microphone, operators, speaker, and no function.

Use headphones, or the microphone hears the speaker and the echo never ends.
"""

import ossicle as oc
from ossicle import sound

with oc.Blocks(title="Echo") as demo:
    microphone = oc.Audio(label="Microphone", streaming=True)
    echo = oc.Audio(label="Echo", streaming=True, interactive=False)
    microphone.stream.pipe(sound.gain(-3.0), sound.delay("250 ms", feedback=0.4, mix=0.5)).to(echo)

if __name__ == "__main__":
    demo.launch()
