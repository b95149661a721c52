"""CheckboxGroup: any of given choices, all in view."""

from __future__ import annotations

from typing import Any

from .choices import Choosing


class CheckboxGroup(Choosing):
    """Functions get a list of the chosen values (with type="index" of their places).

    choices: values, or (name, value) pairs.
    Raises DeclarationError for what cannot be meant.
    """

    type = "checkboxgroup"
    several = True

    def pick(self, now: Any, index: int) -> tuple[Any, dict[str, object]]:
        after, told = super().pick(now, index)
        # in the order of the choices, whatever the order of the clicks
        return [each for each in self._values if each in after], told
