"""Dropdown: one or several of given choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..flow.errors import DeclarationError, InputError
from ..flow.shapes import is_listing
from ..flow.sources import event
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media

Choice = str | int | float | tuple[str, str | int | float]


class Dropdown(Component):
    """Functions get the chosen value (with type="index" its place), or a list with multiselect.

    choices: values, or (name, value) pairs. value: None starts with the first choice unless
    multiselect. allow_custom_value: the user may type another. max_choices: with multiselect.
    """

    type = "dropdown"
    shown = ("choices", "multiselect", "allow_custom_value", "max_choices", "filterable")

    input = event("The user chose.")
    select = event("The user chose one: `index`, `value`.")
    focus = event("The user entered the field.")
    blur = event("The user left the field.")

    def __init__(
        self,
        choices: Sequence[Choice] | None = None,
        value: Any = None,
        *,
        type: Literal["value", "index"] = "value",
        multiselect: bool | None = None,
        allow_custom_value: bool = False,
        max_choices: int | None = None,
        filterable: bool = True,
        **kwargs: Any,
    ) -> None:
        if type not in ("value", "index"):
            raise DeclarationError(f"Dropdown: type={type!r} is unknown; choose value or index.")
        self.choices = [
            [str(c[0]), c[1]] if isinstance(c, tuple) else [str(c), c] for c in choices or []
        ]
        self.kind = type
        self.multiselect = bool(multiselect)
        self.allow_custom_value = allow_custom_value
        self.max_choices = max_choices
        self.filterable = filterable
        if value is None and self.choices and not self.multiselect:
            value = self.choices[0][1]
        elif value is None and self.multiselect:
            value = []
        super().__init__(value, **kwargs)

    @property
    def _values(self) -> list[Any]:
        return [each[1] for each in self.choices]

    def preprocess(self, value: Any, media: Media) -> object:
        if self.kind == "value" or value is None:
            return value
        known = self._values
        if self.multiselect:
            return [known.index(each) for each in value if each in known]
        return known.index(value) if value in known else None

    def postprocess(self, value: Any, media: Media) -> object:
        if self.multiselect:
            if value is None:
                return []
            return [self._known(each) for each in (value if is_listing(value) else [value])]
        return None if value is None else self._known(value)

    def from_wire(self, payload: Any, media: Media) -> object:
        if self.multiselect:
            if not is_listing(payload):
                raise InputError(f"{self.where}: choices come as a list, not {payload!r}.")
            if self.max_choices is not None and len(payload) > self.max_choices:
                raise InputError(f"{self.where}: at most {self.max_choices} may be chosen.")
            return [self._known(each) for each in payload]
        return None if payload is None else self._known(payload)

    def _known(self, value: Any) -> Any:
        if value in self._values or (self.allow_custom_value and isinstance(value, str)):
            return value
        shown = ", ".join(map(repr, self._values[:8])) + (" …" if len(self.choices) > 8 else "")
        raise InputError(f"{self.where}: {value!r} is not a choice; there are {shown or 'none'}.")
