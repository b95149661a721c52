"""`ossicle render`, and the command's own words: a process, real files, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import ossicle as oc
from ossicle.runtime.cli import main

from .conftest import RATE, environment, noise, ossicle, read_wav, start, write_wav


@pytest.mark.parametrize("channels", [1, 2])
def test_render(folder: Path, channels: int) -> None:
    """A sound goes through the app's function, sample by sample, and nothing is said."""
    samples = noise(4000, channels)
    write_wav(folder / "in.wav", samples)
    done = ossicle(folder, "render", "reverse.py", "--input", "in.wav", "--output", "out.wav")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rate, out = read_wav(folder / "out.wav")
    assert rate == RATE
    assert np.array_equal(out, samples[::-1])


def test_render_with_settings(folder: Path) -> None:
    """Values come by label or by the function's parameter, whatever their case."""
    for name in ("Gain=0.5", "gain=0.5", "GAIN=0.5"):
        done = ossicle(
            folder,
            "render",
            "reverse.py",
            "--input",
            "in.wav",
            "--output",
            "out.wav",
            "--set",
            name,
        )
        assert (done.returncode, done.stderr) == (0, "")
        expected = (read_wav(folder / "in.wav")[1][::-1] * 0.5).astype(np.int16)
        assert np.array_equal(read_wav(folder / "out.wav")[1], expected)


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3", "WAV"])
def test_render_formats(folder: Path, suffix: str) -> None:
    """The output's suffix decides its format."""
    name = f"out.{suffix}"
    done = ossicle(folder, "render", "reverse.py", "--input", "in.wav", "--output", name)
    assert (done.returncode, done.stderr) == (0, "")
    start = (folder / name).read_bytes()[:4]
    assert {"flac": start == b"fLaC", "ogg": start == b"OggS", "WAV": start == b"RIFF"}.get(
        suffix, start[:3] == b"ID3" or start[0] == 0xFF
    )


