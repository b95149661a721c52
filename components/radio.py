"""Radio: one of given choices, all in view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..flow.sources import event
from .choices import Choice, Choosing


class Radio(Choosing):
    """Functions get the chosen value (with type="index" its place), or None.

    choices: values, or (name, value) pairs.
    """

    type = "radio"

    input = event("The user chose.")
    select = event("The user chose one: `index`, `value`.")

    def __init__(
        self,
        choices: Sequence[Choice] | None = None,
        value: Any = None,
        *,
        type: Literal["value", "index"] = "value",
        **kwargs: Any,
    ) -> None:
        super().__init__(choices, value, type, **kwargs)
