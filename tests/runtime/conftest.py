"""Apps and sounds for the `ossicle` command, and the command itself."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

RATE = 8000

REVERSE = """
    import numpy as np
    import ossicle as oc

    def reverse(sound, gain=1.0):
        if sound is None:
            raise oc.Error("Give me a sound.")
        rate, samples = sound
        return rate, (samples[::-1] * gain).astype(np.int16)

    demo = oc.Interface(reverse, ["audio", oc.Slider(0, 2, 1.0, label="Gain")], "audio")

    if __name__ == "__main__":
        raise SystemExit("this must not run")
"""

MANY = """
    import time
    import numpy as np
    import ossicle as oc

    def louder(sound):
        return sound[0], sound[1] * 2

    def quieter(sound):
        return sound[0], sound[1] // 2

    def slow(sound, progress=oc.Progress()):
        for step in progress.tqdm(range(10), desc="mixing"):
            time.sleep(0.15)
        return sound

    def steps(sound):
        for factor in (1, 2, 3):
            yield sound[0], (sound[1] // 4 * factor).astype(np.int16)

    def fail(sound):
        raise RuntimeError("the reason")

    def nothing(sound):
        return None

    def count(sound, text):
        return f"{len(sound[1])} {text}"

    def told(text):
        return text + "!"

    def late(sound):
        return sound[0], -sound[1]

    with oc.Blocks() as demo:
        one = oc.Audio(label="one")
        two = oc.Audio(label="two")
        text = oc.Textbox(label="Some words")
        said = oc.Textbox(label="said")
        for fn in (louder, quieter, slow, steps, fail, nothing):
            oc.Button(fn.__name__).click(fn, one, two)
        oc.Button("count").click(count, [one, text], said).then(told, said, said)
        one.change(late, one, two)
"""


def write_wav(path: Path, samples: NDArray[np.int16], rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())


def read_wav(path: Path) -> tuple[int, NDArray[np.int16]]:
    with wave.open(str(path), "rb") as file:
        assert file.getsampwidth() == 2
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
        channels = file.getnchannels()
        return file.getframerate(), data if channels == 1 else data.reshape(-1, channels)


def noise(frames: int, channels: int = 1) -> NDArray[np.int16]:
    shape = frames if channels == 1 else (frames, channels)
    return np.random.default_rng(7).integers(-9000, 9000, shape).astype(np.int16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with apps, a sound, and a temp folder in which nothing may be left."""
    (tmp_path / "reverse.py").write_text(textwrap.dedent(REVERSE))
    (tmp_path / "many.py").write_text(textwrap.dedent(MANY))
    (tmp_path / "temp").mkdir()
    write_wav(tmp_path / "in.wav", noise(4000))
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder / "temp"), "PYTHONUNBUFFERED": "1"}


def ossicle(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "ossicle", *args],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert list((folder / "temp").iterdir()) == [], "nothing is left behind"
    return done


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    """Run the command; the test ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "ossicle", *args],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
