"""How much sound is taken, in bytes and seconds: every bound of the media layer in one place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class Limits:
    """The bounds of one app; each is named in the error that it raises."""

    upload: int = 2 * GIB
    """Bytes of one uploaded or downloaded file: three hours of 16-bit stereo at 48 kHz."""

    quota: int = 8 * GIB
    """Bytes on disk for the sounds of all sessions together."""

    session: int = 4 * GIB
    """Bytes on disk that one session may hold, equal files once: uploads, what functions returned,
    takes and streams, the copies that functions got. The largest upload and its copy; twelve hours
    of mono at 48 kHz. One page that never stops must not take the room of all others."""

    seconds: float = 12 * 3600
    """The longest sound, as its header says and as it decodes: a small file can hold days."""

    memory: int = 2 * GIB
    """Bytes of one array of samples; longer sounds are for type="filepath"."""

    fetch_seconds: float = 60
    """How long a download from a URL in app code may take."""


def bytes_text(count: int) -> str:
    """A size as people write it: "12.5 MB".

    By 1024, as `max_file_size="20 MB"` is read and as the page has it: what is printed can be
    written back.
    """
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def seconds_text(seconds: float) -> str:
    """A duration as people write it: "3.5 s", "12 h"."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
