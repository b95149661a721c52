"""HTTP as aiohttp speaks it, but for what is said and logged of requests that are none.

aiohttp would repeat them: in the answer, beside its own and Python's version, and in the log, with a
stack of calls. Whoever scans the internet could fill the log, and a page's token could end there.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .answers import dress, refusal

log = logging.getLogger(__name__)

# aiohttp would keep a silent connection for an hour; the page's next request opens another
_KEEP_ALIVE_SECONDS = 30.0

_NOWHERE = logging.Logger("ossicle.nowhere", logging.CRITICAL + 1)
"""For aiohttp's log of accesses: its lines would hold the handles of files."""


class Talk(web.RequestHandler):
    """One connection's requests and answers."""

    __slots__ = ()

    def __init__(self, server: web.Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=_NOWHERE,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            auto_decompress=False,  # the page compresses nothing, and a small body could hold a large
        )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        log.debug("%s said what is no HTTP: %s", request.remote, type(exc).__name__)
        response = refusal(status, "this is no request of HTTP that could be understood")
        dress(response)
        response.force_close()
        return response
