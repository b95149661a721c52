"""Live sound of an app's sessions: frames in, takes that become values, generated sound out.

What one session's streams are is in `streams/live.py`; here they meet the program and the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..components.base import Component
from ..flow.model import Request
from ..flow.patches import Onward, Sound
from ..flow.program import Program
from ..flow.said import Act
from ..flow.units import Seconds
from . import wire
from .executors.pool import Pool
from .peers import Peers
from .sessions import Line, Message
from .straight import Straight
from .streams.metrics import Lag
from .streams.watch import Watch

if TYPE_CHECKING:
    from ..flow.audio import Clip, Spill
    from ..flow.blocks import Block
    from .streams.incoming import Incoming
    from .streams.live import Live

log = logging.getLogger("ossicle")

TELL: Seconds = 0.25
"""Between two words to a page about chunks that were dropped: it may be fifty in a second."""


class LiveSound:
    """Carries live sound between lines and the program.

    take: takes a message that waited for a take to be stored. show: shows one to a line's front
    end. spill: where long takes of a session are put away, by its token, rate and channels.
    """

    def __init__(
        self,
        program: Program,
        pool: Pool,
        lag: Lag,
        *,
        take: Callable[[Line, Message], None],
        show: Callable[[Line, Message], None],
        spill: Callable[[str, int, int], Spill],
        ice_servers: Sequence[str] = (),
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._program, self._pool = program, pool
        self._take, self._show, self._spill = take, show, spill
        self._budgets = program.plan.budgets
        self._watch = Watch(self._loop, lag)
        pool.posted = self._watch.gathering.woken.set
        self._telling = set[tuple[str, int]]()  # sessions and nodes, of what will be told
        self.peers = Peers(program.plan, self.receive, pool.keep, ice_servers)

    async def close(self, lines: Sequence[Line]) -> None:
        """End the WebRTC connections of all lines; nothing is measured any more."""
        self._watch.close()
        await self.peers.close_all(lines)

    # -- in ------------------------------------------------------------------------------------

    def receive(self, line: Line, data: bytes, more: bool = False) -> None:
        """Take one frame of live sound. Raises ValueError with a text that may be shown.

        more: another of the same session is handed over next, before anything else.
        """
        if line.held is not None:
            line.hold(data)
            return
        begin = perf_counter()
        live = line.live_sound or self._of(line)
        if more or live.joining:
            seamless = partial(self._program.seamless, line.token)
            for stream, node, block in live.frames(data, more, seamless):
                self._work(line, stream, node, block, begin)
                begin = perf_counter()
        elif got := live.frame(data):  # nearly always
            self._work(line, *got, begin)
        self._watch.sounds()

    def _work(self, line: Line, stream: Incoming, node: int, block: Block, begin: Seconds) -> None:
        """All that the app does with a block. begin: when its frame was looked at."""
        if stream.overdue:
            block = block.overdue()
        self._program.sound(line.token, node, block)
        spent = perf_counter() - begin
        stream.counters.spent(spent)
        stream.worked(spent, block.frames / block.rate)
        if block.flags:
            self._left_out(line, node, block)

    def recording(self, line: Line, message: Mapping[str, Any]) -> bool:
        """Look whether an act begins or ends a take that comes live.

        True if that is all there is to it: the act itself follows when the take is stored.
        """
        node, act = message.get("node"), message.get("act")
        if act not in ("start_recording", "stop_recording") or message.get("value") is not None:
            return False
        if not isinstance(node, int) or not self._takes(line.token, node):
            return False
        if act == "start_recording":
            self._of(line).begin(node)
            return False
        self._finish(line, node, self._of(line).take(node))
        return True

    def dropped(self, line: Line, request: Request) -> None:
        """A chunk went to no function, because that was too slow: it is counted, and told."""
        event = request.event
        if event.port == "stream":
            self._missed(line, event.node, getattr(event.value, "frames", 0))

    def _left_out(self, line: Line, node: int, block: Block) -> None:
        """Count a block that came while the app is behind, where operators did not take it then."""
        from ..flow.blocks import OVERDUE, STALE  # numpy is loaded by apps that stream, not by all

        for each in line.metrics.chains:
            late = OVERDUE if each.target is None else STALE
            if each.source == node and block.flags & late:
                self._missed(line, node, block.frames)
                return

    def _missed(self, line: Line, node: int, frames: int) -> None:
        source = line.metrics.sources.get(node)
        if source is None:
            return
        source.dropped += frames
        key = line.token, node
        if key not in self._telling:
            self._telling.add(key)
            self._loop.call_later(TELL, self._tell_dropped, line, node)

    def _tell_dropped(self, line: Line, node: int) -> None:
        self._telling.discard((line.token, node))
        if source := line.metrics.sources.get(node):
            ms = round(1000 * source.dropped / source.rate)
            self._show(line, {"kind": "overload", "node": node, "ms": ms})

    def _of(self, line: Line) -> Live:
        """A session's live sound; made when there is some, because numpy comes with it."""
        if line.live_sound is None:
            from .streams.live import Live

            takes = partial(self._takes, line.token)
            spill = partial(self._spill, line.token)
            line.live_sound = Live(takes, line.metrics, self._loop.time, self._budgets, spill)
        return line.live_sound

    def _takes(self, token: str, id: int) -> bool:
        session = self._program.sessions.get(token)
        node = session.find(id) if session else None
        if node is None or not node.streaming or "stream" not in node.ports:
            return False
        return not isinstance(node, Component) or node.interactive is not False

    def _finish(self, line: Line, node: int, make: Callable[[], Clip]) -> None:
        """The whole take becomes the node's value; what comes meanwhile waits its turn."""
        line.held = deque()

        async def finish() -> None:
            try:
                clip = await self._pool.run(make)
                self._program.receive(Act(line.token, node, "stop_recording", clip, echo=True))
            except Exception as error:
                log.exception("a recording could not be stored", exc_info=error)
                self._show(line, wire.trouble("The recording could not be stored."))
            finally:
                self._release(line)

        self._pool.begin(finish())

    def _release(self, line: Line) -> None:
        for each in line.release():
            try:
                if line.held is not None:  # one of them ended another recording
                    line.hold(each)
                elif isinstance(each, bytes):
                    self.receive(line, each)
                else:
                    self._take(line, each)
            except ValueError as error:
                self._show(line, wire.trouble(str(error)))
            except Exception as error:  # of one message; those behind it are taken all the same
                log.exception("what waited for a recording could not be taken", exc_info=error)
                self._show(line, wire.trouble("The server failed on this; its log says why."))

    # -- out -----------------------------------------------------------------------------------

    def emit(self, line: Line, made: Sound) -> Onward | None:
        """Send a piece of generated sound, or its end, as far as the listener has room.

        What takes the rest of the stream, if it is live.
        """
        live = line.live_sound or self._of(line)
        if told := live.sound(made):
            self._show(line, told)
        self.pump(line)
        stream = live.outgoing.get(made.node) if made.live else None
        return Straight(line, live, stream, self.pump).take if stream else None

    def pump(self, line: Line) -> None:
        """Send what is due of generated sound, after what was said about it."""
        live, send = line.live_sound, line.send
        if send and live and live.outgoing:
            if line.due:
                line.flush()
            live.pump(send if line.peer is None else self.peers.way(line))

    def played(self, line: Line, message: Mapping[str, Any]) -> None:
        """Take how far a listener is. Raises InputError for a malformed message."""
        ended = self._of(line).played(message)
        self.pump(line)
        if ended:
            node, data = ended
            self._program.receive(Act(line.token, node, "playback_finished", data=data))
