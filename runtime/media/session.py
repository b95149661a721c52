"""The sounds of one session: values become files, files become values, all gone with the session.

Who owns a file: a clip that this session knows keeps its files for as long as anybody holds the
clip (a value, a job), at most until the session is released. Nothing here keeps a clip alive,
except uploads that no act of the page has claimed yet: a session that makes ten thousand sounds
stores those that are still somewhere. A path that a function got stays until the release.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote

from ...flow.audio import Clip, ClipError, root_of
from .ahead import Ahead
from .codecs import taken
from .decode import FileClip, scan
from .disk import Blob, Disk, Incoming
from .documents import SessionDocuments
from .encode import check_format, encode
from .facts import Facts
from .foreign import check_decoder
from .glimpse import Glimpse, Sketch
from .headers import HEAD
from .holdings import Entry, sweep
from .limits import Limits
from .names import safe_name, with_suffix
from .removal import remove
from .share import Share
from .tape import Scribe, TapeFile
from .waveform import Waveforms

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


Check = Callable[[Clip], None]


class Session(SessionDocuments):
    """`Media` for one session. Thread-safe; opening, encoding and peaks block."""

    def __init__(
        self,
        disk: Disk,
        share: Share,
        scribe: Scribe,
        number: int,
        lost: deque[object],
        *,
        allow_private_urls: bool,
    ) -> None:
        super().__init__(disk, share, number, lost, allow_private_urls=allow_private_urls)
        self.scribe = scribe
        self.waveforms = Waveforms()

    # -- Media ---------------------------------------------------------------------------------

    def open(self, source: str | Path | bytes, *, name: str | None = None) -> Clip:
        """A sound file by path, http(s) URL or content. Never call it with what a page sent."""
        sweep(self._lost)
        return self.commit(self._arrive(source, name, "audio", f"a sound file: {taken()}"))

    def piece(self, data: bytes, before: Clip | None) -> Clip | None:
        """One more piece of a file that comes in pieces, or a file by itself."""
        from .mp3_pieces import Mp3Piece, go_on, looks_like_mp3

        if isinstance(before, Mp3Piece):
            return go_on(data, before)
        try:
            return self.open(data)
        except ClipError:
            if not looks_like_mp3(data):
                raise
            return go_on(data, None)

    def file(self, clip: Clip, format: str) -> Path:
        """The clip as a file of its own, which its receiver may even change."""
        sweep(self._lost)
        format = format.lower()
        entry = self._clip_entry(clip)
        key = (clip.id, format)
        known = self._given_before(key)
        if known is not None:
            return known
        return self._give(key, file_name(clip, format), self._blob(clip, entry, format))

    def spill(self, rate: int, channels: int, patient: bool = False) -> TapeFile:
        """A file for a take, written beside while it is made; counted, and gone with its clip."""
        sweep(self._lost)
        self._check_open()
        return self.scribe.tape(rate, channels, patient, self._share)

    def keep_up(self) -> None:
        """Of `Media`: where the disk is slow, functions that make sound wait for it."""
        self._share.keep_up(self.scribe.waited)

    @property
    def behind(self) -> bool:
        """Of `Media`: whether they would have to."""
        return self._share.behind

    def describe(self, clip: Clip, *, format: str | None = None) -> dict[str, object]:
        """The clip as JSON for the page. The same clip object keeps its handle.

        `format` is what a download gives; None is what the clip is, wav for memory. Cheap: nothing
        is encoded or decoded, so the peak of a trim may be a little beside it.
        """
        sweep(self._lost)
        entry = self._clip_entry(clip)
        handle = self._handle(entry)
        if format is not None:
            with self._lock:
                entry.format = format.lower()
        plays = played_format(clip)
        name = file_name(clip, plays)
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
            "peak": round(self.waveforms.peak(clip), 6),
            "clipped": clip.clipped,
        }

    def clip(self, handle: str) -> Clip:
        """The clip of a handle of this session; from now on it lives while somebody holds it."""
        return self._claim(handle, Clip)

    # -- for the store and the server ----------------------------------------------------------

    def sound(self, handle: str) -> StoredSound:
        """What the server sends for the handle of a sound. Raises KeyError."""
        with self._lock:
            return StoredSound(self, self._find(handle, Clip), self._handles[handle].format)

    def receive(self, name: str, check: Check | None = None) -> Upload:
        """Begin an upload of a sound. `check` raises for one that nobody would take."""
        sweep(self._lost)  # of what came before: one that was refused counts until here
        self._check_open()
        limits = self._disk.limits
        incoming = Incoming(
            self._disk, self._share, safe_name(name), limits.upload, "the most for one file"
        )
        return Upload(self, incoming, limits, check)

    def commit(
        self,
        incoming: Incoming,
        ahead: Ahead | None = None,
        glimpse: Glimpse | None = None,
    ) -> FileClip:
        """A complete file becomes a clip. On an error nothing of it is left.

        `ahead` has looked through it while it arrived; `glimpse` shows how far the look is.
        """
        try:
            key = incoming.finish()
            size = incoming.size
            blob = self._disk.find(key, self._share)
            if blob is None:
                found = ahead.finish(size) if ahead is not None else None
                blob = self._adopt(key, incoming, found, glimpse)
            else:
                if ahead is not None:
                    ahead.abort()
                incoming.abort()  # its content is here already
        except BaseException:
            if ahead is not None:
                ahead.abort()
            incoming.abort()
            raise
        assert blob.facts is not None
        memory = self._disk.limits.memory
        clip = FileClip(
            blob.readable, blob.facts, name=incoming.name, key=key, size=size, memory=memory
        )
        try:
            self._clip_entry(clip)  # owns the file for the clip
        finally:
            self._disk.disown(key, self._share)
        return clip

    def hold(self, clip: Clip) -> dict[str, object]:
        """Describe an upload and keep it until the page's act claims it."""
        described = self.describe(clip)
        self._hold(str(described["clip"]), clip)
        return described

    def stored(self, clip: Clip, format: str) -> Path:
        """The shared, read-only file of a clip in a format; written when first asked for."""
        return self._blob(clip, self._clip_entry(clip), format).path

    # -- inside --------------------------------------------------------------------------------

    def _clip_entry(self, clip: Clip) -> Entry:
        root = root_of(clip)
        return self._entry(clip, root.key if isinstance(root, FileClip) else None)

    def _adopt(
        self, key: str, incoming: Incoming, ahead: Facts | None, glimpse: Glimpse | None
    ) -> Blob:
        limits = self._disk.limits
        copy = self._disk.new_file()
        facts, copied = scan(
            incoming.path, copy, name=incoming.name, limits=limits, ahead=ahead, glimpse=glimpse
        )
        extra = copy.stat().st_size if copied else 0
        if copied:
            try:
                self._disk.reserve_for(self._share, extra, incoming.name)
            except ClipError:
                remove(copy, size=extra)
                raise
        blob = Blob(key, incoming.path, incoming.size + extra, facts, copy if copied else None)
        incoming.taken()
        self._share.free(extra)  # the blob is counted as a whole
        return self._disk.adopt(blob, self._share)

    def _blob(self, clip: Clip, entry: Entry, format: str) -> Blob:
        """The file of a clip in a format, owned by the entry."""
        if stored_as(clip, format):
            blob = self._disk.find(clip.key, self._share)
            if blob is None:
                raise ClipError(f"the file of {clip.name!r} is gone; record or upload it again")
            self._own(entry, clip.key)
            return blob
        check_format(format)
        key = f"{clip.id}.{format}"
        blob = self._disk.find(key, self._share)
        if blob is None:
            path = self._disk.new_file()
            # The most it can become is counted first, so that a full store fails before the work.
            most = 4096 + clip.frames * clip.channels * 4
            self._disk.reserve_for(self._share, most, clip.name)
            try:
                encode(clip, path, format)
                size = path.stat().st_size
            except BaseException:
                self._disk.free_for(self._share, most)
                raise
            self._disk.free(most - size)
            self._share.free(most)  # the blob is counted by itself
            blob = self._disk.adopt(Blob(key, path, size), self._share)
        self._own(entry, key)
        return blob


