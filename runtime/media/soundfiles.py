"""The one door to libsndfile: soundfile has no types, and its errors carry server paths."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from ...flow.audio import ClipError

_SYSTEM = 2  # libsndfile's SF_ERR_SYSTEM
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SoundFile(Protocol):
    """What is used of soundfile.SoundFile."""

    samplerate: int
    channels: int
    frames: int
    format: str
    subtype: str

    @property
    def name(self) -> str | Source:
        """What it was opened from."""
        ...

    def read(self, frames: int, dtype: str) -> NDArray[Any]: ...
    def write(self, data: NDArray[Any]) -> None: ...
    def seek(self, frames: int) -> int: ...
    def close(self) -> None: ...


class Source(Protocol):
    """What soundfile needs of an open file to read from it."""

    def read(self, size: int = -1, /) -> bytes: ...
    def readinto(self, buffer: memoryview, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...
    def write(self, data: bytes, /) -> int: ...


class Unreadable(Exception):
    """libsndfile refused; the text is its own reason, without any path."""


@cache
def _straight() -> type:
    """soundfile.SoundFile without its seek after every read, and without its wait for the disk.

    It seeks to where it is anyway, to keep files in step that are read and written at once. In mp3
    and Vorbis libsndfile (1.2.2) then loses its decoder's state: every block began with up to 30 ms
    of damage (seen with soundfile 0.14; python-soundfile pull request 329 is about the same).

    Closing it waits until a disk has the file (fsync), one that was only read, too. Ours are gone
    with their session: a crash of the machine has nothing to find, and a user would wait for it.
    """
    import soundfile

    class Straight(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False

        def flush(self) -> None:
            pass  # what sf_close writes and misses, a full disk among it, it tells itself

    return Straight


@contextmanager
def refusing() -> Generator[None]:
    """What libsndfile refuses inside the block is Unreadable."""
    import soundfile

    try:
        yield
    except soundfile.SoundFileError as error:
        raise Unreadable(reason(error)) from error


@contextmanager
def reading(source: Path | Source) -> Generator[SoundFile, None, None]:
    """A sound file to read. Raises Unreadable, also when reading inside the block fails.

    A path must have no suffix: soundfile takes some of them (.raw, .gsm) for the format, and
    here only the content decides.
    """
    file: SoundFile | None = None
    try:
        with refusing():
            file = cast(SoundFile, _straight()(str(source) if isinstance(source, Path) else source))
            yield file
    finally:
        if file is not None:
            file.close()


@contextmanager
def writing(
    path: Path, rate: int, channels: int, format: str, subtype: str
) -> Generator[SoundFile, None, None]:
    """A new sound file. Raises ClipError when this kind cannot hold that rate or channel count, and
    OSError when the disk is full or fails, as any other file does."""
    import soundfile

    ffi = cast(Any, soundfile)._ffi  # cffi keeps what errno was after a call, for each thread
    ffi.errno = 0
    file: SoundFile | None = None
    try:
        file = cast(
            SoundFile,
            _straight()(str(path), "w", rate, channels, format=format, subtype=subtype),
        )
        yield file
        # Closed here, inside the try: closing flushes, and a full disk shows only now.
        closing, file = file, None
        closing.close()
    except soundfile.SoundFileError as error:
        if getattr(error, "code", None) == _SYSTEM or ffi.errno in _FULL:
            # "System error" is all that libsndfile says, and flac not even that.
            raise OSError(ffi.errno, os.strerror(ffi.errno)) from error
        raise ClipError(
            f"cannot write {channels} channel{'s' * (channels != 1)} at {rate} Hz as "
            f"{format.lower()}: {reason(error)}"
        ) from error
    finally:
        if file is not None:
            with suppress(soundfile.SoundFileError):  # what it says, the error under way has said
                file.close()


def reason(error: Exception) -> str:
    """What libsndfile said, without paths and decoration."""
    text = cast(str, getattr(error, "error_string", "") or str(error))
    return text.strip().removeprefix("Error : ").rstrip(".") or "unknown reason"
