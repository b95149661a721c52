"""Timer: ticks on the clock while the session is connected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..flow.errors import DeclarationError
from ..flow.sources import event
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class Timer(Component):
    """Fires `tick` every `value` seconds while active (rules M1-M3).

    Return Timer(active=False), or update(active=False), from a function to stop it.
    Raises DeclarationError for what cannot be meant.
    """

    type = "timer"

    tick = event("A period has passed.")

    def __init__(self, value: float = 1, *, active: bool = True, render: bool = True) -> None:
        if not _seconds(value):
            raise DeclarationError(f"Timer: value={value!r} must be above 0 seconds.")
        self.active = active
        super().__init__(value, render=render)

    def postprocess(self, value: Any, media: Media) -> object:
        if not _seconds(value):
            raise ValueError(f"{self.where}: {value!r} must be above 0 seconds.")
        return value

    def period(self, value: Any) -> float | None:
        return value if self.active else None


def _seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
