"""Frames onto a socket: sound at once where that needs no waiting, the rest by a task.

A page drawn 60 times a second gains nothing from thousands of frames: JSON has a bucket of tokens,
and what finds it empty waits and shares a frame. Sound is never held up: its source is paced by who
hears it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from .bucket import Bucket
from .outbox import Outbox

AT_ONCE = 64
"""Frames of JSON sent without any delay."""
PER_SECOND = 4000
"""A call's answer must not wait for it; beyond it patches share frames."""
SMALL = 32 << 10
"""Bytes that an empty transport takes without asking for a pause: half of asyncio's high water."""


class Writer:
    """Writes to one socket."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._frames = Bucket(AT_ONCE, PER_SECOND, self._now())

    def at_once(self, sound: bytes) -> bool:
        """Write it now; False, and nothing is done, if that might have to wait."""
        transport = self._request.transport
        if transport is None or len(sound) > SMALL or transport.get_write_buffer_size():
            return False
        sending = self._socket.send_bytes(sound)
        try:
            # It awaits nothing but a transport that is full, and this one is empty.
            sending.send(None)
        except (StopIteration, ConnectionError):
            # Without a connection the page left while we wrote: the reading side sees it.
            return True
        sending.close()  # the frame is with the transport; only the waiting is left out
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
