"""GET upload/peaks: the outline of a sound that is still on its way in, as far as it is known.

The page draws a name of 128 random bits for its upload and asks by it. Name and session must both
be right, and both end with the upload.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from aiohttp import web

from .answers import refusal
from .files import MAX_WIDTH
from .needs import Host, Writer
from .session import SESSION_HEADER, token_of
from .threads import Threads

_NAME = re.compile(r"[0-9a-f]{32}")
_DIGITS = len(str(MAX_WIDTH))


class Watching:
    """The uploads that run and that their page wants to see. As many as uploads are let in."""

    def __init__(self, host: Host, threads: Threads) -> None:
        self._host = host
        self._threads = threads
        self._running: dict[tuple[str, str], Writer] = {}

    @contextmanager
    def watched(self, token: str, name: str | None, writer: Writer) -> Generator[None]:
        """Let the session look at it under that name, until the block ends.

        A name that is none, or stands for another upload of the session, is passed over: the
        upload itself has no need of it.
        """
        key = (token, name or "")
        if _NAME.fullmatch(key[1]) is None or key in self._running:
            yield
            return
        self._running[key] = writer
        try:
            yield
        finally:
            del self._running[key]

    async def peaks(self, request: web.Request) -> web.StreamResponse:
        """GET upload/peaks?watch=0123...&width=1200 with the session in a header.

        200 and int16 little-endian, by channel, width times (min, max, RMS), of the first
        X-Ossicle-Frames of X-Ossicle-Of frames. The first X-Ossicle-Exact of them are looked
        through; of the others some were looked at. 204 while nothing is known, and as well for a name
        that never was, is over, or is another session's: the difference would be information.
        """
        token = token_of(request.headers.get(SESSION_HEADER))
        if token is None or not self._host.knows(token):
            return refusal(403, "this session is over; reload the page")
        width = request.query.get("width", "1200")
        known = width.isascii() and width.isdigit() and len(width) <= _DIGITS
        if not known or not 1 <= int(width) <= MAX_WIDTH:
            return refusal(400, f"width must be a whole number, 1 to {MAX_WIDTH}")
        writer = self._running.get((token, request.query.get("watch", "")))
        sketch = None
        if writer is not None:
            sketch = await self._threads.run(writer.sketch, int(width))
        if sketch is None:
            return web.Response(status=204, headers={"Cache-Control": "no-store"})
        return web.Response(
            body=sketch.body,
            content_type="application/octet-stream",
            headers={
                "X-Ossicle-Channels": str(sketch.channels),
                "X-Ossicle-Width": str(sketch.width),
                "X-Ossicle-Values": "3",
                "X-Ossicle-Frames": str(sketch.frames),
                "X-Ossicle-Exact": str(sketch.exact),
                "X-Ossicle-Of": str(sketch.of),
                "Cache-Control": "no-store",
            },
        )
