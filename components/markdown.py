"""Markdown: formatted text."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class Markdown(Component):
    """Text in Markdown; HTML in it is sanitised by the page."""

    type = "markdown"

    def __init__(self, value: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("container", False)
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return "" if value is None else inspect.cleandoc(str(value))
