"""Checkbox: yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..flow.errors import InputError
from ..flow.sources import event
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class Checkbox(Component):
    """Functions get and return `bool`."""

    type = "checkbox"
    cleared = False
    acts = {**Component.acts, "select": ("select", "input")}

    input = event("The user ticked or unticked it.")
    select = event("The user ticked or unticked it: `value` (its label), `selected`.")

    def __init__(self, value: Any = False, **kwargs: Any) -> None:
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return bool(value)

    def from_wire(self, payload: Any, media: Media) -> object:
        if not isinstance(payload, bool):
            raise InputError(f"{self.where}: must be true or false, not {payload!r}.")
        return payload
