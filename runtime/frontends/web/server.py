"""The web server: routes put together, a port found, an address to open.

`make_app` gives an aiohttp application, to be served here or mounted in another under any prefix:
every address the page uses is relative. `serve` listens and returns at once.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path

from aiohttp import web

from ....flow.errors import DeclarationError
from .addresses import lan_addresses, own_names
from .answers import add_headers, make_middleware
from .bundle import STATIC
from .door import MAX_CONNECTIONS, Door
from .files import Files
from .greeting import greeting, shown
from .needs import Host
from .origin import WILDCARDS, checked_origin, make_gate
from .page import Page
from .ports import candidates, taken, unusable
from .sites import Site
from .threads import Threads
from .tls import Secured
from .upload import MAX_UPLOAD, Uploads
from .watching import Watching
from .websocket import Sockets

_STOP_SECONDS = 0.5  # aiohttp's default would wait a minute for open sockets

SOCKETS = web.AppKey("sockets", Sockets)
DOOR = web.AppKey("door", Door)
UPLOADS = web.AppKey("uploads", Uploads)


def make_app(
    host: Host,
    *,
    address: str = "127.0.0.1",
    allowed_hosts: Iterable[str] = (),
    allowed_origins: Iterable[str] = (),
    allowed_frames: Sequence[str] = (),
    max_upload: int = MAX_UPLOAD,
    max_sockets: int = 10_000,
    max_connections: int | None = MAX_CONNECTIONS,
    secure: bool = False,
    page_code: bool = False,
    static: Path = STATIC,
) -> web.Application:
    """The application: page, socket, upload, files.

    `address` is what it will listen on; loopback names and it are always answered to.
    `allowed_hosts`: further names ("sound.example.org"; "*" for any, which gives up the protection
    from DNS rebinding). `allowed_origins`: sites whose pages may use this server. `allowed_frames`:
    sites that may show the page in a frame. `max_upload` in bytes. `max_sockets`: open pages.
    `max_connections`: of one client. `secure`: it will be served with TLS. `page_code`: the app has
    listeners with `js`. Raises DeclarationError for an entry that cannot be meant.
    """
    gate = make_gate(
        address,
        allowed_hosts=allowed_hosts,
        allowed_origins=allowed_origins,
        own_names=own_names() if address in WILDCARDS else (),
        secure=secure,
    )
    for each in allowed_frames:  # it becomes part of a header
        checked_origin("allowed_frames", each)
    door = Door(max_connections)
    threads = Threads()
    sockets = Sockets(host, max_sockets=max_sockets, door=door)
    page = Page(static, threads=threads, page_code=page_code, allowed_frames=allowed_frames)
    files = Files(host, threads)
    watching = Watching(host, threads)
    uploads = Uploads(host, threads, watching, max_upload=max_upload)

    app = web.Application(middlewares=[make_middleware(gate, door)])
    app[SOCKETS] = sockets
    app[DOOR] = door
    app[UPLOADS] = uploads
    app.on_response_prepare.append(add_headers)

    async def shutdown(_: web.Application) -> None:
        await sockets.close()

    async def cleanup(_: web.Application) -> None:
        threads.close()

    app.on_shutdown.append(shutdown)
    app.on_cleanup.append(cleanup)
    app.add_routes(
        [
            web.get("/", page.index),
            web.get("/ws", sockets.handle, allow_head=False),
            web.post("/upload", uploads.handle),
            web.get("/upload/peaks", watching.peaks, allow_head=False),
            web.get("/files/{handle}/peaks", files.peaks),
            web.get("/files/{handle}/{name}", files.sound),
            web.get("/{name:.+}", page.asset),
        ]
    )
    return app


class Running:
    """A server that listens.

    `url` is the page's address; `others` are those for other machines; `greeting` is what to tell
    the person who started it.
    """

    def __init__(
        self, runner: web.AppRunner, address: str, port: int, root: str, secured: Secured | None
    ) -> None:
        self._runner = runner
        self.address = address
        self.port = port
        scheme = "https" if secured else "http"
        # A certificate from elsewhere is for a name, and a browser wants to see that one.
        named = secured.names[0] if secured and secured.names else ""
        self.url = f"{scheme}://{named or shown(address)}:{port}{root}/"
        reached = lan_addresses() if address in WILDCARDS and not named else []
        self.others = [f"{scheme}://{shown(each)}:{port}{root}/" for each in reached]
        self.greeting = greeting(self.url, self.others, address, secured)

    async def close(self) -> None:
        """Stop listening, close the pages' sockets with 1001, end what runs within a second."""
        await self._runner.cleanup()


async def serve(
    app: web.Application,
    address: str = "127.0.0.1",
    port: int | None = None,
    *,
    root: str = "",
    secured: Secured | None = None,
) -> Running:
    """Listen and return.

    `port`: None tries 7860 and the 100 after it, 0 takes any free one, another number is taken or
    PortTaken is raised. `root`: a prefix to serve under, such as "/tool". `secured`: speak TLS.
    """
    root = _checked_root(root)
    runner = web.AppRunner(
        _mounted(app, root) if root else app,
        shutdown_timeout=_STOP_SECONDS,
    )
    await runner.setup()
    try:
        found = await _listen(runner, app.get(DOOR) or Door(), address, port, secured and secured.context)
    except BaseException:
        await runner.cleanup()
        raise
    return Running(runner, address, found, root, secured)


async def _listen(
    runner: web.AppRunner,
    door: Door,
    address: str,
    port: int | None,
    context: ssl.SSLContext | None,
) -> int:
    for number in candidates(port):
        site = Site(runner, door, address or None, number, context)
        try:
            await site.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise unusable(address, number, error) from None
        else:
            return number or int(runner.addresses[0][1])
    raise taken(address, port)


def _mounted(app: web.Application, root: str) -> web.Application:
    outer = web.Application()

    async def to_page(_: web.Request) -> web.StreamResponse:
        # The page's addresses are relative: without the last slash they would miss the prefix.
        raise web.HTTPPermanentRedirect(root + "/")

    outer.router.add_get(root, to_page)
    outer.add_subapp(root + "/", app)
    return outer


def _checked_root(root: str) -> str:
    root = root.strip("/")
    if not root:
        return ""
    parts = root.split("/")
    if not _ROOT.issuperset(root) or any(part in ("", ".", "..") for part in parts):
        raise DeclarationError(f"root_path={root!r}: letters, digits, - _ . ~ and / between them, please")
    return "/" + root


_ROOT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/")
