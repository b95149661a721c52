"""What a trigger mode is: one of the four plugs, a function from a count to a verdict."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Verdict(Enum):
    """What becomes of a new request."""

    ENTER = "enter"
    DROP = "drop"
    DEFER = "defer"
    RESTART = "restart"


Trigger = Callable[[int], Verdict]
"""A trigger mode: how many requests of this session's listener are pending ->
what the new one does."""
