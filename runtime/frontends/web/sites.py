"""Where the server listens: connections counted at the door, and with TLS a word for http.

Over http to an https port a browser would show nothing but "no answer". So the first byte of each
connection is looked at, without taking it: TLS begins with 22, and what does not gets a sentence.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Callable
from functools import partial
from typing import Final, cast

from aiohttp import web

from .door import Door, Visitor, client_of
from .talk import Talk

HANDSHAKE: Final = 10.0
"""Seconds for the first byte, and again for the handshake."""
_TLS_RECORD = 22  # RFC 8446 5.1: a ClientHello travels in a record of type handshake
_TEXT = json.dumps({"error": "this port speaks https only; write https:// before its address"})
_PLAIN = (
    "HTTP/1.1 400 Bad Request\r\nServer: ossicle\r\nContent-Type: application/json\r\n"
    "Content-Security-Policy: default-src 'none'; sandbox; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
    f"Connection: close\r\nContent-Length: {len(_TEXT)}\r\n\r\n{_TEXT}"
).encode("ascii")


class Site(web.BaseSite):
    """Listens on one address and port, with or without TLS."""

    def __init__(
        self,
        runner: web.AppRunner,
        door: Door,
        host: str | None,
        port: int,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(runner, ssl_context=context)
        self._door, self._host, self._port, self._context = door, host, port, context
        assert runner.server is not None  # it has been set up
        self._talks = partial(Talk, runner.server)
        self._unknown = set[asyncio.Task[None]]()

    @property
    def name(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://{self._host or '0.0.0.0'}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError."""
        await super().start()
        loop = asyncio.get_running_loop()
        # Windows' loop cannot wait for a byte without taking it: there http gets no sentence.
        native = self._context if sys.platform == "win32" else None
        looked_at = self._context if native is None else None

        def newcomer() -> asyncio.BaseProtocol:
            if looked_at is None:
                return Visitor(self._door, self._talks())
            return _Newcomer(self._door, partial(self._receive, looked_at))

        self._server = await loop.create_server(
            newcomer,
            self._host,
            self._port,
            ssl=native,
            ssl_handshake_timeout=HANDSHAKE if native else None,
        )

    async def stop(self) -> None:
        """Listen no more."""
        for task in self._unknown:
            task.cancel()
        await super().stop()

    def _receive(self, context: ssl.SSLContext, taken: socket.socket, client: str) -> None:
        visitor = Visitor(self._door, self._talks(), client)

        async def receive() -> None:
            try:
                await _speak(taken, visitor, context)
            except (OSError, TimeoutError):
                pass  # it went, said nothing, or does not trust us; its own browser says so
            finally:
                if not visitor.begun:  # from then on the visitor tells the door
                    self._door.leave(client)
                    taken.close()

        task = asyncio.get_running_loop().create_task(receive())
        self._unknown.add(task)
        task.add_done_callback(self._unknown.discard)


class _Newcomer(asyncio.Protocol):
    """A connection of which nothing is known yet. Its socket is taken over, unread."""

    def __init__(self, door: Door, receive: Callable[[socket.socket, str], None]) -> None:
        self._door, self._receive = door, receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        duplex = cast("asyncio.Transport", transport)  # uvloop's are none, but have all of it
        duplex.pause_reading()
        client = client_of(transport)
        if self._door.enter(client):
            taken = transport.get_extra_info("socket").dup()
            taken.setblocking(False)
            self._receive(taken, client)
        duplex.abort()


async def _speak(taken: socket.socket, visitor: Visitor, context: ssl.SSLContext) -> None:
    """A handshake with who speaks TLS, a sentence to who does not. Raises OSError, TimeoutError."""
    async with asyncio.timeout(HANDSHAKE):
        first = await _first_byte(taken)
    if first == _TLS_RECORD:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: visitor, taken, ssl=context, ssl_handshake_timeout=HANDSHAKE
        )
    elif first is not None:
        taken.send(_PLAIN)  # fits into any socket's buffer
        taken.shutdown(socket.SHUT_WR)


async def _first_byte(taken: socket.socket) -> int | None:
    """The first byte that came, left where it is; None if nothing ever will."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(taken.fileno(), lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(taken.fileno())
    data = taken.recv(1, socket.MSG_PEEK)
    return data[0] if data else None
