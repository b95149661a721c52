"""What every answer has in common: the checks before it, the headers on it, errors as JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .door import Door
from .origin import Gate
from .session import SESSION_HEADER

log = logging.getLogger(__name__)

HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the page's address carries no secret, but may one day
    "Cross-Origin-Resource-Policy": "same-origin",  # no stranger's page may embed a sound
    "X-Robots-Tag": "noindex",
}
"""On every answer."""

NOTHING = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""The content policy of everything but the page: opened as a page it could do nothing."""


def refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An error as the wire has it: `{"error": text}`."""
    return web.json_response({"error": text}, status=status, headers=headers)


def make_middleware(gate: Gate, door: Door) -> Middleware:
    """The one middleware: Host and Origin before the handler, clean errors after it."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        door.arrived(request.protocol)
        try:
            return why_not(request, gate) or await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise  # a redirect or 304 of our own making
            kept = {k: v for k, v in error.headers.items() if k in ("Allow", "Retry-After")}
            return refusal(error.status, error.reason, kept)
        except ConnectionError:
            # The client left in the middle: nobody hears this, but aiohttp would log an error.
            return refusal(400, "the request ended before its end")
        except Exception:
            # The text of an exception may hold paths or values: it goes to the log alone.
            log.exception("%s %r failed", request.method, request.path)
            return refusal(500, "the server failed on this request; its log says why")

    return guard


def why_not(request: web.Request, gate: Gate) -> web.Response | None:
    """The refusal this request deserves by its Host and Origin, or None if it may pass."""
    host = request.headers.get("Host")
    if host is None or not gate.knows_host(host):
        return refusal(
            403,
            "this server does not answer to the name it was called by; if the name is yours, start"
            " it with allowed_hosts",
        )
    origin = request.headers.get("Origin")
    upgrade = "Upgrade" in request.headers
    if request.method in ("GET", "HEAD") and not upgrade:
        return None  # changes nothing, and cannot be read from another origin
    if origin is not None:
        if gate.knows_origin(origin, host):
            return None
        return refusal(
            403,
            "this request comes from a page of another site; if that site is yours, start the"
            " server with allowed_origins",
        )
    browser = any(name.lower().startswith("sec-fetch-") for name in request.headers)
    if SESSION_HEADER not in request.headers or browser:
        return refusal(403, f"a request without Origin needs the header {SESSION_HEADER}")
    return None


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare."""
    dress(response)


def dress(response: web.StreamResponse) -> None:
    """Put on the headers that every answer carries, unless it has its own."""
    response.headers["Server"] = "ossicle"  # aiohttp has put its own and Python's versions there
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", NOTHING)
    response.headers.setdefault("Cache-Control", "no-store")
