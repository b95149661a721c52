"""POST upload: a file streamed into the store, or a clear refusal that leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from importlib import import_module

from aiohttp import web

from ....flow.errors import OssicleError
from ...media.limits import Limits, bytes_text
from .answers import refusal
from .needs import Host, Message, Writer
from .session import SESSION_HEADER, token_of
from .threads import Threads
from .watching import Watching

MAX_UPLOAD = Limits().upload
AT_ONCE = 4  # uploads of one session; a page sends one, a drop of several files a few
STORE = "ossicle.runtime.media.store"
_PIECE = 256 << 10  # bytes collected for one write: one hop to a thread costs 50 µs
_GLANCE = 0.2  # seconds between two looks whether the page is still there
PATIENCE = 60.0  # seconds, in each of which so many bytes must come, or the file's last:
LEAST = 64 << 10  # about 1 kB/s; a sender that lets a byte trickle now and then is given up


_OVER = "this session is over; reload the page"


class _TooLarge(Exception):
    pass


class Uploads:
    """Takes files into the sessions of one host."""

    def __init__(
        self,
        host: Host,
        threads: Threads,
        watching: Watching,
        *,
        max_upload: int = MAX_UPLOAD,
        at_once: int = AT_ONCE,
    ) -> None:
        self.patience = PATIENCE
        self._host = host
        self._threads = threads
        self._watching = watching
        self._max = max_upload
        self._at_once = at_once
        self._running: Counter[str] = Counter()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST upload?node=3&name=a.wav with the file as body: 200 and the wire value.

        With &watch= and a name that the page drew, `Watching` shows how far it is.
        """
        token = token_of(request.headers.get(SESSION_HEADER))
        if token is None or not self._host.knows(token):
            return refusal(403, _OVER)
        node = _number(request.query.get("node", ""))
        if node is None or not self._host.takes_files(token, node):
            return refusal(404, "there is no component here that takes a file")
        if request.content_length is not None and request.content_length > self._max:
            return self._too_large()
        if self._running[token] >= self._at_once:
            return refusal(
                429,
                f"{self._at_once} uploads of this page are still running; wait for one to end",
                {"Retry-After": "1"},
            )
        self._running[token] += 1
        try:
            # The codecs behind the store take 0.2 s to load: the first upload pays, not the loop.
            await self._threads.run(import_module, STORE)
            try:
                writer = self._host.writer(token, request.query.get("name", ""), node)
            except KeyError:  # it went while the codecs were loaded
                return refusal(403, _OVER)
            with self._watching.watched(token, request.query.get("watch"), writer):
                return await self._receive(request, writer)
        except _TooLarge:
            return self._too_large()
        except TimeoutError:
            return refusal(408, "the upload was too slow and was given up")
        except OssicleError as error:  # not what it must be, or no room: texts made to be shown
            return refusal(422, str(error))
        finally:
            self._running[token] -= 1
            if not self._running[token]:
                del self._running[token]

    async def _receive(self, request: web.Request, writer: Writer) -> web.StreamResponse:
        """Body to writer to answer. Whatever stops it on the way, the writer is ended."""
        done = False
        try:
            if request.content_length is not None:
                writer.expect(request.content_length)
            await self._copy(request, writer)
            value = await self._finish(request, writer)
            if request.transport is None:  # given up while it was looked through: see `finally`
                return refusal(400, "the page left before the end of its upload")
            done = True
        finally:
            if not done:
                writer.abort()
        return web.json_response(value)

    async def _finish(self, request: web.Request, writer: Writer) -> Message:
        """Looked through in a thread, for as long as the page waits for it."""
        work = asyncio.ensure_future(self._threads.run(writer.finish))
        try:
            while not (await asyncio.wait([work], timeout=_GLANCE))[0]:
                if request.transport is None:  # nothing tells a handler that its client left
                    writer.give_up()
        except asyncio.CancelledError:
            writer.give_up()
            await asyncio.wait([work])  # the caller frees what the thread still uses
            raise
        return work.result()

    async def _copy(self, request: web.Request, writer: Writer) -> None:
        now = asyncio.get_running_loop().time
        total, came, due = 0, 0, now() + self.patience
        piece = bytearray()
        while True:
            async with asyncio.timeout_at(due):
                data = await request.content.readany()
            total += len(data)
            came += len(data)
            if total > self._max:
                raise _TooLarge
            piece += data
            if len(piece) >= _PIECE or (not data and piece):
                await self._threads.run(writer.write, bytes(piece))
                piece.clear()
                came = LEAST  # what the disk took is not the sender's time
            if came >= LEAST:
                came, due = 0, now() + self.patience
            if not data:
                return

    def _too_large(self) -> web.Response:
        return refusal(413, f"the file is too large; at most {bytes_text(self._max)} are taken")


def _number(node: str) -> int | None:
    return int(node) if node.isascii() and node.isdigit() and len(node) <= 9 else None
