"""What a listener's function takes: how many inputs, and what is handed in beside them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

from .injected import ClientRequest, EventData, Progress


@dataclass(frozen=True, slots=True)
class Signature:
    """The shape of a function.

    least, most: how many inputs it takes (`most` None: any number). names: of the parameters that
    take inputs. given: (position, parameter name, kind) of those that the framework fills. lacks:
    keyword parameters that nobody fills and that have no default. tracks: whether its Progress is
    to show tqdm's bars.
    """

    least: int
    most: int | None
    names: tuple[str, ...]
    given: tuple[tuple[int | None, str, type], ...]
    lacks: tuple[str, ...] = ()
    tracks: bool = False
    whole: frozenset[int] = frozenset()
    """Which inputs are annotated with a component's class: they get the component, not its value
    alone."""


def signature(fn: Callable[..., object]) -> Signature:
    """Read a function's parameters; one that cannot be read takes any number of inputs."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # some builtins have none
        return Signature(0, None, (), ())
    hints = _hints(fn)
    least, most, names, lacks = 0, 0, list[str](), list[str]()
    given = list[tuple[int | None, str, type]]()
    whole = set[int]()
    unbounded = tracks = False
    for position, p in enumerate(parameters):
        kind = _injected(hints.get(p.name, p.annotation), p.default)
        positional = p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        if isinstance(p.default, Progress):
            tracks = tracks or p.default.track_tqdm
        if kind:
            given.append((position if positional else None, p.name, kind))
        elif p.kind is p.VAR_POSITIONAL:
            unbounded = True
        elif positional:
            if _is_component(hints.get(p.name, p.annotation)):
                whole.add(most)
            most += 1
            names.append(p.name)
            least += p.default is p.empty
        elif p.kind is p.KEYWORD_ONLY and p.default is p.empty:
            lacks.append(p.name)
    most_ = None if unbounded else most
    return Signature(
        least, most_, tuple(names), tuple(given), tuple(lacks), tracks, frozenset(whole)
    )


def _hints(fn: Callable[..., object]) -> dict[str, Any]:
    """What its parameters are annotated with, as far as that can be read.

    A name may be there for type checkers alone; the annotations beside it count all the same.
    """
    target = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004
    try:
        return get_type_hints(target)
    except Exception:  # to read one is to run it, which may raise anything
        found = dict[str, Any]()
    scope = getattr(target, "__globals__", {})
    for name, annotation in getattr(target, "__annotations__", {}).items():
        with suppress(Exception):
            found |= get_type_hints(SimpleNamespace(__annotations__={name: annotation}), scope)
    return found


def _is_component(annotation: object) -> bool:
    # By what a component's class says of itself: the graph, which defines it, stands on this file.
    return any(
        isinstance(each, type) and getattr(each, "holds_value", False) is True
        for each in (annotation, *get_args(annotation))
    )


def _injected(annotation: object, default: object) -> type | None:
    if isinstance(default, Progress):
        return Progress
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type):
            for kind in (ClientRequest, EventData, Progress):
                if issubclass(candidate, kind):
                    return candidate
    return None
