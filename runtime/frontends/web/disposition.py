"""The Content-Disposition header: any name a user gave, safe inside a header line."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]')
_MAX = 150  # characters; file systems stop at 255 bytes


def plain_name(name: str, fallback: str = "audio") -> str:
    """A file name without folders, control characters or what a file system refuses."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    text = re.split(r"[\\/]", text)[-1]
    text = _UNSAFE.sub("_", text).strip(" .")
    stem, dot, suffix = text.rpartition(".")
    if len(text) > _MAX:
        text = stem[: _MAX - len(suffix) - 1] + dot + suffix if dot and len(suffix) < 10 else text
        text = text[:_MAX]
    return text or fallback


def content_disposition(name: str, *, attachment: bool) -> str:
    """`attachment; filename="…"; filename*=UTF-8''…` (RFC 6266, RFC 5987)."""
    name = plain_name(name)
    ascii_name = "".join(c if " " <= c <= "~" and c not in '"\\%;' else "_" for c in name)
    kind = "attachment" if attachment else "inline"
    header = f'{kind}; filename="{ascii_name}"'
    if ascii_name != name:
        header += f"; filename*=UTF-8''{quote(name, safe='')}"
    return header
