"""A file as an immutable value: what Image, Plot, File and DownloadButton hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, eq=False)
class Document:
    """A stored file that is no sound. Equality is identity; compare `key` to compare contents.

    name: what people call it. size: in bytes. key: follows from the content alone. kind: the sort
    of picture, by its content and never by its name ("png", "jpeg", "gif", "webp", "svg"); "" is
    anything else, which no browser is ever asked to show. width, height: of a picture, in pixels,
    where its head tells. source: the stored file itself, shared by all and only to be read; it is
    there while somebody holds this and its session lives. Made by `Documents.keep`.
    """

    name: str
    size: int
    key: str
    kind: str = ""
    width: int | None = None
    height: int | None = None
    source: Path = field(default=Path(), repr=False)


class Documents(Protocol):
    """What a component may ask of the shell for files that are no sounds. One for each session."""

    def keep(
        self, source: str | Path | bytes, *, name: str | None = None, picture: bool = False
    ) -> Document:
        """Store a file by path, http(s) URL or content. Only for values that app code gave.

        picture: find out what picture it is. Raises ClipError (a ValueError) if it is none, if the
        file is missing or if there is no room.
        """
        ...

    def link(self, document: Document) -> dict[str, object]:
        """The document as JSON for the page, with a handle."""
        ...

    def document(self, handle: str) -> Document:
        """The document of a handle. Raises KeyError unless this session made the handle."""
        ...

    def path(self, document: Document) -> Path:
        """A copy that a function may read and change, there until the session ends."""
        ...

    def content(self, document: Document) -> bytes:
        """All its bytes."""
        ...
