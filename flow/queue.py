"""The queue as a state machine without I/O: `step(message) -> effects`.

Law: everything that decides *whether and when* a function runs lives here or in triggers/. Nothing
here calls user code, reads a clock (each message carries its time) or knows what Rx is, so every
rule can be tried with plain values. (Model: h11.)

Each step costs the same with 10 or 100,000 requests waiting: what is looked up is indexed, what
stands in line is a linked list. The indices empty themselves; an idle queue holds nothing.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .errors import HopError, QueueFull
from .listeners import Listener
from .model import Cause, Job, Kind, Outcome, Place, Request
from .units import Seconds
from .verdict import Verdict

MAX_HOPS = 100
"""Rule H3. The deepest honest chain seen in the peers' example apps has 11 steps."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Message: an event wants its listener's function called."""

    request: Request


@dataclass(frozen=True, slots=True)
class Settled:
    """Message: this one member of a running batch has failed; the others go on."""

    request: Request
    error: BaseException


@dataclass(frozen=True, slots=True)
class Ended:
    """Message: the job's work has really stopped; its slot is free (rule Q3).

    Members that have not ended yet end as `kind`.
    """

    job: Job
    kind: Kind = Kind.SUCCEEDED
    value: object = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Message: end this session's requests, all of them or those of some listeners or one by id."""

    session: str
    listeners: frozenset[int] | None = None
    request: int | None = None
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Woke:
    """Message: the time that a `Wake` asked for has come."""

    line: str


@dataclass(frozen=True, slots=True)
class Start:
    """Effect: begin the job."""

    job: Job


@dataclass(frozen=True, slots=True)
class Stop:
    """Effect: nobody waits for this job any more; ask its work to stop."""

    job: Job


@dataclass(frozen=True, slots=True)
class Wake:
    """Effect: post `Woke` at this time, so that a batch need not wait to be full."""

    line: str
    at: Seconds


Message = Ask | Settled | Ended | Cancel | Woke
Effect = Start | Stop | Wake | Outcome


class _Line:
    """One concurrency id: who waits, in order, and how many jobs run."""

    __slots__ = ("batches", "limit", "name", "order", "running", "wakes")

    def __init__(self, name: str, limit: int | None) -> None:
        self.name = name
        self.limit = limit
        self.running = 0
        self.order: OrderedDict[int, Request] = OrderedDict()
        self.batches: dict[int, OrderedDict[int, Request]] = {}
        """For batch listeners only: their own requests in the same order."""
        self.wakes: Seconds | None = None

    @property
    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    def push(self, request: Request) -> None:
        self.order[request.id] = request
        if request.listener.batch:
            own = self.batches.setdefault(request.listener.id, OrderedDict())
            own[request.id] = request

    def push_back(self, request: Request) -> None:
        """Put a request that had left the head of the line back in its old place."""
        earlier = list[Request]()
        while self.order and (head := next(iter(self.order.values()))).id < request.id:
            earlier.append(head)
            self.drop(head)
        for each in (request, *reversed(earlier)):
            self.push(each)
            self.order.move_to_end(each.id, last=False)
            if each.listener.batch:
                self.batches[each.listener.id].move_to_end(each.id, last=False)

    def drop(self, request: Request) -> bool:
        if self.order.pop(request.id, None) is None:
            return False
        if request.listener.batch:
            own = self.batches[request.listener.id]
            del own[request.id]
            if not own:
                del self.batches[request.listener.id]
        return True


class _Pending:
    """One session's one listener: the requests that have not ended, and the one set aside."""

    __slots__ = ("deferred", "live")

    def __init__(self) -> None:
        self.live: dict[int, Request] = {}
        self.deferred: Request | None = None


