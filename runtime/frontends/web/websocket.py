"""The WebSocket of one tab: frames in to the session, patches out to the page.

Law of this file: nothing here may hold up the loop or a session. Each message is handed to the
session at once, most of them before aiohttp sees them (`direct.py`); what the session says goes out
at once where the socket takes it, else waits in a bounded outbox for a task. Whatever the page sends, the worst that happens to it is `refused`; whatever the
network does, the session outlives its socket and the page may come back and take up where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType, web

from ....flow.errors import OssicleError
from ....flow.injected import ClientRequest
from .answers import refusal
from .direct import Direct
from .door import Door
from .hearing import Hearing
from .needs import Host
from .outbox import MAX_BYTES, MAX_MESSAGES, Outbox
from .session import PROTOCOL, token_asked_for, without_token
from .writer import Writer

log = logging.getLogger(__name__)

# Close codes (RFC 6455 7.4), for logs and other programs: the page goes by what it was told.
GONE: Final = 4404  # the session is over; reconnecting would not help
TOO_SLOW: Final = 4408  # the socket could not keep up; come back and resume
GOING_AWAY: Final = 1001
LOST: Final = 1006
POLICY: Final = 1008
FAILED: Final = 1011
TRY_LATER: Final = 1013

MAX_MESSAGE = 1 << 20  # bytes of one control message: the longest text a Textbox may carry
_FLOOD = b"too many refused messages, or pings"
_REASON = 120  # bytes of text that fit into a close frame
_CLOSE_SECONDS = 1.0  # for a slow socket to take the close frame, then it is cut


@dataclass
class Counters:
    """What happened to the sockets of one server."""

    overflowed: int = 0
    """Sockets closed because their page could not keep up."""
    refused: int = 0
    """Messages answered with `refused`."""


class Sockets:
    """All open sockets of one server."""

    def __init__(
        self,
        host: Host,
        *,
        heartbeat: float = 20.0,
        max_sockets: int = 10_000,
        door: Door | None = None,
        max_message: int = MAX_MESSAGE,
        outbox_messages: int = MAX_MESSAGES,
        outbox_bytes: int = MAX_BYTES,
    ) -> None:
        self.counters = Counters()
        self._host = host
        self._heartbeat = heartbeat
        self._max_sockets = max_sockets
        self._door = door or Door()
        self._max_message = max_message
        self._outbox_messages = outbox_messages
        self._outbox_bytes = outbox_bytes
        self._open: set[web.WebSocketResponse] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET ws?seq=<last seen>, the token in a header: the whole life of one socket."""
        why = self._why_not(request)
        if why is not None:
            return why
        if "session" in request.query:
            return refusal(400, "the session token must not be in the address: logs keep it")
        try:
            token = token_asked_for(request.headers)
        except ValueError as error:
            return refusal(400, str(error))
        if token is None and not self._door.may_begin(request.remote or ""):
            return refusal(429, "too many new pages from there; wait a little", {"Retry-After": "1"})
        seq = _seq(request.query.get("seq", "0"))
        if seq is None:
            return refusal(400, "seq must be a whole number, 0 or more")

        socket = web.WebSocketResponse(
            protocols=(PROTOCOL,),
            compress=False,  # costs 300 kB and a millisecond per socket for frames this small
            heartbeat=self._heartbeat,
            max_msg_size=self._max_message,
            timeout=_CLOSE_SECONDS,
            autoping=False,  # a flood of pings is a flood: `Hearing` counts them
        )
        direct = Direct.before(request.transport, self._max_message)
        try:
            await socket.prepare(request)
        except BaseException:
            if direct:
                direct.end()  # no WebSocket came of it: what follows is HTTP again
            raise
        self._open.add(socket)
        try:
            await self._live(request, socket, direct, token, seq)
        except ConnectionError:
            pass  # the page left while it was answered
        except OssicleError as error:
            await _close(socket, TRY_LATER, str(error).encode()[:_REASON])
        except Exception:
            # After the upgrade there is no HTTP answer left to give.
            log.exception("a page's connection failed")
            await _close(socket, FAILED, b"the server failed; its log says why")
        finally:
            self._open.discard(socket)
            if socket.close_code == LOST:
                _cut_soon(request)
        return socket

    async def close(self) -> None:
        """Close every socket with 1001; the pages show that the server went away."""
        self._closing = True
        await asyncio.gather(
            *(_close(socket, GOING_AWAY, b"the server is stopping") for socket in list(self._open))
        )

    def _why_not(self, request: web.Request) -> web.Response | None:
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return refusal(426, "this address is a WebSocket", {"Upgrade": "websocket"})
        if self._closing:
            return refusal(503, "the server is stopping")
        if len(self._open) >= self._max_sockets:
            return refusal(503, f"the server already has {self._max_sockets} open pages")
        return None

    async def _live(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        direct: Direct | None,
        token: str | None,
        seq: int,
    ) -> None:
        ends: list[asyncio.Task[None]] = []  # two at most: an outbox runs over once, a page floods once
        writer = Writer(request, socket)
        outbox = Outbox(
            lambda: ends.append(asyncio.create_task(self._cut(request, socket))),
            writer.at_once,
            max_messages=self._outbox_messages,
            max_bytes=self._outbox_bytes,
        )
        connection = self._host.connect(token, seq, outbox.put, _client(request))
        outbox.link = connection.link
        outbox.replaying = False
        over = connection.session is None
        if over:
            outbox.close()  # `gone` is waiting in it; it is sent, then the socket closes
        writing = asyncio.create_task(_write(socket, writer, outbox, over))
        hearing = Hearing(
            connection,
            outbox,
            self._refused,
            lambda: ends.append(asyncio.create_task(_close(socket, POLICY, _FLOOD))),
        )
        try:
            await _read(socket, direct, hearing)
        finally:
            connection.close()
            outbox.close()
            await asyncio.gather(*ends)
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing

    def _refused(self) -> None:
        self.counters.refused += 1

    async def _cut(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        """End a socket whose outbox ran over, even while a write to it is stuck."""
        self.counters.overflowed += 1
        log.warning("a page could not keep up and was closed; it may come back and resume")
        _cut_soon(request)
        await _close(socket, TOO_SLOW, b"the page could not keep up")


def _cut_soon(request: web.Request) -> None:
    """A closed transport first sends what it still holds: to a dead client, for many minutes."""
    if request.transport is not None:
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, request.transport.abort)


