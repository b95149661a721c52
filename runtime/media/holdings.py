"""What one session holds: which values it knows, by which handles, and which files they own.

A value (a clip, a document) that this session knows keeps its files for as long as anybody holds
the value, at most until the session is released. Nothing here keeps a value alive, except uploads
that no act of the page has claimed yet. What a page may still be fetching when the next value has
taken its place is kept by its line (`runtime/sessions.py`).
"""

from __future__ import annotations

import itertools
import secrets
import shutil
import stat
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ...flow.audio import Clip, ClipError
from ...flow.documents import Document
from .disk import Blob, Disk, Incoming
from .fetch import fetch, is_url, url_name
from .names import safe_name
from .refusals import disk_error
from .removal import remove
from .share import Share

CHUNK = 1 << 20  # bytes read and written at once
_LEAST = 8192  # bytes that a copy counts: an empty file and its folder take some of the disk, too
_UNCLAIMED = 32  # uploads whose act never came; a page sends one at a time

Value = Clip | Document
V = TypeVar("V", Clip, Document)


@dataclass(eq=False)
class Entry:
    """What a session knows of one value object."""

    holdings: Holdings
    id: int
    value: weakref.ref[Value]
    handle: str | None = None
    format: str | None = None
    keys: set[str] = field(default_factory=set[str])


