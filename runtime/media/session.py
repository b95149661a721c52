"""The sounds of one session: values become files, files become values, all gone with the session.

Who owns a file: a clip that this session knows keeps its files for as long as anybody holds the
clip (a value, a job), at most until the session is released. Nothing here keeps a clip alive,
except uploads that no act of the page has claimed yet: a session that makes ten thousand sounds
stores those that are still somewhere. A path that a function got stays until the release.
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
from typing import TypeGuard
from urllib.parse import quote

from ...flow.audio import Clip, ClipError, TrimmedClip, root_of
from .decode import FileClip, scan
from .disk import Blob, Disk, Incoming, disk_error
from .encode import check_format, encode
from .fetch import fetch, is_url, url_name
from .names import safe_name, with_suffix
from .peaks import clip_peaks
from .refusals import TAKEN

_CHUNK = 1 << 20
_UNCLAIMED = 32  # uploads whose act never came; a page sends one at a time
_EXACT = 20_000_000  # samples: below it a waveform is computed for the width that was asked
_WAV_HEADER = 44

PLAYS = {"wav", "flac", "ogg", "mp3", "m4a", "aac", "webm"}
"""What a browser plays as it is; everything else is sent as wav."""
_PLAYS_WAV = {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"}

_SUFFIXES = {
    "wav": {"wav", "wave"},
    "ogg": {"ogg", "oga", "opus"},
    "m4a": {"m4a", "mp4"},
    "aiff": {"aif", "aiff", "aifc"},
    "webm": {"webm", "weba"},
}


@dataclass(eq=False)
class _Entry:
    """What a session knows of one clip object."""

    session: Session
    id: int
    clip: weakref.ref[Clip]
    handle: str | None = None
    format: str | None = None
    keys: set[str] = field(default_factory=set[str])


class Session:
    """`Media` for one session. Thread-safe; opening, encoding and peaks block."""

    def __init__(
        self, disk: Disk, number: int, lost: deque[object], *, allow_private_urls: bool
    ) -> None:
        self._disk = disk
        self._owner = f"session-{number}"
        self._number = number
        self._lost = lost
        self._allow_private = allow_private_urls
        self._lock = threading.Lock()
        self._entries: dict[int, _Entry] = {}
        self._handles: dict[str, _Entry] = {}
        self._unclaimed: dict[str, Clip] = {}
        self._given: dict[tuple[str, str], tuple[Path, int, int]] = {}
        self._given_bytes = 0
        self._folder: Path | None = None
        self._count = itertools.count()
        self._released = False

    # -- Media ---------------------------------------------------------------------------------

    def open(self, source: str | Path | bytes, *, name: str | None = None) -> Clip:
        """A sound file by path, http(s) URL or content. Never call it with what a page sent."""
        sweep(self._lost)
        limits = self._disk.limits
        if isinstance(source, bytes):
            chunks: Iterable[bytes] = (
                source[at : at + _CHUNK] for at in range(0, len(source), _CHUNK)
            )
            return self._take(chunks, name or "audio", limits.quota)
        if isinstance(source, str) and is_url(source):
            chunks = fetch(source, limits=limits, allow_private=self._allow_private)
            return self._take(chunks, name or url_name(source), limits.upload)
        path = Path(source)
        return self._take(_file_chunks(path), name or path.name, limits.quota)

    def file(self, clip: Clip, format: str) -> Path:
        """The clip as a file of its own, which its receiver may even change."""
        sweep(self._lost)
        format = format.lower()
        entry = self._entry(clip)
        key = (clip.id, format)
        with self._lock:
            known = self._given.get(key)
        if known is not None and _unchanged(*known):
            return known[0]
        blob = self._blob(clip, entry, format)
        folder = self._own_folder() / str(next(self._count))
        target = folder / file_name(clip, format)
        size = blob.path.stat().st_size
        self._disk.reserve(size, clip.name)
        try:
            folder.mkdir()
            shutil.copyfile(blob.path, target)
            now = target.stat()
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._disk.free(size)
            raise disk_error(error, clip.name) from error
        with self._lock:
            self._given_bytes += size
            if not self._released:
                self._given[key] = (target, now.st_size, now.st_mtime_ns)
                return target
        self._drop_given()
        raise _over()

    def describe(self, clip: Clip, *, format: str | None = None) -> dict[str, object]:
        """The clip as JSON for the page. The same clip object keeps its handle.

        `format` is what a download gives; None is what the clip is, wav for memory. Cheap: nothing
        is encoded, and long trimmed clips are not searched for their peak (the original's is told).
        """
        sweep(self._lost)
        entry = self._entry(clip)
        with self._lock:
            if entry.handle is None:
                # 144 bits; the number only tells the store where to look.
                entry.handle = f"{self._number}-{secrets.token_urlsafe(18)}"
                self._handles[entry.handle] = entry
            if format is not None:
                entry.format = format.lower()
            handle = entry.handle
        plays = played_format(clip)
        name = file_name(clip, plays)
        cheap = not isinstance(clip, TrimmedClip) or clip.frames * clip.channels < _EXACT
        size = _WAV_HEADER + clip.frames * clip.channels * 2
        if stored_as(clip, plays) and clip.size is not None:
            size = clip.size
        return {
            "clip": handle,
            "name": name,
            "url": f"files/{handle}/{quote(name, safe='')}",
            "peaks": f"files/{handle}/peaks",
            "rate": clip.rate,
            "channels": clip.channels,
            "frames": clip.frames,
            "format": plays,
            "bytes": size,
            "peak": round(clip.peak if cheap else root_of(clip).peak, 6),
            "clipped": clip.clipped,
        }

    def clip(self, handle: str) -> Clip:
        """The clip of a handle of this session; from now on it lives while somebody holds it."""
        with self._lock:
            clip = self._find(handle)
            self._unclaimed.pop(handle, None)
        return clip

    # -- for the store and the server ----------------------------------------------------------

    def sound(self, handle: str) -> StoredSound:
        """What the server sends for a handle. Raises KeyError."""
        with self._lock:
            return StoredSound(self, self._find(handle), self._handles[handle].format)

    def receive(self, name: str) -> Upload:
        """Begin an upload."""
        with self._lock:
            if self._released:
                raise _over()
        name = safe_name(name)
        limits = self._disk.limits
        return Upload(self, Incoming(self._disk, name, limits.upload, "the most for one file"))

    def commit(self, incoming: Incoming) -> FileClip:
        """A complete file becomes a clip. On an error nothing of it is left."""
        try:
            key = incoming.finish()
            blob = self._disk.find(key, self._owner)
            if blob is None:
                blob = self._adopt(key, incoming)
            else:
                incoming.abort()  # its content is here already
        except BaseException:
            incoming.abort()
            raise
        assert blob.facts is not None
        clip = FileClip(
            blob.readable,
            blob.facts,
            name=incoming.name,
            key=key,
            size=blob.size if blob.copy is None else blob.path.stat().st_size,
            memory=self._disk.limits.memory,
        )
        try:
            self._entry(clip)  # owns the file for the clip
        finally:
            self._disk.disown(key, self._owner)
        return clip

    def hold(self, clip: Clip) -> dict[str, object]:
        """Describe an upload and keep it until the page's act claims it."""
        described = self.describe(clip)
        with self._lock:
            self._unclaimed[str(described["clip"])] = clip
            while len(self._unclaimed) > _UNCLAIMED:
                del self._unclaimed[next(iter(self._unclaimed))]
        return described

    def stored(self, clip: Clip, format: str) -> Path:
        """The shared, read-only file of a clip in a format; written when first asked for."""
        return self._blob(clip, self._entry(clip), format).path

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

    def forget(self, entry: _Entry) -> None:
        """The clip is gone, or the session is over."""
        with self._lock:
            if self._entries.get(entry.id) is entry:
                del self._entries[entry.id]
            if entry.handle is not None:
                self._handles.pop(entry.handle, None)
            keys, entry.keys = entry.keys, set()
        for key in keys:
            self._disk.disown(key, self._owner)

    # -- inside --------------------------------------------------------------------------------

    def _find(self, handle: str) -> Clip:
        clip = self._handles[handle].clip()
        if clip is None:
            raise KeyError(handle)
        return clip

    def _entry(self, clip: Clip) -> _Entry:
        """The entry of a clip object, which owns the file behind it."""
        with self._lock:
            if self._released:
                raise _over()
            entry = self._entries.get(id(clip))
            if entry is not None and entry.clip() is clip:
                return entry
            lost = self._lost
            # The callback may run anywhere, in any thread, with any lock held: it only notes.
            ref = weakref.ref(clip, lambda _: lost.append(made))
            made = entry = _Entry(self, id(clip), ref)
            self._entries[id(clip)] = entry
        root = root_of(clip)
        if isinstance(root, FileClip) and self._disk.find(root.key, self._owner) is not None:
            self._keep(entry, root.key)
        return entry

    def _keep(self, entry: _Entry, key: str) -> None:
        """The entry takes over one ownership of a blob."""
        with self._lock:
            fresh = key not in entry.keys and not self._released
            if fresh:
                entry.keys.add(key)
        if not fresh:
            self._disk.disown(key, self._owner)

    def _take(self, chunks: Iterable[bytes], name: str, bound: int) -> FileClip:
        incoming = Incoming(self._disk, safe_name(name), bound, "the most for one file")
        try:
            for chunk in chunks:
                incoming.write(chunk)
        except BaseException:
            incoming.abort()
            raise
        return self.commit(incoming)

    def _adopt(self, key: str, incoming: Incoming) -> Blob:
        limits = self._disk.limits
        copy = self._disk.new_file()
        facts, copied = scan(incoming.path, copy, name=incoming.name, limits=limits)
        extra = copy.stat().st_size if copied else 0
        if copied:
            try:
                self._disk.reserve(extra, incoming.name)
            except ClipError:
                copy.unlink()
                raise
        size = incoming.size + extra
        blob = Blob(key, incoming.path, size, facts, copy if copied else None)
        blob = self._disk.adopt(blob, self._owner)
        incoming.taken()
        return blob

    def _blob(self, clip: Clip, entry: _Entry, format: str) -> Blob:
        """The file of a clip in a format, owned by the entry."""
        if stored_as(clip, format):
            blob = self._disk.find(clip.key, self._owner)
            if blob is None:
                raise ClipError(f"the file of {clip.name!r} is gone; record or upload it again")
            self._keep(entry, clip.key)
            return blob
        check_format(format)
        key = f"{clip.id}.{format}"
        blob = self._disk.find(key, self._owner)
        if blob is None:
            path = self._disk.new_file()
            # The most it can become is counted first, so that a full store fails before the work.
            most = 4096 + clip.frames * clip.channels * 4
            self._disk.reserve(most, clip.name)
            try:
                encode(clip, path, format)
                size = path.stat().st_size
            except BaseException:
                self._disk.free(most)
                raise
            self._disk.free(most - size)
            blob = self._disk.adopt(Blob(key, path, size), self._owner)
        self._keep(entry, key)
        return blob

    def _own_folder(self) -> Path:
        given = self._disk.folder("given")
        with self._lock:
            if self._released:
                raise _over()
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
            # The receiver may have deleted or added files; what counts is that all are gone.
            shutil.rmtree(folder, ignore_errors=True)
        self._disk.free(size)


class Upload:
    """A file on its way in: write, then commit (or finish), or abort. One thread at a time."""

    def __init__(self, session: Session, incoming: Incoming) -> None:
        self._session = session
        self._incoming = incoming

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ClipError beyond the bound or the quota; nothing is left then."""
        self._incoming.write(data)

    def commit(self) -> Clip:
        """All bytes are there: the clip. Raises ClipError, with nothing left, if it is no sound."""
        return self._session.commit(self._incoming)

    def finish(self) -> dict[str, object]:
        """`commit`, and the description for the page, which has time to claim the handle."""
        return self._session.hold(self.commit())

    def abort(self) -> None:
        """Leave nothing behind; harmless after an error and when called twice."""
        self._incoming.abort()


class StoredSound:
    """What a handle leads to, for the server. Keeps the clip alive while it is sent."""

    def __init__(self, session: Session, clip: Clip, format: str | None) -> None:
        self._session = session
        self._clip = clip
        self.format = format or ("wav" if clip.format == "pcm" else clip.format)
        """What a download gives."""
        self.plays = played_format(clip)
        """What a browser is sent to play."""

    def file_name(self, format: str) -> str:
        """The name to save it under."""
        return file_name(self._clip, format)

    def file(self, format: str) -> Path:
        """The sound as a file in that format; shared, not to be changed. Blocks, may encode."""
        return self._session.stored(self._clip, format)

    def peaks(self, width: int) -> tuple[int, int, bytes]:
        """Channels, width, and channel after channel `width` pairs (min, max).

        int16, little-endian. Long files answer with the overview made when they came in,
        whatever the width asked for.
        """
        clip = self._clip
        found = None
        if isinstance(clip, FileClip) and clip.frames * clip.channels > _EXACT:
            found = clip.facts.overview
        if found is None:
            found = clip_peaks(clip, width)
        return clip.channels, found.shape[1], found.astype("<i2").tobytes()


def sweep(lost: deque[object]) -> None:
    """Forget the clips that died since the last call, and delete what only they owned."""
    while True:
        try:
            entry = lost.popleft()
        except IndexError:
            return
        assert isinstance(entry, _Entry)
        entry.session.forget(entry)


def played_format(clip: Clip) -> str:
    """The format in which a browser gets the clip."""
    return clip.format if isinstance(clip, FileClip) and clip.format in PLAYS else "wav"


def stored_as(clip: Clip, format: str) -> TypeGuard[FileClip]:
    """Whether the clip's own file will do. WAV must be plain: browsers play few of its codecs."""
    if not isinstance(clip, FileClip) or clip.format != format:
        return False
    return format != "wav" or clip.facts.subtype in _PLAYS_WAV


def file_name(clip: Clip, format: str) -> str:
    """The clip's own name, with a suffix that tells the truth."""
    name = safe_name(clip.name)
    suffix = name.rpartition(".")[2].lower()
    if "." in name and suffix in _SUFFIXES.get(format, {format}):
        return name
    return with_suffix(name, format)


def _file_chunks(path: Path) -> Iterator[bytes]:
    """A file that app code named, chunk by chunk. Errors name the path as it was written."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ClipError(f"{str(path)!r} is not a file; pass the path of a sound file: {TAKEN}")
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError as error:
        raise ClipError(
            f"the file {str(path)!r} does not exist; pass the path of a sound file"
        ) from error
    except OSError as error:
        raise ClipError(f"{str(path)!r} cannot be read: {error.strerror}") from error


def _unchanged(path: Path, size: int, modified: int) -> bool:
    with suppress(OSError):
        now = path.stat()
        return (now.st_size, now.st_mtime_ns) == (size, modified)
    return False


def _over() -> ClipError:
    return ClipError("this session is over; reload the page")
