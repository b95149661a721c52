"""The queue's rules once more, as slowly and plainly as they can be written.

No index, no linked list: one list of who waits, looked through from its front each time. What the
real queue does must be this, step by step (test_machine.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ossicle.flow.listeners import Listener
from ossicle.flow.model import Cause, Job, Kind, Outcome, Request
from ossicle.flow.queue import Ask, Cancel, Effect, Ended, Message, Settled, Start, Stop, Woke
from ossicle.flow.verdict import Verdict


@dataclass
class Told:
    """What a step did: ends in order, starts in order per line, jobs begun and stopped."""

    ends: list[tuple[Kind, int]] = field(default_factory=list[tuple[Kind, int]])
    starts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    begun: set[tuple[int, ...]] = field(default_factory=set[tuple[int, ...]])
    stopped: set[tuple[int, ...]] = field(default_factory=set[tuple[int, ...]])
    queued: list[int] = field(default_factory=list[int])


def told(effects: list[Effect]) -> Told:
    """The same of the real queue's effects."""
    said = Told()
    for effect in effects:
        match effect:
            case Outcome(Kind.QUEUED, request):
                said.queued.append(request.id)
            case Outcome(Kind.STARTED, request):
                said.starts.setdefault(request.listener.line, []).append(request.id)
            case Outcome(kind, request):
                said.ends.append((kind, request.id))
            case Start(job):
                said.begun.add(ids(job.requests))
            case Stop(job):
                said.stopped.add(ids(job.requests))
            case _:
                pass
    return said


def ids(requests: tuple[Request, ...] | list[Request]) -> tuple[int, ...]:
    return tuple(each.id for each in requests)


