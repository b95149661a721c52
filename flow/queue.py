"""The queue as a state machine without I/O: `step(message) -> effects`.

Law: everything that decides *whether and when* a function runs lives here or in triggers/. Nothing
here calls user code, reads a clock (each message carries its time) or knows what Rx is, so every
rule can be tried with plain values. (Model: h11.)

Each step costs the same with 10 or 100,000 requests waiting: what is looked up is indexed, what
stands in line is a linked list. The indices empty themselves; an idle queue holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import chain, islice

from .coalesce import run_of
from .errors import HopError, Overload, QueueFull
from .lines import Key, Line
from .listeners import Listener
from .locks import Locks
from .model import Cause, Job, Kind, Outcome, Place, Request
from .record import record
from .units import Seconds
from .verdict import Verdict

MAX_HOPS = 100
"""Rule H3. The deepest honest chain seen in the peers' example apps has 11 steps."""

REACH = 1024
"""How far down its line a batch looks for members whose State is free: far, but not all."""

SEEN = 256
"""How far a place is worked out where requests wait for one State: enough for an estimate."""


@record
class Ask:
    """Message: an event wants its listener's function called."""

    request: Request


@record
class Settled:
    """Message: this one member of a running batch has failed; the others go on."""

    request: Request
    error: BaseException


@record
class Ended:
    """Message: the job's work has really stopped; its slot is free (rule Q3).

    Members that have not ended yet end as `kind`.
    """

    job: Job
    kind: Kind = Kind.SUCCEEDED
    value: object = None


@record
class Cancel:
    """Message: end this session's requests, all of them or those of some listeners or one by id."""

    session: str
    listeners: frozenset[int] | None = None
    request: int | None = None
    leaving: bool = False


@record
class Woke:
    """Message: the time that a `Wake` asked for has come."""

    line: str


@record
class Start:
    """Effect: begin the job."""

    job: Job


@record
class Stop:
    """Effect: nobody waits for this job any more; ask its work to stop."""

    job: Job


@record
class Wake:
    """Effect: post `Woke` at this time, so that a batch need not wait to be full."""

    line: str
    at: Seconds


