"""Timer: ticks on the clock while the session is connected."""

from __future__ import annotations

from ..flow.errors import DeclarationError
from ..flow.sources import event
from .base import Component


class Timer(Component):
    """Fires `tick` every `value` seconds while active (rules M1-M3).

    Return Timer(active=False), or update(active=False), from a function to stop it.
    """

    type = "timer"

    tick = event("A period has passed.")

    def __init__(self, value: float = 1, *, active: bool = True, render: bool = True) -> None:
        if not value > 0:
            raise DeclarationError(f"Timer: value={value!r} must be above 0 seconds.")
        self.active = active
        self.seconds = value
        super().__init__(value, render=render)

    def period(self) -> float | None:
        return self.seconds if self.active else None
