"""The host of one app: its sessions, their front ends, its store of sound, its threads.

Everything here runs on the loop's thread; only executors leave it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..components.base import Component, Received
from ..flow.clock import Clock
from ..flow.errors import Error, InputError, WorldError
from ..flow.events import Tap
from ..flow.injected import ClientRequest
from ..flow.model import ENDS, Kind, Outcome
from ..flow.patches import Gone, Part, Patch, Run, Set, Sound
from ..flow.plan import Plan
from ..flow.program import Execute, Program
from ..flow.said import Act, Disconnect, Frames, Open, Reconnect, Said, Withdraw
from ..flow.shapes import is_dict
from ..flow.units import Seconds
from . import wire
from .clock import LoopClock
from .description import Description
from .executors.choose import by_kind
from .executors.pool import MAX_THREADS, Pool
from .page_code import PageCode
from .peers import Peers
from .sessions import Line, Message, Send, new_token, session_hash
from .streams import beforehand
from .streams.metrics import LinkMetrics, Metrics
from .streams.watch import Watch

if TYPE_CHECKING:
    from ..flow.audio import Clip, Media, Spill
    from ..flow.graph import Node
    from .media.documents import DocumentUpload, StoredDocument
    from .media.session import StoredSound, Upload
    from .media.store import Store
    from .streams.live import Live

log = logging.getLogger("ossicle")

DUE = 1024
"""Patches that may wait for one flush; beyond it older values of a node are left out (policy:
coalesce), which a generator that yields in a tight loop can reach."""

MAX_SESSIONS = 10_000
HELD = 4096
"""Messages of one session that may wait while its recording is being stored (policy: refuse)."""


class Host:
    """Runs one app for many sessions. Make it on the loop that it is to live on.

    show_error: tell users the text of every exception, not only of `Error`. reconnect_window:
    seconds that a session outlives its front end. page_code: its front ends run JavaScript; where
    they do not, listeners with js are named in the log and left out (rule J1). clock, pool,
    execute: what tests put in place of the loop's time and of threads. ice_servers: for WebRTC over
    networks that hide addresses. Raises ValueError for a first value that a component cannot take.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        title: str = "ossicle",
        extra: Mapping[str, Any] | None = None,
        show_error: bool = False,
        reconnect_window: Seconds = 60.0,
        max_threads: int = MAX_THREADS,
        max_sessions: int = MAX_SESSIONS,
        store: Store | None = None,
        clock: Clock | None = None,
        execute: Execute | None = None,
        page_code: bool = False,
        tap: Tap | None = None,
        pool: Pool | None = None,
        ice_servers: Sequence[str] = (),
    ) -> None:
        loop = asyncio.get_running_loop()
        if not page_code:
            plan = _without_js(plan)
        self.plan = plan
        self.description = Description(plan, title, extra or {})
        self.show_error = show_error
        self.max_sessions = max_sessions
        self._store = store
        self._loop = loop
        self.pool = pool or Pool(loop, max_threads)
        self.lines = dict[str, Line]()
        self.peers = Peers(plan, self.receive_sound, self.pool.keep, ice_servers)
        self.metrics = Metrics()
        self._budgets = plan.budgets
        self._watch = Watch(loop, self.metrics.lag)
        self._streams = any(node.streaming for node in plan.nodes)
        self._flushing = list[Line]()
        self.page_code = PageCode(self._show_at)
        self.program = Program(
            plan,
            self.page_code.around(execute or by_kind(self.pool)),
            clock or LoopClock(loop),
            self._emit,
            reconnect_window=reconnect_window,
            on_error=self._log,
            tap=tap,
            refine=None if page_code else _without_js,
        )
        for node in plan.nodes:
            if isinstance(node, Component):
                node.prepare(self._first(node))

    @property
    def store(self) -> Store:
        """Where sound is kept; made when first needed, because it loads the codecs."""
        if self._store is None:
            from .media.store import Store

            self._store = Store()
        return self._store

    def _first(self, node: Component) -> Any:
        return self.store.session("") if node.wants_media else None

    async def begin(self) -> None:
        """Do what components promised for the start: results of examples. Raises what they raise.

        Call it before the first page comes.
        """
        for node in self.plan.nodes:
            if isinstance(node, Component):
                await node.begin(self.pool.run)

    async def close(self) -> None:
        """End all sessions and give back what they held. Running functions finish on their own."""
        self._watch.close()
        await self.peers.close_all(list(self.lines.values()))
        self.program.dispose()
        self.lines.clear()
        self.pool.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    # -- sessions ------------------------------------------------------------------------------

    def connect(
        self, token: str | None, seq: int, send: Send, client: ClientRequest | None = None
    ) -> Connection:
        """Open a session, or take one up again after `seq`. What is due is sent at once.

        Raises WorldError if there are too many sessions.
        """
        if token is None:
            return Connection(self, self._open(send, client), send)
        line = self.lines.get(token)
        if line is None:
            send({"type": "gone"})
            return Connection(self, None, send)
        self._flush(line)  # what is due is missed: it comes once, after `resume`
        line.send = send
        line.metrics.link.reconnects += 1
        self.program.receive(Reconnect(line.token))
        if line.live_sound:
            line.live_sound.resume()
        missed = line.since(seq)
        if missed is None:
            self._resync(line)
        else:
            send({"type": "resume", "session": line.token, "seq": seq, "got": line.got})
            for message in missed:
                send(message)
        self._pump(line)
        return Connection(self, line, send)

    def _open(self, send: Send, client: ClientRequest | None) -> Line:
        if len(self.lines) >= self.max_sessions:
            raise WorldError(f"{self.max_sessions} sessions are open; try again later.")
        if self._streams:
            self._streams = False
            beforehand.begin()
        line = Line(new_token(), send, metrics=self.metrics.open())
        self.lines[line.token] = line
        who = client or ClientRequest()
        who = replace(who, session_hash=session_hash(line.token))
        # `open` must be the first message: what load events cause is only collected here
        self.program.receive(Open(line.token, LazyMedia(self, line.token), who))
        self._resync(line)
        return line

    def _resync(self, line: Line) -> None:
        session = self.program.sessions[line.token]
        app = self.description.of(session)
        line.missed.clear()
        assert line.send is not None
        opening = {"type": "open", "session": line.token, "seq": line.seq, "got": line.got}
        line.send({**opening, "app": app})
        if line.live:
            line.show(list(line.live.values()))

    def lost(self, line: Line, send: Send) -> None:
        """A front end's socket is gone: its session's grace begins, unless another took over."""
        if line.send is send and line.token in self.lines:
            line.send = None
            self.peers.close(line)
            self.program.receive(Disconnect(line.token))

    def knows(self, token: str) -> bool:
        return token in self.lines

    def media(self, token: str) -> Media:
        """The sounds of one session. Raises KeyError if there is no such session."""
        if token not in self.lines:
            raise KeyError(token)
        return self.store.session(token)

    def takes_files(self, token: str, node: int) -> bool:
        """Is there such a component, and may this user put a file into it?"""
        found = self._find(token, node)
        return found is not None and "upload" in found.acts

    def writer(self, token: str, name: str, node: int | None = None) -> Upload | DocumentUpload:
        """Begin an upload into a living session, of what `node` takes; of a sound without one.

        Raises KeyError if there is no such session.
        """
        self.media(token)
        takes = "sound" if node is None else self.node(token, node).uploads
        if takes == "sound":
            return self.store.receive(token, name)
        return self.store.receive_document(token, name, picture=takes == "picture")

    def sound(self, handle: str) -> StoredSound | StoredDocument:
        """What a handle leads to. Raises KeyError for one that no living session made."""
        return self.store.find(handle)

    def _find(self, token: str, id: int) -> Node | None:
        session = self.program.sessions.get(token)
        return session.find(id) if session else None

    def node(self, token: str, id: int) -> Component:
        """A session's component. Raises KeyError for an id that is none's."""
        found = self._find(token, id)
        if not isinstance(found, Component):
            raise KeyError(id)
        return found

    # -- out -----------------------------------------------------------------------------------

    def _emit(self, made: Patch) -> None:
        if isinstance(made, Sound):
            self._sound(made)
            return
        if isinstance(made, Gone):
            if line := self.lines.pop(made.session, None):
                self.metrics.close(line.metrics)
                self.peers.close(line)
            if self._store is not None:
                self._store.release(made.session)
            return
        if isinstance(made, Run):
            self._report(made.outcome)
        line = self.lines.get(made.session)
        session = self.program.sessions.get(made.session)
        if line is None or session is None:
            return
        if isinstance(made, Run) and not self._shown(line, made.outcome):
            return
        if isinstance(made, Part):
            self._add(line, self.description.part(session, made))
            return
        node = session.find(made.node) if isinstance(made, Set) else None
        self._add(line, wire.patch(made, node, session.media, self.show_error))

    def _sound(self, made: Sound) -> None:
        if line := self.lines.get(made.session):
            if told := self._live(line).sound(made):
                self._add(line, told)
            self._pump(line)

    def _pump(self, line: Line) -> None:
        """Send what is due of generated sound, after what was said about it."""
        if line.send and line.live_sound and line.live_sound.outgoing:
            if line.due:
                self._flush(line)
            line.live_sound.pump(self.peers.way(line))

    def _show_at(self, session: str, message: Message) -> None:
        if line := self.lines.get(session):
            self._add(line, message)

    def _shown(self, line: Line, outcome: Outcome) -> bool:
        """Whether a front end is told; a hidden listener is only told of when it fails."""
        request, kind = outcome.request, outcome.kind
        failed = kind in (Kind.FAILED, Kind.REJECTED)
        if request.listener.show_progress == "hidden" and not failed:
            return False
        if kind in ENDS:
            line.live.pop(request.id, None)
        else:
            line.live[request.id] = wire.run(outcome, self.show_error)
        return True

    def _add(self, line: Line, message: Message) -> None:
        if not line.due:
            self._flushing.append(line)
            if len(self._flushing) == 1:
                self._loop.call_soon(self._flush_all)
        line.due.append(message)
        if len(line.due) >= DUE:
            kept = _newest(line.due)
            line.coalesced += len(line.due) - len(kept)
            line.due = kept

    def _flush_all(self) -> None:
        lines, self._flushing = self._flushing, []
        for line in lines:
            self._flush(line)

    def _flush(self, line: Line) -> None:
        if line.due:
            due, line.due = line.due, []
            line.show(due)

    def _report(self, outcome: Outcome) -> None:
        """Each failure goes to the log with the listener that failed; none is swallowed."""
        error = outcome.value
        if outcome.kind is not Kind.FAILED or not isinstance(error, BaseException):
            return
        if isinstance(error, Error) and not error.print_exception:
            return
        expected = isinstance(error, WorldError | Error)
        event = outcome.request.event
        node = self._find(event.session, event.node)
        origin = node.where if node else "a part that is gone"
        where = f"{origin}.{event.port} → {outcome.request.listener.name}"
        log.error("%s: %s", where, error, exc_info=None if expected else error)

    def _log(self, error: Exception) -> None:
        log.error("error in a stream of the program", exc_info=error)

    # -- in ------------------------------------------------------------------------------------

    def receive(self, line: Line, message: Mapping[str, Any]) -> None:
        """Take one message of a front end. Raises ValueError with a text that may be shown."""
        if message.get("type") == "ping":  # how long the line is, whatever the session waits for
            if line.send:
                line.send({"type": "pong", "at": _whole(message, "at")})
            return
        if message.get("type") == "rtc":
            self.peers.offer(line, str(message.get("sdp")))
            return
        if "n" in message and not line.is_new(_whole(message, "n")):
            return
        if line.held is not None:
            self._hold(line, message)
            return
        self._take(line, message)

    def _take(self, line: Line, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "act":
                self._take_act(line, message)
            case "played":
                self._played(line, message)
            case "cancel":
                self.program.receive(Withdraw(line.token, _whole(message, "request")))
            case "js":
                self.page_code.answer(line.token, message)
            case "ack":
                line.acknowledge(_whole(message, "seq"))
            case other:
                raise InputError(f"a message of type {other!r} is not known.")

    def receive_sound(self, line: Line, data: bytes) -> None:
        """Take one frame of live sound. Raises ValueError with a text that may be shown."""
        if line.held is not None:
            self._hold(line, data)
            return
        begin = perf_counter()
        got = self._live(line).frame(data)
        if got:
            stream, node, block = got
            self.program.receive(Frames(line.token, node, block))
            stream.counters.spent(perf_counter() - begin)
        self._watch.sounds()

    def _live(self, line: Line) -> Live:
        """A session's live sound; made when there is some, because numpy comes with it."""
        if line.live_sound is None:
            from .streams.live import Live

            takes = partial(self._takes_live, line.token)
            spill = partial(self._spill, line.token)
            line.live_sound = Live(takes, line.metrics, self._loop.time, self._budgets, spill)
        return line.live_sound

    def _spill(self, token: str, rate: int, channels: int) -> Spill:
        return self.store.session(token).spill(rate, channels)

    def _takes_live(self, token: str, id: int) -> bool:
        session = self.program.sessions.get(token)
        node = session.find(id) if session else None
        if node is None or not node.streaming or "stream" not in node.ports:
            return False
        return not isinstance(node, Component) or node.interactive is not False

    def _take_act(self, line: Line, message: Mapping[str, Any]) -> None:
        node, act = message.get("node"), message.get("act")
        if (
            isinstance(node, int)
            and message.get("value") is None
            and self._takes_live(line.token, node)
        ):
            if act == "start_recording":
                self._live(line).begin(node)
            elif act == "stop_recording":
                self._finish_recording(line, node, self._live(line).take(node))
                return
        if said := self._act(line, message):
            self.program.receive(said)

    def _finish_recording(self, line: Line, node: int, make: Callable[[], Clip]) -> None:
        """The whole take becomes the node's value; what comes meanwhile waits its turn."""
        line.held = deque()

        async def finish() -> None:
            try:
                clip = await self.pool.run(make)
                take = Act(line.token, node, "stop_recording", clip, echo=True)
                self.program.receive(take)
            except Exception as error:
                log.exception("a recording could not be stored", exc_info=error)
                self._add(line, wire.trouble("The recording could not be stored."))
            finally:
                held, line.held = line.held or deque(), None
                self._release(line, held)

        self.pool.keep(self._loop.create_task(finish()))

    def _release(self, line: Line, held: deque[Message | bytes]) -> None:
        for each in held:
            try:
                if isinstance(each, bytes):
                    self.receive_sound(line, each)
                else:
                    self._take(line, each)
            except ValueError as error:
                self._add(line, wire.trouble(str(error)))

    def _played(self, line: Line, message: Mapping[str, Any]) -> None:
        ended = self._live(line).played(message)
        self._pump(line)
        if ended:
            node, data = ended
            self.program.receive(Act(line.token, node, "playback_finished", data=data))

    def _hold(self, line: Line, message: Mapping[str, Any] | bytes) -> None:
        assert line.held is not None
        if len(line.held) >= HELD:
            raise InputError(f"{HELD} messages wait for a recording to be stored.")
        line.held.append(message if isinstance(message, bytes) else dict(message))

    def _act(self, line: Line, message: Mapping[str, Any]) -> Said | None:
        """What an act means; None for one that was on its way while its part was made anew."""
        id = _whole(message, "node")
        session = self.program.sessions.get(line.token)
        if session is None:
            raise InputError("this session is over.")
        if session.gone(id):
            return None
        node = session.find(id)
        act, data = message.get("act"), message.get("data")
        if node is None or node.server_only:
            raise InputError(f"there is no component {id}.")
        if not isinstance(act, str) or act in ("load", "unload"):
            raise InputError(f"{node.where}: {act!r} is no act of a user.")
        if data is not None and not is_dict(data):
            raise InputError(f"{node.where}: data must be an object, not {data!r}.")
        if act == "start_recording" and self._store is None:
            # While somebody speaks there is time to load what the recording will need.
            self.pool.keep(self._loop.create_task(self.pool.run(_load_sound)))
        if isinstance(node, Component):
            now: object = session.values[id]
            received = node.receive(act, message.get("value"), data, now, session.media)
        elif act in (node.acts or node.ports):
            received = Received(data=data)
        else:
            raise InputError(f"{node.where}: {act!r} is no act of it.")
        return Act(
            line.token,
            id,
            act,
            received.value,
            received.data,
            echo=received.echo,
            component=received.component,
        )


class Connection:
    """One front end's hold on its session, from the opening of its socket to its loss."""

    def __init__(self, host: Host, line: Line | None, send: Send) -> None:
        self._host, self._line, self._send = host, line, send

    @property
    def session(self) -> str | None:
        return self._line.token if self._line else None

    @property
    def link(self) -> LinkMetrics:
        """What its socket counts."""
        return self._line.metrics.link if self._line else LinkMetrics()

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take one message. Raises ValueError with a text that may be shown."""
        if self._line is None or self._line.token not in self._host.lines:
            raise InputError("this session is over.")
        self._host.receive(self._line, message)

    def receive_sound(self, data: bytes) -> None:
        """Take one frame of live sound. Raises ValueError with a text that may be shown."""
        if self._line is None or self._line.token not in self._host.lines:
            raise InputError("this session is over.")
        self._host.receive_sound(self._line, data)

    def close(self) -> None:
        if self._line:
            self._host.lost(self._line, self._send)


class LazyMedia:
    """A session's sounds, made when first touched: most sessions of most apps have none."""

    def __init__(self, host: Host, token: str) -> None:
        self._host, self._token = host, token

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host.store.session(self._token), name)


def _without_js(plan: Plan) -> Plan:
    left_out = [each for each in plan.listeners if each.options.js is not None]
    for each in left_out:
        log.warning("%s: needs JavaScript, which this front end has not; left out.", each.name)
    return plan.without(left_out) if left_out else plan


def _load_sound() -> None:
    import_module("soundfile")
    import_module(".media.store", __package__)


def _whole(message: Mapping[str, Any], name: str) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise InputError(f"{name} must be a whole number, not {value!r}.")
    return value


def _newest(due: list[Message]) -> list[Message]:
    """Without values that a later patch for the same node replaces."""
    kept, seen = list[Message](), set[tuple[int, str]]()
    for message in reversed(due):
        if message["kind"] == "set":
            props = {n: v for n, v in message["props"].items() if (message["node"], n) not in seen}
            seen.update((message["node"], n) for n in props)
            if not props:
                continue
            message = {**message, "props": props}
        kept.append(message)
    return kept[::-1]
