"""Who may come in at all: how many connections one client has, and how long it may say nothing.

All this is before HTTP. A client that holds connections open and sends nothing, or one letter a
minute, costs a file descriptor each, and a process has about a thousand of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from .addresses import is_loopback
from .bucket import Bucket

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 512
"""Of one client: dozens of pages. A proxy is one client, and may need more."""
FIRST_REQUEST: Final = 20.0
"""Seconds in which a new connection must have sent its first request, whole."""
SESSIONS_AT_ONCE = 100
SESSIONS_PER_SECOND = 2.0
_READ = 256 << 10  # bytes at once, as asyncio's own
_REMEMBERED = 4096  # clients whose pace is known; the one longest unseen is forgotten


@dataclass
class Counters:
    """What happened at the door, for metrics and tests."""

    entered: int = 0
    crowded: int = 0
    """Connections not taken because their client had too many."""
    silent: int = 0
    """Connections closed because no request came."""


class Door:
    """The connections of one server, by client.

    This machine itself is not bounded: who is on it has easier ways to harm it, and a proxy that
    stands there speaks for everybody. `most`: of one other client, at once; None is no bound.
    """

    def __init__(self, most: int | None = MAX_CONNECTIONS, patience: float = FIRST_REQUEST) -> None:
        self.counters = Counters()
        self.most = most
        self.patience = patience
        self._open = Counter[str]()
        self._waiting = dict[asyncio.BaseProtocol, asyncio.TimerHandle]()
        self._paces = OrderedDict[str, Bucket]()
        self.buffer = memoryview(bytearray(_READ))
        """What connections are read into, one after the other, all on one thread."""

    @property
    def connections(self) -> int:
        """So many are open now."""
        return self._open.total()

    def enter(self, client: str) -> bool:
        """One more connection of this client; False if it has too many. Each needs a `leave`."""
        if self.most is not None and self._open[client] >= self.most and not is_loopback(client):
            if not self.counters.crowded:
                log.warning(
                    "%s has %d connections, and more were refused; if it is a proxy, start the"
                    " server with a larger max_connections",
                    client,
                    self.most,
                )
            self.counters.crowded += 1
            return False
        self.counters.entered += 1
        self._open[client] += 1
        return True

    def leave(self, client: str) -> None:
        """A connection that had entered is over."""
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]

    def expect(self, talk: asyncio.BaseProtocol, give_up: Callable[[], None]) -> None:
        """Give up a connection unless `arrived` is called in time."""

        def late() -> None:
            self._waiting.pop(talk, None)
            self.counters.silent += 1
            give_up()

        loop = asyncio.get_running_loop()
        self._waiting[talk] = loop.call_later(self.patience, late)

    def arrived(self, talk: asyncio.BaseProtocol | None) -> None:
        """Its first request is there, or it is over."""
        timer = self._waiting.pop(talk, None) if talk else None
        if timer:
            timer.cancel()

    def may_begin(self, client: str) -> bool:
        """May this client open one more session now? Each costs memory until it is given up."""
        if self.most is None or is_loopback(client):
            return True
        now = asyncio.get_running_loop().time()
        pace = self._paces.pop(client, None)
        pace = pace or Bucket(SESSIONS_AT_ONCE, SESSIONS_PER_SECOND, now)
        self._paces[client] = pace
        if len(self._paces) > _REMEMBERED:
            self._paces.popitem(last=False)
        return pace.wait(now) == 0


class Visitor(asyncio.BufferedProtocol):
    """One connection, counted from its beginning to its end; all it says goes to `talk`.

    entered: whether the door has counted it already (as TLS has, before the handshake).

    What comes is read into one buffer for all connections and copied from there: the loop of
    asyncio would otherwise ask for 256 kB for each read, which costs 20 µs wherever the C library
    takes them from the system and gives them back.
    """

    __slots__ = (
        "talk", "begun", "asked", "hear", "_door", "_client", "_inside", "_transport",
    )  # fmt: skip

    def __init__(self, door: Door, talk: asyncio.Protocol, entered: str | None = None) -> None:
        self._door, self.talk, self._client = door, talk, entered
        self._inside = entered is not None
        self.begun = False
        """It has a transport, so it will tell the door when it ends."""
        self.asked = False
        """What came last is the end of a request, and nothing behind it."""
        self.hear: Callable[[memoryview], None] | None = None
        """Gets what comes in place of `talk`. It must not keep the view."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        duplex = cast("asyncio.Transport", transport)  # uvloop's are none, but have all of it
        self._transport = duplex
        if self._client is None:
            self._client = client_of(transport)
            self._inside = self._door.enter(self._client)
        if not self._inside:
            duplex.abort()
            return
        self.begun = True
        self._door.expect(self.talk, duplex.abort)
        self.talk.connection_made(transport)

    def pause_reading(self) -> None:
        """Let what comes wait in the system, and so at who sends it."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._door.buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = self._door.buffer[:nbytes]
        if self.hear:
            self.hear(data)
        elif self._inside:
            whole = bytes(data)
            self.asked = whole.endswith(b"\r\n\r\n")
            self.talk.data_received(whole)

    def eof_received(self) -> bool | None:
        return self.talk.eof_received() if self._inside else None

    def pause_writing(self) -> None:
        self.talk.pause_writing()

    def resume_writing(self) -> None:
        self.talk.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._inside or self._client is None:
            return
        self._inside = False
        self._door.arrived(self.talk)
        self._door.leave(self._client)
        self.talk.connection_lost(exc)


def client_of(transport: asyncio.BaseTransport) -> str:
    """The address of who is at the other end."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
