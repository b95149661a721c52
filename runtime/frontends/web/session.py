"""The session header and what a token may look like on the wire."""

from __future__ import annotations

import re

SESSION_HEADER = "X-Ossicle-Session"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def token_of(text: str | None) -> str | None:
    """The token, or None for a text that cannot be one: no other text reaches a log or a key."""
    return text if text is not None and _TOKEN.fullmatch(text) else None
