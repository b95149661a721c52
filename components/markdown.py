"""Markdown: formatted text."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..flow.errors import DeclarationError
from ..flow.shapes import is_dict
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


DISPLAYED: tuple[Mapping[str, object], ...] = ({"left": "$$", "right": "$$", "display": True},)


class Markdown(Component):
    """Text in Markdown; HTML in it is sanitised by the page.

    line_breaks: a new line breaks the line. height, max_height: pixels before it scrolls.
    latex_delimiters: between what formulas stand, as {"left": "$", "right": "$", "display": False};
        "display" puts them on a line of their own. `$$` if left out, none if it is [].
    """

    type = "markdown"
    shown = ("line_breaks", "height", "max_height", "latex_delimiters")

    def __init__(
        self,
        value: Any = None,
        *,
        line_breaks: bool = False,
        height: int | None = None,
        max_height: int | None = None,
        latex_delimiters: Sequence[Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.line_breaks = line_breaks
        self.height = height
        self.max_height = max_height
        self.latex_delimiters = [
            _delimiter(self.where, each)
            for each in (DISPLAYED if latex_delimiters is None else latex_delimiters)
        ]
        kwargs.setdefault("container", False)
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return "" if value is None else inspect.cleandoc(str(value))


def _delimiter(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """One pair, checked. Raises DeclarationError."""
    known = is_dict(given) and set(given) <= {"left", "right", "display"}
    if not (known and all(isinstance(given.get(k), str) and given[k] for k in ("left", "right"))):
        raise DeclarationError(
            f'{where}: latex_delimiters has {given!r}; give {{"left": "$", "right": "$",'
            ' "display": False} for each pair.'
        )
    return {
        "left": given["left"],
        "right": given["right"],
        "display": given.get("display") is True,
    }
