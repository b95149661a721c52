"""State: a value that belongs to a session and is never shown."""

from __future__ import annotations

import copy
from typing import Any

from ..flow.errors import DeclarationError
from ..flow.graph import Graph
from ..flow.listeners import check_inputs
from .base import Component
from .dialect import COMPONENT, STATE


class State(Component):
    """Each session begins with its own deep copy of value, or with what a factory returns.

    Read when a job starts, written at each yield; jobs of a session that both read and write it
    never overlap (rules I1, I2, I4).
    Raises DeclarationError for what cannot be meant.
    """

    type = "state"
    server_only = True
    foreign = COMPONENT | STATE

    def __init__(self, value: Any = None, *, render: bool = True, **kwargs: Any) -> None:
        super().__init__(render=render, **kwargs)
        self.first: Any = value
        if callable(value):
            check_inputs("State", value, 0, keyed=False)
        else:
            try:
                copy.deepcopy(value)
            except Exception as error:
                raise DeclarationError(
                    f"State: {type(value).__name__} cannot be copied for each session ({error});"
                    " give a function that makes one."
                ) from error

    def placed(self, graph: Graph) -> None:
        """A factory is not a value for load; it makes the first value of each session."""

    def prepare(self, media: Any) -> None:
        """Made per session instead, by `initial`."""

    def content(self, value: object) -> object:
        """A copy, so that `change` also hears of what a function did to the value in place."""
        try:
            return copy.deepcopy(value)
        except Exception:  # then only another object is another value
            return value

    def initial(self) -> object:
        return self.first() if callable(self.first) else copy.deepcopy(self.first)
