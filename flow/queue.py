"""The queue as a state machine without I/O: `step(message) -> effects`.

Law: everything that decides *whether and when* a function runs lives here or in triggers/. Nothing
here calls user code, reads a clock (each message carries its time) or knows what Rx is, so every
rule can be tried with plain values. (Model: h11.)

Each step costs the same with 10 or 100,000 requests waiting: what is looked up is indexed, what
stands in line is a linked list. The indices empty themselves; an idle queue holds nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush, nsmallest
from itertools import chain, islice

from .errors import HopError, Overload, QueueFull
from .listeners import Listener
from .model import Cause, Job, Kind, Outcome, Place, Request
from .record import record
from .units import Seconds
from .verdict import Verdict

MAX_HOPS = 100
"""Rule H3. The deepest honest chain seen in the peers' example apps has 11 steps."""

REACH = 1024
"""How far down its line a batch looks for members whose State is free: far, but not all."""


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

Key = tuple[str, int]
"""A session and a State of it."""
Stood = tuple[int, Request]
"""A request that came to the head of its line and had to step aside, under its number there."""


class _Line:
    """One concurrency id: who waits, in order, and how many jobs run.

    `order` holds those that never came to the head. Who came there and found its State being
    written steps aside into `held`, and later comes back into `back`: before all in `order`.
    """

    __slots__ = ("back", "batches", "held", "limit", "name", "order", "running", "waiting", "wakes")

    def __init__(self, name: str, limit: int | None) -> None:
        self.name = name
        self.limit = limit
        self.running = 0
        self.waiting = 0
        self.order: OrderedDict[int, Request] = OrderedDict()
        self.batches: dict[int, OrderedDict[int, Request]] = {}
        """For batch listeners only: their own requests in the same order."""
        self.back: list[Stood] = []  # a heap
        self.held: dict[Key, list[Stood]] = {}  # heaps; whoever was cancelled is found there late
        self.wakes: Seconds | None = None

    @property
    def idle(self) -> bool:
        return not (self.running or self.waiting or self.order or self.back or self.held)

    @property
    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    @property
    def head(self) -> Request | None:
        return self.back[0][1] if self.back else next(iter(self.order.values()), None)

    def push(self, request: Request) -> None:
        self.waiting += 1
        self.order[request.id] = request
        if request.listener.batch:
            own = self.batches.setdefault(request.listener.id, OrderedDict())
            own[request.id] = request

    def drop(self, request: Request) -> None:
        """Out of `order`."""
        del self.order[request.id]
        if request.listener.batch:
            own = self.batches[request.listener.id]
            del own[request.id]
            if not own:
                del self.batches[request.listener.id]

    def drop_back(self, stood: Stood) -> None:
        """Out of `back`."""
        if self.back[0][0] == stood[0]:
            heappop(self.back)
        else:
            self.back.remove(stood)
            heapify(self.back)

    def of(self, listener: Listener) -> Iterator[Request]:
        """Who could be in a batch of this listener, in order."""
        if self.back:
            yield from (each for _, each in sorted(self.back) if each.listener is listener)
        if listener.id in self.batches:
            yield from self.batches[listener.id].values()


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
        self._locks: dict[Key, Job] = {}  # who may write that State
        self._stood: dict[int, int] = {}  # request id -> its number, if it had to step aside
        self._held: dict[int, Key] = {}  # request id -> the State that it stands aside for
        self._held_in: dict[Key, dict[str, _Line]] = {}
        self._look_again: dict[Key, set[tuple[int, str]]] = {}
        self._last_job = self._last_stood = 0
        self.waiting = 0
        """Requests that wait in lines and count against `max_size`."""

    # -- what others may ask -------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Nothing pends, nothing runs, and every index is empty."""
        return not (
            self._sessions
            or self._jobs
            or self._members
            or self._locks
            or self._stood
            or self._held
            or self._held_in
            or self._look_again
            or self.waiting
        ) and all(line.idle for line in self._lines.values())

    def pending(self, session: str, listener: int) -> int:
        """How many requests of this session's listener have not ended."""
        found = self._sessions.get(session, {}).get(listener)
        return len(found.live) if found else 0

    def runs(self, request: Request) -> bool:
        """Whether this request is a member of a running job and has not ended."""
        return request.id in self._jobs

    def waits(self, line: str) -> bool:
        """Whether anybody waits in this line."""
        found = self._lines.get(line)
        return found is not None and found.waiting > 0

    def places(self, line: str, most: int) -> Iterator[tuple[Request, Place]]:
        """The first `most` waiting requests of a line and where each stands."""
        found = self._lines.get(line)
        if not found:
            return
        first = list[Request]()
        if found.back or found.held:
            stood = (s for s in chain(found.back, *found.held.values()) if s[1].id in self._stood)
            first = [request for _, request in nsmallest(most, stood)]
        for rank, request in zip(range(most), chain(first, found.order.values()), strict=False):
            yield request, Place(rank, found.waiting)

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
            if listener.backlog is not None and count >= listener.backlog:
                if not self._make_room(request, listener.backlog, now, effects):
                    return
            self._enter(request, now, effects, bounded=True)

    def _make_room(self, request: Request, most: int, now: Seconds, effects: list[Effect]) -> bool:
        """A live stream comes faster than its function takes it: the listener's policy acts."""
        listener = request.listener
        waiting = [r for r in self._pending(request).live.values() if r.id not in self._jobs]
        if len(waiting) < most or listener.on_overload == "block":
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

    def _enter(self, request: Request, now: Seconds, effects: list[Effect], bounded: bool) -> None:
        """Put a request in its line, and start what can start."""
        listener = request.listener
        self._pending(request).live[request.id] = request
        line = self._line(listener)
        if line.has_room and not (line.waiting or listener.batch or listener.locks):
            self._begin(line, (request,), effects)  # nobody to wait for: it need not stand in line
            return
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
            effects.append(Outcome(Kind.QUEUED, request, Place(line.waiting - 1, line.waiting)))

    def _pending(self, request: Request) -> _Pending:
        session = self._sessions.get(request.session)
        if session is None:
            session = self._sessions[request.session] = {}
        pending = session.get(request.listener.id)
        if pending is None:
            pending = session[request.listener.id] = _Pending()
        return pending

    def _line(self, listener: Listener) -> _Line:
        """As many as the app has, so they are kept; but see `_clear`."""
        line = self._lines.get(listener.line)
        if line is None:
            line = self._lines[listener.line] = _Line(listener.line, listener.limit)
        return line

    def _clear(self, line: _Line) -> None:
        """Lines of parts come and go with them; one that is idle holds nothing and can go."""
        if line.idle:
            self._lines.pop(line.name, None)

    def _fill(self, line: _Line, now: Seconds, effects: list[Effect]) -> None:
        """Start jobs from the head of a line while it has room."""
        while line.has_room and (head := line.head):
            if head.listener.locks and self._stand_aside(head, line):
                continue
            members = (head,)
            if head.listener.batch:
                members = self._batch(head, line, now, effects)
                if not members:
                    return
            for each in members:
                self._leave_line(each, line)
                self.waiting -= each.event.cause is not Cause.TIMER
            self._begin(line, members, effects)

    def _begin(self, line: _Line, members: tuple[Request, ...], effects: list[Effect]) -> None:
        self._last_job += 1
        job = Job(self._last_job, members)
        self._members[job.id] = len(members)
        line.running += 1
        for each in members:
            self._jobs[each.id] = job
            for node in each.listener.locks:
                self._locks[each.session, node] = job
            effects.append(Outcome(Kind.STARTED, each))
        effects.append(Start(job))

    def _batch(
        self, head: Request, line: _Line, now: Seconds, effects: list[Effect]
    ) -> tuple[Request, ...]:
        """Rule B1. One member per session where State is written: each must see the last one's."""
        listener = head.listener
        members, sessions = list[Request](), set[str]()
        locked = list[tuple[Key, Request]]()
        for each in islice(line.of(listener), REACH):
            if listener.locks:
                if each.session in sessions:
                    continue
                if key := self._locked(each):
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
                self._look_again.setdefault(key, set()).add((each.id, line.name))
            return ()
        return tuple(members)

    # -- State: two jobs of one session that write it never overlap (rule I2) ------------------

    def _locked(self, request: Request) -> Key | None:
        if self._locks:
            for node in request.listener.locks:
                if (request.session, node) in self._locks:
                    return request.session, node
        return None

    def _stand_aside(self, head: Request, line: _Line) -> bool:
        """Let others pass if the head's State is being written.

        Of those that wait for one State in one line only the first comes back when it is free, so
        that the cost does not grow with their number. Nobody overtakes the others meanwhile: as
        long as the State is free, the first stands in `back`, before all who come.
        """
        key = self._locked(head)
        if key is None:
            return False
        number = self._stood.get(head.id)
        if number is None:
            line.drop(head)
            self._last_stood += 1
            number = self._stood[head.id] = self._last_stood
        else:
            line.drop_back((number, head))
            for node in head.listener.locks:
                self._next_back((head.session, node), line)
        self._held[head.id] = key
        heappush(line.held.setdefault(key, []), (number, head))
        self._held_in.setdefault(key, {})[line.name] = line
        return True

    def _unlock(self, job: Job) -> Iterable[_Line]:
        """What a job wrote is free. The lines that wait for it; who asked first goes first."""
        firsts = list[tuple[int, str]]()
        for each in job.requests:
            for node in each.listener.locks:
                key = each.session, node
                del self._locks[key]
                firsts.extend(self._look_again.pop(key, ()) if self._look_again else ())
                for line in tuple(self._held_in.get(key, {}).values()):
                    if back := self._next_back(key, line):
                        firsts.append((back.id, line.name))
        return [self._lines[name] for _, name in sorted(firsts)]

    def _next_back(self, key: Key, line: _Line) -> Request | None:
        """Let the first that stands aside for this State come back, unless it is being written."""
        stood = line.held.get(key)
        if stood is None or key in self._locks:
            return None
        first, came = stood[0], False
        while stood and not came:
            first = heappop(stood)
            if came := self._held.pop(first[1].id, None) is not None:
                heappush(line.back, first)
        if not stood:
            del line.held[key]
            lines = self._held_in[key]
            del lines[line.name]
            if not lines:
                del self._held_in[key]
        return first[1] if came else None

    def _leave_line(self, request: Request, line: _Line) -> None:
        """Out of its line, wherever it stands there."""
        line.waiting -= 1
        number = self._stood.pop(request.id, None) if self._stood else None
        if number is None:
            line.drop(request)
        elif self._held.pop(request.id, None) is None:
            line.drop_back((number, request))

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
        freed = self._unlock(job)
        for each in job.requests:
            if self._jobs.pop(each.id, None):
                self._end(each, kind, value, now, effects)
        self._fill(line, now, effects)
        for other in freed:
            self._fill(other, now, effects)
        if job.listener.part:
            self._clear(line)

    def _cancel(self, by: Cancel, now: Seconds, effects: list[Effect]) -> None:
        sessions = self._sessions.get(by.session)
        if not sessions:
            return
        moved = dict[str, _Line]()
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

    def _withdraw(self, request: Request, effects: list[Effect]) -> _Line | None:
        """Out of the running job; or out of the line, which is returned."""
        job = self._jobs.get(request.id)
        if job:
            if not self._leave_job(request):
                effects.append(Stop(job))
            return None
        self.waiting -= request.event.cause is not Cause.TIMER
        line = self._lines[request.listener.line]
        was_back = request.id in self._stood and request.id not in self._held
        self._leave_line(request, line)
        if was_back:
            for node in request.listener.locks:
                self._next_back((request.session, node), line)
        return line


def _finishes(pending: _Pending) -> bool:
    """`on_disconnect="finish"`: this listener's work runs on when its session goes."""
    listener: Listener | None = next((r.listener for r in pending.live.values()), None)
    return listener is not None and listener.on_disconnect == "finish"
