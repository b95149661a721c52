"""A listener: which function an event calls, by which rules; checked when declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Literal, TypeGuard

from .dialect import LISTENER, understood
from .durations import Time
from .errors import DeclarationError, TriggerError
from .signature import Signature, signature
from .triggers import TRIGGERS
from .triggers.once import once
from .units import Seconds
from .verdict import Trigger

ShowProgress = Literal["full", "minimal", "hidden"]
TriggerMode = Literal["once", "multiple", "always_last", "restart"]
OnDisconnect = Literal["cancel", "finish"]
OnOverload = Literal["drop_oldest", "latest", "coalesce", "block", "error"]
OVERLOADS = ("drop_oldest", "latest", "coalesce", "block", "error")
ConcurrencyLimit = int | None | Literal["default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a listener was written. The meanings are in `Source.__call__`."""

    api_name: str | Literal[False] | None = None
    scroll_to_output: bool = False
    show_progress: ShowProgress | None = None
    queue: bool | None = None
    batch: bool = False
    max_batch_size: int = 4
    preprocess: bool = True
    postprocess: bool = True
    every: Seconds | None = None
    trigger_mode: TriggerMode | None = None
    js: str | None = None
    concurrency_limit: ConcurrencyLimit = "default"
    concurrency_id: str | None = None
    show_api: bool = True
    stream_every: Seconds = 0.5
    time_limit: Seconds | None = None
    batch_window: Seconds = 0.0
    interrupt: bool = False
    on_disconnect: OnDisconnect = "cancel"
    on_overload: OnOverload | None = None
    budget: Time | None = None


