"""Live sound over WebRTC: a data channel that loses rather than waits, beside the session's socket.

The frames are the same as on the socket, sample for sample; only the way is another. What UDP loses
is a gap that is told, and nothing behind it is held up. Why not a media track: its jitter buffer
keeps 80 ms, and after one lost packet 280 ms for ever; Opus costs 2 ms of the processor for each
20 ms of one session; and its samples are no longer those of the microphone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...flow.errors import InputError

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

log = logging.getLogger("ossicle")

CLOGGED: Final = 96_000
"""Bytes that may wait to be sent; beyond them frames are dropped (policy: newest is dropped)."""
OPEN_SECONDS: Final = 10.0
"""For the answer, and then for the page to find its way here; one that does not is given up."""


@dataclass(slots=True)
class Counters:
    """What happened on the channel. Frames of the wire."""

    received: int = 0
    refused: int = 0
    sent: int = 0
    dropped: int = 0


class Peer:
    """The server's end of one page's connection. One offer, one answer; then it is open or closed.

    take: gets each frame that comes. Raises ValueError for one it does not want.
    """

    def __init__(self, take: Callable[[bytes], None], ice_servers: Sequence[str] = ()) -> None:
        self.counters = Counters()
        self._take = take
        self._servers = tuple(ice_servers)
        self._connection: RTCPeerConnection | None = None
        self._channel: Any = None
        self._closed = False
        self._failed = False
        self._patience: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Frames may be sent."""
        return self._channel is not None and self._channel.readyState == "open"

    @property
    def closed(self) -> bool:
        """It is over, or was given up."""
        return self._closed

    async def answer(self, offer: str) -> str:
        """The answer to a page's offer, as SDP. Raises InputError for what is no offer."""
        media = [each for each in offer.splitlines() if each.startswith("m=")]
        if len(media) != 1 or not media[0].startswith("m=application "):
            raise InputError("rtc: an offer of one data channel is wanted, and nothing else.")
        from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription

        # An empty list: with none at all a public server would be asked.
        servers = [RTCIceServer(urls=each) for each in self._servers]
        connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._connection = connection
        connection.on("datachannel", self._begin)  # pyright: ignore[reportUnknownMemberType] # pyee
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                offered = RTCSessionDescription(_without_candidates(offer), "offer")
                await connection.setRemoteDescription(offered)
                await connection.setLocalDescription(await connection.createAnswer())
        except (ValueError, KeyError, IndexError, AssertionError, TimeoutError) as error:
            await self.close()
            raise InputError("rtc: the offer cannot be answered.") from error
        self._patience = asyncio.create_task(self._give_up())
        return connection.localDescription.sdp

    def send(self, data: bytes) -> None:
        """Send one frame, or drop it where too much waits already."""
        if not self.open or self._channel.bufferedAmount > CLOGGED:
            self.counters.dropped += 1
            return
        self.counters.sent += 1
        self._channel.send(data)

    async def close(self) -> None:
        """End it. Harmless when called twice."""
        self._closed = True
        if self._patience and self._patience is not asyncio.current_task():
            self._patience.cancel()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _give_up(self) -> None:
        await asyncio.sleep(OPEN_SECONDS)
        if self._channel is None:
            await self.close()

    def _begin(self, channel: Any) -> None:
        if self._channel is None and not self._closed:  # one is all that there is to be
            self._channel = channel
            channel.on("message", self._receive)

    def _receive(self, data: bytes | str) -> None:
        if self._closed:
            return
        self.counters.received += 1
        try:
            self._take(data if isinstance(data, bytes) else data.encode())
        except ValueError as error:
            # Nobody waits for a word: over a way that loses, a frame may come when all is over.
            self.counters.refused += 1
            log.debug("a frame over WebRTC was refused: %s", error)
        except Exception:  # it would end the connection, and be told to nobody
            self.counters.refused += 1
            if not self._failed:
                self._failed = True
                log.exception("a frame over WebRTC made the server fail; more are only counted")


def _without_candidates(sdp: str) -> str:
    """The offer without addresses.

    They are whatever the page says: the server would send packets to each, anywhere in its own
    network. It does not need them, because the page's own checks show where it is (RFC 8445
    7.3.1.3, peer-reflexive candidates).
    """
    lines = sdp.splitlines()
    # Nor their end: until then the other side is waited for.
    left_out = ("a=candidate", "a=end-of-candidates")
    return "\r\n".join(each for each in lines if not each.startswith(left_out)) + "\r\n"