async def _read(
    socket: web.WebSocketResponse, direct: Direct | None, hearing: Hearing
) -> None:
    """Hand over what comes until the socket is closed or lost."""
    if direct:
        direct.begin(hearing.text, hearing.sound)
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                hearing.text(frame.data)
            elif frame.type is WSMsgType.BINARY:
                hearing.sound(frame.data)
            elif frame.type is WSMsgType.PING:
                if hearing.ping():
                    await socket.pong(frame.data)
                continue
            elif frame.type is WSMsgType.PONG:
                continue
            else:
                return  # a frame against the protocol, or too large: aiohttp has closed with a code
            if direct:
                direct.returned()
    finally:
        if direct:
            direct.end()


async def _write(
    socket: web.WebSocketResponse, writer: Writer, outbox: Outbox, over: bool
) -> None:
    try:
        await writer.write(outbox)
        if over:
            await _close(socket, GONE, b"the session is over")
    except ConnectionError:
        pass  # the page left while we wrote; the reading side sees it and cleans up


async def _close(socket: web.WebSocketResponse, code: int, message: bytes) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await socket.close(code=code, message=message, drain=False)


def _client(request: web.Request) -> ClientRequest:
    """Who asks, for functions that want to know."""
    return ClientRequest(
        headers=without_token(request.headers),
        query_params={k: v for k, v in request.query.items() if k != "seq"},
        cookies=dict(request.cookies),
        client=request.remote or "",
    )


def _seq(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