EXPECTED: dict[str, Callable[[NDArray[np.int16]], NDArray[np.int16]]] = {
    "louder": lambda x: x * 2,
    "steps": lambda x: (x // 4 * 3).astype(np.int16),
    "late": lambda x: -x,
}


@pytest.mark.parametrize("listener", EXPECTED)
def test_render_one_of_several(folder: Path, listener: str) -> None:
    """--listener chooses; a generator's last value counts; `change` is started by the sound.

    All of them write to the same component; what comes out is what the chosen one wrote.
    """
    done = ossicle(
        folder,
        "render",
        "many.py",
        "--input",
        "in.wav",
        "--output",
        "o.wav",
        "--listener",
        listener,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = EXPECTED[listener](read_wav(folder / "in.wav")[1])
    assert np.array_equal(read_wav(folder / "o.wav")[1], expected)


def test_render_words(folder: Path) -> None:
    """What is no sound is printed, after everything that follows the listener has run."""
    done = ossicle(
        folder, "render", "many.py", "--input", "in.wav", "--listener", "count",
        "--set", "some words=frames, 5"
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "said: 4000 frames, 5!\n", "")


def test_render_beside_files(folder: Path) -> None:
    """A component that holds a file is no sound: it takes no --output, and is told by name."""
    (folder / "notes.py").write_text(
        "import ossicle as oc\n"
        "with oc.Blocks() as demo:\n"
        "    one, two, notes = oc.Audio(), oc.Audio(), oc.File(label='notes')\n"
        "    oc.Button('x').click(lambda sound: (sound, b'hello'), one, [two, notes])\n"
    )
    done = ossicle(folder, "render", "notes.py", "--input", "in.wav", "--output", "o.wav")
    assert (done.returncode, done.stdout, done.stderr) == (0, "notes: file (5 bytes)\n", "")
    assert np.array_equal(read_wav(folder / "o.wav")[1], read_wav(folder / "in.wav")[1])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["reverse.py", "--input", "none.wav", "--output", "o.wav"], "none.wav does not exist"),
        (["reverse.py", "--input", "temp", "--output", "o.wav"], "temp is a folder"),
        (["reverse.py", "--input", "garbage.wav", "--output", "o.wav"], "garbage.wav"),
        (["reverse.py", "--input", "empty.wav", "--output", "o.wav"], "'empty.wav' is empty"),
        (["reverse.py", "--input", "cut.wav", "--output", "o.wav"], "'cut.wav' is cut off"),
        (["reverse.py", "--output", "o.wav"], "reverse: Give me a sound."),
        (["reverse.py", "--input", "in.wav"], "--output names none"),
        (["reverse.py", "--input", "in.wav", "--output", "o.xyz"], "must end with .wav"),
        (["reverse.py", "--input", "in.wav", "--output", "x/o.wav"], "cannot be written"),
        (["reverse.py", "--input", "in.wav", "--input", "in.wav", "--output", "o.wav"], "1 sound"),
        (["reverse.py", "--set", "gain=x", "--output", "o.wav"], "--set gain=x: Slider 'Gain'"),
        (["reverse.py", "--set", "gain=9", "--output", "o.wav"], "Slider 'Gain'"),
        (["reverse.py", "--set", "nope=1", "--output", "o.wav"], "--set nope: there is no such"),
        (["reverse.py", "--listener", "nope", "--output", "o.wav"], "no listener 'nope'"),
        (["many.py", "--input", "in.wav", "--output", "o.wav"], "name one with --listener: count"),
        (
            ["many.py", "--input", "in.wav", "--output", "o.wav", "--listener", "nothing"],
            "there is no sound to write to o.wav",
        ),
        (
            ["many.py", "--output", "o.wav", "--listener", "told"],
            "told gives no sound",
        ),
        (["many.py", "--listener", "told"], "told cannot be started from here"),
        (["none.py"], "none.py does not exist"),
        (["temp"], "temp is a folder"),
        (["in.wav"], "in.wav is not a Python file"),
        (["reverse.py:app"], "has no app called app; it has demo"),
    ],
)
def test_render_errors(
    folder: Path,
    args: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each mistake is one line that names it; exit code 1; no output file, not even half of one."""
    (folder / "garbage.wav").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "empty.wav").write_bytes(b"")
    (folder / "cut.wav").write_bytes((folder / "in.wav").read_bytes()[:1000])
    before = sorted(path.name for path in folder.iterdir())
    # In this process: two dozen interpreters would take half a minute to start.
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temp"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    before_signal = signal.getsignal(signal.SIGTERM)
    try:
        code = main(["render", *args])
    finally:
        signal.signal(signal.SIGTERM, before_signal)
        for name in ("reverse", "many"):
            sys.modules.pop(name, None)
    out, error = capfd.readouterr()
    assert (code, out) == (1, "")
    assert error.startswith("ossicle: ") and error.count("\n") == 1, error
    assert words in error
    assert list((folder / "temp").iterdir()) == []
    after = sorted(path.name for path in folder.iterdir() if path.name != "__pycache__")
    assert after == before


def test_render_keeps_the_old_output(folder: Path) -> None:
    """A function that fails changes no file; its author sees the traceback and the last line."""
    (folder / "o.wav").write_bytes(b"old")
    done = ossicle(
        folder, "render", "many.py", "--input", "in.wav", "--output", "o.wav", "--listener", "fail"
    )
    assert done.returncode == 1
    assert (folder / "o.wav").read_bytes() == b"old"
    assert "many.py" in done.stderr and "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "ossicle: fail: RuntimeError: the reason"


@pytest.mark.parametrize(
    "args",
    [[], ["boom"], ["render"], ["run", "x.py", "--port", "x"], ["render", "x", "--set", "y"]],
)
def test_usage(folder: Path, args: list[str]) -> None:
    """What is not understood is told with the usage, exit code 2."""
    done = ossicle(folder, *args)
    assert done.returncode == 2
    assert "usage: ossicle" in done.stderr


def test_version(folder: Path) -> None:
    """--version names the program and its version, quickly and alone."""

    done = ossicle(folder, "--version")
    assert (done.returncode, done.stdout) == (0, f"ossicle {oc.__version__}\n")


def test_render_ten_minutes(folder: Path) -> None:
    """A 10-minute stereo file comes out right, in memory of a few times its samples."""
    rate, frames = 44_100, 44_100 * 600
    with wave.open(str(folder / "long.wav"), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        for start in range(0, frames, rate * 10):
            ramp = np.arange(start, start + rate * 10)
            both = np.stack((ramp % 30_011, -(ramp % 29_989)), axis=1)
            out.writeframes(both.astype("<i2").tobytes())  # wraps: any 16 bits are a sound
    code = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from ossicle.runtime.cli import main
        code = main(sys.argv[1:])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        status = Path("/proc/self/status")
        if status.exists():  # on Linux ru_maxrss begins with the peak of the process that forked
            peak = status.read_text().partition("VmHWM:")[2].split()[0]
        print(peak)
        sys.exit(code)
    """)
    (folder / "flip.py").write_text(
        "import ossicle as oc\n"
        "def flip(sound):\n    return sound[0], sound[1][::-1]\n"
        "demo = oc.Interface(flip, 'audio', 'audio')\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "render",
            "flip.py",
            "--input",
            "long.wav",
            "--output",
            "o.wav",
        ],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    peak = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert peak < 4 * frames * 2 * 2 + 150e6, f"{peak / 1e6:.0f} MB"
    assert list((folder / "temp").iterdir()) == []
    got_rate, out = read_wav(folder / "o.wav")
    assert (got_rate, out.shape) == (rate, (frames, 2))
    assert np.array_equal(out, read_wav(folder / "long.wav")[1][::-1])


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of our own needs a pty")
def test_progress_on_a_terminal(folder: Path) -> None:
    """Long work draws a bar on a terminal, and takes it away again."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ossicle", "render", "many.py", "--input", "in.wav",
         "--output", "o.wav", "--listener", "slow"],
        cwd=folder, env=environment(folder), stderr=theirs, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    try:
        while data := os.read(ours, 4096):
            seen += data
    except OSError:
        pass  # Linux: the other end is closed
    finally:
        os.close(ours)
    assert process.wait(30) == 0
    assert process.stdout is not None
    assert process.stdout.read() == b""
    process.stdout.close()
    drawn = [line for line in seen.decode().split("\r") if "mixing" in line]
    assert len(drawn) >= 3 and "%" in drawn[-1]
    assert seen.decode().split("\r")[-1] == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_render_interrupted(folder: Path) -> None:
    """Ctrl-C ends it at once, with nothing left: not even by a function that never ends."""
    (folder / "stuck.py").write_text(
        textwrap.dedent("""
        import time
        import ossicle as oc
        def stuck(sound):
            print("begun", flush=True)
            time.sleep(600)
        demo = oc.Interface(stuck, "audio", "audio")
        """)
    )
    process = start(folder, "render", "stuck.py", "--input", "in.wav", "--output", "o.wav")
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "ossicle: interrupted\n" in process.stderr.read()
    assert list((folder / "temp").iterdir()) == []
    assert not (folder / "o.wav").exists()
    process.stdout.close()
    process.stderr.close()