DEFAULTS = Options()
"""How a listener is written that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listener:
    """A declared dependency with every default resolved. What the queue and the executors obey.

    line: the concurrency id it stands in. limit: of that line; None is no limit. batch: most
    requests in one job; 0 is one request, not as a list. locks: the State nodes that it both reads
    and writes (rule I2). inputs, outputs: node ids. backlog: most requests of one session that may
    wait before `on_overload` acts; None is no bound.
    keys: the inputs as they were written, where the function gets a dict. part: it stands in a part
    of one session's page, and nothing may be kept about it when that is made anew.
    """

    id: int
    name: str
    fn: Callable[..., Any] | None = None
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    keyed: bool = False
    mode: TriggerMode = "once"
    trigger: Trigger = once
    line: str = ""
    limit: int | None = 1
    queued: bool = True
    batch: int = 0
    window: Seconds = 0.0
    locks: frozenset[int] = frozenset()
    cancels: frozenset[int] = frozenset()
    every: Seconds | None = None
    on_overload: OnOverload = "block"
    backlog: int | None = None
    interrupt: bool = False
    on_disconnect: OnDisconnect = "cancel"
    show_progress: ShowProgress = "full"
    signature: Signature = Signature(0, None, (), ())
    options: Options = Options()
    keys: tuple[object, ...] = ()
    part: bool = False


SECONDS = {"every": 0.001, "stream_every": 0.001, "time_limit": 0.001, "batch_window": 0.0}
"""Options that are seconds, and the least that makes sense."""
FLAGS = ("scroll_to_output", "batch", "preprocess", "postprocess", "show_api", "interrupt")


def options(where: str, given: Mapping[str, object]) -> Options:
    """Options from keyword arguments.

    Raises DeclarationError or TriggerError naming `where`, the option and what may be written.
    """
    known = [f.name for f in fields(Options)]
    if foreign := {name: value for name, value in given.items() if name not in known}:
        given = {name: value for name, value in given.items() if name in known}
        match foreign.pop("api_visibility", "public"):  # the peer's newer way to say both
            case "private":
                given["api_name"] = False
            case "undocumented":
                given["show_api"] = False
            case _:
                pass
        understood(where, foreign, LISTENER, ("fn", "inputs", "outputs", "cancels", *known))
    made = Options(**given)  # type: ignore[arg-type]  # checked by value just below
    _check_each(where, {name: getattr(made, name) for name in known})
    _check(where, made)
    return made


def _check_each(where: str, given: Mapping[str, object]) -> None:
    """What each option may be by itself."""
    for name, least in SECONDS.items():
        value = given[name]
        if value is not None and not (_number(value) and value >= least):
            never = "; leave it out for never" if name in ("every", "time_limit") else ""
            raise DeclarationError(
                f"{where}: {name}={value!r} must be a number of seconds, at least {least}{never}."
            )
    for name in FLAGS:
        if not isinstance(given[name], bool):
            raise DeclarationError(f"{where}: {name}={given[name]!r} must be True or False.")
    if not (given["queue"] is None or isinstance(given["queue"], bool)):
        raise DeclarationError(f"{where}: queue={given['queue']!r} must be True, False or None.")
    api_name = given["api_name"]
    if not (api_name is None or api_name is False or isinstance(api_name, str)):
        raise DeclarationError(
            f"{where}: api_name={api_name!r} must be a text; False hides it from programs."
        )
    id, js = given["concurrency_id"], given["js"]
    if id is not None and not (isinstance(id, str) and id):
        raise DeclarationError(
            f"{where}: concurrency_id={id!r} must be a text, which listeners share that stand in"
            " one line."
        )
    if js is not None and not (isinstance(js, str) and js.strip()):
        raise DeclarationError(
            f"{where}: js={js!r} must be JavaScript as a text that gives a function, like"
            ' "(text) => text.trim()".'
        )


def _number(value: object) -> TypeGuard[float]:
    """A finite number; True is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _check(where: str, o: Options) -> None:
    """What goes together."""
    mode: str | None = o.trigger_mode
    if mode is not None and mode not in tuple(TRIGGERS):
        raise TriggerError(
            f"{where}: trigger_mode={mode!r} is unknown; choose {_choices(TRIGGERS)}."
        )
    progress: str | None = o.show_progress
    if progress not in (None, "full", "minimal", "hidden"):
        raise DeclarationError(
            f"{where}: show_progress={progress!r} is unknown; choose full, minimal or hidden."
        )
    leaving: str = o.on_disconnect
    if leaving not in ("cancel", "finish"):
        raise DeclarationError(
            f"{where}: on_disconnect={leaving!r} is unknown; choose cancel or finish."
        )
    overload: str | None = o.on_overload
    if overload is not None and overload not in OVERLOADS:
        raise DeclarationError(
            f"{where}: on_overload={overload!r} is unknown; choose {', '.join(OVERLOADS)}."
        )
    if o.every is not None and o.queue is False:
        raise DeclarationError(
            f"{where}: every={o.every} needs the queue; leave queue=False out, or drive it with a"
            " Timer component."
        )
    limit: object = o.concurrency_limit
    if not (limit in (None, "default") or _whole(limit)):
        raise DeclarationError(
            f"{where}: concurrency_limit={limit!r} must be a whole number, 1 or more, None for no"
            ' limit, or "default".'
        )
    if not _whole(o.max_batch_size):
        raise DeclarationError(
            f"{where}: max_batch_size={o.max_batch_size!r} must be a whole number, 1 or more."
        )
    if o.batch_window and not o.batch:
        raise DeclarationError(f"{where}: batch_window={o.batch_window!r} needs batch=True.")
    if o.batch_window and o.queue is False:
        raise DeclarationError(
            f"{where}: batch_window={o.batch_window!r} waits and queue=False does not; leave one of"
            " them out."
        )
    if o.batch and overload == "coalesce":
        raise DeclarationError(
            f"{where}: on_overload='coalesce' hands over one longer chunk, and batch=True a list of"
            " chunks; use one of them."
        )
    if o.batch and o.interrupt:
        raise DeclarationError(
            f"{where}: interrupt=True would stop the other members of a batch; use one of them."
        )


def at_least(value: object, least: int) -> bool:
    """Whether it is a whole number, not below."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _whole(value: object) -> bool:
    return at_least(value, 1)


def check_inputs(where: str, fn: Callable[..., object], count: int, keyed: bool) -> Signature:
    """Rule I3: a function that cannot take its inputs is refused when declared."""
    found = signature(fn)
    given = 1 if keyed else count
    if found.lacks:
        raise DeclarationError(
            f"{where}: {name_of(fn)}() needs {found.lacks[0]}=..., which nothing gives it; inputs"
            " are passed by position, so let it stand before the * or give it a default."
        )
    if given < found.least or (found.most is not None and given > found.most):
        takes = _range(found.least, found.most)
        names = f" ({', '.join(found.names)})" if found.names else ""
        gets = "one dict, because inputs is a set" if keyed else _plural(count, "input")
        raise DeclarationError(
            f"{where}: {name_of(fn)}() takes {takes}{names}, but is given {gets}."
        )
    return found


def name_of(fn: Callable[..., object]) -> str:
    """The name people know a function by."""
    inner: object = getattr(fn, "func", None)  # functools.partial
    return str(getattr(fn, "__name__", None) or getattr(inner, "__name__", type(fn).__name__))


def _range(least: int, most: int | None) -> str:
    if most is None:
        return f"{_plural(least, 'input')} or more"
    return _plural(most, "input") if least == most else f"{least} to {_plural(most, 'input')}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}" if count else f"no {word}s"


def _choices(names: Mapping[str, object]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"
