"""Number: a number that people type or read."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from ..flow.errors import DeclarationError, InputError
from ..flow.sources import event
from .base import Component, number

if TYPE_CHECKING:
    from ..flow.audio import Media


class Number(Component):
    """A number. Functions get `float`, or `int` with precision=0, or None while it is empty.

    precision: digits after the point; None leaves the number as typed. minimum, maximum: bounds,
    checked again on the server. step: of the arrows.
    Raises DeclarationError for what cannot be meant.
    """

    type = "number"
    shown = ("minimum", "maximum", "step", "precision", "placeholder")

    input = event("The user changed the number.")
    submit = event("The user pressed Enter.")
    focus = event("The user entered the field.")
    blur = event("The user left the field.")

    def __init__(
        self,
        value: Any = None,
        *,
        precision: int | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        step: float = 1,
        placeholder: str | None = None,
        **kwargs: Any,
    ) -> None:
        if minimum is not None and maximum is not None and minimum > maximum:
            raise DeclarationError(f"Number: minimum={minimum} is above maximum={maximum}.")
        self.precision = precision
        self.minimum = minimum
        self.maximum = maximum
        self.step = step
        self.placeholder = placeholder
        super().__init__(value, **kwargs)

    def preprocess(self, value: Any, media: Media) -> object:
        return None if value is None else self._round(value)

    def postprocess(self, value: Any, media: Media) -> object:
        given: object = value
        kind = type(given)
        if value is None or kind is int or (kind is float and isfinite(value)):  # nearly always
            return None if value is None else self._round(value)
        try:
            plain = value.item() if hasattr(value, "item") else value  # a numpy scalar
            return self._round(number(self.where, "the value", plain))
        except ValueError as error:
            raise InputError(f"{self.where}: cannot show {value!r} as a number.") from error

    def from_wire(self, payload: Any, media: Media) -> object:
        if payload is None:
            return None
        found = number(self.where, "the value", payload)
        if self.minimum is not None and found < self.minimum:
            raise InputError(f"{self.where}: {found} is below the minimum, {self.minimum}.")
        if self.maximum is not None and found > self.maximum:
            raise InputError(f"{self.where}: {found} is above the maximum, {self.maximum}.")
        return found

    def _round(self, value: float | int) -> float | int:
        if self.precision is None:
            return value
        return round(value) if self.precision == 0 else round(value, self.precision)
