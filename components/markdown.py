"""Markdown: formatted text."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class Markdown(Component):
    """Text in Markdown; HTML in it is sanitised by the page.

    line_breaks: a new line breaks the line. height, max_height: pixels before it scrolls.
    """

    type = "markdown"
    shown = ("line_breaks", "height", "max_height")

    def __init__(
        self,
        value: Any = None,
        *,
        line_breaks: bool = False,
        height: int | None = None,
        max_height: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.line_breaks = line_breaks
        self.height = height
        self.max_height = max_height
        kwargs.setdefault("container", False)
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return "" if value is None else inspect.cleandoc(str(value))
