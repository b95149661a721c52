"""The WebRTC connections of an app's sessions: one each at most, and none without its socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from ..components.audio import Audio
from ..flow.errors import InputError
from ..flow.plan import Plan
from .sessions import Line, Message

if TYPE_CHECKING:
    from .streams.peer import Peer

log = logging.getLogger("ossicle")

_NODE = slice(4, 6)  # where a frame says whose it is, and its flags: see streams/frame.py
_FLAGS = slice(6, 8)
_START_OR_END = 3


class Peers:
    """Opens them at a page's offer, and says which way a frame goes.

    take: gets a frame that came for a session. keep: holds a task. Components made while the app
    runs (`render`) use the socket.
    """

    def __init__(
        self,
        plan: Plan,
        take: Callable[[Line, bytes], None],
        keep: Callable[[asyncio.Task[None]], None],
        ice_servers: Sequence[str] = (),
    ) -> None:
        nodes = [each for each in plan.nodes if isinstance(each, Audio)]
        self._nodes = {each.id for each in nodes if each.transport == "webrtc"}
        self._take, self._keep = take, keep
        self._servers = ice_servers
        self._answering = set[Line]()

    def load(self) -> None:
        """Import what connections are made of, before the first page comes: the third of a second
        that it takes would be a hole in the sound of everybody who speaks then."""
        if self._nodes:
            import_module("aiortc")

    def offer(self, line: Line, sdp: str) -> None:
        """A page wants a connection; the older one of its session ends. Raises InputError."""
        if not self._nodes:
            raise InputError("rtc: no component of this app uses WebRTC.")
        if line in self._answering:
            raise InputError("rtc: the last offer is still being answered.")
        from .streams.peer import Peer

        self.close(line)
        peer = line.peer = Peer(lambda data: self._receive(line, data), self._servers)
        self._answering.add(line)
        self._keep(asyncio.get_running_loop().create_task(self._answer(line, peer, sdp)))

    async def _answer(self, line: Line, peer: Peer, sdp: str) -> None:
        try:
            answer = await peer.answer(sdp)
            if line.peer is peer and line.send:
                line.send({"type": "rtc", "sdp": answer})
        except InputError as error:
            self._refuse(line, str(error))
        except Exception:
            log.exception("a WebRTC connection could not be opened")
            self._refuse(line, "rtc: the server could not open the connection.")
        finally:
            self._answering.discard(line)

    def _refuse(self, line: Line, text: str) -> None:
        if line.send:
            line.send({"type": "rtc", "error": text})

    def _receive(self, line: Line, data: bytes) -> None:
        node = int.from_bytes(data[_NODE], "little")
        if node not in self._nodes:
            raise InputError(f"component {node} does not use WebRTC.")
        self._take(line, data)

    def way(self, line: Line) -> Callable[[Message | bytes], None]:
        """Where frames of generated and live sound go: to the socket, or past it.

        Only live sound may be lost, and not the frames that begin and end it.
        """
        peer, send = line.peer, line.send
        assert send is not None
        if peer is None or line.live_sound is None or not peer.open:
            return send
        outgoing = line.live_sound.outgoing

        def choose(data: Message | bytes) -> None:
            if isinstance(data, bytes):
                node = int.from_bytes(data[_NODE], "little")
                flags = int.from_bytes(data[_FLAGS], "little")
                if node in self._nodes and outgoing[node].live and not flags & _START_OR_END:
                    peer.send(data)
                    return
            send(data)

        return choose

    def close(self, line: Line) -> None:
        """The session's connection ends, if it has one."""
        peer, line.peer = line.peer, None
        if peer is not None:
            self._keep(asyncio.get_running_loop().create_task(peer.close()))

    async def close_all(self, lines: Sequence[Line]) -> None:
        """End those of all sessions, and wait for it."""
        peers = [line.peer for line in lines if line.peer is not None]
        await asyncio.gather(*(peer.close() for peer in peers))
