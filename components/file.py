"""File: files that people hand over or get, whatever is in them."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..flow.documents import Document
from ..flow.errors import DeclarationError, InputError
from ..flow.shapes import is_listing
from ..flow.sources import event
from .base import byte_size
from .documents import Filed

if TYPE_CHECKING:
    from ..flow.audio import Media

MOST = 100  # files at once; beyond it an archive serves everybody better
GROUPS = ("audio", "image", "video", "text", "file")


class NamedPath(str):
    """A path that is read like an open file's, too: programs say `file` and `file.name`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The path."""
        return str(self)


class File(Filed):
    """One or several files. They are never opened here, and never shown: only stored and saved.

    Functions get, by `type`, "filepath": the `str` path of a copy of their own, there until the
    session ends (`.name` is the same path, as of an open file); "binary": its `bytes`. With
    file_count="multiple" they get a list of those, and with "directory", where users choose a
    folder with all that is in it: at most 100, without what begins with a dot. None where there is
    no file. Functions return a path, a URL or bytes, or a list of them; a hidden file is not handed
    out.

    file_types: what users may choose: suffixes like ".csv", or "audio", "image", "video", "text".
    A name is all that is looked at: what is really inside, the function must find out.
    max_file_size: bytes, or text like "5 MB" (of 1024 kB), of each.
    Raises DeclarationError for what cannot be.
    """

    type = "file"
    shown = ("file_count", "file_types", "max_file_size")
    uploads = "file"
    acts = {"upload": ("upload", "input"), "clear": ("clear", "input")}
    passive = frozenset({"change", "input"})

    upload = event("The user's files are here, and the value is them.")
    clear = event("The user cleared the files.")
    input = event("The user changed the files: upload, clear.")
    select = event("The user chose one of the files: `index`, `value`.")
    download = event("The user saved a file.")

    def __init__(
        self,
        value: Any = None,
        *,
        file_count: Literal["single", "multiple", "directory"] = "single",
        file_types: Sequence[str] | None = None,
        type: Literal["filepath", "binary"] = "filepath",
        max_file_size: int | str | None = None,
        label: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.label = label  # before the checks: it is how errors name this one
        if file_count not in ("single", "multiple", "directory"):
            raise DeclarationError(
                f"{self.where}: file_count={file_count!r} is unknown;"
                " choose single, multiple or directory."
            )
        if type not in ("filepath", "binary"):
            raise DeclarationError(
                f"{self.where}: type={type!r} is unknown; choose filepath or binary."
            )
        for each in file_types or ():
            if each not in GROUPS and not each.startswith("."):
                raise DeclarationError(
                    f'{self.where}: file_types has {each!r}; write suffixes like ".csv", or'
                    f" {', '.join(GROUPS)}."
                )
        for each in value if is_listing(value) else [value]:
            self._check_file(each)
        self.file_count = file_count
        self.file_types = [] if "file" in (file_types or ()) else list(file_types or ())
        self.kind = type
        self.max_file_size = byte_size(self.where, max_file_size)
        super().__init__(value, label=label, **kwargs)

    @property
    def _many(self) -> bool:
        return self.file_count != "single"

    def preprocess(self, value: Any, media: Media) -> object:
        if value is None:
            return None
        found = [self._handed(each, media) for each in (value if is_listing(value) else [value])]
        return found if self._many else found[0]

    def _handed(self, document: Document, media: Media) -> object:
        return media.content(document) if self.kind == "binary" else NamedPath(media.path(document))

    def postprocess(self, value: Any, media: Media) -> object:
        if value is None or value == []:
            return None
        listed = list(value) if is_listing(value) else [value]
        if len(listed) > 1 and not self._many:
            raise ValueError(
                f"{self.where}: {len(listed)} files came; one fits, or file_count='multiple'."
            )
        stored = tuple(self._stored(each, media) for each in listed)
        return stored if self._many else stored[0]

    def from_wire(self, payload: Any, media: Media) -> object:
        if not self._many:
            return self._taken(super().from_wire(payload, media))
        if payload is None:
            return None
        if not is_listing(payload) or len(payload) > MOST:
            raise InputError(f"{self.where}: files come as a list of at most {MOST}.")
        return tuple(self._taken(super(File, self).from_wire(each, media)) for each in payload)

    def _taken(self, document: object) -> object:
        """The document, if its name and size are what this takes."""
        if not isinstance(document, Document):
            return document
        if self.max_file_size is not None and document.size > self.max_file_size:
            raise InputError(
                f"{self.where}: {document.name!r} has {document.size} bytes,"
                f" but max_file_size is {self.max_file_size}."
            )
        if self.file_types and not any(_is(document.name, each) for each in self.file_types):
            raise InputError(
                f"{self.where}: {document.name!r} is not taken; it takes"
                f" {', '.join(self.file_types)}."
            )
        return document


def _is(name: str, wanted: str) -> bool:
    if wanted.startswith("."):
        return name.lower().endswith(wanted.lower())
    guessed = mimetypes.guess_type(name, strict=False)[0] or ""
    return guessed.startswith(f"{wanted}/")
