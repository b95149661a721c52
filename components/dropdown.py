"""Dropdown: one or several of given choices, from a list that opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..flow.errors import InputError
from ..flow.shapes import is_listing
from ..flow.sources import event
from .choices import Choice, Choosing

if TYPE_CHECKING:
    from ..flow.audio import Media


class Dropdown(Choosing):
    """Functions get the chosen value (with type="index" its place), or a list with multiselect.

    choices: values, or (name, value) pairs. value: None starts with the first choice unless
    multiselect. allow_custom_value: the user may type another. max_choices: with multiselect.
    Raises DeclarationError for what cannot be meant.
    """

    type = "dropdown"
    shown = ("multiselect", "allow_custom_value", "max_choices", "filterable")

    focus = event("The user entered the field.")
    blur = event("The user left the field.")
    key_up = event("The user let go of a key in the field: `key`, `input_value`.")

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
        self.multiselect = self.several = bool(multiselect)
        self.allow_custom_value = self.custom = allow_custom_value
        self.max_choices = max_choices
        self.filterable = filterable
        if value is None and choices and not self.multiselect:
            first = choices[0]
            value = first[1] if isinstance(first, tuple) else first
        super().__init__(choices, value, type=type, **kwargs)

    def from_wire(self, payload: Any, media: Media) -> object:
        most = self.max_choices
        if most is not None and is_listing(payload) and len(payload) > most:
            raise InputError(f"{self.where}: at most {most} may be chosen.")
        return super().from_wire(payload, media)
