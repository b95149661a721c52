"""What runs in a process of its own: one function, called again and again."""

from __future__ import annotations

import importlib
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from types import GeneratorType
from typing import Any, cast

from ...flow.errors import WorldError, named
from ...flow.injected import telling
from .tqdm_bars import follow

Said = tuple[str, Any]
"""("step" | "value" | "tell" | "error", it), and ("end", None) after each call."""


def work(line: Connection, stops: Connection, address: tuple[str, str], path: list[str]) -> None:
    """Serve calls until the line is closed. The first thing that a new process does.

    line: (number, args, kwargs) come, `Said` go. stops: the numbers of calls that nobody waits for
    any more; on a line of their own, which never is full.
    """
    # Ctrl-C reaches all processes of a terminal; when this one ends is its app's to say. A handler,
    # because what a function starts would inherit that the signal is ignored.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    sys.path[:] = path
    fn = found(address)
    while True:
        try:
            number, args, kwargs = line.recv()
        except EOFError:
            return
        calling = Calling(line, stops, number)
        try:
            calling.run(fn, args, kwargs)
        except (Exception, SystemExit) as error:  # a function that exits has failed, no more
            calling.end("error", portable(error))
        else:
            calling.end("end", None)


def found(address: tuple[str, str]) -> Callable[..., Any]:
    """The function at an address; where there is none, one that says so at each call."""
    try:
        return find(address)
    except Exception as error:
        why = error  # the name `error` ends with this block

        def refuse(*_: object, **__: object) -> None:
            raise WorldError(f"{'.'.join(address)} was not found by its process: {why}") from why

        return refuse


def find(address: tuple[str, str]) -> Callable[..., Any]:
    """The function at an address; what `in_process` made of it is looked through."""
    module, name = address
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return getattr(found, "fn", found)


class Calling:
    """One call. Threads of the function's own may tell things meanwhile, and not afterwards: by
    then the line belongs to somebody else's call."""

    def __init__(self, line: Connection, stops: Connection, number: int) -> None:
        self._line, self._stops, self._number = line, stops, number
        self._lock = threading.Lock()
        self._over = False

    def run(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
        telling.set(lambda what: self._say("tell", what))
        follow(args, kwargs)
        if self._stopped():
            return
        value = fn(*args, **kwargs)
        if not isinstance(value, GeneratorType):
            self._say("value", value)
            return
        try:
            for each in cast("Generator[Any]", value):
                self._say("step", each)
                if self._stopped():
                    return
        finally:
            value.close()

    def end(self, kind: str, value: object) -> None:
        self._say(kind, value)
        self._over = True

    def _say(self, kind: str, value: object) -> None:
        with self._lock:
            if not self._over:
                self._line.send((kind, value))

    def _stopped(self) -> bool:
        while self._stops.poll():
            if self._stops.recv() == self._number:  # else of a call that had just ended
                return True
        return False


def portable(error: BaseException) -> Exception:
    """The error itself, with its type and attributes, if it can travel; else its words."""
    where = "".join(traceback.format_tb(error.__traceback__))  # tracebacks do not travel
    error.add_note(f"In its process:\n{where}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error, unable = WorldError(named(error)), error
        error.__notes__ = unable.__notes__
    return error  # pyright: ignore[reportReturnType]  SystemExit travels like any other
