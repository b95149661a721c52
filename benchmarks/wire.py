"""What the harness needs from a side's wire: a session that calls functions of the small app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import ClientSession


class Session(Protocol):
    """One user with the page open, as far as the wire can tell."""

    async def echo(self, function: str, text: str) -> str:
        """Enter the text, call `echo` or `echo_async`, wait for its end; what the page shows."""
        ...

    async def count(self) -> int:
        """Call `count` and wait for its end; how many values reached the page."""
        ...

    async def close(self) -> None: ...


Connect = Callable[[ClientSession, str], Awaitable[Session]]
"""Opens a session with the server at a base URL, up to where a page could make its first call."""


class WireError(Exception):
    """The server answered something that this minimal client does not expect."""
