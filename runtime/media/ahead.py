"""Looks through a sound while it still arrives, so that its end is known soon after its last byte.

Only a hint: what it found counts once all bytes are there, and where it had to give up the file is
looked through afterwards, as every other.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ...flow.audio import ClipError
from .decode import scan_sound
from .facts import Facts
from .glimpse import Glimpse
from .headers import data_end, sniff
from .limits import Limits
from .soundfiles import Unreadable, reading

WORTH = 4 << 20  # bytes: shorter files are looked through in no time
_HEAD = 1 << 16  # bytes that are there before it begins: headers end long before
_AT_ONCE = 4  # threads; an upload that gets none is looked through at its end
_TAG = 128  # bytes of the tag at the end of some mp3 files

_free = threading.BoundedSemaphore(_AT_ONCE)


class Ahead:
    """One file on its way in. `total` is how long it will be, in bytes."""

    def __init__(self, path: Path, name: str, limits: Limits, total: int, glimpse: Glimpse) -> None:
        self._path = path
        self._name = name
        self._limits = limits
        self._total = total
        self._glimpse = glimpse
        self._growing: Growing | None = None
        self._thread: threading.Thread | None = None
        self._facts: Facts | None = None
        self._refusal: ClipError | None = None
        self._tagged = False
        self._tried = total < WORTH

    def arrived(self, size: int) -> None:
        """So many bytes are in the file now."""
        if self._growing is not None:
            self._growing.arrived(size)
        elif not self._tried and size >= _HEAD:
            self._tried = True
            self._begin(size)

    def finish(self, size: int) -> Facts | None:
        """All bytes are there: what it found, or None. Raises ClipError for what is no sound.

        Waits for the part that is still to be looked through.
        """
        if self._growing is None or self._thread is None:
            return None
        if size != self._total:
            self.abort()
            return None
        self._growing.arrived(size, done=True)
        self._thread.join()
        if self._tagged and _has_tag(self._path):
            return None  # it could not know, and took the tag for sound
        if self._refusal is not None:
            raise self._refusal
        return self._facts

    def abort(self) -> None:
        """Give up, and let go of the file; harmless when called twice."""
        if self._growing is not None and self._thread is not None:
            self._growing.give_up()
            self._thread.join()
            self._facts = self._refusal = None

    def _begin(self, size: int) -> None:
        container = sniff(self._path)
        end = self._total
        if container in ("wav", "aiff"):
            # libsndfile would look behind the sound for more chunks, and wait for them.
            found = data_end(self._path, container)
            if found is None or found > end:
                return
            end = found
        elif container not in ("flac", "mp3"):
            return  # others keep what must be known first at their end
        if not _free.acquire(blocking=False):
            return
        try:
            self._tagged = container == "mp3"
            self._growing = Growing(self._path, end, tail=_TAG if self._tagged else 0)
            self._growing.arrived(size)
            self._thread = threading.Thread(target=self._look, name="ossicle-ahead", daemon=True)
            self._thread.start()
        except BaseException:
            _free.release()
            raise

    def _look(self) -> None:
        assert self._growing is not None
        try:
            with self._growing as growing, reading(growing) as file:
                growing.opened = True
                self._facts = scan_sound(file, self._name, self._limits, self._glimpse)
        except ClipError as error:
            self._refusal = error
        except Unreadable:
            pass  # the look afterwards knows other ways to read it
        finally:
            _free.release()


class Growing:
    """A file that another thread writes: reading waits for the bytes. For one reader."""

    def __init__(self, path: Path, total: int, *, tail: int = 0) -> None:
        self.opened = False
        """Whether the decoder has looked at the header, and at the last `tail` bytes for a tag:
        until then these read as zeros where they are not there yet, instead of waiting for them."""
        self._total = total
        self._tail = tail
        self._at = 0
        self._size = 0
        self._over = False
        self._more = threading.Condition()
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def __enter__(self) -> Growing:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def arrived(self, size: int, *, done: bool = False) -> None:
        """So many bytes are in the file, and with `done` no more come."""
        with self._more:
            self._size = size
            self._over = self._over or done
            self._more.notify()

    def give_up(self) -> None:
        """No more bytes come, and nobody wants those that came."""
        with self._more:
            self._total = 0
            self._over = True
            self._more.notify()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._total}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""
        with self._more:
            end = self._total if size < 0 else min(self._total, self._at + size)
            if not self.opened and self._size < end and 0 < self._total - self._at <= self._tail:
                count = end - self._at
                self._at = end
                return bytes(count)
            self._more.wait_for(lambda: self._over or self._size >= end)
            end = min(end, self._total)
        if end <= self._at:
            return b""
        os.lseek(self._file, self._at, os.SEEK_SET)
        data = bytearray()
        while len(data) < end - self._at and (
            piece := os.read(self._file, end - self._at - len(data))
        ):
            data += piece
        self._at += len(data)
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """What soundfile calls."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: bytes) -> int:
        """soundfile asks whether it is there, not for it."""
        raise OSError("a file that arrives is only read")


def _has_tag(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-_TAG, os.SEEK_END)
        return file.read(3) == b"TAG"
