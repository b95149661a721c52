"""The host of one app: its sessions, their front ends, its store of sound, its threads.

Everything here runs on the loop's thread but `store`, which functions' threads ask for as well.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from time import get_clock_info, perf_counter, thread_time
from typing import TYPE_CHECKING, Any

from ..components.base import Component
from ..flow.clock import Clock
from ..flow.errors import Error, InputError, WorldError, named, text_of
from ..flow.events import Tap
from ..flow.injected import ClientRequest
from ..flow.model import ENDS, Kind, Outcome
from ..flow.patches import Command, Fault, Gone, Onward, Part, Patch, Run, Set, Sound, Toast
from ..flow.plan import Plan
from ..flow.program import Execute, Program
from ..flow.results import UNSET
from ..flow.said import Disconnect, Open, Reconnect, Withdraw
from ..flow.units import Seconds
from . import wire
from .acts import SET, act_of, standing, whole
from .clock import LoopClock
from .description import Description
from .executors.choose import by_kind
from .executors.pool import MAX_THREADS, Pool
from .live_sound import LiveSound
from .media.codecs import look
from .media.lazy import LazyMedia
from .page_code import PageCode
from .sessions import Line, Message, Send, new_token, session_hash
from .streams import beforehand
from .streams.metrics import LinkMetrics, Metrics

if TYPE_CHECKING:
    from ..flow.audio import Media
    from ..flow.graph import Node
    from ..flow.session import Session
    from .media.documents import DocumentUpload, StoredDocument
    from .media.session import Session as Sounds
    from .media.session import StoredSound, Upload
    from .media.store import Store

log = logging.getLogger("ossicle")

MAX_SESSIONS = 10_000
COST = thread_time if get_clock_info("thread_time").resolution < 1e-6 else perf_counter
"""What a chain of operators costs: processor time, where that is told finely (not on Windows)."""


class Host:
    """Runs one app for many sessions. Make it on the loop that it is to live on.

    show_error: tell users the text of every exception, not only of `Error`. reconnect_window:
    seconds that a session outlives its front end. page_code: its front ends run JavaScript; where
    they do not, listeners with js are named in the log and left out (rule J1). clock, pool,
    execute: what tests put in place of the loop's time and of threads. ice_servers: for WebRTC over
    networks that hide addresses. store: where sound is kept, or how that is made once it is needed
    (make_store). Raises ValueError for a first value that a component cannot take.
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
        make_store: Callable[[], Store] | None = None,
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
        self._make_store = make_store
        self._storing = threading.Lock()
        self._loop = loop
        self.pool = pool or Pool(loop, max_threads)
        self.lines = dict[str, Line]()
        self.metrics = Metrics()
        self.metrics.disk = lambda: self._store.writing() if self._store else {}
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
            cost=COST,
        )
        self.sounds = LiveSound(
            self.program,
            self.pool,
            self.metrics.lag,
            take=self._take,
            show=self._add,
            spill=lambda token, rate, channels: self._media(token).spill(rate, channels),
            ice_servers=ice_servers,
        )
        for node in plan.nodes:
            if isinstance(node, Component):
                node.prepare(self._first(node))

    @property
    def store(self) -> Store:
        """Where sound is kept; made when first needed, because it loads the codecs. Any thread."""
        with self._storing:
            if self._store is None and self._make_store is not None:
                self._store = self._make_store()
            elif self._store is None:
                from .media.store import Store

                self._store = Store()
            return self._store

    def _media(self, token: str) -> Sounds:
        """A session's sounds. A job may outlive its session: then they refuse what it brings."""
        media = self.store.session(token)
        if token not in self.lines:
            self.store.release(token)
        return media

    def _first(self, node: Component) -> Any:
        return self.store.session("") if node.wants_media else None

    async def begin(self) -> None:
        """Do what components promised for the start: results of examples. Raises what they raise.

        Call it before the first page comes.
        """
        self.sounds.peers.load()
        self.description.tell(await look(self.plan.nodes, self.pool.run))
        for node in self.plan.nodes:
            if isinstance(node, Component):
                await node.begin(self.pool.run)

    async def close(self) -> None:
        """End all sessions and give back what they held. Running functions finish on their own."""
        await self.sounds.close(list(self.lines.values()))
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
        line.flush()  # what is due is missed: it comes once, after `resume`
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
        self.sounds.pump(line)
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
        self.program.receive(Open(line.token, LazyMedia(lambda: self._media(line.token)), who))
        line.metrics.chains = self.program.sessions[line.token].pipes
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
            self.sounds.peers.close(line)
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
        taker = None if node is None else self.node(token, node)
        if taker is None or taker.uploads == "sound":
            return self.store.receive(token, name, taker and taker.check_upload)
        return self.store.receive_document(token, name, picture=taker.uploads == "picture")

    def sound(self, handle: str) -> StoredSound | StoredDocument:
        """What a handle leads to. Raises KeyError for one that no living session made."""
        if self._store is None:  # a stranger's guess must not load the codecs
            raise KeyError(handle)
        return self._store.find(handle)

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

    def _emit(self, made: Patch) -> Onward | None:
        line = self.lines.get(made.session)
        if isinstance(made, Run):
            outcome = made.outcome
            if outcome.kind is Kind.FAILED:
                self._report(outcome)
            if line:
                if outcome.request.event.port == "stream":
                    line.metrics.called(outcome, self._loop.time())
                if outcome.kind is Kind.DROPPED:
                    self.sounds.dropped(line, outcome.request)
                self._station(line, outcome)
        elif isinstance(made, Sound):
            return self.sounds.emit(line, made) if line else None
        elif isinstance(made, Gone):
            self._gone(made)
        elif isinstance(made, Fault):
            self._fault(made)
        elif line and (session := self.program.sessions.get(made.session)):
            self._shows(line, session, made)
        return None

    def _shows(self, line: Line, session: Session, made: Set | Toast | Command | Part) -> None:
        if isinstance(made, Part):
            for value in made.left:
                line.leave(value)
            self._add(line, self.description.part(session, made))
            return
        node = session.find(made.node) if isinstance(made, Set) else None
        if node and node.heavy and isinstance(made, Set) and made.value is not UNSET:
            line.leave(session.value(node))
        self._add(line, wire.patch(made, node, session.media))

    def _gone(self, made: Gone) -> None:
        if line := self.lines.pop(made.session, None):
            self.metrics.close(line.metrics)
            line.metrics.chains = ()
            self.sounds.peers.close(line)
        if self._store is not None:
            self._store.release(made.session)

    def _fault(self, fault: Fault) -> None:
        from .streams.faults import log_fault, told

        log_fault(fault)
        line = self.lines.get(fault.session)
        if line and (message := told(fault, self.show_error)):
            self._add(line, message)

    def _show_at(self, session: str, message: Message) -> None:
        if line := self.lines.get(session):
            self._add(line, message)

    def _station(self, line: Line, outcome: Outcome) -> None:
        """Tell a front end; of a hidden listener only when it fails."""
        request, kind = outcome.request, outcome.kind
        hidden = request.listener.show_progress == "hidden"
        if hidden and kind is not Kind.FAILED and kind is not Kind.REJECTED:
            return
        message = wire.run(outcome, self.show_error)
        if kind in ENDS:
            line.live.pop(request.id, None)
        else:
            line.live[request.id] = message
        self._add(line, message)

    def _add(self, line: Line, message: Message) -> None:
        if not line.due:
            self._flushing.append(line)
            if len(self._flushing) == 1:
                self._loop.call_soon(self._flush_all)
        line.put(message)

    def _flush_all(self) -> None:
        lines, self._flushing = self._flushing, []
        for line in lines:
            try:
                line.flush()
            except Exception:  # of one front end; the others' patches are due all the same
                log.exception("a front end failed to take what it was sent")

    def _report(self, outcome: Outcome) -> None:
        """Each failure goes to the log with the listener that failed; none is swallowed."""
        error = outcome.value
        if not isinstance(error, BaseException):
            return
        if isinstance(error, Error) and not error.print_exception:
            return
        expected = isinstance(error, WorldError | Error)
        event, listener = outcome.request.event, outcome.request.listener
        line = self.lines.get(event.session)
        count = line.failures.count(listener.id, event) if line else 1
        if not count:
            return
        node = self._find(event.session, event.node)
        origin = node.where if node else "a part that is gone"
        where = f"{origin}.{event.port} → {listener.name}"
        if count > 1:
            text = named(error)
            log.error("%s: failed %d times in this recording, now with: %s", where, count, text)
            return
        text = (text_of(error) if expected else named(error)).removeprefix(f"{listener.name}: ")
        log.error("%s: %s", where, text, exc_info=None if expected else error)

    def _log(self, error: Exception) -> None:
        *_, where = getattr(error, "__notes__", ()) or ("outside of any request",)
        log.error("%s: %s", where, named(error), exc_info=error)

    # -- in ------------------------------------------------------------------------------------

    def receive(self, line: Line, message: Mapping[str, Any]) -> None:
        """Take one message of a front end. Raises ValueError with a text that may be shown."""
        if message.get("type") == "ping":  # how long the line is, whatever the session waits for
            at = whole(message, "at")
            if "trip" in message:
                line.metrics.link.trip_ms = whole(message, "trip") / 10
            if line.send:
                line.send({"type": "pong", "at": at})
            return
        if message.get("type") == "figures":
            node = whole(message, "node")
            if line.send:
                line.send({"type": "figures", "node": node, **line.metrics.at(node)})
            return
        if message.get("type") == "rtc":
            self.sounds.peers.offer(line, str(message.get("sdp")))
            return
        if "n" in message:
            line.flush()  # it carries what came before this, and so which values are newer
            if not line.is_new(whole(message, "n")):
                return
        if line.held is not None:
            line.hold(dict(message))
            return
        self._take(line, message)

    def _take(self, line: Line, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "act":
                self._take_act(line, message)
            case "played":
                self.sounds.played(line, message)
            case "cancel":
                self.program.receive(Withdraw(line.token, whole(message, "request")))
            case "js":
                self.page_code.answer(line.token, message)
            case "ack":
                line.acknowledge(whole(message, "seq"))
            case other:
                raise InputError(f"a message of type {other!r} is not known.")

    def _take_act(self, line: Line, message: Mapping[str, Any]) -> None:
        if self.sounds.recording(line, message):
            return
        session = self.program.sessions.get(line.token)
        try:
            act = act_of(session, message)
        except InputError:
            if session and message.get("act") == SET and (again := standing(session, message)):
                self.program.receive(again)
            raise
        if act is None:
            return
        if act.act == "start_recording" and self._store is None:
            # While somebody speaks there is time to load what the recording will need.
            self.pool.ahead(_load_sound)
        self.program.receive(act)


class Connection:
    """One front end's hold on its session, from the opening of its socket to its loss."""

    __slots__ = ("_host", "_line", "_send")

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

    def receive_sound(self, data: bytes, more: bool = False) -> None:
        """Take one frame of live sound. Raises ValueError with a text that may be shown.

        more: another frame is handed over next, before anything else; this one may wait for it.
        """
        if self._line is None or self._line.token not in self._host.lines:
            raise InputError("this session is over.")
        self._host.sounds.receive(self._line, data, more)

    def close(self) -> None:
        if self._line:
            self._host.lost(self._line, self._send)


def _without_js(plan: Plan) -> Plan:
    left_out = [each for each in plan.listeners if each.options.js is not None]
    for each in left_out:
        log.warning("%s: needs JavaScript, which this front end has not; left out.", each.name)
    return plan.without(left_out) if left_out else plan


def _load_sound() -> None:
    import_module("soundfile")
    import_module(".media.store", __package__)
