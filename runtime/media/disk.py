"""Files on disk: private, content-addressed, counted, and gone with their last owner."""

from __future__ import annotations

import hashlib
import secrets
import threading
import weakref
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ...flow.audio import ClipError
from .facts import Facts
from .folder import Folder
from .limits import Limits, bytes_text
from .refusals import disk_error
from .removal import remove
from .share import Share
from .tally import Tally


@dataclass
class Blob:
    """One file that somebody owns. `copy` is its 16-bit form where libsndfile cannot read it."""

    key: str
    path: Path
    size: int
    facts: Facts | None = None
    copy: Path | None = None
    owners: Counter[Share] = field(default_factory=Counter[Share])

    @property
    def readable(self) -> Path:
        """What libsndfile can open."""
        return self.copy or self.path

    @property
    def files(self) -> list[Path]:
        """All that it has on disk."""
        return [self.path] if self.copy is None else [self.path, self.copy]


class Disk:
    """The files of one process under one private folder, which is made when first needed.

    Thread-safe; the lock covers bookkeeping only, never reading or writing. Deleting is done
    outside of it, too.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._tally = Tally()
        self._lock = threading.Lock()
        self._blobs: dict[str, Blob] = {}
        self._root: Path | None = None
        self._remove: weakref.finalize[[], Disk] | None = None
        self._closed = False

    @property
    def used(self) -> int:
        """Bytes that are counted now."""
        with self._lock:
            return self._tally.count()

    def folder(self, kind: str) -> Path:
        """`incoming`, `blobs` or `given` under the private folder."""
        with self._lock:
            if self._closed:
                raise ClipError("the app is shutting down; no more sounds are taken")
            if self._root is None:
                try:
                    self._make()
                except OSError as error:
                    raise disk_error(error, "the sound") from error
            assert self._root is not None
            return self._root / kind

    def _make(self) -> None:
        made = Folder()
        try:
            for name in ("incoming", "blobs", "given"):
                (made.path / name).mkdir()
        except BaseException:
            made.remove()
            raise
        self._root = made.path
        # Also at interpreter exit, should nobody call close().
        self._remove = weakref.finalize(self, made.remove)

    def new_file(self) -> Path:
        """A fresh path to write to. No suffix: only content decides what a file is."""
        return self.folder("incoming") / secrets.token_hex(16)

    def reserve(self, size: int, name: str) -> None:
        """Count bytes that are about to be written. Raises ClipError beyond the quota."""
        with self._lock:
            used = self._tally.count()
            if used + size > self.limits.quota:
                raise ClipError(
                    f"{name!r} needs {bytes_text(size)}, but of the {bytes_text(self.limits.quota)}"
                    f" for all sounds {bytes_text(used)} are in use; close other tabs or try "
                    "again later (the app's author can raise the quota)"
                )
            self._tally.add(size)

    def free(self, size: int) -> None:
        """Take back reserved bytes. Takes no lock: garbage is collected anywhere, under it, too."""
        self._tally.free(size)

    def reserve_for(self, share: Share, size: int, name: str) -> None:
        """`reserve`, and of a session's share as well. Raises ClipError beyond either."""
        share.need(size, name)
        try:
            self.reserve(size, name)
        except ClipError:
            share.free(size)
            raise

    def free_for(self, share: Share, size: int) -> None:
        """Take back what `reserve_for` counted."""
        share.free(size)
        self.free(size)

    def find(self, key: str, owner: Share) -> Blob | None:
        """The blob of that content, now owned once more by `owner`, or None."""
        with self._lock:
            blob = self._blobs.get(key)
            if blob is not None:
                _own(blob, owner)
            return blob

    def adopt(self, blob: Blob, owner: Share) -> Blob:
        """Take files from `incoming` into the store; equal content is stored once.

        The bytes are reserved already. Returns the blob that counts, owned by `owner` once more and
        counted in its share. Raises ClipError, with nothing left of files and bytes.
        """
        try:
            target = self.folder("blobs") / secrets.token_hex(16)
            with self._lock:
                known = self._blobs.get(blob.key)
                if known is None:
                    # Renames inside one folder tree are as cheap as the bookkeeping around them.
                    blob.path = blob.path.rename(target)
                    if blob.copy is not None:
                        blob.copy = blob.copy.rename(target.with_name(f"{target.name}-copy"))
                    known = self._blobs[blob.key] = blob
                _own(known, owner)
        except OSError as error:
            self._drop(blob)
            raise disk_error(error, "the sound") from error
        except ClipError:
            self._drop(blob)
            raise
        if known is not blob:
            self._drop(blob)
        return known

    def disown(self, key: str, owner: Share) -> None:
        """Give up ownership; the last one takes the files with it."""
        with self._lock:
            blob = self._blobs.get(key)
            if blob is None:
                return
            blob.owners[owner] -= 1
            if blob.owners[owner] <= 0:
                del blob.owners[owner]
                owner.free(blob.size)
            if blob.owners:
                return
            del self._blobs[key]
        self._drop(blob)

    def _drop(self, blob: Blob) -> None:
        remove(*blob.files, size=blob.size)
        self.free(blob.size)

    def close(self) -> None:
        """Delete everything; nothing can be stored after that."""
        with self._lock:
            self._closed = True
            self._blobs.clear()
            self._tally.clear()
            end, self._remove, self._root = self._remove, None, None
        if end is not None:
            end()


def _own(blob: Blob, owner: Share) -> None:
    """Under the lock. A file counts once in a share, however often it is owned."""
    if not blob.owners[owner]:
        owner.take(blob.size, always=True)  # it was counted while it arrived
    blob.owners[owner] += 1


class Incoming:
    """A file while it arrives: bounded, counted and hashed as it is written."""

    def __init__(self, disk: Disk, share: Share, name: str, bound: int, what: str) -> None:
        self.name = name
        self.size = 0
        self._disk = disk
        self._share = share
        self._bound = bound
        self._what = what
        self._taken = False
        self._hash = hashlib.sha256()
        self.path = disk.new_file()
        try:
            self._file: BinaryIO | None = self.path.open("xb")
        except OSError as error:
            raise disk_error(error, name) from error

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append. On any error (too big, no room, disk full) the file is gone: ClipError."""
        if self._file is None:
            raise ClipError(f"{self.name!r} was given up already; send it again")
        try:
            if self.size + len(data) > self._bound:
                raise ClipError(
                    f"{self.name!r} has more than {bytes_text(self._bound)}, which is {self._what};"
                    " send a shorter or compressed file"
                )
            self._disk.reserve_for(self._share, len(data), self.name)
            self.size += len(data)
            self._file.write(data)
            self._file.flush()  # who reads along must see it
        except OSError as error:
            self.abort()
            raise disk_error(error, self.name) from error
        except ClipError:
            self.abort()
            raise
        self._hash.update(data)

    def finish(self) -> str:
        """Close the file and return the key of its content."""
        if self._file is None:
            raise ClipError(f"{self.name!r} was given up already; send it again")
        file, self._file = self._file, None
        try:
            file.close()
        except OSError as error:
            self.abort()
            raise disk_error(error, self.name) from error
        return f"file-{self._hash.hexdigest()}"

    def taken(self) -> None:
        """The store owns file and bytes now: nothing is left to abort."""
        self._share.free(self.size)  # as a file that it holds it is counted anew
        self.size = 0
        self._taken = True

    def abort(self) -> None:
        """Leave nothing behind. Harmless when called twice, and once the store has the file."""
        if self._taken:
            return  # by now it may be the file of other sessions, too
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        finally:
            remove(self.path, size=self.size)
            self._disk.free_for(self._share, self.size)
            self.size = 0
