"""The built page in memory: every file once, in the forms a browser may ask for.

Read and compressed at the first request, not at start, and again when a build replaced it. A name
from the wire is only ever looked up in what was found: it never becomes a path.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
_HIDDEN = frozenset({"BUNDLE"})  # the build's stamp
_READY_MADE = {".br": "br", ".gz": "gzip"}  # compressed by the build, served in place of the file
_TEXT = frozenset({"application/javascript", "application/json", "image/svg+xml"})
_WORTH = 512  # bytes; below it compressing costs more than it saves
# mimetypes asks the machine, and on some a script gets a type with which it does not run
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".map": "application/json",
}


@dataclass(frozen=True)
class Asset:
    """One file of the page."""

    content_type: str
    etag: str
    forms: Mapping[str, bytes]
    """By content coding: "identity" always, "gzip" and "br" where they are smaller."""

    def best(self, accept_encoding: str) -> tuple[str, bytes]:
        """The smallest form the browser takes, with its coding."""
        accepted = _codings(accept_encoding)
        usable = [(len(body), coding) for coding, body in self.forms.items() if coding in accepted]
        coding = min(usable)[1] if usable else "identity"
        return coding, self.forms[coding]


@dataclass(frozen=True)
class Bundle:
    """All files of one build, by their name relative to the page."""

    stamp: int
    assets: Mapping[str, Asset]


def stamp(static: Path) -> int | None:
    """Which build lies there (its index's time in ns), or None if there is none."""
    try:
        return (static / INDEX).stat().st_mtime_ns
    except OSError:
        return None


def load(static: Path) -> Bundle | None:
    """Read and compress the build in `static`; None if there is none. Some 30 ms: not on a loop."""
    found = stamp(static)
    if found is None:
        return None
    files = {
        path.relative_to(static).as_posix(): path
        for path in static.rglob("*")
        if path.is_file() and path.name not in _HIDDEN
    }
    ready = {name for name in files if Path(name).suffix in _READY_MADE}
    return Bundle(found, {name: _asset(name, files) for name in files if name not in ready})


def _asset(name: str, files: Mapping[str, Path]) -> Asset:
    body = files[name].read_bytes()
    suffix = Path(name).suffix.lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in _TEXT
    forms = {"identity": body}
    for ending, coding in _READY_MADE.items():
        if name + ending in files:
            forms[coding] = files[name + ending].read_bytes()
    if "gzip" not in forms and text and len(body) >= _WORTH:
        forms["gzip"] = gzip.compress(body, 9, mtime=0)
    etag = hashlib.sha256(body).hexdigest()[:16]
    return Asset(f"{kind}; charset=utf-8" if text else kind, etag, forms)


def _codings(accept_encoding: str) -> set[str]:
    """The codings an Accept-Encoding header names with a weight above 0."""
    accepted = {"identity"}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(coding.strip())
    return accepted
