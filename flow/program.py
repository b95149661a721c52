"""The program as one operator: from what people do to what they must be shown.

acts → events → listeners → trigger mode and queue → job → outcomes → patches, with each changed
value fed back as a `change` event. All sessions of an app are in it; none sees another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from reactivex import Observable, abc
from reactivex.abc import DisposableBase
from reactivex.disposable import CompositeDisposable, Disposable

from .calls import Call, Member, Write
from .cancel import CancelToken
from .clock import Clock
from .coalesce import merged
from .errors import Error
from .events import Events, Tap
from .figures import Cost
from .fragments import Fragment
from .model import ENDS, Cause, Job, Kind, Outcome, Request
from .notices import Notice, Report
from .parts import Parts
from .patches import Emit, Gone, Patch, Run, Set, Toast
from .piping import Piping
from .plan import Plan
from .queue import Cancel, Queue
from .recording import Recordings
from .results import UNSET
from .said import Act, Close, Disconnect, Frames, Open, Reconnect, Said, Withdraw
from .scheduler import Scheduler, Step
from .session import Session, Wanted
from .sounding import Sounds
from .ticking import Ticking
from .units import Seconds
from .work import Work

if TYPE_CHECKING:
    from .blocks import Block

Execute = Callable[[Call, CancelToken], "Observable[Step | Notice | Report]"]
"""An executor, one of the four plugs: it prepares the call, runs its function where it likes, and
gives one step per result. It completes only when the work has really stopped (rule Q3)."""

FOLLOWERS = {
    Kind.SUCCEEDED: ("success", "then"),
    Kind.FAILED: ("failure", "then"),
    Kind.REJECTED: ("failure", "then"),
    Kind.CANCELLED: ("cancelled", "then"),
}
"""Rule H1. A dropped or merged request never was a run: nothing follows it."""

TAKEN = (Kind.QUEUED, Kind.STARTED)
"""Stations of a request that show that it will run, unless it is cancelled."""


class Program:
    """The sessions of one app. Feed it with `receive`; patches come out of `emit`."""

    def __init__(
        self,
        plan: Plan,
        execute: Execute,
        clock: Clock,
        emit: Emit,
        *,
        reconnect_window: Seconds = 60.0,
        on_error: Callable[[Exception], None],
        tap: Tap | None = None,
        refine: Callable[[Plan], Plan] | None = None,
        cost: Cost | None = None,
    ) -> None:
        """refine: what the front end has done to the plan, for the plans of parts. cost: what
        operators cost is measured with it; without one it is not."""
        self.plan = plan
        self.clock = clock
        self.sessions = dict[str, Session]()
        self.dropped = 0
        """Requests that a trigger mode, an overload or a late tick dropped, over all sessions."""
        self.merged = 0
        """Chunks that were handed over as part of a longer one: of them nothing is lost."""
        self._execute = execute
        self._window = reconnect_window
        self._wanted = Wanted.of(plan, everything=tap is not None)
        queue = Queue(plan.settings.max_size)
        self._scheduler = Scheduler(self._run, clock, queue, self._on_outcome, self._stray)
        self._events = events = Events(clock, self._scheduler.post_all, emit, on_error, tap, cost)
        self._sounds = Sounds(events, self._apply)
        self._recordings = Recordings(events, self._sounds)
        self._piping = Piping(events, self._sounds)
        self._ticking = Ticking(events)
        self._parts = Parts(
            plan, self._wanted, events, self._sounds, self._piping, self._ticking, refine
        )

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing runs, and nothing is kept about what did."""
        return self._scheduler.idle

    # -- what comes in -------------------------------------------------------------------------

    def receive(self, said: Said) -> None:
        """Take what a front end says. Unknown sessions are ignored: they may just have ended."""
        if isinstance(said, Frames):
            self.sound(said.session, said.node, said.block)
            return
        events = self._events
        if events.tap:
            events.tap(said)
        events.begin()
        try:
            session = self.sessions.get(said.session)
            if isinstance(said, Open):
                self._open(said)
            elif session and not session.closed:
                self._take(session, said)
        finally:
            events.end()

    def sound(self, session: str, node: int, block: Block) -> None:
        """What `Frames` say, without an envelope: of a live stream fifty come in a second."""
        events = self._events
        found = self.sessions.get(session)
        if found is None or found.closed:
            if events.hear:
                events.hear(session, node, block, 0)
            return
        (found.inlets.get(node) or self._recordings.inlet(found, node)).take(block)

    def sounds(self, session: str, node: int, blocks: Iterable[Block]) -> None:
        """All of them, one after the other. Whoever gives them may move time on in between."""
        found = self.sessions.get(session)
        inlets = found.inlets if found else {}
        for block in blocks:
            if inlet := inlets.get(node):  # a session that ends, or changes, has none any more
                inlet.take(block)
            else:
                self.sound(session, node, block)

    def seamless(self, session: str, node: int, longest: Seconds) -> bool:
        """Whether contiguous blocks of a live stream may be one block of up to `longest`."""
        found = self.sessions.get(session)
        return found is not None and self._recordings.seamless(found, node, longest)

    def _take(
        self, session: Session, said: Act | Withdraw | Disconnect | Reconnect | Close
    ) -> None:
        match said:
            case Act():
                self._act(session, said)
            case Withdraw(request=request):
                self._events.due.append(Cancel(session.id, None, request))
            case Disconnect():
                if session.connected:
                    session.connect(False)
                    until = self.clock.seconds + self._window
                    session.grace = self.clock.at(until, lambda: self.receive(Close(session.id)))
            case Reconnect():
                session.connect(True)
                if session.grace:
                    session.grace.dispose()
                    session.grace = None
            case Close():
                self._close(session)

    def _act(self, session: Session, said: Act) -> None:
        node, turned = session.node(said.node), tuple[str, ...]()
        if component := said.component or node.acted(said.act, said.data):
            turned = component.turned(node)
            node = session.nodes[said.node] = component
        moved = False
        if said.act == "start_recording":
            self._recordings.begin(session, node)
        elif said.act == "stop_recording":
            self._recordings.end(session, node)
        if said.value is not UNSET and said.cause is not Cause.STREAM:
            if said.echo:
                self._events.show(Set(session.id, node.id, said.value))
            moved = session.store(node, said.value)
        happen = self._events.happen
        for port in node.acts.get(said.act, (said.act,)):
            if port in node.ports and (moved or port != "input"):  # rule E3
                happen(session, node.id, port, said.cause, said.value, said.data)
        if moved:
            happen(session, node.id, "change", said.cause, said.value)
        for port in turned:
            happen(session, node.id, port, said.cause, data=said.data)

    # -- sessions ------------------------------------------------------------------------------

    def _open(self, said: Open) -> None:
        session = Session.of(said.session, self.plan, self._wanted, said.media, said.client)
        self.sessions[session.id] = session
        self._piping.listeners(session, self.plan, session.subscriptions)
        for number, edge in enumerate(self.plan.edges):
            self._piping.edge(session, -1 - number, *edge, session.subscriptions)
        for node in self.plan.ticking:
            self._ticking.node(session, node)
        self._events.happen(session, 0, "load", Cause.LOAD)

    def _close(self, session: Session) -> None:
        session.close()
        self._events.due.append(Cancel(session.id, leaving=True))
        self._events.happen(session, 0, "unload", Cause.PROGRAM)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        if session.closed and not session.pending and self.sessions.pop(session.id, None):
            self._events.show(Gone(session.id))
            session.pipes.clear()  # whose figures were asked for until now; they know the session

    @property
    def working(self) -> list[str]:
        """The names of the listeners whose functions run, or have not stopped yet."""
        return [each.job.listener.name for each in self._scheduler.running.values()]

    def dispose(self) -> None:
        """Close all sessions and ask all work to stop."""
        for session in tuple(self.sessions.values()):
            self.receive(Close(session.id))
        self._scheduler.stop_all()

    # -- jobs ----------------------------------------------------------------------------------

    def _run(self, job: Job, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        if job.listener.part and self.sessions[job.requests[0].session].is_old(job.requests[0]):
            # its nodes are gone; that it is cancelled stands behind it in the scheduler's inbox
            return Work(lambda observer: cancel.on_request(observer.on_completed))
        if job.more:
            return self._run_merged(job, cancel)
        return self._execute(Call(job.listener, tuple(map(self._member, job.requests))), cancel)

    def _run_merged(self, job: Job, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        first = job.requests[0]
        node = self.sessions[first.session].node(first.event.node)
        try:
            member = self._member(merged(node, first, job.more))
        except Exception as error:  # a component's own: it fails this call, and nothing more
            failed = error
            return Work(lambda observer: observer.on_error(failed))
        return self._execute(Call(job.listener, (member,)), cancel)

    def _member(self, request: Request) -> Member:
        """What a member sees, as its job starts: State is read now, the rest as of its event."""
        session = self.sessions[request.session]
        listener, values = request.listener, request.inputs
        if listener.inputs and not session.wanted.states.isdisjoint(listener.inputs):
            values = tuple(
                session.values[id] if id in session.wanted.states else value
                for id, value in zip(listener.inputs, values, strict=True)
            )
        return Member(
            request,
            values,
            session.several(listener.inputs),
            session.several(listener.outputs),
            session.node(request.event.node),
            session.media,
            session.client,
            self._sounds.before(session, request),
        )

    # -- outcomes ------------------------------------------------------------------------------

    def _stray(self, job: Job, error: Exception) -> None:
        if isinstance(error, Error) and not error.print_exception:
            return  # it asks not to be told of
        event = job.requests[0].event
        session = self.sessions.get(event.session)
        node = session.find(event.node) if session else None
        where = f"{node.where}.{event.port} → " if node else ""
        error.add_note(f"{where}{job.listener.name}, after all who asked for it had gone")
        self._events.on_error(error)

    def _on_outcome(self, outcome: Outcome) -> None:
        if self._events.tap:
            self._events.tap(outcome)
        self._events.begin()
        try:
            self._outcome(outcome)
        except Exception as error:  # a component's own; it must not end what others do (rule R3)
            self._events.on_error(error)
        finally:
            self._events.end()

    def _outcome(self, outcome: Outcome) -> None:
        request = outcome.request
        session = self.sessions[request.session]
        kind = outcome.kind
        if kind is Kind.YIELDED:
            if request.listener.part and session.is_old(request):
                return  # where it would go is gone
            writes: Any = outcome.value
            self._apply(session, request, writes)
            return
        if kind is Kind.NOTICE:
            if isinstance(outcome.value, Notice):
                self._events.show(Toast(session.id, outcome.value))
            return
        if session.arming and session.arming.pop(request.id, None) is not None:
            if kind in TAKEN:  # what is dropped or rejected leaves a timer as it was
                self._ticking.every(session, request)
        self.dropped += kind is Kind.DROPPED
        self.merged += kind is Kind.MERGED
        self._events.show(Run(session.id, outcome))
        if kind not in ENDS:
            return
        self._sounds.request_ended(session, outcome)
        if kind in FOLLOWERS:
            self._follow(session, outcome)
        session.pending -= 1
        self._forget(session)

    def _apply(self, session: Session, request: Request | None, writes: tuple[Write, ...]) -> None:
        """Store what a step wrote, show it, and let what moved be heard."""
        moved: list[Write] = []
        turned: list[tuple[int, str]] = []
        for write in writes:
            if isinstance(write.value, Fragment):
                self._parts.swap(session, write.node, write.value, request)
                continue
            node = session.node(write.node)
            if write.component is not None:
                turned += [(node.id, port) for port in write.component.turned(node)]
                node = session.nodes[node.id] = write.component
            if write.piece is not UNSET and request:
                self._sounds.more(session, request, write)
                continue
            value = write.value
            if node.heavy and value is not UNSET and node.again(old := session.value(node), value):
                value = old
            if not node.server_only:  # shown first: the front end keeps what this replaces
                self._events.show(Set(session.id, node.id, value, write.props))
            if value is not UNSET and session.store(node, value):
                moved.append(write)
            if node.id in session.wanted.ticking:
                self._ticking.node(session, node)
        for write in moved:
            cause, value = Cause.PROGRAM, write.value
            self._events.happen(session, write.node, "change", cause, value, after=request)
        for id, port in turned:
            self._events.happen(session, id, port, Cause.PROGRAM, after=request)

    def _follow(self, session: Session, outcome: Outcome) -> None:
        """Let those who wait for this end be heard, as rules H1 and H2 say."""
        request = outcome.request
        found = session.followers(request.listener.id, FOLLOWERS[outcome.kind])
        if not found:
            return
        was, cause = request.event, Cause.PROGRAM
        event = self._events.event(session, was.node, was.port, cause, UNSET, was.data, request)
        for listener in found:
            self._events.ask(session, listener, event)


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
