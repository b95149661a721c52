"""The program as one operator: from what people do to what they must be shown.

acts → events → listeners → trigger mode and queue → job → outcomes → patches, with each changed
value fed back as a `change` event. All sessions of an app are in it; none sees another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.abc import DisposableBase
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable

from .calls import Call, Member, Write
from .cancel import CancelToken
from .clock import Clock
from .fragments import Fragment, Overlay, Standing
from .graph import Node
from .injected import ClientRequest
from .listeners import Listener
from .model import ENDS, Cause, Event, Job, Kind, Outcome, Request
from .notices import Notice, Report
from .patches import Command, Gone, Part, Patch, Run, Set, Sound, Toast
from .plan import Plan, compile_plan
from .queue import Ask, Cancel, Queue
from .results import UNSET
from .same import same
from .scheduler import Scheduler, Step
from .timers import Ticker
from .units import Seconds
from .work import Work

if TYPE_CHECKING:
    from .blocks import Block
    from .chunks import Chunk, Chunker
    from .sources import Derived

# -- what a front end says ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """A session begins. `media` is handed to its components, `client` to functions that ask."""

    session: str
    media: Any = None
    client: ClientRequest = ClientRequest()


@dataclass(frozen=True, slots=True)
class Act:
    """A person (or a stream) did something at a node.

    `value`, in stored form, is the node's new value; `echo` also shows it to the one who acted.
    With the cause "stream" it is a chunk, which is no value of the node (rule E7).
    """

    session: str
    node: int
    act: str
    value: object = UNSET
    data: Mapping[str, object] | None = None
    cause: Cause = Cause.USER
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Frames:
    """More of a live stream of a node: a block (rule E7)."""

    session: str
    node: int
    block: Block


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The user no longer wants this request."""

    session: str
    request: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The front end went away; it may come back within the reconnect window (rule C5)."""

    session: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """It came back."""

    session: str


@dataclass(frozen=True, slots=True)
class Close:
    """The session is over, now."""

    session: str


Said = Open | Act | Frames | Withdraw | Disconnect | Reconnect | Close

Execute = Callable[[Call, CancelToken], "Observable[Step | Notice | Report]"]
"""An executor, one of the four plugs: it prepares the call, runs its function where it likes, and
gives one step per result. It completes only when the work has really stopped (rule Q3)."""

Tap = Callable[[object], None]
"""Hears every `Said`, `Event`, `Request`, `Outcome` and `Patch`, in order (rule X1)."""

FOLLOWERS = {
    Kind.SUCCEEDED: ("success", "then"),
    Kind.FAILED: ("failure", "then"),
    Kind.REJECTED: ("failure", "then"),
    Kind.CANCELLED: ("cancelled", "then"),
}
"""Rule H1. A dropped request never was a run: nothing follows it."""

MOST_LIVE: Seconds = 3600.0
"""Of live sound that goes out are kept for the value that it leaves; beyond it the stream goes on
and the value does not grow (policy: keep first)."""

CHUNKS = (Cause.STREAM, Cause.USER)
"""Causes of `stream` events that carry a chunk; a follower's or a timer's does not."""


@dataclass(slots=True, eq=False)
class Session:
    """One user's values, and the components as this user has them."""

    id: str
    values: dict[int, object]
    media: Any
    client: ClientRequest
    watched: frozenset[int]
    """Nodes whose values `change` is asked about."""
    ticking: frozenset[int]
    states: frozenset[int]
    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    """Those that are other than in the plan, or only here."""
    overlay: Overlay | None = None
    """The parts of the page that were made for this session, once there was one."""
    connected: bool = True
    closed: bool = False
    pending: int = 0
    contents: dict[int, object] = field(default_factory=dict[int, object])
    """What the values of watched nodes were when `change` last compared them."""
    tickers: dict[tuple[str, int], Ticker] = field(default_factory=dict[tuple[str, int], Ticker])
    streams: dict[tuple[int, str], Subject[Event]] = field(
        default_factory=dict[tuple[int, str], "Subject[Event]"]
    )
    subscriptions: CompositeDisposable = field(default_factory=CompositeDisposable)
    chunkers: dict[tuple[int, Seconds], Chunker] = field(
        default_factory=dict[tuple[int, Seconds], "Chunker"]
    )
    limits: dict[int, DisposableBase] = field(default_factory=dict[int, DisposableBase])
    """By node: what will stop a recording that has a time limit."""
    sounding: dict[int, Sounding] = field(default_factory=dict[int, "Sounding"])
    passing: dict[int, Passing] = field(default_factory=dict[int, "Passing"])
    """By listener: the recording whose chunks it turns into sound."""
    chunk_of: dict[int, Passing] = field(default_factory=dict[int, "Passing"])
    """The same by request."""
    epochs: int = 0
    grace: DisposableBase | None = None


