"""A session's files that are no sounds: kept as they came, and looked into only as far as needed.

The law of this file: what a browser may be asked to *show* is decided here, by content alone. A
document without a `kind` is opaque bytes, whatever its name says, and is only ever saved.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from ...flow.audio import ClipError
from ...flow.documents import Document
from ...flow.pictures import HEAD, PIXELS, Picture, is_svg, look
from ...flow.pictures import TAKEN as PICTURES
from .disk import Blob, Incoming
from .fetch import is_url
from .holdings import Holdings, sweep
from .names import check_in_sight, safe_name


class SessionDocuments(Holdings):
    """`Documents` for one session. Thread-safe; all but handles blocks."""

    # -- Documents -----------------------------------------------------------------------------

    def keep(
        self, source: str | Path | bytes, *, name: str | None = None, picture: bool = False
    ) -> Document:
        """Store a file by path, http(s) URL or content. Never call it with what a page sent.

        Raises ClipError, also for a path that leads to or through a hidden file or folder: what is
        neither sound nor picture could be a key or a password.
        """
        sweep(self._lost)
        if not picture and isinstance(source, str | Path) and not is_url(str(source)):
            check_in_sight(Path(source))
        wanted = "a picture" if picture else "a file"
        what = "image" if picture else "file"
        return self._commit_document(self._arrive(source, name, what, wanted), picture, drawn=True)

    def link(self, document: Document) -> dict[str, object]:
        """The document as JSON for the page. The same object keeps its handle."""
        sweep(self._lost)
        handle = self._handle(self._entry(document, document.key))
        link: dict[str, object] = {
            "file": handle,
            "name": document.name,
            "url": f"files/{handle}/{quote(document.name, safe='')}",
            "bytes": document.size,
        }
        if document.width is not None:
            link |= {"width": document.width, "height": document.height}
        return link

    def document(self, handle: str) -> Document:
        """The document of a handle of this session; it lives while somebody holds it."""
        return self._claim(handle, Document)

    def path(self, document: Document) -> Path:
        """A copy of its own for a function, which may even change it."""
        sweep(self._lost)
        key = (document.key, document.name)
        known = self._given_before(key)
        return known or self._give(key, document.name, self._document_blob(document))

    def content(self, document: Document) -> bytes:
        """All its bytes."""
        return self.document_path(document).read_bytes()

    # -- for the store and the server ----------------------------------------------------------

    def stored_document(self, handle: str) -> StoredDocument:
        """What the server sends for the handle of a document. Raises KeyError."""
        with self._lock:
            return StoredDocument(self, self._find(handle, Document))

    def receive_document(self, name: str, *, picture: bool) -> DocumentUpload:
        """Begin an upload of a file; of a picture that browsers show, if `picture`."""
        sweep(self._lost)
        self._check_open()
        limits = self._disk.limits
        name = safe_name(name, fallback="image" if picture else "file")
        incoming = Incoming(self._disk, self._share, name, limits.upload, "the most for one file")
        return DocumentUpload(self, incoming, picture)

    def commit_upload(self, incoming: Incoming, picture: bool) -> dict[str, object]:
        """A complete upload becomes a document, described and kept until the page claims it."""
        document = self._commit_document(incoming, picture, drawn=False)
        described = self.link(document)
        self._hold(str(described["file"]), document)
        return described

    def document_path(self, document: Document) -> Path:
        """The shared, read-only file."""
        return self._document_blob(document).path

    # -- inside --------------------------------------------------------------------------------

    def _commit_document(self, incoming: Incoming, picture: bool, *, drawn: bool) -> Document:
        """A complete file becomes a document. On an error nothing of it is left.

        drawn: SVG is a picture too. Only app code may bring it: it can hold scripts.
        """
        try:
            # Not the key of a sound with these bytes: that one has been decoded, this has not.
            key = f"document-{incoming.finish()}"
            found = _looked(incoming, drawn) if picture else None
            size = incoming.size
            blob = self._disk.find(key, self._share)
            if blob is None:
                incoming.taken()
                blob = self._disk.adopt(Blob(key, incoming.path, size), self._share)
            else:
                incoming.abort()  # its content is here already
        except BaseException:
            incoming.abort()
            raise
        kind, width, height = "", 0, 0
        if found is not None:
            kind, width, height = found.kind, found.width, found.height
        document = Document(
            incoming.name, size, key, kind, width or None, height or None, blob.path
        )
        try:
            self._entry(document, key)  # owns the file for the document
        finally:
            self._disk.disown(key, self._share)
        return document

    def _document_blob(self, document: Document) -> Blob:
        entry = self._entry(document, document.key)
        blob = self._disk.find(document.key, self._share)
        if blob is None:
            raise ClipError(f"the file {document.name!r} is gone; upload it again")
        self._own(entry, document.key)
        return blob


class DocumentUpload:
    """A file on its way in: write, then finish, or abort. One thread at a time."""

    def __init__(self, session: SessionDocuments, incoming: Incoming, picture: bool) -> None:
        self._session = session
        self._incoming = incoming
        self._picture = picture
        self._held: str | None = None

    def expect(self, total: int) -> None:
        """So many bytes will come: nothing to prepare."""

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ClipError beyond the bound or the quota; nothing is left then."""
        self._incoming.write(data)

    def sketch(self, width: int) -> None:
        """Only sounds have one."""

    def finish(self) -> dict[str, object]:
        """All bytes are there: the document's description. Raises ClipError for no picture."""
        described = self._session.commit_upload(self._incoming, self._picture)
        self._held = str(described["file"])
        return described

    def give_up(self) -> None:
        """Nobody wants it any more; there is nothing long to end."""

    def abort(self) -> None:
        """Leave nothing behind; harmless after an error and when called twice.

        After `finish` too: for an answer that did not reach its page, which cannot claim it.
        """
        if self._held is not None:
            self._session.let_go(self._held)
            return
        self._incoming.abort()


class StoredDocument:
    """What a handle leads to, for the server. Keeps the document alive while it is sent."""

    def __init__(self, session: SessionDocuments, document: Document) -> None:
        self._session = session
        self._document = document
        self.format = document.kind
        self.plays = document.kind

    def file_name(self, format: str) -> str:
        """The name to save it under."""
        return self._document.name

    def file(self, format: str) -> Path:
        """The file; shared, not to be changed. There is only the one format."""
        return self._session.document_path(self._document)

    def peaks(self, width: int, start: int, end: int) -> None:
        """It has no waveform."""

    @property
    def frames(self) -> int:
        """It has no length."""
        return 0


def _looked(incoming: Incoming, drawn: bool) -> Picture:
    """What picture the file is. Raises ClipError if it is none, or too large once decoded."""
    with incoming.path.open("rb") as file:
        head = file.read(HEAD)
    found = look(head)
    if found is None and drawn and is_svg(head):
        return Picture("svg", 0, 0)
    if found is None:
        raise ClipError(f"{incoming.name!r} is no picture; send {PICTURES}")
    if found.width * found.height > PIXELS:
        raise ClipError(
            f"{incoming.name!r} has {found.width} x {found.height} pixels, but at most"
            f" {PIXELS:,} are taken; make it smaller first"
        )
    return found
