"""A gate that opens for what is loud, and a meter behind it."""

import ossicle as oc
from ossicle import sound

OPENS_AT = -35.0  # dB of full scale


def show(reading: sound.Level) -> str:
    return f"{reading.decibels:.1f} dB" if reading.decibels > -100 else "closed"


with oc.Blocks(title="Noise gate") as demo:
    microphone = oc.Audio(label="Microphone", streaming=True)
    gated = oc.Audio(label="What passes", streaming=True, interactive=False)
    meter = oc.Textbox(label="Level behind the gate", interactive=False)
    passes = microphone.stream.pipe(sound.gate(OPENS_AT))
    passes.to(gated)
    # A meter that is late shows the newest reading and leaves out the others.
    passes.pipe(sound.level("100 ms"))(show, microphone, meter, on_overload="latest")

if __name__ == "__main__":
    demo.launch()