class Holdings:
    """The bookkeeping of one session. Thread-safe."""

    def __init__(
        self,
        disk: Disk,
        share: Share,
        number: int,
        lost: deque[object],
        *,
        allow_private_urls: bool,
    ) -> None:
        self._disk = disk
        self._share = share
        self.number = number
        self._lost = lost
        self._allow_private = allow_private_urls
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._handles: dict[str, Entry] = {}
        self._unclaimed: dict[str, Value] = {}
        self._given: dict[tuple[str, str], tuple[Path, int, int]] = {}
        self._given_bytes = 0
        self._folder: Path | None = None
        self._count = itertools.count()
        self._released = False

    def release(self) -> None:
        """Give up everything; what nobody else owns is deleted now."""
        with self._lock:
            self._released = True
            entries = list(self._entries.values())
            self._entries.clear()
            self._handles.clear()
            self._unclaimed.clear()
        for entry in entries:
            self.forget(entry)
        self._drop_given()

    def forget(self, entry: Entry) -> None:
        """The value is gone, or the session is over."""
        with self._lock:
            if self._entries.get(entry.id) is entry:
                del self._entries[entry.id]
            if entry.handle is not None:
                self._handles.pop(entry.handle, None)
            keys, entry.keys = entry.keys, set()
        for key in keys:
            self._disk.disown(key, self._share)

    # -- values and handles --------------------------------------------------------------------

    def _check_open(self) -> None:
        with self._lock:
            if self._released:
                raise over()

    def _entry(self, value: Value, key: str | None) -> Entry:
        """The entry of a value object, which owns the stored file `key` behind it."""
        with self._lock:
            if self._released:
                raise over()
            entry = self._entries.get(id(value))
            if entry is not None and entry.value() is value:
                return entry
            lost = self._lost
            # The callback may run anywhere, in any thread, with any lock held: it only notes.
            ref = weakref.ref(value, lambda _: lost.append(made))
            made = entry = Entry(self, id(value), ref)
            self._entries[id(value)] = entry
        if key is not None and self._disk.find(key, self._share) is not None:
            self._own(entry, key)
        return entry

    def _own(self, entry: Entry, key: str) -> None:
        """The entry takes over one ownership of a blob."""
        with self._lock:
            fresh = key not in entry.keys and not self._released
            if fresh:
                entry.keys.add(key)
        if not fresh:
            self._disk.disown(key, self._share)

    def _handle(self, entry: Entry) -> str:
        with self._lock:
            if entry.handle is None:
                # 144 bits; the number only tells the store where to look.
                entry.handle = f"{self.number}-{secrets.token_urlsafe(18)}"
                self._handles[entry.handle] = entry
            return entry.handle

    def _find(self, handle: str, kind: type[V]) -> V:
        """The value of a handle, under the lock. KeyError for one of another kind, too."""
        value = self._handles[handle].value()
        if not isinstance(value, kind):
            raise KeyError(handle)
        return value

    def _claim(self, handle: str, kind: type[V]) -> V:
        with self._lock:
            value = self._find(handle, kind)
            self._unclaimed.pop(handle, None)
        return value

    def _hold(self, handle: str, value: Value) -> None:
        """Keep an upload until the page's act claims it."""
        with self._lock:
            self._unclaimed[handle] = value
            while len(self._unclaimed) > _UNCLAIMED:
                del self._unclaimed[next(iter(self._unclaimed))]

    def let_go(self, handle: str) -> None:
        """Nobody will claim that upload. Harmless for one that was claimed."""
        with self._lock:
            self._unclaimed.pop(handle, None)

    # -- files in ------------------------------------------------------------------------------

    def _arrive(
        self, source: str | Path | bytes, name: str | None, what: str, wanted: str
    ) -> Incoming:
        """A file by path, http(s) URL or content, complete, but not yet looked into.

        what: the name of what has none. wanted: what a path should lead to, for its errors.
        """
        limits = self._disk.limits
        bound = limits.quota
        if isinstance(source, bytes):
            chunks: Iterable[bytes] = (
                source[at : at + CHUNK] for at in range(0, len(source), CHUNK)
            )
            name = name or what
        elif isinstance(source, str) and is_url(source):
            chunks = fetch(source, limits=limits, allow_private=self._allow_private)
            bound = limits.upload
            name = name or url_name(source)
        else:
            path = Path(source)
            chunks = _file_chunks(path, wanted)
            name = name or path.name
        incoming = Incoming(
            self._disk, self._share, safe_name(name, fallback=what), bound, "the most for one file"
        )
        try:
            for chunk in chunks:
                incoming.write(chunk)
        except BaseException:
            incoming.abort()
            raise
        return incoming

    # -- copies for functions ------------------------------------------------------------------

    def _give(self, key: tuple[str, str], name: str, blob: Blob) -> Path:
        """A copy of a file, which its receiver may even change; the same one while unchanged."""
        folder = self._own_folder() / str(next(self._count))
        target = folder / name
        size = max(blob.path.stat().st_size, _LEAST)
        self._disk.reserve_for(self._share, size, name)
        try:
            folder.mkdir()
            shutil.copyfile(blob.path, target)
            now = target.stat()
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._disk.free_for(self._share, size)
            raise disk_error(error, name) from error
        with self._lock:
            self._given_bytes += size
            if not self._released:
                self._given[key] = (target, now.st_size, now.st_mtime_ns)
                return target
        self._drop_given()
        remove(folder, size=size)  # the session's may have gone before this one was in it
        raise over()

    def _given_before(self, key: tuple[str, str]) -> Path | None:
        with self._lock:
            known = self._given.get(key)
        return known[0] if known is not None and _unchanged(*known) else None

    def _own_folder(self) -> Path:
        given = self._disk.folder("given")
        with self._lock:
            if self._released:
                raise over()
            if self._folder is None:
                self._folder = given / secrets.token_hex(8)
                self._folder.mkdir()
            return self._folder

    def _drop_given(self) -> None:
        with self._lock:
            folder, self._folder = self._folder, None
            size, self._given_bytes = self._given_bytes, 0
            self._given.clear()
        if folder is not None:
            remove(folder, size=size)
        self._disk.free_for(self._share, size)


def over() -> ClipError:
    return ClipError("this session is over; reload the page")


def sweep(lost: deque[object]) -> None:
    """Forget the values that died since the last call, and delete what only they owned."""
    while True:
        try:
            entry = lost.popleft()
        except IndexError:
            return
        assert isinstance(entry, Entry)
        entry.holdings.forget(entry)


def _file_chunks(path: Path, wanted: str) -> Iterator[bytes]:
    """A file that app code named, chunk by chunk. Errors name the path as it was written."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ClipError(f"{str(path)!r} is not a file; pass the path of {wanted}")
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except FileNotFoundError as error:
        raise ClipError(
            f"the file {str(path)!r} does not exist; pass the path of {wanted}"
        ) from error
    except OSError as error:
        raise ClipError(f"{str(path)!r} cannot be read: {error.strerror}") from error


def _unchanged(path: Path, size: int, modified: int) -> bool:
    with suppress(OSError):
        now = path.stat()
        return (now.st_size, now.st_mtime_ns) == (size, modified)
    return False
