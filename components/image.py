"""Image: a picture that people upload or look at."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..flow.documents import Document
from ..flow.errors import DeclarationError, InputError, WorldError
from ..flow.pictures import png, to_uint8
from ..flow.sources import event
from .base import byte_size
from .documents import Filed
from .webcam import WebcamOptions, webcam

if TYPE_CHECKING:
    from ..flow.audio import Media

KINDS = ("numpy", "pil", "filepath")
MODES = ("RGB", "RGBA", "L", "1")
SOURCES = ("upload", "webcam", "clipboard")


class Image(Filed):
    """A picture: uploaded, or returned by a function.

    Functions get, by `type`, None where there is no picture, else
    - "numpy": a uint8 array (height, width, 3) for image_mode "RGB", (height, width, 4) for "RGBA",
      (height, width) for "L" and "1";
    - "pil": a PIL.Image.Image in that mode;
    - "filepath": the `str` path of a copy of the file as it came, there until the session ends.
    The first two need Pillow (`pip install "ossicle[images]"`).

    Functions return an array, uint8 or float from 0 to 1, (height, width) or (height, width, 1 to 4
    channels); a PIL image; the path or URL of a PNG, JPEG, GIF, WebP or SVG file, or its bytes; or
    None. Arrays need no Pillow, and are shown bit for bit.

    sources: how a picture comes in: "upload" (chosen or dropped), "webcam", "clipboard" (pasted),
        all three if left out; webcam_options: `WebcamOptions` or a dict of its fields.
    height, width: the most pixels it takes on the page.
    max_file_size: bytes, or text like "5 MB" (of 1024 kB).
    show_download_button: a link to save it. Raises DeclarationError for what cannot work.
    """

    type = "image"
    shown = (
        "height",
        "width",
        "sources",
        "webcam_options",
        "show_download_button",
        "max_file_size",
    )
    uploads = "picture"
    picture = True
    acts = {"upload": ("upload", "input"), "clear": ("clear", "input")}
    passive = frozenset({"change", "input"})

    upload = event("The user's picture is here, and the value is it.")
    clear = event("The user cleared the picture.")
    input = event("The user changed the picture: upload, clear.")
    select = event("The user clicked in the picture: `index` is [x, y] in its pixels.")

    def __init__(
        self,
        value: Any = None,
        *,
        type: Literal["numpy", "pil", "filepath"] = "numpy",
        image_mode: Literal["RGB", "RGBA", "L", "1"] = "RGB",
        sources: str | Sequence[str] | None = None,
        webcam_options: WebcamOptions | Mapping[str, Any] | None = None,
        height: int | None = None,
        width: int | None = None,
        show_download_button: bool = True,
        max_file_size: int | str | None = None,
        label: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.label = label  # before the checks: it is how errors name this one
        if type not in KINDS:
            raise DeclarationError(
                f"{self.where}: type={type!r} is unknown; choose {', '.join(KINDS)}."
            )
        if image_mode not in MODES:
            raise DeclarationError(
                f"{self.where}: image_mode={image_mode!r} is unknown; choose {', '.join(MODES)}."
            )
        given = SOURCES if sources is None else [sources] if isinstance(sources, str) else sources
        if wrong := [each for each in given if each not in SOURCES]:
            raise DeclarationError(
                f"{self.where}: sources has {wrong[0]!r}; choose from {', '.join(SOURCES)}."
            )
        self._check_file(value)
        self.sources = list(given)
        self.webcam_options = webcam(self.where, webcam_options)
        self.kind = type
        self.image_mode = image_mode
        self.height = height
        self.width = width
        self.show_download_button = show_download_button
        self.max_file_size = byte_size(self.where, max_file_size)
        super().__init__(value, label=label, **kwargs)

    def preprocess(self, value: Any, media: Media) -> object:
        if value is None:
            return None
        if self.kind == "filepath":
            return str(media.path(value))
        try:
            import numpy as np
            from PIL import Image as Pillow
        except ImportError as error:
            raise WorldError(
                f"{self.where}: type={self.kind!r} needs Pillow on the machine that runs the app:"
                " pip install 'ossicle[images]'; type='filepath' does without it."
            ) from error
        try:
            with Pillow.open(io.BytesIO(media.content(value))) as opened:
                made = opened.convert(self.image_mode)
        except (OSError, SyntaxError, Pillow.DecompressionBombError) as error:
            raise InputError(f"{self.where}: {value.name!r} cannot be read: {error}.") from error
        if self.kind == "pil":
            return made
        return np.array(made.convert("L") if self.image_mode == "1" else made)

    def postprocess(self, value: Any, media: Media) -> object:
        if value is None or isinstance(value, Document):
            return value
        pillow = sys.modules.get("PIL.Image")  # nobody holds one without having imported it
        if pillow is not None and isinstance(value, pillow.Image):
            file = io.BytesIO()
            value.save(file, format="PNG")
            return media.keep(file.getvalue(), name="image.png", picture=True)
        if hasattr(value, "__array__"):
            try:
                made = png(to_uint8(value))
            except ValueError as error:
                raise ValueError(f"{self.where}: {error}.") from error
            return media.keep(made, name="image.png", picture=True)
        return self._stored(value, media)

    def from_wire(self, payload: Any, media: Media) -> object:
        found = super().from_wire(payload, media)
        if not isinstance(found, Document):
            return found
        if not found.kind:  # a handle of this session, but of another component's file
            raise InputError(f"{self.where}: {found.name!r} is no picture.")
        if self.max_file_size is not None and found.size > self.max_file_size:
            raise InputError(
                f"{self.where}: {found.name!r} has {found.size} bytes,"
                f" but max_file_size is {self.max_file_size}."
            )
        return found
