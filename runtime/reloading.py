"""Restarts a program when a source file in a folder changes: `ossicle run --reload`.

The program runs in a process of its own, because a Python process cannot be made to forget what it
imported: modules, threads and GPU memory all go with the old one. Times are polled, which every
system and every network disk can do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

# Not every file: an app may write sounds and JSON beside itself, and would restart itself for ever.
SUFFIXES = frozenset({".py", ".css", ".js", ".html"})
LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})
_EVERY = 0.4  # seconds between looks; a save and a look at the page take longer
_PATIENCE = 5.0  # seconds for a program to end by itself

Times = dict[str, int]


def times(folder: Path) -> Times:
    """When each source file under the folder was written, in ns."""
    return dict(_walk(str(folder)))


def changed(before: Times, after: Times) -> list[str]:
    """The files that came, went or were written, in order."""
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def run_reloading(
    command: Sequence[str],
    folder: Path,
    tell: Callable[[str], None],
) -> int:
    """Keep `command` running, anew after each change, until SIGINT or SIGTERM. The exit code."""
    stopped: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        stopped.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    seen = times(folder)
    child = _start(command)
    told_of_end = False
    try:
        while not stopped:
            time.sleep(_EVERY)
            if child.poll() is not None and not told_of_end and not stopped:
                tell(
                    f"it ended with exit code {child.returncode}; waiting for a change to try again"
                )
                told_of_end = True
            now = times(folder)
            files = changed(seen, now)
            if files and not stopped:
                seen = now
                tell(f"{os.path.relpath(files[0], folder)} changed: starting again")
                _end(child)
                child = _start(command)
                told_of_end = False
        return 0
    finally:
        _end(child)
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # Its own group: Ctrl-C goes to us alone, and we end the child, by its id.
    if sys.platform == "win32":
        return subprocess.Popen(command, creationflags=subprocess.CREATE_NEW_PROCESS_GROUP)
    return subprocess.Popen(command, process_group=0)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()


def _walk(folder: str) -> Iterator[tuple[str, int]]:
    # A file may vanish between the listing and the look: editors write by renaming.
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in LEFT_OUT:
                continue
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                        yield from _walk(entry.path)
                elif os.path.splitext(entry.name)[1] in SUFFIXES:
                    yield entry.path, entry.stat().st_mtime_ns
