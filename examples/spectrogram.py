"""What a sound is made of, drawn while it is heard: time to the right, pitch upwards."""

import numpy as np

import ossicle as oc
from ossicle import sound

RATE = 16_000  # Hertz; the picture goes up to half of it
WIDTH, FLOOR = 400, -90.0  # columns, dB

# From silence to full scale: night, violet, red, amber, white.
COLOURS = np.array([(8, 8, 20), (72, 22, 110), (190, 50, 80), (248, 150, 60), (255, 250, 215)])
RAMP = [np.interp(np.arange(256), np.linspace(0, 255, 5), COLOURS[:, n]) for n in range(3)]
PALETTE = np.stack(RAMP, axis=1).astype(np.uint8)

Picture = np.ndarray  # (height, WIDTH) uint8, the newest column at the right


def draw(columns: sound.Spectrogram, picture: Picture | None) -> tuple[Picture, Picture]:
    """Push the picture to the left and put the new columns at its right end."""
    light = np.clip((columns.decibels - FLOOR) / -FLOOR, 0, 1)
    fresh = (255 * light.T[::-1]).astype(np.uint8)
    before = np.zeros((len(fresh), WIDTH), np.uint8) if picture is None else picture
    after = np.concatenate((before, fresh), axis=1)[:, -WIDTH:]
    return after, PALETTE[after]


with oc.Blocks(title="Spectrogram") as demo:
    microphone = oc.Audio(label="Sound", streaming=True)
    image = oc.Image(label="Spectrogram", interactive=False)
    picture = oc.State(None)
    columns = microphone.stream.pipe(
        sound.mono(),
        sound.resample(RATE),
        sound.spectrogram(size=512, hop="10 ms", columns=20, floor=FLOOR),
    )
    columns(draw, [microphone, picture], [picture, image], on_overload="drop_oldest")

if __name__ == "__main__":
    demo.launch()
