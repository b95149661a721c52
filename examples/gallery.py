"""Every component, and every state that one can be in: to look at, and to compare after a change.

Run it with `ossicle run examples/gallery.py`; `make gallery` takes its pictures.
"""

import asyncio
import importlib.util
from typing import Any

import numpy as np

import ossicle as oc

RATE = 24_000
LONG = (
    "A label that goes on for much longer than anybody would want to read, because somebody put the"
    " whole question there, and the file's name: recording-of-the-2nd-rehearsal_final_v3.flac"
)


def phrase(seconds: float = 4.0, loudness: float = 0.8) -> tuple[int, np.ndarray]:
    """Something like speech: syllables of a few partials, with pauses."""
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 110 + 20 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k for k in (1, 2, 3, 5))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t) + 0.4 * np.sin(2 * np.pi * 0.31 * t), 0, None)
    sound = voice * syllables
    return RATE, (loudness * 32_767 * sound / np.abs(sound).max()).astype(np.int16)


def stereo() -> tuple[int, np.ndarray]:
    rate, left = phrase(3.0)
    return rate, np.stack([left, np.roll(left, RATE // 3) // 2], axis=1)


def clipped() -> tuple[int, np.ndarray]:
    rate, samples = phrase(2.0)
    return rate, np.clip(samples / 32768 * 2.5, -1.5, 1.5)


def shades() -> np.ndarray:
    y, x = np.mgrid[0:180, 0:320]
    return np.stack([x / 320, y / 180, 0.5 + 0.5 * np.sin((x + y) / 24)], axis=2)


def fail() -> None:
    raise oc.Error("The model takes 16 kHz; this sound has 24 kHz. Resample it, and try again.")


def same(sound: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
    return sound


async def work(progress: oc.Progress = oc.Progress()) -> None:  # noqa: B008
    progress((3, 8), desc="Separating the voices")
    await asyncio.sleep(3600)


async def wait() -> None:
    await asyncio.sleep(3600)


with oc.Blocks(title="Gallery") as demo:
    oc.Markdown("# Gallery\nEvery component, and every state it can be in.")

    oc.Markdown("## Sound, empty")
    with oc.Row():
        oc.Audio(label="Both sources", interactive=True)
        oc.Audio(label="Upload alone", sources="upload", max_file_size="5 MB", interactive=True)
    with oc.Row():
        oc.Audio(
            label="Microphone with bounds", sources="microphone", min_length=1, max_length=30,
            interactive=True,
        )  # fmt: skip
        oc.Audio(label="Nothing to hear yet", interactive=False)

    oc.Markdown("## Sound, filled")
    oc.Audio(phrase(), label="Editable", interactive=True, info="Drag to select, Enter to trim.")
    with oc.Row():
        oc.Audio(stereo(), label="Stereo, to read", interactive=False)
        oc.Audio(
            clipped(), label="Clipped", interactive=False, normalize="clip",
            show_share_button=True,
        )  # fmt: skip
    with oc.Row():
        oc.Audio(
            phrase(2.0, 0.1), label="Quiet, own colours, looping", interactive=False, loop=True,
            waveform_options=oc.WaveformOptions(
                waveform_color="#c07000", waveform_progress_color="#7a3d00", skip_length=1
            ),
        )  # fmt: skip
        oc.Audio(
            phrase(3.0), label="With words", interactive=False, playback_position=1.2,
            subtitles=[{"text": "Testing, one, two.", "timestamp": [0.5, 2.5]}],
        )  # fmt: skip
    oc.Audio(phrase(2.0), label=LONG, interactive=True)
    with oc.Row():
        oc.Audio(phrase(2.0), label="تسجيل المقابلة الأولى", interactive=True)
        oc.Audio(phrase(2.0), label="No frame", container=False, interactive=False)

    oc.Markdown("## Sound, at work")
    with oc.Row():
        failed = oc.Audio(label="Failed", interactive=False)
        working = oc.Audio(phrase(2.0), label="Working", interactive=False)
        waiting = oc.Audio(label="In line", interactive=False)
    with oc.Row():
        live_in = oc.Microphone(label="Live in", streaming=True)
        live_out = oc.Audio(label="Live out", streaming=True, autoplay=True, interactive=False)
    live_in.stream(same, live_in, live_out, stream_every=0.25)
    oc.Button("Let the first one fail").click(fail, None, failed)
    demo.load(work, None, working, concurrency_limit=None, interrupt=True)
    demo.load(wait, None, None, concurrency_id="one", interrupt=True, show_progress="hidden")
    demo.load(wait, None, waiting, concurrency_id="one", interrupt=True)

    oc.Markdown("## Text and numbers")
    with oc.Row():
        oc.Textbox(label="Name", placeholder="Who is speaking?", interactive=True)
        oc.Textbox("Three lines\nthat somebody\nwrote.", label="Notes", lines=3, interactive=True)
        oc.Textbox("It cannot be changed.", label="To read", interactive=False)
    with oc.Row():
        oc.Textbox("secret", label="Password", type="password", interactive=True)
        oc.Textbox("مرحبا بالعالم", label="النص", interactive=True)
        oc.Textbox("x", label=LONG, interactive=True)
    with oc.Row():
        oc.Number(440, label="Frequency", info="Hz", minimum=20, maximum=20_000, interactive=True)
        oc.Number(440, label="To read", interactive=False)
        oc.Slider(0, 10, 3, step=0.5, label="Gain", info="dB", interactive=True)
        oc.Slider(0, 10, 7, label="To read", interactive=False)

    oc.Markdown("## Choices")
    with oc.Row():
        notes = ["C", "D", "E", "F", "G", "A", "B"]
        oc.Dropdown(notes, value="E", label="Note", interactive=True)
        oc.Dropdown(notes, value=["C", "E", "G"], multiselect=True, label="Chord", interactive=True)
        oc.Dropdown(notes, value="E", label="To read", interactive=False)
    with oc.Row():
        oc.Radio(["Mono", "Stereo", "Surround"], value="Stereo", label="Channels", interactive=True)
        oc.CheckboxGroup(
            ["Normalise", "Trim silence", "Denoise"], value=["Denoise"], label="Clean up",
            interactive=True,
        )  # fmt: skip
        oc.Checkbox(True, label="Keep the original", interactive=True)
        oc.Checkbox(False, label="To read", interactive=False)

    oc.Markdown("## Buttons")
    with oc.Row():
        oc.Button("Separate", variant="primary")
        oc.Button("Preview")
        oc.Button("Stop", variant="stop")
        oc.Button("Small", size="sm")
        oc.Button("Medium", size="md")
        oc.Button("Not now", interactive=False)
        oc.ClearButton()
        oc.DownloadButton("Save this file", __file__)
        oc.DownloadButton("Nothing to save")

    oc.Markdown("## Results")
    with oc.Row():
        oc.Label({"speech": 0.82, "music": 0.13, "noise": 0.05}, label="What is it?")
        oc.Label("440 Hz", label="Pitch")
        oc.JSON({"rate": 24000, "tags": ["take", 3], "level": {"peak": -1.2}}, label="Details")
    with oc.Row():
        oc.Dataframe(
            [["Verse", 0.0, 12.4], ["Chorus", 12.4, 31.0], ["Bridge", 31.0, 40.25]],
            headers=["Part", "From", "To"],
            label="Parts",
        )
        oc.HTML("<p>A <mark>paragraph</mark> in <code>HTML</code>.</p>", label="HTML")
    oc.Markdown(
        "**Markdown** with a [link](https://example.org), a list\n\n- one\n- two\n\nand `code`:\n\n"
        "```python\nrate, samples = sound\n```\n\n> and a quotation."
    )

    oc.Markdown("## Pictures and files")
    with oc.Row():
        oc.Image(shades(), label="To read", interactive=False)
        oc.Image(label="To fill", interactive=True)
        if importlib.util.find_spec("matplotlib"):
            from matplotlib.figure import Figure

            figure = Figure(figsize=(4, 2.4), layout="constrained")
            axes: Any = figure.subplots()
            axes.specgram(phrase()[1] + np.random.default_rng(0).normal(0, 1, 4 * RATE), Fs=RATE)
            axes.set(xlabel="s", ylabel="Hz")
            oc.Plot(figure, label="Spectrogram")
    with oc.Row():
        oc.File(label="One", interactive=True)
        oc.File([__file__, __file__], file_count="multiple", label="Several", interactive=True)
        oc.File(label="Nothing yet", interactive=False)

    oc.Markdown("## Examples")
    first, second = oc.Textbox(label="Prompt", interactive=True), oc.Slider(0, 1, label="Warmth")
    oc.Examples([["a cello in a hall", 0.8], ["rain on a roof", 0.3]], [first, second])
    oc.Examples(
        ["a cello", "rain", LONG, "a crowd"], first, label="By one click", examples_per_page=3
    )

    oc.Markdown("## Layout")
    with oc.Tabs():
        with oc.Tab("First"):
            oc.Textbox("in the first tab", label="Text")
        with oc.Tab("Second"):
            oc.Textbox("in the second tab", label="Text")
    with oc.Accordion("Open"):
        oc.Textbox("inside", label="Text")
    with oc.Accordion("Closed", open=False):
        oc.Textbox("inside", label="Text")
    with oc.Group():
        oc.Textbox("close", label="In a group")
        oc.Textbox("together", label="In a group")
    oc.Textbox("nobody sees this", visible=False)

if __name__ == "__main__":
    demo.launch()
