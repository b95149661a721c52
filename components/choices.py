"""What Dropdown, Radio and CheckboxGroup share: choices, and values that are among them."""

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


class Choosing(Component):
    """One or several of given choices.

    choices: values, or (name, value) pairs. type: "value" hands functions the chosen value, "index"
    its place in choices.
    """

    shown = ("choices",)
    acts = {**Component.acts, "select": ("select", "input")}
    several: bool = False
    custom: bool = False

    input = event("The user chose.")
    select = event("The user chose one or took it back: `index`, `value`, `selected`.")

    def __init__(
        self,
        choices: Sequence[Choice] | None = None,
        value: Any = None,
        *,
        type: Literal["value", "index"] = "value",
        **kwargs: Any,
    ) -> None:
        if type not in ("value", "index"):
            name = self.__class__.__name__
            raise DeclarationError(f"{name}: type={type!r} is unknown; choose value or index.")
        self.choices: list[list[Any]] = [
            [str(each[0]), each[1]] if isinstance(each, tuple) else [str(each), each]
            for each in choices or []
        ]
        self.kind = type
        if value is None and self.several:
            value = []
        super().__init__(value, **kwargs)
        if self.several:
            self.cleared = []
        self._check()

    def _check(self) -> None:
        """A first value that is no choice is the author's mistake, told at once."""
        if self.value is None:
            return
        try:
            self._taken(self.value)
        except InputError as error:
            raise DeclarationError(str(error)) from error

    @property
    def _values(self) -> list[Any]:
        return [each[1] for each in self.choices]

    def preprocess(self, value: Any, media: Media) -> object:
        if self.kind == "value" or value is None:
            return value
        known = self._values
        if self.several:
            return [known.index(each) for each in value if each in known]
        return known.index(value) if value in known else None

    def postprocess(self, value: Any, media: Media) -> object:
        return self._taken(value)

    def pick(self, now: Any, index: int) -> tuple[Any, dict[str, object]]:
        """What a user's click on the choice at `index` makes of the value `now`, and tells."""
        value, chosen = self._values[index], True
        after: object = value
        if self.several:
            chosen = value not in now
            after = [*now, value] if chosen else [each for each in now if each != value]
        return after, {"index": index, "value": value, "selected": chosen}

    def from_wire(self, payload: Any, media: Media) -> object:
        if self.several and not is_listing(payload):
            raise InputError(f"{self.where}: choices come as a list, not {payload!r}.")
        return self._taken(payload)

    def _taken(self, value: Any) -> object:
        if self.several:
            if value is None:
                return []
            return [self._known(each) for each in (value if is_listing(value) else [value])]
        return None if value is None else self._known(value)

    def _known(self, value: Any) -> Any:
        if value in self._values or (self.custom and isinstance(value, str)):
            return value
        first = ", ".join(map(repr, self._values[:8])) + (" …" if len(self.choices) > 8 else "")
        raise InputError(f"{self.where}: {value!r} is not a choice; there are {first or 'none'}.")
