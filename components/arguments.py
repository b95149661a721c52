"""Checks of constructors' arguments, each with the error that names the component and the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ..flow.errors import DeclarationError, InputError
from .base import number


def choice(where: str, name: str, given: object, choices: Sequence[str]) -> str:
    """One of these texts. Raises DeclarationError."""
    if given not in choices:
        raise DeclarationError(
            f"{where}: {name}={given!r} is unknown; choose {' or '.join(choices)}."
        )
    return cast(str, given)


def flag(where: str, name: str, given: object) -> bool:
    """True or False, nothing that only counts as one. Raises DeclarationError."""
    if not isinstance(given, bool):
        raise DeclarationError(f"{where}: {name}={given!r} must be True or False.")
    return given


def maybe(where: str, name: str, given: object) -> bool | None:
    """True, False, or None for what is decided elsewhere. Raises DeclarationError."""
    return None if given is None else flag(where, name, given)


def seconds(where: str, name: str, given: object) -> float | None:
    """Seconds, 0 or more, or None. Raises DeclarationError."""
    if given is None:
        return None
    try:
        found = number(where, name, given)
    except InputError as error:
        raise DeclarationError(str(error)) from None
    if found < 0:
        raise DeclarationError(f"{where}: {name}={given!r} must be 0 seconds or more.")
    return found
