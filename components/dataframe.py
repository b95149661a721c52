"""Dataframe: a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..flow.errors import InputError
from ..flow.shapes import is_dict, is_listing
from ..flow.sources import event
from .base import Component, Json

if TYPE_CHECKING:
    from ..flow.audio import Media


class Dataframe(Component):
    """Shows a list of rows, a dict of headers and data, a 2-d array, or a pandas DataFrame.

    headers: names of the columns, where the value brings none. max_height: pixels before it
    scrolls. Functions get {"headers": [...], "data": [[...]]}.
    """

    type = "dataframe"
    shown = ("headers", "max_height")

    select = event("The user chose a cell: `index`, `value`.")

    def __init__(
        self,
        value: Any = None,
        *,
        headers: Sequence[str] | None = None,
        max_height: int = 480,
        **kwargs: Any,
    ) -> None:
        self.headers = list(headers or [])
        self.max_height = max_height
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        given: Any
        if value is None:
            return {"headers": self.headers, "data": []}
        headers: list[Any] = self.headers
        if hasattr(value, "columns") and hasattr(value, "values"):  # pandas, polars
            headers, given = list(value.columns), value.values
        elif is_dict(value) and set(value) >= {"headers", "data"}:
            headers, given = list(value["headers"]), value["data"]
        else:
            given = value
        listed: object = given.tolist() if hasattr(given, "tolist") else given
        if not is_listing(listed):
            raise InputError(f"{self.where}: needs rows, not {type(listed).__name__}.")
        rows = [list(row) if is_listing(row) else [row] for row in listed]
        width = max((len(row) for row in rows), default=len(headers))
        names = [*map(str, headers), *(str(n + 1) for n in range(len(headers), width))]
        return {"headers": names, "data": [[_cell(v) for v in row] for row in rows]}


def _cell(value: Any) -> Json:
    if hasattr(value, "item"):
        value = value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
