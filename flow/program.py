"""The program as one operator: from what people do to what they must be shown.

acts → events → listeners → trigger mode and queue → job → outcomes → patches, with each changed
value fed back as a `change` event. All sessions of an app are in it; none sees another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from reactivex import Observable, Subject, abc
from reactivex.abc import DisposableBase
from reactivex.disposable import CompositeDisposable, Disposable

from .calls import Call, Member, Write
from .cancel import CancelToken
from .clock import Clock
from .graph import Node
from .injected import ClientRequest
from .listeners import Listener
from .model import ENDS, Cause, Event, Job, Kind, Outcome, Request
from .notices import Notice, Report
from .patches import Gone, Patch, Run, Set, Toast
from .plan import Plan
from .queue import Ask, Cancel
from .results import UNSET
from .scheduler import Step, schedule
from .timers import Ticker
from .units import Seconds

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
    """

    session: str
    node: int
    act: str
    value: object = UNSET
    data: Mapping[str, object] | None = None
    cause: Cause = Cause.USER
    echo: bool = False


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


Said = Open | Act | Withdraw | Disconnect | Reconnect | Close

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


@dataclass(slots=True, eq=False)
class Session:
    """One user's values, and the components as this user has them."""

    id: str
    values: dict[int, object]
    media: Any
    client: ClientRequest
    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    connected: bool = True
    closed: bool = False
    pending: int = 0
    tickers: dict[tuple[str, int], Ticker] = field(default_factory=dict[tuple[str, int], Ticker])
    streams: dict[tuple[int, str], Subject[object]] = field(
        default_factory=dict[tuple[int, str], "Subject[object]"]
    )
    grace: DisposableBase | None = None


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
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.sessions = dict[str, Session]()
        self.dropped = 0
        """Requests that a trigger mode or a late tick dropped, over all sessions."""
        self._emit, self._on_error, self._tap = emit, on_error, tap
        self._execute = execute
        self._window = reconnect_window
        self._events = 0
        self._requests = 0
        self._asks = Subject[Ask | Cancel]()
        outcomes = self._asks.pipe(schedule(self._run, clock, plan.settings.max_size))
        self._running = outcomes.subscribe(self._on_outcome, on_error)

    # -- what comes in -------------------------------------------------------------------------

    def receive(self, said: Said) -> None:
        """Take what a front end says. Unknown sessions are ignored: they may just have ended."""
        if self._tap:
            self._tap(said)
        if isinstance(said, Open):
            self._open(said)
            return
        session = self.sessions.get(said.session)
        if session is None or session.closed:
            return
        match said:
            case Act():
                self._act(session, said)
            case Withdraw(request=request):
                self._asks.on_next(Cancel(session.id, None, request))
            case Disconnect():
                session.connected = False
                until = self.clock.seconds + self._window
                session.grace = self.clock.at(until, lambda: self._close(session))
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
            if not session.closed:
                self._close(session)
        self._running.dispose()

    def _open(self, said: Open) -> None:
        values = {n.id: n.initial() for n in self.plan.nodes if n.holds_value}
        session = Session(said.session, values, said.media, said.client)
        self.sessions[session.id] = session
        for derived, listener in self.plan.derived:
            self._subscribe(
                session, derived.base.node.id, derived.port, derived.operators, listener
            )
        for node in self.plan.ticking:
            self._tick(session, node)
        self._happen(session, 0, "load", Cause.LOAD)

    def _close(self, session: Session) -> None:
        session.closed = True
        for ticker in session.tickers.values():
            ticker.dispose()
        session.tickers.clear()
        for stream in session.streams.values():
            stream.dispose()
        session.streams.clear()
        if session.grace:
            session.grace.dispose()
        self._asks.on_next(Cancel(session.id, leaving=True))
        self._happen(session, 0, "unload", Cause.PROGRAM)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        if session.closed and not session.pending and self.sessions.pop(session.id, None):
            self._show(Gone(session.id))

    # -- events --------------------------------------------------------------------------------

    def _act(self, session: Session, said: Act) -> None:
        node = self._node(session, said.node)
        moved = False
        if said.value is not UNSET:
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
        after: Request | None = None,
    ) -> None:
        """One event: told to the tap, to derived streams, and to each listener in order."""
        listeners = self.plan.at_port.get((node, port), ())
        stream = session.streams.get((node, port))
        if not (listeners or stream or self._tap):
            return
        event = self._event(session, node, port, cause, value, data, after)
        for listener in listeners:
            self._ask(session, listener, event)
        if stream:
            stream.on_next(event.value if port == "stream" else event)

    def _event(
        self,
        session: Session,
        node: int,
        port: str,
        cause: Cause,
        value: object,
        data: Mapping[str, object] | None,
        after: Request | None,
    ) -> Event:
        self._events += 1
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
            hops=after.event.hops + 1 if after else 0,
            path=(*after.event.path, after.listener.name) if after else (),
        )
        if self._tap:
            self._tap(event)
        return event

    def _ask(self, session: Session, listener: Listener, event: Event) -> None:
        for cancelled in sorted(listener.cancels):
            self._stop_ticker(session, "listener", cancelled)
        if listener.every is not None and event.cause is not Cause.TIMER:
            self._every(session, listener, event)
        values = session.values
        if event.port == "stream":  # rule E7: the node's own input is the chunk
            inputs = tuple(event.value if n == event.node else values[n] for n in listener.inputs)
        else:
            inputs = tuple(values[n] for n in listener.inputs)
        self._requests += 1
        request = Request(self._requests, session.id, listener, event, inputs)
        session.pending += 1
        if self._tap:
            self._tap(request)
        self._asks.on_next(Ask(request))

    def _subscribe(
        self,
        session: Session,
        node: int,
        port: str,
        operators: tuple[Callable[[Observable[object]], Observable[object]], ...],
        listener: Listener,
    ) -> None:
        """Rule E8: one subscription per session and derived trigger, on the session's clock."""
        stream = session.streams.setdefault((node, port), Subject[object]())

        def fire(value: object) -> None:
            cause = value.cause if isinstance(value, Event) else Cause.STREAM
            data = value.data if isinstance(value, Event) else {"value": value}
            inner = value.value if isinstance(value, Event) else value
            self._ask(session, listener, self._event(session, node, port, cause, inner, data, None))

        def failed(error: Exception) -> None:
            self._on_error(error)  # rule R3: an error in an operator ends no stream
            subscribe()

        def subscribe() -> None:
            stream.pipe(*operators).subscribe(fire, failed, scheduler=self.clock)

        subscribe()

    # -- timers --------------------------------------------------------------------------------

    def _tick(self, session: Session, node: Node) -> None:
        """(Re)start a node's own timer by its present properties."""
        self._stop_ticker(session, "node", node.id)
        period = node.period()
        if period is not None:

            def fire() -> None:
                if session.connected:
                    self._happen(session, node.id, "tick", Cause.TIMER)

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
                self._ask(session, listener, tick)

        ticker = Ticker(self.clock, listener.every, fire)
        session.tickers["listener", listener.id] = ticker

    def _stop_ticker(self, session: Session, kind: str, id: int) -> None:
        if ticker := session.tickers.pop((kind, id), None):
            ticker.dispose()

    # -- jobs ----------------------------------------------------------------------------------

    def _run(self, job: Job, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        return self._execute(Call(job.listener, tuple(map(self._member, job.requests))), cancel)

    def _member(self, request: Request) -> Member:
        """What a member sees, as its job starts: State is read now, the rest as of its event."""
        session = self.sessions[request.session]
        inputs = tuple(self._node(session, i) for i in request.listener.inputs)
        values = tuple(
            session.values[n.id] if n.server_only else value
            for n, value in zip(inputs, request.inputs, strict=True)
        )
        return Member(
            request,
            values,
            inputs,
            tuple(self._node(session, i) for i in request.listener.outputs),
            self.plan.nodes[request.event.node],
            session.media,
            session.client,
        )

    # -- outcomes ------------------------------------------------------------------------------

    def _on_outcome(self, outcome: Outcome) -> None:
        if self._tap:
            self._tap(outcome)
        request = outcome.request
        session = self.sessions[request.session]
        kind = outcome.kind
        if kind is Kind.YIELDED:
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
        if not session.closed and kind in FOLLOWERS:
            self._follow(session, outcome)
        session.pending -= 1
        self._forget(session)

    def _apply(self, session: Session, request: Request, writes: tuple[Write, ...]) -> None:
        """Store what a step wrote, show it, and let what moved be heard."""
        moved = list[Write]()
        for write in writes:
            if write.component is not None:
                session.nodes[write.node] = write.component
            node = self._node(session, write.node)
            if write.value is not UNSET and self._store(session, node, write.value):
                moved.append(write)
            if not node.server_only:
                self._show(Set(session.id, node.id, write.value, write.props))
            if write.component is not None and node in self.plan.ticking:
                self._tick(session, node)
        for write in moved:
            value = write.value
            self._happen(session, write.node, "change", Cause.PROGRAM, value, after=request)

    def _follow(self, session: Session, outcome: Outcome) -> None:
        request = outcome.request
        fired = FOLLOWERS[outcome.kind]
        found = [f for port in fired for f in self.plan.after.get((request.listener.id, port), ())]
        if not found:
            return
        found.sort(key=lambda each: each.id)  # rule H2: in the order of their declaration
        event = request.event
        event = self._event(
            session, event.node, event.port, Cause.PROGRAM, UNSET, event.data, request
        )
        for listener in found:
            self._ask(session, listener, event)

    # -- values --------------------------------------------------------------------------------

    def _node(self, session: Session, id: int) -> Node:
        return session.nodes.get(id) or self.plan.nodes[id]

    def _store(self, session: Session, node: Node, value: object) -> bool:
        """The only writer of values (rule E1). True if the content moved."""
        old = session.values[node.id]
        session.values[node.id] = value
        return bool(node.content(old) != node.content(value))

    def _show(self, patch: Patch) -> None:
        if self._tap:
            self._tap(patch)
        self._emit(patch)


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
