"""What a chain of operators may ask of the session that it runs for: the values of components.

A chain is written once and runs once a session. Where a component stands in place of a number
(`gain(slider)`), each run reads that session's value; the program lends the way to it while the
chain is subscribed to. Without a session (offline, in a loop) a component counts as it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

from .graph import Node

Values = Callable[[Node], object]
"""A component → its value in one session, as it is now."""

_lent: ContextVar[Values | None] = ContextVar("values", default=None)


@contextmanager
def lending(values: Values | None) -> Generator[None]:
    """Chains that are subscribed to within this read their components' values here."""
    token = _lent.set(values)
    try:
        yield
    finally:
        _lent.reset(token)


def lent() -> Values:
    """How to read components' values; what is subscribed to now keeps it."""
    return _lent.get() or _first


def _first(node: Node) -> object:
    return node.initial()
