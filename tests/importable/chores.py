"""Functions for tests of processes: they must stand at the top of a module that can be imported."""

from __future__ import annotations

import contextvars
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import ossicle as oc

calls: int = 0


# -- work that a test looks at from its own process: the text says where it listens -------------


def ask(text: str, what: str) -> None:
    """Tell the foreman, and wait for what he says."""
    with Client(json.loads(text)["address"]) as line:
        line.send(what)
        line.recv()


@oc.in_process
def give(text: str) -> str:
    return json.loads(text)["values"][-1]


@oc.in_process
def give_steps(text: str) -> Iterator[str]:
    yield from json.loads(text)["values"]


@oc.in_process
def raise_boom(text: str) -> None:
    ask(text, "log called")
    raise OddError(7)


@oc.in_process
def raise_boom_later(text: str) -> Iterator[str]:
    ask(text, "log called")
    yield "shown"
    raise OddError(7)


@oc.in_process
def leave(text: str) -> None:
    sys.exit("no more")


@oc.in_process
def leave_later(text: str) -> Iterator[str]:
    yield "shown"
    sys.exit("no more")


@oc.in_process
def tell(text: str, progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
    oc.Info("first")
    progress((1, 2), "half")
    oc.Info("last")
    return "x"


@oc.in_process
def tell_steps(text: str, progress: oc.Progress = oc.Progress()) -> Iterator[str]:  # noqa: B008
    oc.Info("first")
    progress((1, 2), "half")
    yield "x"
    oc.Info("last")


@oc.in_process
def hold(text: str) -> str:
    ask(text, "log begun")
    ask(text, "gate")
    ask(text, "log done")
    return "unread"


@oc.in_process
def hold_steps(text: str) -> Iterator[str]:
    ask(text, "log begun")
    try:
        while True:
            yield "shown"
    finally:
        ask(text, "gate")
        ask(text, "log done")


@oc.in_process
def work(text: str) -> None:
    """One step of it stands until the foreman lets it go."""
    ask(text, "stand")


@oc.in_process
def work_steps(text: str) -> Iterator[None]:
    told = json.loads(text)
    for _ in range(told["steps"]):
        ask(text, "stand")
        yield None
    if told["fails"]:
        raise OddError(7)


@oc.in_process
def bars(text: str, progress: oc.Progress = oc.Progress(track_tqdm=True)) -> str:  # noqa: B008
    """Bars of tqdm itself, one inside of the other."""
    tqdm: Any = import_module("tqdm").tqdm

    quiet: dict[str, Any] = {"mininterval": 0, "file": io.StringIO()}
    for _ in tqdm(range(2), desc=text, **quiet):
        for _ in tqdm("ab", desc="inner", **quiet):
            pass
    return text


# -- work of other kinds -------------------------------------------------------------------------


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


late = list[tuple[threading.Event, threading.Thread]]()


@oc.in_process
def say_late(text: str) -> None:
    """A thread of its own says something when the call is over: while the next one runs."""
    if late:
        go, speaking = late.pop()
        go.set()
        speaking.join()
        return
    go, here = threading.Event(), contextvars.copy_context()

    def speak() -> None:
        go.wait()
        here.run(oc.Info, text)

    late.append((go, threading.Thread(target=speak)))
    late[0][1].start()


@oc.in_process
def many(text: str) -> Iterator[str]:
    """More than anybody could read, and a mark of how far it got."""
    for n in range(1_000_000):
        yield "x" * 1000
        Path(text).write_text(str(n))


@oc.in_process
def hang(text: str) -> str:
    """Writes its pid where the test waits for it, and never returns."""
    Path(text).write_text(str(os.getpid()))
    while True:
        time.sleep(60)
