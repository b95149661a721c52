"""JSON: a value of lists and dicts, as a tree."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ..flow.errors import InputError
from ..flow.shapes import is_dict, is_listing
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class JSON(Component):
    """Shows anything that JSON can say; a string is read as JSON. Functions get the value.

    numpy scalars and arrays are turned into numbers and lists; NaN and infinity, which JSON has
    not, into None. max_height: pixels before it scrolls; open: whether its branches are open.
    """

    type = "json"
    shown = ("max_height", "open")

    def __init__(
        self, value: Any = None, *, max_height: int | None = 480, open: bool = True, **kwargs: Any
    ) -> None:
        self.max_height = max_height
        self.open = open
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise InputError(f"{self.where}: the text is not JSON: {error}.") from error
        return self._plain(value)

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if is_dict(value):
            return {str(key): self._plain(each) for key, each in value.items()}
        if is_listing(value):
            return [self._plain(each) for each in value]
        if hasattr(value, "tolist"):  # numpy
            return self._plain(value.tolist())
        raise InputError(f"{self.where}: {type(value).__name__} is nothing that JSON can say.")
