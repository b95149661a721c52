"""Label: a class, or several with how likely each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..flow.errors import DeclarationError, InputError
from ..flow.shapes import is_dict
from ..flow.sources import event
from .base import Component

if TYPE_CHECKING:
    from ..flow.audio import Media


class Label(Component):
    """Shows a text or number, or a dict of class -> confidence (0 to 1) as bars, highest first.

    num_top_classes: how many bars; None shows all. show_heading: the top class in large.
    Raises DeclarationError for what cannot be meant.
    """

    type = "label"
    shown = ("num_top_classes", "show_heading")

    select = event("The user chose a class: `index`, `value`.")

    def __init__(
        self,
        value: Any = None,
        *,
        num_top_classes: int | None = None,
        show_heading: bool = True,
        **kwargs: Any,
    ) -> None:
        if num_top_classes is not None and num_top_classes < 1:
            raise DeclarationError(f"Label: num_top_classes={num_top_classes!r} must be 1 or more.")
        self.num_top_classes = num_top_classes
        self.show_heading = show_heading
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        if value is None or value == {}:
            return None
        if isinstance(value, str | int | float):
            return {"label": str(value), "confidences": None}
        if not is_dict(value):
            raise InputError(
                f"{self.where}: needs a text, a number or a dict of class -> confidence,"
                f" not {type(value).__name__}."
            )
        if set(value) == {"label", "confidences"}:  # its own stored form, given back
            return value
        try:
            ranked = sorted(((str(k), float(v)) for k, v in value.items()), key=lambda kv: -kv[1])
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.where}: confidences must be numbers: {error}.") from error
        ranked = ranked[: self.num_top_classes]
        bars = [{"label": name, "confidence": share} for name, share in ranked]
        return {"label": ranked[0][0], "confidences": bars}

    def preprocess(self, value: Any, media: Media) -> object:
        return value["label"] if is_dict(value) else value
