"""What Image, Plot, File and DownloadButton share: values that are stored files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..flow.documents import Document
from ..flow.errors import DeclarationError, InputError
from ..flow.same import same
from ..flow.shapes import is_dict, is_listing
from .base import Component, Json, Received

if TYPE_CHECKING:
    from ..flow.audio import Media


class Filed(Component):
    """A component whose value is a `Document`, or None."""

    heavy = True
    picture: bool = False
    """Whether its files must be pictures."""

    def to_wire(self, value: Any, media: Media) -> Json:
        if is_listing(value):
            return [self.to_wire(each, media) for each in value]
        return None if value is None else cast(Json, media.link(value))

    def from_wire(self, payload: Any, media: Media) -> object:
        """{"file": handle} as the document of this session; nothing else of it is looked at."""
        if payload is None:
            return None
        handle: object = payload.get("file") if is_dict(payload) else None
        if not isinstance(handle, str):
            raise InputError(f"{self.where}: a file comes as its handle, after the upload.")
        try:
            return media.document(handle)
        except KeyError:
            raise InputError(
                f"{self.where}: that file is no longer here; upload it again."
            ) from None

    def content(self, value: object) -> object:
        if is_listing(value):
            return [self.content(each) for each in value]
        return (value.key, value.name) if isinstance(value, Document) else value

    def again(self, old: Any, new: Any) -> bool:
        return old is not None and same(self.content(old), self.content(new))

    def receive(
        self, act: str, payload: Json, data: Mapping[str, object] | None, now: Any, media: Media
    ) -> Received:
        if act == "upload" and act in self.acts:
            value = self.from_wire(payload, media)
            if not value:
                raise InputError(f"{self.where}: {act} needs a file; send `clear` for none.")
            return Received(value, data)
        return super().receive(act, payload, data, now, media)

    def _stored(self, value: Any, media: Media) -> Document:
        """A path, URL or bytes as a document."""
        if isinstance(value, Document):
            return value
        if isinstance(value, str | Path) and str(value).strip():
            return media.keep(value, picture=self.picture)
        if isinstance(value, bytes | bytearray | memoryview):
            return media.keep(bytes(cast(bytes, value)), picture=self.picture)
        raise ValueError(f"{self.where}: needs a path, URL or bytes, not {value!r}.")

    def _check_file(self, value: object) -> None:
        """A path that leads nowhere is the author's mistake, told at once."""
        if not isinstance(value, str | Path):
            return
        text = str(value)
        if text.lower().startswith(("http://", "https://")) or Path(value).is_file():
            return
        raise DeclarationError(
            f"{self.where}: value={text!r} is not a file (looked from {Path.cwd()})."
        )
