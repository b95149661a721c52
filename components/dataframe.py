"""Dataframe: a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from ..flow.errors import DeclarationError, InputError, WorldError
from ..flow.shapes import is_dict, is_listing
from ..flow.sources import event
from .arguments import choice
from .base import Component, Json

if TYPE_CHECKING:
    from ..flow.audio import Media


KINDS = ("array", "numpy", "pandas", "polars")


class Dataframe(Component):
    """Shows a list of rows, a dict of headers and data, a 2-d array, or a pandas DataFrame.

    headers: names of the columns, where the value brings none. max_height: pixels before it
    scrolls. type: what functions get that take it: {"headers": [...], "data": [[...]]} where it is
    left out, "array" the list of rows, "numpy", "pandas" or "polars" theirs.
    It is for reading: interactive=True raises DeclarationError.
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
        type: Literal["array", "numpy", "pandas", "polars"] | None = None,
        label: str | None = None,
        interactive: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.label = label  # before the checks: it is how errors name this one
        if type is not None:
            choice(self.where, "type", type, KINDS)
        if interactive:
            raise DeclarationError(
                f"{self.where}: interactive=True: a table is for reading here. Take rows in with a"
                " File of CSV, or write a line into a Textbox and add it in a function."
            )
        self.kind = type
        self.headers = list(headers or [])
        self.max_height = max_height
        super().__init__(value, label=label, interactive=interactive, **kwargs)

    def preprocess(self, value: Any, media: Media) -> object:
        if self.kind is None or value is None:
            return value
        rows, headers = value["data"], value["headers"]
        if self.kind == "array":
            return rows
        try:
            if self.kind == "numpy":
                return import_module("numpy").array(rows)
            if self.kind == "pandas":
                return import_module("pandas").DataFrame(rows, columns=headers)
            return import_module("polars").DataFrame(rows, schema=headers, orient="row")
        except ImportError as error:
            raise WorldError(
                f"{self.where}: type={self.kind!r} needs {self.kind} on the machine that runs the"
                f" app: pip install {self.kind}."
            ) from error

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
