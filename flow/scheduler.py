"""The scheduler: drives the queue with messages, and the executor with jobs.

The clock is always passed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from reactivex import Observable, abc

from .cancel import CancelToken
from .clock import Clock
from .eta import Estimator
from .model import Fault, Job, Kind, Outcome, Place, Request
from .notices import Notice, Report
from .places import Places
from .queue import Ended, Message, Queue, Settled, Start, Stop, Wake, Woke

Step = tuple[object, ...]
"""One result of a job: what each member gets, in order; a `Fault` fails that member alone."""

Run = Callable[[Job, CancelToken], Observable[Step | Notice | Report]]
"""An executor: how a job becomes results. It completes, or errs, only when the work has stopped."""

Stray = Callable[[Job, Exception], None]
"""Hears of an error in work that nobody waits for any more."""

LEAVES = frozenset({Kind.STARTED, Kind.CANCELLED, Kind.MERGED, Kind.DROPPED})
"""After these a request waits no longer."""


class Scheduler:
    """Feeds the queue one message at a time, even when carrying out an effect posts another.

    Errors of functions become `failed` outcomes, so one failure ends nothing else (rule R3). `tell`
    hears every outcome. The queue is driven from here only.
    """

    def __init__(
        self, run: Run, clock: Clock, queue: Queue, tell: Callable[[Outcome], None], stray: Stray
    ) -> None:
        self.run, self.clock, self.queue, self.tell, self.stray = run, clock, queue, tell, stray
        self.inbox = deque[Message]()
        self.running = dict[int, _Running]()
        self.draining = self.closing = False
        self.eta = Estimator()
        self.places = Places(queue, clock, self._tell_place)

    def post(self, message: Message) -> None:
        self.inbox.append(message)
        if not self.draining:
            self._drain()

    def post_all(self, messages: Sequence[Message]) -> None:
        """What comes together, because one act caused it, is taken before any of it runs."""
        self.inbox.extend(messages)
        if not self.draining:
            self._drain()

    def _drain(self) -> None:
        self.draining = True
        try:
            while self.inbox:
                self._carry_out(self.inbox.popleft())
        finally:
            self.draining = False

    def _carry_out(self, message: Message) -> None:
        later: list[Start | Stop] = []  # user code runs after every outcome of the step was told
        for effect in self.queue.step(message, self.clock.seconds):
            if isinstance(effect, Outcome):
                self._tell(effect)
            elif isinstance(effect, Wake):
                self.clock.at(effect.at, lambda line=effect.line: self.post(Woke(line)))
            else:
                later.append(effect)
        for effect in later:
            if isinstance(effect, Start):
                self._start(effect.job)
            elif running := self.running.get(effect.job.id):
                running.cancel.request()  # else it ended while the message stood in the inbox

    def _tell(self, outcome: Outcome) -> None:
        if outcome.kind is Kind.QUEUED and isinstance(outcome.value, Place):
            listener = outcome.request.listener
            outcome = Outcome(Kind.QUEUED, outcome.request, self.eta.place(listener, outcome.value))
            self.places.entered(outcome.request)
        elif outcome.kind in LEAVES:
            self.places.left(outcome.request)
        self.tell(outcome)

    def _tell_place(self, request: Request, place: Place) -> None:
        self.tell(Outcome(Kind.QUEUED, request, self.eta.place(request.listener, place)))

    def _start(self, job: Job) -> None:
        if self.closing:
            return
        running = self.running[job.id] = _Running(self, job)
        self.run(job, running.cancel).subscribe(running)

    def stepped(self, job: Job, step: Step | Notice | Report) -> None:
        """What its work gives. Whoever was cancelled, or failed alone, is told nothing of it."""
        runs = self.queue.runs
        if not isinstance(step, tuple):
            kind = Kind.NOTICE if isinstance(step, Notice) else Kind.PROGRESS
            for request in filter(runs, job.requests):
                self.tell(Outcome(kind, request, step))
            return
        for request, value in zip(job.requests, step, strict=True):
            if value is None or not runs(request):
                continue  # None: this step is about other members
            if isinstance(value, Fault):
                self.post(Settled(request, value.error))
            else:
                self.tell(Outcome(Kind.YIELDED, request, value))

    def stopped(self, running: _Running, error: Exception | None) -> None:
        """Its work has really ended. Heard once; whatever a broken executor says later is not."""
        job = running.job
        if self.running.pop(job.id, None) is None:
            return
        if error is None:
            self.eta.learn(job.listener, self.clock.seconds - running.begun)
            self.post(Ended(job))
            return
        if not any(map(self.queue.runs, job.requests)):
            self.stray(job, error)
        self.post(Ended(job, Kind.FAILED, error))

    def stop_all(self) -> None:
        """Ask all work to stop, and start none that waits. From now on nobody is told of it."""
        self.tell = _nobody
        self.closing = True
        for each in tuple(self.running.values()):
            each.cancel.request()

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing runs, and nothing is kept about what did."""
        return self.queue.idle and self.places.idle and not self.running


def _nobody(outcome: Outcome) -> None:
    pass


class _Running(abc.ObserverBase[Step | Notice | Report]):
    """A job under way: hears its work, and can ask it to stop."""

    __slots__ = ("_scheduler", "begun", "cancel", "job")

    def __init__(self, scheduler: Scheduler, job: Job) -> None:
        self._scheduler = scheduler
        self.job = job
        self.cancel = CancelToken()
        self.begun = scheduler.clock.seconds

    def on_next(self, value: Step | Notice | Report) -> None:
        self._scheduler.stepped(self.job, value)

    def on_error(self, error: Exception) -> None:
        self._scheduler.stopped(self, error)

    def on_completed(self) -> None:
        self._scheduler.stopped(self, None)