Message = Ask | Settled | Ended | Cancel | Woke
Effect = Start | Stop | Wake | Outcome


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
        self._lines: dict[str, Line] = {}
        self._jobs: dict[int, Job] = {}  # request id -> the job that it is a member of
        self._members: dict[int, int] = {}  # job id -> members that have not ended
        self._locks = Locks()
        self._last_job = 0
        self.waiting = 0
        """Requests that wait in lines and count against `max_size`."""

    # -- what others may ask -------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Nothing pends, nothing runs, and every index is empty."""
        return not (
            self._sessions or self._jobs or self._members or self.waiting or not self._locks.idle
        ) and all(line.idle for line in self._lines.values())

    def pending(self, session: str, listener: int) -> int:
        """How many requests of this session's listener have not ended."""
        found = self._sessions.get(session, {}).get(listener)
        return len(found.live) if found else 0

    def runs(self, request: Request) -> bool:
        """Whether this request is a member of a running job and has not ended."""
        return request.id in self._jobs

    def behind(self, request: Request) -> int:
        """How many that wait must end before this one, because they write the same State."""
        return self._locks.before(request, SEEN) if request.listener.locks else 0

    def places(self, line: str, most: int) -> Iterator[tuple[Request, Place]]:
        """The first `most` waiting requests of a line and where each stands."""
        found = self._lines.get(line)
        if not found:
            return
        first = list[Request]()
        if found.back or found.held:
            known = self._locks.stood
            stood = (r for _, r in merge(sorted(found.back), *found.held.values()) if r.id in known)
            first = list(islice(stood, most))
        for rank, request in zip(range(most), chain(first, found.order.values()), strict=False):
            yield request, Place(rank, found.waiting, behind=self._locks.before(request, most))

    # -- the machine ---------------------------------------------------------------------------

    def step(self, message: Message, now: Seconds) -> list[Effect]:
        """Take one message and say what must be done. `now` may never run backwards."""
        effects: list[Effect] = []
        if isinstance(message, Ask):
            self._ask(message.request, now, effects)
        elif isinstance(message, Ended):
            self._job_ended(message.job, message.kind, message.value, now, effects)
        elif isinstance(message, Cancel):
            self._cancel(message, now, effects)
        elif isinstance(message, Settled):
            self._settled(message.request, message.error, now, effects)
        elif line := self._lines.get(message.line):
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
        pending = self._pending(request)
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
                pending = self._pending(request)  # the last of them took the old one along
            if listener.backlog is not None and count >= listener.backlog:
                if not self._make_room(request, listener.backlog, now, effects):
                    return
                pending = self._pending(request)
            self._enter(request, pending, now, effects, bounded=True)

    def _make_room(self, request: Request, most: int, now: Seconds, effects: list[Effect]) -> bool:
        """A live stream comes faster than its function takes it: the listener's policy acts."""
        listener = request.listener
        waiting = [r for r in self._pending(request).live.values() if r.id not in self._jobs]
        if len(waiting) < most:
            return True
        if listener.on_overload == "error":
            error = Overload(
                f"{listener.name}: {len(waiting)} chunks wait, and more come; make the function"
                " faster, the chunks longer, or choose another on_overload."
            )
            effects.append(Outcome(Kind.REJECTED, request, error))
            return False
        lost = waiting if listener.on_overload == "latest" else waiting[: len(waiting) - most + 1]
        for each in lost:
            self._withdraw(each, effects)
            self._end(each, Kind.DROPPED, None, now, effects)
        return True

    def _enter(
        self,
        request: Request,
        pending: _Pending,
        now: Seconds,
        effects: list[Effect],
        bounded: bool,
    ) -> None:
        """Put a request in its line, and start what can start."""
        listener = request.listener
        pending.live[request.id] = request
        line = self._line(listener)
        if line.has_room and not (line.waiting or listener.batch or listener.locks):
            self._begin(line, (request,), effects)  # nobody to wait for: it need not stand in line
            return
        line.push(request)
        self._locks.wait(request)
        counts = request.event.cause is not Cause.TIMER
        self.waiting += counts
        self._fill(line, now, effects)
        if request.id in self._jobs:
            return
        full = self.max_size is not None and self.waiting > self.max_size
        if bounded and counts and full:
            self._withdraw(request, effects)
            error = QueueFull(
                f"{listener.name}: the queue is full, with {self.max_size} waiting"
                " (queue(max_size=...)); try again in a moment."
            )
            self._end(request, Kind.REJECTED, error, now, effects)
        else:
            place = Place(line.waiting - 1, line.waiting, behind=self.behind(request))
            effects.append(Outcome(Kind.QUEUED, request, place))

    def _pending(self, request: Request) -> _Pending:
        """What else of its listener and session pends; made with the first."""
        session = self._sessions.get(request.session)
        if session is None:
            session = self._sessions[request.session] = {}
        pending = session.get(request.listener.id)
        if pending is None:
            pending = session[request.listener.id] = _Pending()
        return pending

    def _line(self, listener: Listener) -> Line:
        """As many as the app has, so they are kept; but see `_clear`."""
        line = self._lines.get(listener.line)
        if line is None:
            line = self._lines[listener.line] = Line(listener.line, listener.limit)
        return line

    def _clear(self, line: Line) -> None:
        """Lines of parts come and go with them; one that is idle holds nothing and can go."""
        if line.idle:
            self._lines.pop(line.name, None)

    def _fill(self, line: Line, now: Seconds, effects: list[Effect]) -> None:
        """Start jobs from the head of a line while it has room."""
        while line.has_room and (head := line.head):
            if head.listener.locks and self._locks.stand_aside(head, line):
                continue
            members = (head,)
            if head.listener.batch:
                members = self._batch(head, line, now, effects)
                if not members:
                    return
            for each in members:
                self._locks.leave(each, line)
                self.waiting -= each.event.cause is not Cause.TIMER
            more = self._more(head) if head.listener.on_overload == "coalesce" else ()
            self._begin(line, members, effects, more)
            for each in more:
                self._withdraw(each, effects)
                self._end(each, Kind.MERGED, head.id, now, effects)

    def _more(self, head: Request) -> tuple[Request, ...]:
        """Chunks that wait behind this one and go on where it ends."""
        live = self._pending(head).live.values()
        waiting = (r for r in live if r.id >= head.id and r.id not in self._jobs)
        return tuple(run_of(waiting)[1:])

    def _begin(
        self,
        line: Line,
        members: tuple[Request, ...],
        effects: list[Effect],
        more: tuple[Request, ...] = (),
    ) -> None:
        self._last_job += 1
        job = Job(self._last_job, members[0].listener, members, more)
        self._members[job.id] = len(members)
        line.running += 1
        for each in members:
            self._jobs[each.id] = job
            if each.listener.locks:
                self._locks.take(each, job)
            effects.append(Outcome(Kind.STARTED, each))
        effects.append(Start(job))

    def _batch(
        self, head: Request, line: Line, now: Seconds, effects: list[Effect]
    ) -> tuple[Request, ...]:
        """Rule B1. One member per session where State is written: each must see the last one's."""
        listener = head.listener
        members: list[Request] = []
        sessions: set[str] = set()
        locked: list[tuple[Key, Request]] = []
        for each in islice(line.of(listener), REACH):
            if listener.locks:
                if each.session in sessions:
                    continue
                if key := self._locks.blocker(each):
                    locked.append((key, each))
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
            for key, each in locked:  # the batch may be full as soon as one of these is free
                self._locks.look_again(key, each, line)
            return ()
        return tuple(members)

    # -- ends ----------------------------------------------------------------------------------

    def _settled(
        self, request: Request, error: BaseException, now: Seconds, effects: list[Effect]
    ) -> None:
        if job := self._jobs.get(request.id):
            if not self._leave_job(request):
                effects.append(Stop(job))
            self._end(request, Kind.FAILED, error, now, effects)

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
            self._enter(deferred, pending, now, effects, bounded=False)
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
        freed = self._locks.free(job) if job.listener.locks else ()
        for each in job.requests:
            if self._jobs.pop(each.id, None):
                self._end(each, kind, value, now, effects)
        if line.waiting:
            self._fill(line, now, effects)
        for other in freed:
            self._fill(other, now, effects)
        if job.listener.part:
            self._clear(line)

    def _cancel(self, by: Cancel, now: Seconds, effects: list[Effect]) -> None:
        sessions = self._sessions.get(by.session)
        if not sessions:
            return
        moved: dict[str, Line] = {}
        for listener_id in sorted(sessions if by.listeners is None else by.listeners):
            pending = sessions.get(listener_id)
            if pending is None or (by.leaving and _finishes(pending)):
                continue
            deferred = pending.deferred
            if deferred and by.request in (None, deferred.id):
                pending.deferred = None
                effects.append(Outcome(Kind.CANCELLED, deferred))
            if by.request is None:
                chosen = tuple(pending.live.values())
            else:
                chosen = (pending.live[by.request],) if by.request in pending.live else ()
            for request in chosen:
                if line := self._withdraw(request, effects):
                    moved[line.name] = line
                self._end(request, Kind.CANCELLED, None, now, effects)
        for line in moved.values():  # who stood behind may go now
            self._fill(line, now, effects)
            self._clear(line)

    def _withdraw(self, request: Request, effects: list[Effect]) -> Line | None:
        """Out of the running job; or out of the line, which is returned."""
        job = self._jobs.get(request.id)
        if job:
            if not self._leave_job(request):
                effects.append(Stop(job))
            return None
        self.waiting -= request.event.cause is not Cause.TIMER
        line = self._lines[request.listener.line]
        was_back = self._locks.is_back(request)
        self._locks.leave(request, line)
        if was_back:
            self._locks.next_back(request, line)
        return line


def _finishes(pending: _Pending) -> bool:
    """`on_disconnect="finish"`: this listener's work runs on when its session goes."""
    listener: Listener | None = next((r.listener for r in pending.live.values()), None)
    return listener is not None and listener.on_disconnect == "finish"
