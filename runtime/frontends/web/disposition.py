"""The Content-Disposition header: any name a user gave, safe inside a header line."""

from __future__ import annotations

from urllib.parse import quote

from ...media.names import safe_name


def content_disposition(name: str, *, attachment: bool) -> str:
    """`attachment; filename="…"; filename*=UTF-8''…` (RFC 6266, RFC 5987)."""
    name = safe_name(name)
    ascii_name = "".join(c if " " <= c <= "~" and c not in '"\\%;' else "_" for c in name)
    kind = "attachment" if attachment else "inline"
    header = f'{kind}; filename="{ascii_name}"'
    if ascii_name != name:
        # RFC 5987: what the first form could not say
        header += f"; filename*=UTF-8''{quote(name, safe='')}"
    return header
