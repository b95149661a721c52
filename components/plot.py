"""Plot: a matplotlib figure, such as a spectrogram."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, Literal, cast

from ..flow.documents import Document
from ..flow.errors import DeclarationError
from ..flow.shapes import is_dict
from .base import Json
from .documents import Filed

if TYPE_CHECKING:
    from ..flow.audio import Media

SHARP = 2  # pixels of the file for one on the page: what most screens have now


class Plot(Filed):
    """Shows a matplotlib Figure; functions may also return a picture file's path or bytes.

    Or `pyplot` itself: then its figure of now, which stays open and is drawn over by the next
    call. A Figure is closed once it is shown, so that pyplot does not collect them; it may be
    drawn on and returned again.

    format: "png", or "svg" for line drawings that stay sharp at any size; a spectrogram of a
    thousand columns is a large svg. matplotlib is only imported by those who make figures.
    Raises DeclarationError for what cannot be meant.
    """

    type = "plot"
    shown = ("format",)
    picture = True
    acts = {}

    def __init__(
        self, value: Any = None, *, format: Literal["png", "svg"] = "png", **kwargs: Any
    ) -> None:
        if format not in ("png", "svg"):
            raise DeclarationError(f"Plot: format={format!r} is unknown; choose png or svg.")
        self.format = format
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        if value is None or isinstance(value, Document):
            return value
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and value is pyplot:
            figure = pyplot.gcf()
        else:
            figure = value if hasattr(value, "savefig") else getattr(value, "figure", None)
        if figure is not None and hasattr(figure, "savefig"):  # an Axes knows its figure
            file = io.BytesIO()
            figure.savefig(file, format=self.format, dpi=figure.dpi * SHARP)
            if pyplot is not None and value is not pyplot:
                pyplot.close(figure)
            return media.keep(file.getvalue(), name=f"plot.{self.format}", picture=True)
        if isinstance(value, str | bytes) or hasattr(value, "__fspath__"):
            return self._stored(value, media)
        raise ValueError(
            f"{self.where}: needs a matplotlib Figure (fig, ax = pyplot.subplots(); return fig),"
            f" not {type(value).__name__}."
        )

    def to_wire(self, value: Any, media: Media) -> Json:
        shown = super().to_wire(value, media)
        if is_dict(shown) and isinstance(value, Document) and value.width and value.height:
            shown |= {"width": value.width // SHARP, "height": value.height // SHARP}
        return cast(Json, shown)
