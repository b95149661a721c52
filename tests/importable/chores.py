"""Functions for tests of processes: they must stand at the top of a module that can be imported."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import ossicle as oc

calls: int = 0


class OddError(Exception):
    """An error with an attribute that must survive the way."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@oc.in_process
def pid_and_calls(_: object) -> str:
    global calls
    calls += 1
    return f"{os.getpid()} {calls}"


@oc.in_process
def count(text: str) -> Iterator[str]:
    try:
        for n in range(int(text)):
            yield str(n)
    finally:
        oc.Info("closed")


@oc.in_process
def fail(text: str) -> str:
    raise OddError(int(text))


@oc.in_process
def die(text: str) -> str:
    sys.stdout.flush()
    os._exit(int(text))


@oc.in_process
def hang(text: str) -> str:
    """Writes its pid where the test waits for it, and never returns."""
    Path(text).write_text(str(os.getpid()))
    while True:
        time.sleep(60)
