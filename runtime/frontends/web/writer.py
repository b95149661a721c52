"""Frames onto a socket: sound at once where that needs no waiting, the rest by a task.

A page drawn 60 times a second gains nothing from thousands of frames: JSON has a bucket of tokens,
and what finds it empty waits and shares a frame. Sound is never held up: its source is paced by who
hears it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from aiohttp import web

from .bucket import Bucket
from .outbox import Outbox

AT_ONCE = 64
"""Frames of JSON sent without any delay."""
PER_SECOND = 4000
"""A call's answer must not wait for it; beyond it patches share frames."""
SMALL = 32 << 10
"""Bytes that a transport may hold of sound: half of where asyncio asks for a pause."""

# A frame that is final, without extensions, of binary data, and not masked (RFC 6455 5.2): aiohttp
# makes the same of it with a coroutine and four calls.
_FINAL_BINARY = 0x82
_SHORT = struct.Struct(">BB").pack
_LONG = struct.Struct(">BBH").pack


class Writer:
    """Writes to one socket."""

    __slots__ = ("_transport", "_socket", "_now", "_frames")

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._transport, self._socket = request.transport, socket
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._frames = Bucket(AT_ONCE, PER_SECOND, self._now())

    def at_once(self, sound: bytes) -> bool:
        """Write it now; False, and nothing is done, if that might have to wait."""
        transport, length = self._transport, len(sound)
        if transport is None or transport.get_write_buffer_size() + length > SMALL:
            return False
        if not transport.is_closing() and not self._socket.closed:  # else the page left
            head = _SHORT(_FINAL_BINARY, length) if length < 126 else _LONG(_FINAL_BINARY, 126, length)
            transport.write(head + sound)
        return True

    async def write(self, outbox: Outbox) -> None:
        """Write what waits until nothing ever will. Raises ConnectionError if the page left."""
        while await outbox.wait():
            if not outbox.sounds and (pause := self._frames.wait(self._now())):
                await asyncio.sleep(pause)  # what comes meanwhile shares the next frame
                continue
            frame = outbox.take()
            if isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame)
