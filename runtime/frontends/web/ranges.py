"""HTTP ranges (RFC 9110, section 14) as pure functions."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))")


class Unsatisfiable(ValueError):
    """The range begins after the end: 416."""


def wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """The part asked for as [start, stop) bytes, or None for the whole.

    A header that is no single range of bytes is ignored, as the RFC lets a server do. Raises
    Unsatisfiable if no byte of the range exists.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = int(suffix)
        if length == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - length), size
    start = int(first)
    if last is not None and int(last) < start:
        return None  # "bytes=5-2" is no range at all
    if start >= size:
        raise Unsatisfiable
    return start, size if last is None else min(size, int(last) + 1)


def still_valid(if_range: str | None, etag: str) -> bool:
    """May a range be given, or has the file changed since the client saw it? Dates never match."""
    return if_range is None or if_range.strip() == etag
