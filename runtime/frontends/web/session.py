"""How a request says whose it is: the session's token in a header, never in an address.

An address is kept in the logs of proxies, and whoever reads them could take over a living session. A
page cannot set headers of a WebSocket but for the subprotocols it offers: the token is one of them.
"""

from __future__ import annotations

import re

from multidict import CIMultiDict, CIMultiDictProxy

SESSION_HEADER = "X-Ossicle-Session"
PROTOCOL_HEADER = "Sec-WebSocket-Protocol"

PROTOCOL = "ossicle"
"""The subprotocol that is agreed on; the answer names it alone."""

_PREFIX = "session."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SECRET = frozenset((SESSION_HEADER.lower(), PROTOCOL_HEADER.lower()))


def token_of(text: str | None) -> str | None:
    """The token, or None for a text that cannot be one: no other text reaches a log or a key."""
    return text if text is not None and _TOKEN.fullmatch(text) else None


def token_asked_for(headers: CIMultiDictProxy[str]) -> str | None:
    """The token of the session a socket takes up, None for a new one.

    It is in the session header or, from a page, the second subprotocol, `session.<token>`. ValueError
    tells what else was offered without repeating it. Not agreeing on a subprotocol is no way out:
    aiohttp would log all that were offered.
    """
    asked = [text for text in headers.getall(SESSION_HEADER, []) if text]
    lines = headers.getall(PROTOCOL_HEADER, [])
    if lines:
        first, *others = (name.strip() for name in ",".join(lines).split(","))
        if first != PROTOCOL or not all(name.startswith(_PREFIX) for name in others):
            raise ValueError(f"the subprotocols must be {PROTOCOL} and {_PREFIX}<token>")
        asked += [name.removeprefix(_PREFIX) for name in others]
    if len(asked) > 1:
        raise ValueError("the session token must be there once")
    if asked and token_of(asked[0]) is None:
        raise ValueError("the session token has the wrong form")
    return asked[0] if asked else None


def without_token(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers for functions, which may log or keep them; a copy that can be pickled."""
    return CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in _SECRET)
