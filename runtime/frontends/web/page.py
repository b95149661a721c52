"""The page and its assets over HTTP, with the policy that keeps a browser inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from .answers import refusal
from .bundle import INDEX, STATIC, Asset, Bundle, load, stamp
from .threads import Threads

IMMUTABLE = "public, max-age=31536000, immutable"  # a hashed name never gets another content
_MISSING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>ossicle: no page</title>
<h1>The page has not been built</h1>
<p>The app runs, but this copy of ossicle carries no web page. In its source folder,
<code>pip install .</code> builds it (it fetches what it needs); a released wheel has it inside.</p>
</html>
"""


class Page:
    """Serves one built bundle."""

    def __init__(
        self,
        static: Path = STATIC,
        *,
        threads: Threads,
        page_code: bool = False,
        allowed_frames: Sequence[str] = (),
    ) -> None:
        """`page_code`: the app has listeners with `js`, which a page can only run by evaluating.

        `allowed_frames`: origins whose pages may show this one in a frame.
        """
        self._static = static
        self._threads = threads
        self._page_code = page_code
        self._frames = tuple(allowed_frames)
        self._bundle: Bundle | None = None
        self._loading = asyncio.Lock()

    async def index(self, request: web.Request) -> web.StreamResponse:
        """GET .: the page."""
        bundle = await self._current()
        if bundle is None:
            return web.Response(
                text=_MISSING, content_type="text/html", status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        response = _respond(request, bundle.assets[INDEX], "no-cache")
        response.headers["Content-Security-Policy"] = self._policy(request.host)
        response.headers["Permissions-Policy"] = "microphone=(self), camera=(self), geolocation=()"
        if not self._frames:
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """GET <name>: one file of the bundle; those under assets/ carry a hash in their name."""
        name = request.match_info["name"]
        bundle = await self._current()
        asset = bundle.assets.get(name) if bundle is not None and name != INDEX else None
        if asset is None:
            return refusal(404, "there is nothing at this address")
        response = _respond(request, asset, IMMUTABLE if name.startswith("assets/") else "no-cache")
        if name.endswith(".js"):
            response.headers["Content-Security-Policy"] = _worker_policy(request.host)
        return response

    async def _current(self) -> Bundle | None:
        """The bundle as it lies on disk now: a build beside a running server shows at once."""
        found = stamp(self._static)
        if self._bundle is None or self._bundle.stamp != found:
            async with self._loading:
                if self._bundle is None or self._bundle.stamp != found:
                    self._bundle = await self._threads.run(load, self._static)
        return self._bundle

    def _policy(self, host: str) -> str:
        """Everything from this server and nothing else; `host` has passed the Host check."""
        code = " 'unsafe-eval'" if self._page_code else ""
        return "; ".join(
            [
                "default-src 'none'",
                f"script-src 'self'{code}",
                # Svelte's transitions make style elements; a style runs no code
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "font-src 'self'",
                "media-src 'self' blob:",
                "worker-src 'self'",
                "manifest-src 'self'",
                # older Safari does not count ws: as 'self'
                f"connect-src 'self' ws://{host} wss://{host}",
                "base-uri 'none'",
                "form-action 'none'",
                "object-src 'none'",
                " ".join(["frame-ancestors 'self'", *self._frames]),
            ]
        )


def _worker_policy(host: str) -> str:
    """A worker obeys the policy of its own file; the page's has no say in it."""
    return f"default-src 'none'; connect-src 'self' ws://{host} wss://{host}"


def _respond(request: web.Request, asset: Asset, cache: str) -> web.Response:
    coding, body = asset.best(request.headers.get("Accept-Encoding", ""))
    etag = f'"{asset.etag}-{coding}"'
    headers = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": cache}
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = asset.content_type
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return web.Response(body=body, headers=headers)
