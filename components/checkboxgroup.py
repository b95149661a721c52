"""CheckboxGroup: any of given choices, all in view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..flow.sources import event
from .choices import Choice, Choosing


class CheckboxGroup(Choosing):
    """Functions get a list of the chosen values (with type="index" of their places).

    choices: values, or (name, value) pairs.
    """

    type = "checkboxgroup"
    several = True

    input = event("The user chose.")
    select = event("The user ticked or unticked one: `index`, `value`, `selected`.")

    def __init__(
        self,
        choices: Sequence[Choice] | None = None,
        value: Any = None,
        *,
        type: Literal["value", "index"] = "value",
        **kwargs: Any,
    ) -> None:
        super().__init__(choices, value, type, **kwargs)