@dataclass(slots=True, eq=False)
class Sounding:
    """What was streamed to one node so far: by one request, or by all chunks of one recording."""

    source: int | Passing
    epoch: int
    pieces: list[object]
    kept: Seconds = 0.0
    last: object = None


@dataclass(slots=True, eq=False)
class Passing:
    """One recording on its way through one listener that returns sound for it."""

    node: int
    listener: int
    outputs: tuple[int, ...]
    pending: int = 0
    over: bool = False


class Program:
    """The sessions of one app. Feed it with `receive`; patches come out of `emit`."""

    def __init__(
        self,
        plan: Plan,
        execute: Execute,
        clock: Clock,
        emit: Callable[[Patch], None],
        *,
        reconnect_window: Seconds = 60.0,
        on_error: Callable[[Exception], None],
        tap: Tap | None = None,
        refine: Callable[[Plan], Plan] | None = None,
    ) -> None:
        """refine: what the front end has done to the plan, for the plans of parts."""
        self.plan = plan
        self.clock = clock
        self.sessions = dict[str, Session]()
        self.dropped = 0
        """Requests that a trigger mode or a late tick dropped, over all sessions."""
        self._emit, self._on_error, self._tap = emit, on_error, tap
        self._execute = execute
        self._refine = refine
        self._window = reconnect_window
        self._events = 0
        self._requests = 0
        watched = {node for node, ports in plan.ports.items() if "change" in ports}
        self._watched = frozenset(range(len(plan.nodes)) if tap else watched)
        self._ticking = frozenset(node.id for node in plan.ticking)
        self._states = frozenset(node.id for node in plan.nodes if node.server_only)
        self._turns = 0
        self._due = list[Ask | Cancel]()
        queue = Queue(plan.settings.max_size)
        self._scheduler = Scheduler(self._run, clock, queue, self._on_outcome, self._stray)

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing runs, and nothing is kept about what did."""
        return self._scheduler.idle

    # -- what comes in -------------------------------------------------------------------------

    def receive(self, said: Said) -> None:
        """Take what a front end says. Unknown sessions are ignored: they may just have ended."""
        if self._tap:
            self._tap(said)
        self._turn(lambda: self._take(said))

    def _turn(self, action: Callable[[], None]) -> None:
        """All that one act asks for is asked together: its events see the same values, and none of
        its functions runs before the last of its requests is made (rules E4, I1)."""
        self._turns += 1
        try:
            action()
        finally:
            self._turns -= 1
            if self._due and not self._turns:
                self._post()

    def _post(self) -> None:
        due, self._due = self._due, []
        self._scheduler.post_all(due)

    def _take(self, said: Said) -> None:
        if isinstance(said, Open):
            self._open(said)
            return
        session = self.sessions.get(said.session)
        if session is None or session.closed:
            return
        match said:
            case Act():
                self._act(session, said)
            case Frames(node=node, block=block):
                self._frames(session, node, block)
            case Withdraw(request=request):
                self._due.append(Cancel(session.id, None, request))
            case Disconnect():
                if session.connected:
                    session.connected = False
                    until = self.clock.seconds + self._window
                    session.grace = self.clock.at(until, lambda: self.receive(Close(session.id)))
            case Reconnect():
                session.connected = True
                if session.grace:
                    session.grace.dispose()
                    session.grace = None
            case Close():
                self._close(session)

    def dispose(self) -> None:
        """Close all sessions and ask all work to stop."""
        for session in tuple(self.sessions.values()):
            self.receive(Close(session.id))
        self._scheduler.stop_all()

    def _open(self, said: Open) -> None:
        values = {n.id: n.initial() for n in self.plan.nodes if n.holds_value}
        session = Session(
            said.session,
            values,
            said.media,
            said.client,
            self._watched,
            self._ticking,
            self._states,
        )
        for id in self._watched & values.keys():
            session.contents[id] = self.plan.nodes[id].content(values[id])
        self.sessions[session.id] = session
        self._subscribe_all(session, self.plan, session.subscriptions)
        for number, edge in enumerate(self.plan.edges):
            self._connect(session, -1 - number, *edge, session.subscriptions)
        for node in self.plan.ticking:
            self._tick(session, node)
        self._happen(session, 0, "load", Cause.LOAD)

    def _close(self, session: Session) -> None:
        session.closed = True
        for ticker in session.tickers.values():
            ticker.dispose()
        session.tickers.clear()
        for limit in session.limits.values():
            limit.dispose()
        session.limits.clear()
        session.subscriptions.dispose()
        session.streams.clear()
        if session.grace:
            session.grace.dispose()
        self._due.append(Cancel(session.id, leaving=True))
        self._happen(session, 0, "unload", Cause.PROGRAM)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        if session.closed and not session.pending and self.sessions.pop(session.id, None):
            self._show(Gone(session.id))

    # -- events --------------------------------------------------------------------------------

    def _act(self, session: Session, said: Act) -> None:
        node = self._node(session, said.node)
        moved = False
        if said.act == "start_recording":
            self._begin_stream(session, node)
        elif said.act == "stop_recording":
            self._end_stream(session, node)
        if said.value is not UNSET and said.cause is not Cause.STREAM:
            moved = self._store(session, node, said.value)
            if said.echo:
                self._show(Set(session.id, node.id, said.value))
        for port in node.acts.get(said.act, (said.act,)):
            if port in node.ports:
                self._happen(session, node.id, port, said.cause, said.value, said.data)
        if moved:
            self._happen(session, node.id, "change", said.cause, said.value)

    def _happen(
        self,
        session: Session,
        node: int,
        port: str,
        cause: Cause,
        value: object = UNSET,
        data: Mapping[str, object] | None = None,
        after: Request | Event | None = None,
    ) -> None:
        """One event: told to the tap, to derived streams, and to each listener in order."""
        listeners = self.plan.at_port.get((node, port), ())
        if session.overlay:
            listeners = (*listeners, *session.overlay.at_port.get((node, port), ()))
        stream = session.streams.get((node, port))
        if not (listeners or stream or self._tap):
            return
        event = self._event(session, node, port, cause, value, data, after)
        for listener in listeners:
            self._ask(session, listener, event)
        if stream:
            stream.on_next(event)

    def _event(
        self,
        session: Session,
        node: int,
        port: str,
        cause: Cause,
        value: object,
        data: Mapping[str, object] | None,
        after: Request | Event | None,
    ) -> Event:
        """`after`: the request whose work made it, or the event that an operator made it of."""
        self._events += 1
        hops, path = 0, ()
        if isinstance(after, Event):
            hops, path = after.hops, after.path
        elif after:
            hops, path = after.event.hops + 1, (*after.event.path, after.listener.name)
        event = Event(
            id=self._events,
            session=session.id,
            node=node,
            port=port,
            cause=cause,
            at=self.clock.seconds,
            value=None if value is UNSET else value,
            parent=after.id if after else None,
            data=data,
            hops=hops,
            path=path,
            derived=isinstance(after, Event),
        )
        if self._tap:
            self._tap(event)
        return event

    def _ask(self, session: Session, listener: Listener, event: Event, chunk: bool = False) -> None:
        """One event becomes a request. `chunk`: it is a piece of a sound that goes on."""
        if session.closed and event.port != "unload" and listener.on_disconnect == "cancel":
            return  # it would be cancelled at once (rule C5)
        for cancelled in sorted(listener.cancels):
            self._stop_ticker(session, "listener", cancelled)
        if listener.every is not None and event.cause is not Cause.TIMER:
            self._every(session, listener, event)
        values = session.values
        if event.port == "stream" and event.cause in CHUNKS:  # the node's own input is the chunk
            inputs = tuple(event.value if n == event.node else values[n] for n in listener.inputs)
        else:
            inputs = tuple(values[n] for n in listener.inputs)
        self._requests += 1
        request = Request(self._requests, session.id, listener, event, inputs)
        session.pending += 1
        if chunk:
            self._pass(session, request)
        if self._tap:
            self._tap(request)
        self._due.append(Ask(request))

    def _subscribe_all(self, session: Session, plan: Plan, into: CompositeDisposable) -> None:
        for derived, listener in plan.derived:
            node, operators = derived.base.node.id, derived.operators
            self._subscribe(session, node, derived.port, operators, listener, into)

    def _subscribe(
        self,
        session: Session,
        node: int,
        port: str,
        operators: tuple[Callable[[Observable[object]], Observable[object]], ...],
        listener: Listener,
        into: CompositeDisposable,
    ) -> None:
        """Rule E8: one subscription per session and derived trigger, on the session's clock."""
        stream = session.streams.setdefault((node, port), Subject[Event]())
        subscription = SerialDisposable()
        into.add(subscription)
        last: Event | None = None
        sound = _block_type() if port == "stream" else None

        def given(event: Event) -> object:
            nonlocal last
            last = event
            return event.value if port == "stream" else event

        def fire(value: object) -> None:
            chunk = False
            if isinstance(value, Event):
                cause, data, inner, after = value.cause, value.data, value.value, value
            elif sound and isinstance(value, sound):
                if not value.frames:
                    return  # it only carries a flag, which is for operators
                cause, data, after = Cause.STREAM, {"value": value, "index": value.index}, last
                inner = self._node(session, node).chunk(value)
                chunk = not (value.whole)
            else:  # an operator's own: of the newest event that it got
                cause, data, inner, after = Cause.STREAM, {"value": value}, value, last
            made = self._event(session, node, port, cause, inner, data, after)
            self._turn(lambda: self._ask(session, listener, made, chunk))

        def failed(error: Exception) -> None:
            nonlocal last
            self._on_error(error)  # rule R3: an error in an operator ends no stream
            if last:  # else it fails at once, whatever comes
                last = None
                subscribe()

        def subscribe() -> None:
            derived = stream.pipe(ops.map(given), *operators)
            subscription.disposable = derived.subscribe(fire, failed, scheduler=self.clock)

        subscribe()

    # -- live streams --------------------------------------------------------------------------

    def _begin_stream(self, session: Session, node: Node) -> None:
        """A recording starts: its time limit counts from here."""
        self._end_passing(session, node)
        sizes = self._chunked(session, node.id)
        limits = [each.options.time_limit for found in sizes.values() for each in found]
        least = min((each for each in limits if each is not None), default=None)
        if least is not None:
            command = Command(session.id, node.id, "stop_recording")
            at = self.clock.seconds + least
            session.limits[node.id] = self.clock.at(at, lambda: self._show(command))

    def _end_stream(self, session: Session, node: Node) -> None:
        """The last, shorter chunk comes before `stop_recording`."""
        if limit := session.limits.pop(node.id, None):
            limit.dispose()
        for every, listeners in self._chunked(session, node.id).items():
            if chunker := session.chunkers.pop((node.id, every), None):
                for chunk in chunker.flush():
                    self._chunk(session, node, chunk, listeners)
        self._end_passing(session, node)

    def _frames(self, session: Session, id: int, block: Block) -> None:
        """More of a live stream: as it is to derived streams, in chunks to listeners."""
        node = self._node(session, id)
        if stream := session.streams.get((id, "stream")):
            none = None
            stream.on_next(self._event(session, id, "stream", Cause.STREAM, block, none, none))
        for every, listeners in self._chunked(session, id).items():
            chunker = session.chunkers.get((id, every))
            if chunker is None:
                from .chunks import Chunker  # numpy is loaded by apps that stream, not by all

                chunker = session.chunkers[id, every] = Chunker(every)
            for chunk in chunker.push(block):
                self._chunk(session, node, chunk, listeners)

    def _chunked(self, session: Session, id: int) -> Mapping[Seconds, tuple[Listener, ...]]:
        """Who gets chunks of a node's stream, by their length."""
        found = self.plan.chunked.get(id, {})
        more = session.overlay.chunked.get(id) if session.overlay else None
        if not more:
            return found
        return {n: (*found.get(n, ()), *more.get(n, ())) for n in {**found, **more}}

    def _chunk(
        self, session: Session, node: Node, chunk: Chunk, listeners: tuple[Listener, ...]
    ) -> None:
        value = node.chunk(chunk.block)
        data = {"index": chunk.block.index, "gap": chunk.gap}
        event = self._event(session, node.id, "stream", Cause.STREAM, value, data, None)
        for listener in listeners:
            self._ask(session, listener, event, chunk=True)

    def _pass(self, session: Session, request: Request) -> None:
        """A chunk goes to a listener; what that returns for a streaming output is live sound."""
        listener, node = request.listener, request.event.node
        passing = session.passing.get(listener.id)
        if passing is None:
            outputs = tuple(
                id for id in listener.outputs if id != node and self._node(session, id).streaming
            )
            if not outputs:
                return
            passing = session.passing[listener.id] = Passing(node, listener.id, outputs)
        passing.pending += 1
        session.chunk_of[request.id] = passing

    def _connect(
        self,
        session: Session,
        key: int,
        derived: Derived,
        target: Node,
        into: CompositeDisposable,
    ) -> None:
        """Sound through operators straight into a node, synchronously, for one session.

        key: its own, negative, where listeners have their ids.
        """
        source = derived.base.node.id
        stream = session.streams.setdefault((source, "stream"), Subject[Event]())
        subscription = SerialDisposable()
        into.add(subscription)

        def given(event: Event) -> object:
            return event.value

        def hear(value: object) -> None:
            block = cast("Block", value)
            if not block.frames:
                return
            passing = session.passing.get(key)
            if passing is None:
                passing = session.passing[key] = Passing(source, key, (target.id,))
            self._piece(session, passing, target.id, block, (source, block.index / block.rate))

        def failed(error: Exception) -> None:
            self._on_error(error)  # rule R3: an error in an operator ends no stream
            subscribe()

        def subscribe() -> None:
            sound = stream.pipe(ops.map(given), *derived.operators)
            subscription.disposable = sound.subscribe(hear, failed, scheduler=self.clock)

        subscribe()

    def _end_passing(self, session: Session, node: Node) -> None:
        """A recording is over: what goes out of it ends with its last chunk."""
        for passing in [each for each in session.passing.values() if each.node == node.id]:
            del session.passing[passing.listener]
            passing.over = True
            if not passing.pending:
                self._end_sounds(session, passing, "end")

    def _chunk_ended(self, session: Session, request: Request) -> None:
        passing = session.chunk_of.pop(request.id, None)
        if passing is None:
            return
        passing.pending -= 1
        if passing.over and not passing.pending:
            self._end_sounds(session, passing, "end")

    def _sound(self, session: Session, request: Request, write: Write) -> None:
        """One more piece of what is streamed to a node."""
        passing = session.chunk_of.get(request.id)
        origin = _origin(request.event) if passing else None
        self._piece(session, passing or request.id, write.node, write.piece, origin)

    def _piece(
        self,
        session: Session,
        source: int | Passing,
        node: int,
        piece: object,
        origin: tuple[int, Seconds] | None,
    ) -> None:
        playing = session.sounding.get(node)
        if playing is None or playing.source != source:
            if playing:
                self._show(Sound(session.id, node, playing.epoch, "flush"))
            session.epochs += 1
            playing = session.sounding[node] = Sounding(source, session.epochs, [])
        if piece is None:
            return
        playing.last = piece
        live = isinstance(source, Passing)
        if not live or playing.kept < MOST_LIVE:
            playing.pieces.append(piece)
            playing.kept += getattr(piece, "duration", 0.0)
        self._show(Sound(session.id, node, playing.epoch, "more", piece, live, origin))

    def _end_sound(self, session: Session, outcome: Outcome) -> None:
        """After a cancel the listener hears no more of what a generator streamed."""
        request = outcome.request
        stage = "flush" if outcome.kind is Kind.CANCELLED else "end"
        self._end_sounds(session, request.id, stage, request)

    def _end_sounds(
        self,
        session: Session,
        source: int | Passing,
        stage: Literal["end", "flush"],
        request: Request | None = None,
    ) -> None:
        """What was streamed from one source becomes the value."""
        for id in [id for id, each in session.sounding.items() if each.source == source]:
            playing = session.sounding.pop(id)
            self._show(Sound(session.id, id, playing.epoch, stage))
            if playing.pieces:
                value = self._node(session, id).joined(playing.pieces)
                self._apply(session, request, (Write(id, value),))

    # -- timers --------------------------------------------------------------------------------

    def _tick(self, session: Session, node: Node) -> None:
        """(Re)start a node's own timer by its present properties."""
        self._stop_ticker(session, "node", node.id)
        period = node.period(session.values[node.id])
        if period is not None:

            def tick() -> None:
                self._happen(session, node.id, "tick", Cause.TIMER)

            def fire() -> None:
                if session.connected:
                    self._turn(tick)

            session.tickers["node", node.id] = Ticker(self.clock, period, fire)

    def _every(self, session: Session, listener: Listener, event: Event) -> None:
        """Rule M1: from its trigger, at every multiple."""
        self._stop_ticker(session, "listener", listener.id)
        assert listener.every is not None

        def fire() -> None:
            if session.connected:
                tick = self._event(
                    session, event.node, event.port, Cause.TIMER, UNSET, event.data, None
                )
                self._turn(lambda: self._ask(session, listener, tick))

        ticker = Ticker(self.clock, listener.every, fire)
        session.tickers["listener", listener.id] = ticker

    def _stop_ticker(self, session: Session, kind: str, id: int) -> None:
        if ticker := session.tickers.pop((kind, id), None):
            ticker.dispose()

    # -- jobs ----------------------------------------------------------------------------------

    def _run(self, job: Job, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        if job.listener.part and self._is_old(job.requests[0]):
            # its nodes are gone; that it is cancelled stands behind it in the scheduler's inbox
            return Work(lambda observer: cancel.on_request(observer.on_completed))
        return self._execute(Call(job.listener, tuple(map(self._member, job.requests))), cancel)

    def _member(self, request: Request) -> Member:
        """What a member sees, as its job starts: State is read now, the rest as of its event."""
        session = self.sessions[request.session]
        listener, values = request.listener, request.inputs
        if listener.inputs and not session.states.isdisjoint(listener.inputs):
            values = tuple(
                session.values[id] if id in session.states else value
                for id, value in zip(listener.inputs, values, strict=True)
            )
        return Member(
            request,
            values,
            self._nodes(session, listener.inputs),
            self._nodes(session, listener.outputs),
            self._node(session, request.event.node),
            session.media,
            session.client,
            self._before(session, request),
        )

    def _before(self, session: Session, request: Request) -> Mapping[int, object] | None:
        """For a chunk's call: what its live outputs sounded last."""
        passing = session.chunk_of.get(request.id)
        if passing is None:
            return None
        found = {id: session.sounding.get(id) for id in passing.outputs}
        return {
            id: each.last if each and each.source is passing else None for id, each in found.items()
        }

    # -- outcomes ------------------------------------------------------------------------------

    def _stray(self, job: Job, error: Exception) -> None:
        error.add_note(f"in {job.listener.name}, after all who asked for it had gone")
        self._on_error(error)

    def _on_outcome(self, outcome: Outcome) -> None:
        if self._tap:
            self._tap(outcome)
        self._turns += 1
        try:
            self._outcome(outcome)
        except Exception as error:  # a component's own; it must not end what others do (rule R3)
            self._on_error(error)
        finally:
            self._turns -= 1
            if self._due and not self._turns:
                self._post()

    def _outcome(self, outcome: Outcome) -> None:
        request = outcome.request
        session = self.sessions[request.session]
        kind = outcome.kind
        if kind is Kind.YIELDED:
            if request.listener.part and self._is_old(request):
                return  # where it would go is gone
            self._apply(session, request, cast("tuple[Write, ...]", outcome.value))
            return
        if kind is Kind.NOTICE:
            if isinstance(outcome.value, Notice):
                self._show(Toast(session.id, outcome.value))
            return
        self.dropped += kind is Kind.DROPPED
        self._show(Run(session.id, outcome))
        if kind not in ENDS:
            return
        if session.sounding:
            self._end_sound(session, outcome)
        if session.chunk_of:
            self._chunk_ended(session, request)
        if kind in FOLLOWERS:
            self._follow(session, outcome)
        session.pending -= 1
        self._forget(session)

    def _apply(self, session: Session, request: Request | None, writes: tuple[Write, ...]) -> None:
        """Store what a step wrote, show it, and let what moved be heard."""
        moved = list[Write]()
        for write in writes:
            if isinstance(write.value, Fragment):
                self._swap(session, write.node, write.value, request)
                continue
            if write.component is not None:
                session.nodes[write.node] = write.component
            node = self._node(session, write.node)
            if write.piece is not UNSET and request:
                self._sound(session, request, write)
                continue
            if write.value is not UNSET and self._store(session, node, write.value):
                moved.append(write)
            if not node.server_only:
                self._show(Set(session.id, node.id, write.value, write.props))
            if node.id in session.ticking:
                self._tick(session, node)
        for write in moved:
            value = write.value
            self._happen(session, write.node, "change", Cause.PROGRAM, value, after=request)

    def _follow(self, session: Session, outcome: Outcome) -> None:
        request = outcome.request
        fired = FOLLOWERS[outcome.kind]
        found = [f for port in fired for f in self.plan.after.get((request.listener.id, port), ())]
        if session.overlay:
            after = session.overlay.after
            found += [f for port in fired for f in after.get((request.listener.id, port), ())]
        if not found:
            return
        found.sort(key=lambda each: each.id)  # rule H2: in the order of their declaration
        event = request.event
        event = self._event(
            session, event.node, event.port, Cause.PROGRAM, UNSET, event.data, request
        )
        for listener in found:
            self._ask(session, listener, event)

    # -- parts that are made anew --------------------------------------------------------------

    def _is_old(self, request: Request) -> bool:
        """Whether its listener stood in a part that is another one by now."""
        overlay = self.sessions[request.session].overlay
        return overlay is None or request.listener.id not in overlay.listeners

    def gone(self, session: Session, id: int) -> bool:
        """Whether this session had such a node once."""
        first = len(self.plan.nodes)
        return bool(
            session.overlay and first <= id < session.overlay.next and id not in session.nodes
        )

    def _swap(
        self, session: Session, placeholder: int, fragment: Fragment, request: Request | None
    ) -> None:
        """Put a part in the place of the one before, and tell it that it is there.

        What can fail comes first: then the old part stands on.
        """
        if session.closed:
            return
        overlay = session.overlay
        if overlay is None:
            first = max(len(self.plan.nodes), len(self.plan.listeners))
            overlay = session.overlay = Overlay(first)
        standing = overlay.parts.get(placeholder)
        had = standing.fragment.keys() if standing else overlay.keyed.get(placeholder, {})
        kept = {
            key: had[key]
            for key, node in fragment.keys().items()
            if key in had and type(had[key]) is type(node)
        }
        overlay.next = fragment.number(overlay.next, kept)
        lines = {each.line: each.limit for each in self.plan.listeners}
        plan = compile_plan(fragment, self.plan.settings, part=session.id, lines=lines)
        if self._refine:
            plan = self._refine(plan)
        values = {node.id: node.initial() for node in plan.nodes if node.holds_value}
        for node in kept.values():
            if node.holds_value:
                values[node.id] = session.values[node.id]
        old = self._drop(session, overlay, placeholder, {node.id for node in kept.values()})
        self._unkey(session, overlay, placeholder, {node.id for node in kept.values()})
        part = overlay.parts[placeholder] = Standing(fragment, plan)
        overlay.refresh()
        session.values.update(values)
        session.nodes.update({node.id: node for node in plan.nodes})
        self._look_out(session, overlay)
        self._subscribe_all(session, plan, part.subscriptions)
        for edge in plan.edges:
            part.edges.append(-1 - overlay.next)
            overlay.next += 1
            self._connect(session, part.edges[-1], *edge, part.subscriptions)
        session.subscriptions.add(part.subscriptions)
        for node in plan.ticking:
            self._tick(session, node)
        self._show(Part(session.id, placeholder, plan, old))
        self._happen(session, placeholder, "load", Cause.LOAD, after=request)

    def _drop(
        self, session: Session, overlay: Overlay, placeholder: int, kept: set[int]
    ) -> tuple[Plan, ...]:
        """End a part and those inside of it: what runs for it, what ticks, what it holds."""
        dropped = list[Plan]()
        listeners, edges, nodes = set[int](), set[int](), set[int]()
        for id in overlay.below(placeholder):
            standing = overlay.parts.pop(id, None)
            if standing is None:
                continue
            dropped.append(standing.plan)
            listeners.update(each.id for each in standing.plan.listeners)
            edges.update(standing.edges)
            nodes.update(node.id for node in standing.plan.nodes)
            session.subscriptions.remove(standing.subscriptions)
            if id != placeholder and id in kept:  # it is made again, and what has a key in it too
                overlay.keyed[id] = standing.fragment.keys()
                kept |= {node.id for node in overlay.keyed[id].values()}
        if listeners:
            self._due.append(Cancel(session.id, frozenset(listeners)))
        for id in listeners:
            self._stop_ticker(session, "listener", id)
        for id in listeners | edges:
            if passing := session.passing.pop(id, None):
                passing.over = True
                if not passing.pending:
                    self._end_sounds(session, passing, "flush")
        for id in nodes:
            self._forget_node(session, id)
            if id not in kept:
                session.values.pop(id, None)
                self._unkey(session, overlay, id, kept)
        return tuple(dropped)

    def _unkey(self, session: Session, overlay: Overlay, placeholder: int, kept: set[int]) -> None:
        """What had a key here was not made again: its value can go."""
        for node in overlay.keyed.pop(placeholder, {}).values():
            if node.id not in kept:
                session.values.pop(node.id, None)
                self._unkey(session, overlay, node.id, kept)

    def _forget_node(self, session: Session, id: int) -> None:
        """All about a node of a part but its value."""
        self._stop_ticker(session, "node", id)
        session.nodes.pop(id, None)
        session.contents.pop(id, None)
        if limit := session.limits.pop(id, None):
            limit.dispose()
        if playing := session.sounding.pop(id, None):
            self._show(Sound(session.id, id, playing.epoch, "flush"))
        for key in [key for key in session.streams if key[0] == id]:
            del session.streams[key]

    def _look_out(self, session: Session, overlay: Overlay) -> None:
        """Watch, tick and chunk what the parts that stand now ask for."""
        inner = [node for plan in overlay.plans for node in plan.nodes]
        watched = {node for node, ports in overlay.ports.items() if "change" in ports}
        if self._tap:
            watched.update(node.id for node in inner)
        session.watched = self._watched | watched
        for id in session.watched & session.values.keys():
            if id not in session.contents:
                session.contents[id] = self._node(session, id).content(session.values[id])
        for id in session.contents.keys() - session.watched:
            del session.contents[id]
        ticking = frozenset(node.id for plan in overlay.plans for node in plan.ticking)
        session.ticking = self._ticking | ticking
        session.states = self._states | {node.id for node in inner if node.server_only}
        for id, every in list(session.chunkers):
            if every not in self._chunked(session, id):
                del session.chunkers[id, every]

    # -- values --------------------------------------------------------------------------------

    def node(self, session: Session, id: int) -> Node | None:
        """A node as this session has it; None if it has none of that id."""
        found = session.nodes.get(id)
        if found is None and 0 <= id < len(self.plan.nodes):
            found = self.plan.nodes[id]
        return found

    def _node(self, session: Session, id: int) -> Node:
        return session.nodes.get(id) or self.plan.nodes[id]

    def _nodes(self, session: Session, ids: tuple[int, ...]) -> tuple[Node, ...]:
        return tuple([session.nodes.get(id) or self.plan.nodes[id] for id in ids])

    def _store(self, session: Session, node: Node, value: object) -> bool:
        """The only writer of values (rule E1). True if the content moved and somebody listens."""
        session.values[node.id] = value
        if node.id not in session.watched:
            return False
        old = session.contents[node.id]
        new = session.contents[node.id] = node.content(value)
        return not same(old, new)

    def _show(self, patch: Patch) -> None:
        if self._tap:
            self._tap(patch)
        try:
            self._emit(patch)
        except Exception as error:  # what cannot be shown must not end it for all (rule R3)
            self._on_error(error)


def _block_type() -> type[Block]:
    from .blocks import Block  # numpy is loaded by apps that stream, not by all

    return Block


def _origin(event: Event) -> tuple[int, Seconds] | None:
    """Of which node's recording a chunk is, and from which second of it."""
    index = (event.data or {}).get("index")
    rate = getattr(event.value, "rate", None)
    return (event.node, index / rate) if isinstance(index, int) and rate else None


def program(
    plan: Plan, execute: Execute, clock: Clock, on_error: Callable[[Exception], None]
) -> Callable[[Observable[Said]], Observable[Patch]]:
    """The same as an Rx operator: from what front ends say to what they must show."""

    def operator(said: Observable[Said]) -> Observable[Patch]:
        def subscribe(
            observer: abc.ObserverBase[Patch], _: abc.SchedulerBase | None = None
        ) -> DisposableBase:
            made = Program(plan, execute, clock, observer.on_next, on_error=on_error)
            source = said.subscribe(made.receive, observer.on_error, scheduler=clock)
            return CompositeDisposable(source, Disposable(made.dispose))

        return Observable(subscribe)

    return operator
