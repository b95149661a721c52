"""DownloadButton: a button that saves a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..flow.documents import Document
from ..flow.errors import DeclarationError
from ..flow.sources import event
from .button import VARIANTS
from .documents import Filed

if TYPE_CHECKING:
    from ..flow.audio import Media


class DownloadButton(Filed):
    """A button with the text `label` that saves its value, a file; greyed while there is none.

    value: a path, a URL or bytes; a callable is called whenever a page loads. Functions return the
    same, and get the `str` path of a copy. variant, size: as for Button.
    Raises DeclarationError for what cannot be meant.
    """

    type = "downloadbutton"
    shown = ("variant", "size")
    acts = {}

    click = event("The user pressed it, and the file is on its way.")

    def __init__(
        self,
        label: str = "Download",
        value: Any = None,
        *,
        variant: Literal["primary", "secondary", "stop"] = "secondary",
        size: Literal["sm", "md", "lg"] = "lg",
        interactive: bool = True,
        **kwargs: Any,
    ) -> None:
        self.label = label
        if variant not in VARIANTS:
            raise DeclarationError(
                f"{self.where}: variant={variant!r} is unknown; choose {', '.join(VARIANTS)}."
            )
        if size not in ("sm", "md", "lg"):
            raise DeclarationError(f"{self.where}: size={size!r} is unknown; choose sm, md or lg.")
        self._check_file(value)
        self.variant = variant
        self.size = size
        super().__init__(value, label=label, interactive=interactive, **kwargs)

    def preprocess(self, value: Any, media: Media) -> object:
        return str(media.path(value)) if isinstance(value, Document) else None

    def postprocess(self, value: Any, media: Media) -> object:
        return None if value is None else self._stored(value, media)
