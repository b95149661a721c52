"""Button: something to press."""

from __future__ import annotations

from typing import Any, Literal

from ..flow.errors import DeclarationError
from ..flow.sources import event
from .base import Component

VARIANTS = ("primary", "secondary", "stop")


class Button(Component):
    """A button; its value is the text on it.

    variant: "primary", "secondary" or "stop". size: "sm", "md" or "lg". interactive=False greys it.
    Raises DeclarationError for what cannot be meant.
    """

    type = "button"
    shown = ("variant", "size", "icon", "link", "link_target")

    click = event("The user pressed it.")

    def __init__(
        self,
        value: Any = "Run",
        *,
        variant: Literal["primary", "secondary", "stop"] = "secondary",
        size: Literal["sm", "md", "lg"] = "lg",
        icon: str | None = None,
        link: str | None = None,
        link_target: Literal["_self", "_blank", "_parent", "_top"] = "_self",
        interactive: bool = True,
        **kwargs: Any,
    ) -> None:
        if variant not in VARIANTS:
            raise DeclarationError(
                f"Button: variant={variant!r} is unknown; choose primary, secondary or stop."
            )
        if size not in ("sm", "md", "lg"):
            raise DeclarationError(f"Button: size={size!r} is unknown; choose sm, md or lg.")
        self.variant = variant
        self.size = size
        self.icon = icon
        self.link = link
        self.link_target = link_target
        super().__init__(value, interactive=interactive, **kwargs)

    @property
    def where(self) -> str:
        """How errors call it: by its text, where its first text is known."""
        text = self.label or self.value
        return (
            f"{type(self).__name__} {text!r}" if isinstance(text, str) and text else super().where
        )