@dataclass
class Running:
    """A job, and its members that have not ended."""

    requests: list[Request]
    alive: list[Request]
    wanted: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Once it has ended: who waited for what it wrote."""


class Model:
    """Who waits, what runs, who is set aside: three lists."""

    def __init__(self, max_size: int | None) -> None:
        self.max_size = max_size
        self.waiting = list[Request]()
        self.running = list[Running]()
        self.aside = list[Request]()
        self.said = Told()

    def step(self, message: Message, now: float) -> Told:
        self.said = Told()
        match message:
            case Ask(request):
                self._ask(request, now)
            case Settled(request, _):
                if job := self._job(request):
                    self._leave(job, request)
                    self._end(request, Kind.FAILED, now)
            case Ended(job, kind, _):
                self._ended(job, kind, now)
            case Cancel():
                self._cancel(message, now)
            case Woke(line):
                self._fill(line, now)
        return self.said

    # -- looking ----------------------------------------------------------------------------------

    def live(self, session: str, listener: Listener) -> list[Request]:
        everyone = [*self.waiting, *(r for job in self.running for r in job.alive)]
        found = [r for r in everyone if r.session == session and r.listener is listener]
        return sorted(found, key=lambda r: r.id)

    def _job(self, request: Request) -> Running | None:
        return next((job for job in self.running if request in job.alive), None)

    def _locked(self, request: Request) -> bool:
        mine = {(request.session, node) for node in request.listener.locks}
        jobs = [r for job in self.running for r in job.requests]
        held = {(r.session, node) for r in jobs for node in r.listener.locks}
        return bool(mine & held)

    def _room(self, line: str, limit: int | None) -> bool:
        lines = [job.requests[0].listener.line for job in self.running if job.requests]
        return limit is None or lines.count(line) < limit

    def _counted(self) -> int:
        return sum(r.event.cause is not Cause.TIMER for r in self.waiting)

    # -- doing ------------------------------------------------------------------------------------

    def _ask(self, request: Request, now: float) -> None:
        listener = request.listener
        if listener.cancels:
            self._cancel(Cancel(request.session, listener.cancels), now)
        count = len(self.live(request.session, listener))
        verdict = listener.trigger(count)
        if request.event.cause is Cause.TIMER:
            verdict = Verdict.DROP if count else Verdict.ENTER
        if verdict is Verdict.DROP:
            self.said.ends.append((Kind.DROPPED, request.id))
        elif verdict is Verdict.DEFER:
            for other in self._set_aside(request.session, listener):
                self.aside.remove(other)
                self.said.ends.append((Kind.DROPPED, other.id))
            self.aside.append(request)
        else:
            if verdict is Verdict.RESTART:
                self._cancel(Cancel(request.session, frozenset((listener.id,))), now)
            self._enter(request, now, bounded=True)

    def _set_aside(self, session: str, listener: Listener) -> list[Request]:
        return [r for r in self.aside if r.session == session and r.listener is listener]

    def _enter(self, request: Request, now: float, bounded: bool) -> None:
        self.waiting.append(request)
        self._fill(request.listener.line, now)
        if request not in self.waiting:
            return
        counts = request.event.cause is not Cause.TIMER
        if bounded and counts and self.max_size is not None and self._counted() > self.max_size:
            self.waiting.remove(request)
            self._end(request, Kind.REJECTED, now)
        else:
            self.said.queued.append(request.id)

    def _fill(self, line: str, now: float) -> None:
        while True:
            queue = [r for r in self.waiting if r.listener.line == line]
            free = [r for r in queue if not self._locked(r)]
            if not free or not self._room(line, free[0].listener.limit):
                return
            head = free[0]
            members = [head]
            if head.listener.batch:
                for each in free[1:]:
                    twice = head.listener.locks and each.session in {m.session for m in members}
                    if each.listener is head.listener and not twice:
                        members.append(each)
                members = members[: head.listener.batch]
                full = len(members) == head.listener.batch
                if not full and now < head.event.at + head.listener.window:
                    return
            self.waiting = [r for r in self.waiting if r not in members]
            self.running.append(Running(members, list(members)))
            self.said.starts.setdefault(line, []).extend(ids(members))
            self.said.begun.add(ids(members))

    def _leave(self, job: Running, request: Request) -> None:
        job.alive.remove(request)
        if not job.alive:
            self.said.stopped.add(ids(job.requests))

    def _end(self, request: Request, kind: Kind, now: float) -> None:
        self.said.ends.append((kind, request.id))
        if not self.live(request.session, request.listener):
            for each in self._set_aside(request.session, request.listener):
                self.aside.remove(each)
                self._enter(each, now, bounded=False)

    def _ended(self, ended: Job, kind: Kind, now: float) -> None:
        job = next((j for j in self.running if ids(j.requests) == ids(ended.requests)), None)
        if job is None:
            return
        self.running.remove(job)
        job.wanted = self._wanted(job)
        for each in job.requests:
            if each in job.alive:
                job.alive.remove(each)
                self._rest_of(job, each, kind, now)
        self._fill_all(job, now)

    def _rest_of(self, job: Running, request: Request, kind: Kind, now: float) -> None:
        """Ends one member; those after it still count as pending meanwhile."""
        self.running.append(ghost := Running([], job.alive))
        self._end(request, kind, now)
        self.running.remove(ghost)

    def _fill_all(self, job: Running, now: float) -> None:
        """Its own line, and those that wait for what it wrote: who asked first goes first."""
        self._fill(job.requests[0].listener.line, now)
        for _, line in job.wanted:
            self._fill(line, now)

    def _wanted(self, job: Running) -> list[tuple[int, str]]:
        """By line the first that waits for a State of this job, in the order of their asking."""
        firsts = list[tuple[int, str]]()
        for session, node in {(r.session, n) for r in job.requests for n in r.listener.locks}:
            lines = set[str]()
            for each in self.waiting:
                wants = each.session == session and node in each.listener.locks
                if wants and each.listener.line not in lines:
                    lines.add(each.listener.line)
                    firsts.append((each.id, each.listener.line))
        return sorted(firsts)

    def _cancel(self, by: Cancel, now: float) -> None:
        everyone = [*self.waiting, *self.aside, *(r for job in self.running for r in job.alive)]
        listeners = {r.listener.id: r.listener for r in everyone if r.session == by.session}
        lines = list[str]()
        for id in sorted(listeners if by.listeners is None else by.listeners & listeners.keys()):
            listener = listeners[id]
            if by.leaving and listener.on_disconnect == "finish":
                continue
            for each in self._set_aside(by.session, listener):
                if by.request in (None, each.id):
                    self.aside.remove(each)
                    self.said.ends.append((Kind.CANCELLED, each.id))
            for each in self.live(by.session, listener):
                if by.request not in (None, each.id):
                    continue
                if job := self._job(each):
                    self._leave(job, each)
                else:
                    self.waiting.remove(each)
                    lines.append(each.listener.line)
                self._end(each, Kind.CANCELLED, now)
        for line in dict.fromkeys(lines):
            self._fill(line, now)
