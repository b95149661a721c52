"""`ossicle run` and `launch()`: apps that are served until they are told to end."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import inspect
import math
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import aiohttp
import pytest
from aiohttp import WSMsgType

import ossicle as oc
from ossicle.runtime.cli import main
from ossicle.runtime.launching import Launching, taking
from ossicle.runtime.options import add_options, with_options

from .conftest import environment, ossicle, start


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


BEGINNING = """
    import time
    import ossicle as oc

    def slow(text):
        print("begun", flush=True)
        time.sleep(600)

    with oc.Blocks() as demo:
        text, sound = oc.Textbox(), oc.Audio()
        oc.Examples(["a"], text, sound, slow, cache_examples=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_run_is_told_to_end_while_it_begins(
    folder: Path, processes: list[subprocess.Popen[str]]
) -> None:
    """An app that makes its examples first: nothing is left, and the code says who ended it."""
    (folder / "app.py").write_text(textwrap.dedent(BEGINNING))
    process = start(folder, "run", "app.py", "--port", "0")
    processes.append(process)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert process.stderr.readline() == "ossicle: interrupted\n"
    assert list((folder / "temp").iterdir()) == []


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


def launch(folder: Path, fn: str, processes: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """A program that launches an app whose function is of that kind."""
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
    return process


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
    process = launch(folder, fn, processes)
    url = await asyncio.to_thread(address, process.stdout)
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": url.rstrip("/")}
        async with http.ws_connect(url + "ws", headers=headers) as ws:
            async with asyncio.timeout(30):
                while '"started"' not in (await ws.receive_str()):
                    pass
                process.send_signal(number)
                while (last := await ws.receive()).type is WSMsgType.TEXT:
                    pass
    # What was said, not `ws.close_code`: that is 1006 where the program has gone before our answer.
    assert (last.type, last.data) == (WSMsgType.CLOSE, 1001)
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
    process = launch(folder, "stuck", processes)
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