class Upload:
    """A file on its way in: write, then commit (or finish), or abort. One thread at a time."""

    def __init__(
        self, session: Session, incoming: Incoming, limits: Limits, check: Check | None
    ) -> None:
        self._check = check
        self._session = session
        self._incoming = incoming
        self._limits = limits
        self._ahead: Ahead | None = None
        self._glimpse = Glimpse()
        self._held: str | None = None
        self._looked = False

    def expect(self, total: int) -> None:
        """So many bytes will come, as the sender says: then they are looked through on arrival."""
        incoming = self._incoming
        self._ahead = Ahead(incoming.path, incoming.name, self._limits, total, self._glimpse)

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ClipError beyond the bound or the quota; nothing is left then."""
        self._incoming.write(data)
        if not self._looked and self._incoming.size >= HEAD:
            self._looked = True  # what cannot be taken need not come to its end
            check_decoder(self._incoming.path, self._incoming.name)
        if self._ahead is not None:
            self._ahead.arrived(self._incoming.size)

    def commit(self) -> Clip:
        """All bytes are there: the clip. Raises ClipError, with nothing left, if it is no sound."""
        self._glimpse.complete(self._incoming.path)
        try:
            return self._session.commit(self._incoming, self._ahead, self._glimpse)
        finally:
            self._glimpse.close()

    def finish(self) -> dict[str, object]:
        """`commit`, and the description for the page, which has time to claim the handle.

        Raises what `check` raises, with nothing left.
        """
        clip = self.commit()
        if self._check is not None:
            self._check(clip)
        described = self._session.hold(clip)
        self._held = str(described["clip"])
        return described

    def sketch(self, width: int) -> Sketch | None:
        """Its outline as far as it was looked through; from any thread, at any time."""
        return self._glimpse.sketch(width)

    def give_up(self) -> None:
        """Nobody wants it any more: a `finish` in another thread shall end soon, by ClipError."""
        self._glimpse.give_up()

    def abort(self) -> None:
        """Leave nothing behind; harmless after an error, and when called twice.

        After `finish` too: for an answer that did not reach its page, which cannot claim it.
        """
        if self._held is not None:
            self._session.let_go(self._held)
            return
        if self._ahead is not None:
            self._ahead.abort()
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

    @property
    def frames(self) -> int:
        """Its length."""
        return self._clip.frames

    def peaks(self, width: int, start: int, end: int) -> tuple[int, int, bytes]:
        """Channels, width, and channel after channel `width` times minimum, maximum and RMS.

        int16, little-endian, of equal parts of frames start..end; the width may be less than was
        asked, see `Waveforms.part`. Blocks.
        """
        found = self._session.waveforms.part(self._clip, start, end, width)
        return self._clip.channels, found.shape[1], found.astype("<i2").tobytes()


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
