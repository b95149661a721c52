"""HTML: marked-up text, sanitised by the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class HTML(Component):
    """Shows HTML. The page removes scripts, event handlers and frames from it.

    max_height: pixels before it scrolls.
    """

    type = "html"

    shown = ("max_height",)

    def __init__(self, value: Any = None, *, max_height: int | None = None, **kwargs: Any) -> None:
        self.max_height = max_height
        kwargs.setdefault("container", False)
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return "" if value is None else str(value)