class Queue:
    """All lines of an app.

    max_size: how many requests may wait over all lines; beyond it a request that would have to wait
    is rejected (rule Q4). None is no bound.
    """

    def __init__(self, max_size: int | None = None) -> None:
        self.max_size = max_size
        self._sessions: dict[str, dict[int, _Pending]] = {}
        self._lines: dict[str, _Line] = {}
        self._jobs: dict[int, Job] = {}  # request id -> the job that it is a member of
        self._members: dict[int, int] = {}  # job id -> members that have not ended
        self._locks: dict[tuple[str, int], Job] = {}  # (session, State node) -> who may write it
        self._parked: dict[tuple[str, int], deque[Request]] = {}
        self._parked_at: dict[int, tuple[str, int]] = {}
        self._last_job = 0
        self.waiting = 0
        """Requests that wait in lines and count against `max_size`."""

    # -- what others may ask -------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Nothing pends, nothing runs, and every index is empty."""
        return not (
            self._sessions
            or self._lines
            or self._jobs
            or self._members
            or self._locks
            or self._parked
            or self._parked_at
            or self.waiting
        )

    def pending(self, session: str, listener: int) -> int:
        """How many requests of this session's listener have not ended."""
        found = self._sessions.get(session, {}).get(listener)
        return len(found.live) if found else 0

    def runs(self, request: Request) -> bool:
        """Whether this request is a member of a running job and has not ended."""
        return request.id in self._jobs

    def places(self, line: str, most: int) -> Iterator[tuple[Request, Place]]:
        """The first `most` waiting requests of a line and where each stands."""
        found = self._lines.get(line)
        if found:
            for rank, request in enumerate(found.order.values()):
                if rank == most:
                    return
                yield request, Place(rank, len(found.order))

    # -- the machine ---------------------------------------------------------------------------

    def step(self, message: Message, now: Seconds) -> list[Effect]:
        """Take one message and say what must be done. `now` may never run backwards."""
        effects = list[Effect]()
        match message:
            case Ask(request):
                self._ask(request, now, effects)
            case Settled(request, error):
                if request.id in self._jobs:
                    self._leave_job(request)
                    self._end(request, Kind.FAILED, error, now, effects)
            case Ended(job, kind, value):
                self._job_ended(job, kind, value, now, effects)
            case Cancel():
                self._cancel(message, now, effects)
            case Woke(name):
                if line := self._lines.get(name):
                    line.wakes = None
                    self._fill(line, now, effects)
        return effects

    def _ask(self, request: Request, now: Seconds, effects: list[Effect]) -> None:
        listener = request.listener
        if listener.cancels:  # rule C1: before the listener's own function
            self._cancel(Cancel(request.session, listener.cancels), now, effects)
        if request.event.hops > MAX_HOPS:
            path = " → ".join((*request.event.path[-6:], listener.name))
            effects.append(
                Outcome(
                    Kind.FAILED,
                    request,
                    HopError(
                        f"{listener.name}: {MAX_HOPS} steps followed from one act without an end"
                        f" (… → {path}); let one of them return skip() when nothing moved."
                    ),
                )
            )
            return
        pending = self._sessions.setdefault(request.session, {}).setdefault(listener.id, _Pending())
        count = len(pending.live)
        if request.event.cause is Cause.TIMER:  # rule M2, whatever the mode
            verdict = Verdict.DROP if count else Verdict.ENTER
        else:
            verdict = listener.trigger(count)
        if verdict is Verdict.DROP:
            effects.append(Outcome(Kind.DROPPED, request))
        elif verdict is Verdict.DEFER:
            if pending.deferred:
                effects.append(Outcome(Kind.DROPPED, pending.deferred))
            pending.deferred = request
        else:
            if verdict is Verdict.RESTART:
                self._cancel(Cancel(request.session, frozenset((listener.id,))), now, effects)
            self._enter(request, now, effects, bounded=True)

    def _enter(self, request: Request, now: Seconds, effects: list[Effect], bounded: bool) -> None:
        """Put a request in its line, and start what can start."""
        listener = request.listener
        sessions = self._sessions.setdefault(request.session, {})
        sessions.setdefault(listener.id, _Pending()).live[request.id] = request
        line = self._line(listener)
        line.push(request)
        counts = request.event.cause is not Cause.TIMER
        self.waiting += counts
        self._fill(line, now, effects)
        if request.id in self._jobs:
            return
        full = self.max_size is not None and self.waiting > self.max_size
        if bounded and counts and full:
            self._withdraw(request, effects)
            error = QueueFull(
                f"{listener.name}: {self.max_size} requests are waiting already"
                " (queue(max_size=...)); try again in a moment."
            )
            self._end(request, Kind.REJECTED, error, now, effects)
        else:
            size = len(line.order)
            effects.append(Outcome(Kind.QUEUED, request, Place(max(size - 1, 0), size)))

    def _line(self, listener: Listener) -> _Line:
        line = self._lines.get(listener.line)
        if line is None:
            line = self._lines[listener.line] = _Line(listener.line, listener.limit)
        return line

    def _fill(self, line: _Line, now: Seconds, effects: list[Effect]) -> None:
        """Start jobs from the head of a line while it has room."""
        while line.has_room and line.order:
            head = next(iter(line.order.values()))
            if self._park(head, line):
                continue
            members = (head,)
            if head.listener.batch:
                members = self._batch(head, line, now, effects)
                if not members:
                    return
            self._last_job += 1
            job = Job(self._last_job, members)
            for each in members:
                line.drop(each)
                self.waiting -= each.event.cause is not Cause.TIMER
                self._jobs[each.id] = job
                for node in each.listener.locks:
                    self._locks[each.session, node] = job
            self._members[job.id] = len(members)
            line.running += 1
            effects.extend(Outcome(Kind.STARTED, each) for each in members)
            effects.append(Start(job))
        if not line.running and not line.order:
            self._lines.pop(line.name, None)

    def _batch(
        self, head: Request, line: _Line, now: Seconds, effects: list[Effect]
    ) -> tuple[Request, ...]:
        """Rule B1. One member per session where State is written: each must see the last one's."""
        listener = head.listener
        members, sessions = list[Request](), set[str]()
        for each in line.batches[listener.id].values():
            if listener.locks and (each.session in sessions or self._locked(each)):
                continue
            sessions.add(each.session)
            members.append(each)
            if len(members) == listener.batch:
                break
        opens = head.event.at + listener.window
        if len(members) < listener.batch and now < opens:
            if line.wakes != opens:
                line.wakes = opens
                effects.append(Wake(listener.line, opens))
            return ()
        return tuple(members)

    # -- State: two jobs of one session that write it never overlap (rule I2) ------------------

    def _locked(self, request: Request) -> tuple[str, int] | None:
        if self._locks:
            for node in request.listener.locks:
                if (request.session, node) in self._locks:
                    return request.session, node
        return None

    def _park(self, request: Request, line: _Line) -> bool:
        """Take a request whose State is being written out of the line, so that others pass."""
        key = self._locked(request)
        if key is None:
            return False
        line.drop(request)
        self._parked.setdefault(key, deque()).append(request)
        self._parked_at[request.id] = key
        return True

    def _unpark(self, key: tuple[str, int]) -> Iterable[_Line]:
        lines = dict[str, _Line]()
        for request in self._parked.pop(key, ()):
            if self._parked_at.pop(request.id, None) is None:
                continue  # cancelled meanwhile
            line = self._line(request.listener)
            line.push_back(request)
            lines[line.name] = line
        return lines.values()

    # -- ends ----------------------------------------------------------------------------------

    def _leave_job(self, request: Request) -> int:
        """Take one member out of its running job; how many are left."""
        job = self._jobs.pop(request.id)
        left = self._members[job.id] = self._members[job.id] - 1
        return left

    def _end(
        self, request: Request, kind: Kind, value: object, now: Seconds, effects: list[Effect]
    ) -> None:
        """The one place where a request ends (rule C4); lets the deferred one in (rule T3)."""
        effects.append(Outcome(kind, request, value))
        sessions = self._sessions[request.session]
        pending = sessions[request.listener.id]
        del pending.live[request.id]
        if pending.live:
            return
        deferred, pending.deferred = pending.deferred, None
        if deferred:
            self._enter(deferred, now, effects, bounded=False)
            return
        del sessions[request.listener.id]
        if not sessions:
            del self._sessions[request.session]

    def _job_ended(
        self, job: Job, kind: Kind, value: object, now: Seconds, effects: list[Effect]
    ) -> None:
        if self._members.pop(job.id, None) is None:
            return
        line = self._lines[job.listener.line]
        line.running -= 1
        freed = [line]
        for each in job.requests:
            for node in each.listener.locks:
                if self._locks.pop((each.session, node), None):
                    freed.extend(self._unpark((each.session, node)))
        for each in job.requests:
            if self._jobs.pop(each.id, None):
                self._end(each, kind, value, now, effects)
        for each in freed:
            self._fill(each, now, effects)

    def _cancel(self, by: Cancel, now: Seconds, effects: list[Effect]) -> None:
        sessions = self._sessions.get(by.session)
        if not sessions:
            return
        for listener_id in sorted(sessions if by.listeners is None else by.listeners):
            pending = sessions.get(listener_id)
            if pending is None:
                continue
            if by.leaving and _finishes(pending):
                continue
            if by.request is None and pending.deferred:
                deferred, pending.deferred = pending.deferred, None
                effects.append(Outcome(Kind.CANCELLED, deferred))
            for request in tuple(pending.live.values()):
                if by.request is None or by.request == request.id:
                    self._withdraw(request, effects)
                    self._end(request, Kind.CANCELLED, None, now, effects)

    def _withdraw(self, request: Request, effects: list[Effect]) -> None:
        """Out of the running job, out of the parking place, or out of the line."""
        job = self._jobs.get(request.id)
        if job:
            if not self._leave_job(request):
                effects.append(Stop(job))
            return
        self.waiting -= request.event.cause is not Cause.TIMER
        if self._parked_at.pop(request.id, None) is None:
            line = self._lines[request.listener.line]
            line.drop(request)
            if not line.running and not line.order:
                del self._lines[line.name]


def _finishes(pending: _Pending) -> bool:
    """`on_disconnect="finish"`: this listener's work runs on when its session goes."""
    listener: Listener | None = next((r.listener for r in pending.live.values()), None)
    return listener is not None and listener.on_disconnect == "finish"
