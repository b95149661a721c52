"""The `ossicle` command as people run it: a process, real files, exit codes, one clear line."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import inspect
import math
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import urllib.request
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import aiohttp
import numpy as np
import pytest
from aiohttp import WSMsgType
from numpy.typing import NDArray

import ossicle as oc
from ossicle.runtime.cli import main
from ossicle.runtime.launching import Launching, taking
from ossicle.runtime.options import add_options, with_options

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


# -- render ------------------------------------------------------------------------------------


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
    import ossicle as oc

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


# -- run ---------------------------------------------------------------------------------------


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ossicle", *args],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Those that a test starts; none outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def address(stream: IO[str] | None) -> str:
    assert stream is not None
    for line in stream:
        if "http://" in line:
            return line[line.index("http://") :].strip()
    raise AssertionError("it ended without an address")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run(folder: Path, processes: list[subprocess.Popen[str]], number: signal.Signals) -> None:
    """It prints its address when it can be opened, and ends at once, cleanly, when asked to."""
    process = start(folder, "run", "reverse.py", "--port", "0")
    processes.append(process)
    url = address(process.stdout)
    with urllib.request.urlopen(url) as answer:
        assert b"<!doctype html>" in answer.read().lower()
    process.send_signal(number)
    assert process.wait(60) == 0
    assert list((folder / "temp").iterdir()) == []
    assert process.stderr is not None
    assert process.stderr.read() == ""


LAUNCHED = """
    import asyncio
    import atexit
    import sys
    import time
    import ossicle as oc

    async def asked():
        try:
            await asyncio.Event().wait()
        finally:
            print("asked to stop", flush=True)

    def stuck():
        time.sleep(600)

    with oc.Blocks() as demo:
        demo.load({fn}, None, None, interrupt={fn} is asked)

    try:
        demo.launch(server_port=0)
        print("launch returned", flush=True)
    finally:
        print("finally", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("fn", "number", "code", "words"),
    [
        ("asked", signal.SIGINT, 0, ["stopping", "asked to stop", "launch returned", "finally"]),
        ("asked", signal.SIGTERM, 143, ["stopping", "asked to stop", "finally"]),
        ("stuck", signal.SIGTERM, 143, ["stopping"]),
    ],
)
async def test_launch_is_told_to_end(
    folder: Path,
    processes: list[subprocess.Popen[str]],
    fn: str,
    number: signal.Signals,
    code: int,
    words: list[str],
) -> None:
    """SIGTERM is no accident: pages are told, work is asked to stop, nothing is left; then 143.

    A function that cannot be stopped is left behind after a second.
    """
    (folder / "app.py").write_text(textwrap.dedent(LAUNCHED.format(fn=fn)))
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes.append(process)
    url = await asyncio.to_thread(address, process.stdout)
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": url.rstrip("/")}
        async with http.ws_connect(url + "ws", headers=headers) as ws:
            async with asyncio.timeout(30):
                while '"started"' not in (await ws.receive_str()):
                    pass
                process.send_signal(number)
                while (await ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                    pass
            assert ws.close_code == 1001
    assert await asyncio.to_thread(process.wait, 60) == code
    assert process.stdout is not None
    said = [line for line in process.stdout.read().split("\n") if line]
    assert sorted(said) == sorted(words)
    assert list((folder / "temp").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_who_keeps_a_program_from_ending_is_told(
    folder: Path, processes: list[subprocess.Popen[str]]
) -> None:
    """Python waits for threads: Ctrl-C names the function that still runs, a second one ends it."""
    (folder / "app.py").write_text(textwrap.dedent(LAUNCHED.format(fn="stuck")))
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes.append(process)
    url = await asyncio.to_thread(address, process.stdout)
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": url.rstrip("/")}
        async with http.ws_connect(url + "ws", headers=headers) as ws:
            async with asyncio.timeout(30):
                while '"started"' not in (await ws.receive_str()):
                    pass
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = await asyncio.to_thread(process.stderr.readline)
    assert said.startswith("ossicle: Python waits for stuck, still in a thread; press Ctrl-C again")
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, 60) == 130


def test_launch_and_run_have_the_same_options() -> None:
    """By the same names and defaults; how the page looks is the file's business."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    run = {action.dest for action in parser._actions if action.dest != "help"}  # pyright: ignore[reportPrivateUsage] # argparse lists them nowhere else
    launch = set(inspect.signature(oc.Blocks.launch).parameters)
    launch -= {"self", "prevent_thread_lock", "kwargs"}
    launch -= {"theme", "css", "css_paths", "js", "head", "head_paths"}
    assert run == launch == {each.name for each in dataclasses.fields(Launching)}
    handed = list[Launching]()
    with taking(lambda app, launching: handed.append(launching)):
        oc.Blocks().launch()
    assert handed == [Launching()] == [with_options(Launching(), parser.parse_args([]))]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"allowed_hosts": "a.example"},
            r"allowed_hosts='a.example' must be a list: \['a.example'",
        ),
        ({"max_file_size": "much"}, "max_file_size='much' must be bytes"),
        ({"max_session_size": 0}, "max_session_size=0 must be bytes"),
        ({"allow_private_urls": 1}, "allow_private_urls=1 must be True or False"),
        ({"max_connections": 0}, "max_connections=0 must be a whole number, 1 or more"),
        ({"reconnect_window": -1}, "reconnect_window=-1 must be a number of seconds"),
        ({"reconnect_window": math.inf}, "reconnect_window=inf must be a number of seconds"),
        ({"server_port": "80"}, "server_port='80' must be a number from 0 to 65535"),
        ({"server_port": 70_000}, "server_port=70000 must be a number from 0 to 65535"),
        ({"server_name": 5}, "server_name=5 must be an address as a text"),
        ({"max_threads": 1.5}, "max_threads=1.5 must be a whole number"),
        ({"show_error": "yes"}, "show_error='yes' must be True, False or None"),
        ({"root_path": 5}, "root_path=5 must be a text"),
        ({"allowed_hosts": 5}, "allowed_hosts=5 must be a list of texts"),
    ],
)
def test_options_that_cannot_be_meant(given: dict[str, Any], words: str) -> None:
    """Are told before anything listens."""
    with pytest.raises(oc.DeclarationError, match=words):
        oc.Blocks().launch(**given)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--tls", "none.pem,none.key"], "tls: none.pem: No such file or directory; give"),
        (["--tls", "yes"], "tls='yes' is no certificate; give"),
        (["--allowed-host", "http://x"], "allowed_hosts: 'http://x' is not a host name"),
        (["--allowed-origin", "x"], "allowed_origins: 'x' is not an origin"),
        (["--allowed-frame", "x y"], "allowed_frames: 'x y' is not an origin"),
        (["--root-path", "a b"], "root_path='a b': letters"),
        (["--max-file-size", "0"], "launch: max_file_size='0' must be bytes"),
        (["--reload", "--inbrowser"], "--inbrowser with --reload would open the page"),
    ],
)
def test_run_with_options_that_cannot_be_meant(
    folder: Path,
    args: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each is one line and exit code 1."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before_signal = signal.getsignal(signal.SIGTERM)
    try:
        code = main(["run", "reverse.py", "--port", "0", *args])
    finally:
        signal.signal(signal.SIGTERM, before_signal)
        sys.modules.pop("reverse", None)
    out, error = capfd.readouterr()
    assert (code, out) == (1, "")
    assert error.startswith(f"ossicle: {words}") and error.count("\n") == 1, error


def test_run_a_taken_port(folder: Path, processes: list[subprocess.Popen[str]]) -> None:
    """A port that was asked for and is taken is one clear line; none asked for is the next."""
    first = start(folder, "run", "reverse.py")
    processes.append(first)
    port = address(first.stdout).rsplit(":", 1)[1].strip("/")
    done = ossicle_beside(folder, "run", "reverse.py", "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"ossicle: port {port} on 127.0.0.1 is taken")
    assert done.stderr.count("\n") == 1
    second = start(folder, "run", "reverse.py")
    processes.append(second)
    assert address(second.stdout) != f"http://127.0.0.1:{port}/"


def ossicle_beside(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Like `ossicle`, while another one may use the temp folder."""
    return subprocess.run(
        [sys.executable, "-m", "ossicle", *args],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )


LAUNCHING = """
    import ossicle as oc

    def same(x):
        return x

    demo = oc.Interface(same, "text", "text")
    other = oc.Interface(same, "audio", "audio", title="the other one")
    other.launch(server_port={port}, allowed_hosts=("named.example",))
    print("launch returned")
"""


def test_run_a_file_that_launches(folder: Path, processes: list[subprocess.Popen[str]]) -> None:
    """A launch() at the top level starts no second server: it names the app and its options."""
    (folder / "launching.py").write_text(textwrap.dedent(LAUNCHING.format(port=0)))
    process = start(folder, "run", "launching.py", "--port", "0")
    processes.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "launch returned\n"
    url = address(process.stdout)
    request = urllib.request.Request(url, headers={"Host": "named.example"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert "http://" not in process.stdout.read()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = (", "app.py, line 1: '(' was never closed"),
        ("import none_such", "app.py, line 1: ModuleNotFoundError"),
        ("\n1/0", "app.py, line 2: ZeroDivisionError"),
        ("x = 1", "app.py makes no app; give it one"),
        ("raise SystemExit(3)", "app.py, line 1: it ended the program (3)"),
        ("import sys\nsys.exit()", "app.py, line 2: it ended the program"),
        (
            "import ossicle as oc\na, b = oc.Blocks(), oc.Blocks()",
            "app.py has several apps: a, b; call one `demo`",
        ),
        (
            "import ossicle as oc\noc.Audio(sources='nowhere')",
            "app.py, line 2: ",
        ),
    ],
)
def test_run_a_bad_file(folder: Path, code: str, words: str) -> None:
    """A file without an app, or that fails, is told with its name and line; exit code 1."""
    (folder / "app.py").write_text(code)
    done = ossicle(folder, "run", "app.py", "--port", "0")
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]
    assert "cli.py" not in done.stderr and "importlib" not in done.stderr


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("demo = oc.Blocks(title='one')\nzzz = oc.Blocks(title='two')", "one"),
        ("app = oc.Blocks(title='one')\nzzz = oc.Blocks(title='two')", "one"),
        ("only = oc.Blocks(title='one')\nsame = only", "one"),
    ],
)
def test_which_app(folder: Path, code: str, title: str) -> None:
    """`demo`, then `app`, then the only one; the same one under two names is one."""
    from ossicle.runtime.loading import load

    path = folder / f"which_{abs(hash(code))}.py"
    path.write_text("import ossicle as oc\n" + code)
    assert load(str(path)).app.title == title
    if "zzz" in code:
        assert load(f"{path}:zzz").app.title == "two"


def test_run_reload(folder: Path, processes: list[subprocess.Popen[str]]) -> None:
    """After a save the app runs anew at the same address, also after a save that did not work."""
    app = folder / "app.py"
    text = (
        "import ossicle as oc\nprint({!r}, flush=True)\ndemo = oc.Interface(str, 'text', 'text')\n"
    )
    app.write_text(text.format("first"))
    process = start(folder, "run", "app.py", "--reload")
    processes.append(process)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "first\n"
    url = address(process.stdout)
    app.write_text("1/0")
    assert "app.py changed: starting again" in process.stderr.readline()
    while "exit code 1" not in process.stderr.readline():
        pass
    app.write_text(text.format("second one"))
    assert process.stdout.readline().strip() in ("second one", "stopping", "")
    assert address(process.stdout) == url
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    with pytest.raises(OSError):
        urllib.request.urlopen(url)
    assert list((folder / "temp").iterdir()) == []
