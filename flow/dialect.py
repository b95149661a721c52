"""What apps written for the peer pass beyond our arguments: it happens anyway, or is not done.

An argument that asks for what happens here in any case is accepted. One that asks for more is
refused with the way out: an app must never run on looking as if it had been heard.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

from .errors import DeclarationError

ANY: Final = ("any value",)
"""Whatever is asked for happens here in any case, or has nothing to happen to."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """An argument that we do not have.

    instead: what to write, as the end of an error. fine: values that ask for nothing more than
    what happens anyway. secret: its value is never repeated.
    """

    instead: str
    fine: tuple[object, ...] = (None,)
    secret: bool = False


def understood(
    where: str,
    given: Mapping[str, object],
    known: Mapping[str, Foreign],
    takes: Collection[str],
) -> None:
    """Accept arguments that are not ours, or say why not.

    takes: the names of our own arguments, for guessing at misspelt ones. Raises DeclarationError
    naming `where`, the argument and the way out.
    """
    for name, value in given.items():
        found = known.get(name)
        if found is None:
            near = get_close_matches(name, takes, n=1)
            guess = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(takes)}."
            raise DeclarationError(f"{where}: {name!r} is not an option here; {guess}")
        if found.fine is ANY or any(_same(value, each) for each in found.fine):
            continue
        told = name if found.secret else f"{name}={reprlib.repr(value)}"
        raise DeclarationError(f"{where}: {told}: {found.instead}")


def arguments_of(fn: Callable[..., object]) -> tuple[str, ...]:
    """The names that a method takes, in order: what `understood` wants to know."""
    return tuple(
        name
        for name, one in inspect.signature(fn).parameters.items()
        if name != "self" and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    )


@cache
def constructor_arguments(cls: type) -> frozenset[str]:
    """The names that a class takes, where each hands **kwargs on to those above it."""
    return frozenset(
        name
        for each in cls.__mro__
        if "__init__" in vars(each)
        for name in arguments_of(each.__init__)
    )


def _same(a: object, b: object) -> bool:
    """True is not 1 here."""
    return a is b or (type(a) is type(b) and a == b)


LISTENER = {
    "validator": Foreign("raise Error or return skip() in the function; it checks its own inputs."),
    "inputs_kwargs": Foreign("take the values by position, or give the inputs as a set."),
    "show_progress_on": Foreign(
        "progress shows on the outputs; name the component as an output too, and return skip() for"
        " it."
    ),
    "key": Foreign("listeners of a part of the page are made anew with it.", ANY),
    "api_description": Foreign("there is no HTTP interface that could tell it.", ANY),
    "like_user_message": Foreign("there is no chat here.", (False,)),
    "connection": Foreign('there is one way, and it is "sse" and "stream" at once.', ANY),
    "status_tracker": Foreign("each output shows its own progress."),
    "queue_id": Foreign("use concurrency_id."),
}
"""Options of listeners."""
