"""Slider: a number between two bounds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from ..flow.errors import DeclarationError, InputError
from ..flow.sources import event
from .base import Component, known_buttons, number

if TYPE_CHECKING:
    from ..flow.audio import Media


class Slider(Component):
    """A number from minimum to maximum in steps. Functions get `int` if step and bounds are whole.

    value: starts at minimum when left out. step: None is a hundredth of the range, or 1 where that
    is larger than 1. precision: digits after the point. randomize: a value by chance whenever a
    page loads. show_reset_button, or buttons=["reset"]: a button that brings back the first value.
    Raises DeclarationError for what cannot be meant.
    """

    type = "slider"
    shown = ("minimum", "maximum", "step", "show_reset_button")

    input = event("The user moved it.")
    release = event("The user let go of it.")

    def __init__(
        self,
        minimum: float = 0,
        maximum: float = 100,
        value: Any = None,
        *,
        step: float | None = None,
        precision: int | None = None,
        randomize: bool = False,
        show_reset_button: bool = False,
        buttons: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if not minimum < maximum:
            raise DeclarationError(f"Slider: minimum={minimum} must be below maximum={maximum}.")
        if step is not None and step <= 0:
            raise DeclarationError(f"Slider: step={step!r} must be above 0.")
        self.minimum = minimum
        self.maximum = maximum
        self.step = step if step is not None else min(1, (maximum - minimum) / 100)
        self.precision = precision
        self.show_reset_button = "reset" in known_buttons(
            self.where, buttons, ("reset",), {"reset": show_reset_button}
        )
        self.cleared = minimum
        if randomize:
            value = self._any
        super().__init__(minimum if value is None else value, **kwargs)

    def preprocess(self, value: Any, media: Media) -> object:
        if self.precision is None:
            return value
        return round(value) if self.precision == 0 else round(value, self.precision)

    def postprocess(self, value: Any, media: Media) -> object:
        if value is None:
            return self.minimum
        plain = value.item() if hasattr(value, "item") else value
        return min(max(number(self.where, "the value", plain), self.minimum), self.maximum)

    def _any(self) -> float:
        """One of its steps, by chance."""
        steps = int((self.maximum - self.minimum) / self.step + 1e-9)
        # Rounded, because 3 * 0.1 is a hair more than 0.3.
        return round(self.minimum + random.randint(0, steps) * self.step, 10)

    def from_wire(self, payload: Any, media: Media) -> object:
        found = number(self.where, "the value", payload)
        if not self.minimum <= found <= self.maximum:
            raise InputError(f"{self.where}: {found} is not in [{self.minimum}, {self.maximum}].")
        return found
