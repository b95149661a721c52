"""What runs in a process of its own: one function, called again and again."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import GeneratorType
from typing import Any

from ...flow.errors import WorldError
from ...flow.injected import telling

Said = tuple[str, Any]
"""("step" | "value" | "tell" | "error", it), and ("end", None) after each call."""

CLOSE = "close"
"""Sent to a worker whose generator nobody waits for any more."""


def work(line: Connection, address: tuple[str, str], path: list[str]) -> None:
    """Serve calls until the line is closed. The first thing that a new process does."""
    sys.path[:] = path
    telling.set(lambda what: line.send(("tell", what)))
    fn = found(address)
    while True:
        try:
            asked = line.recv()
        except EOFError:
            return
        if asked == CLOSE:
            continue  # it came when the generator had just ended
        args, kwargs = asked
        try:
            run(line, fn, args, kwargs)
        except Exception as error:
            line.send(("error", portable(error)))
        else:
            line.send(("end", None))


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


def run(line: Connection, fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
    value = fn(*args, **kwargs)
    if not isinstance(value, GeneratorType):
        line.send(("value", value))
        return
    try:
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            line.send(("step", each))
            if line.poll() and line.recv() == CLOSE:
                return
    finally:
        value.close()


def portable(error: Exception) -> Exception:
    """The error itself, with its type and attributes, if it can travel; else its words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return WorldError(f"{type(error).__name__}: {error}")
    return error
