"""File names: those of people made safe to show and to save, those of apps safe to hand out."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

from ...flow.bounds import ClipError

MAX_BYTES = 200

# What Windows keeps for devices, whatever the suffix.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}
_FORBIDDEN = set('<>:"|?*')


def safe_name(name: str, *, fallback: str = "audio") -> str:
    """The last part of a name, without control or format characters, at most 200 bytes.

    The suffix survives cutting. Never empty, never "." or "..", never hidden.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        "_" if c in _FORBIDDEN else c
        for c in last
        # Cc control, Cf format (the right-to-left override that makes exe.wav of a vaw.exe),
        # Cs lone surrogates, Zl and Zp line breaks.
        if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    kept = kept.strip(" .")
    if not kept:
        return fallback
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, suffix = kept, ""
    if stem.lower() in _DEVICES:
        stem = f"_{stem}"
    tail = f".{suffix}" if suffix else ""
    return _cut(stem, MAX_BYTES - len(tail.encode())) + tail


def check_in_sight(path: Path) -> None:
    """Raise ClipError for a file that is hidden, or in a hidden folder, once links are followed.

    The folder for temporary files may be hidden itself: apps put there what they give out.
    """
    real = path.resolve()
    temporary = Path(tempfile.gettempdir()).resolve()
    inside = real.relative_to(temporary) if real.is_relative_to(temporary) else real
    hidden = next((part for part in inside.parts if part.startswith(".")), None)
    if hidden is not None:
        raise ClipError(
            f"{str(path)!r} is not handed out, because {hidden!r} is hidden; return its bytes, or"
            " the path of a copy, if users are meant to have it"
        )


def with_suffix(name: str, suffix: str) -> str:
    """`song.m4a` with wav: `song.wav`; a name without suffix gets one."""
    stem, dot, old = name.rpartition(".")
    if not dot or len(old) > 5 or not old.isalnum():
        stem = name
    return safe_name(f"{stem}.{suffix}")


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore").rstrip(" .")
