"""`schedule`: the operator that drives the queue, from messages to outcomes.

The clock is always passed in. Errors of functions become `failed` outcomes, never on_error, so one
failure ends no stream (rule R3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable

from .cancel import CancelToken
from .clock import Clock
from .eta import Estimator
from .model import Fault, Job, Kind, Outcome, Place
from .notices import Notice, Report
from .queue import Ask, Cancel, Ended, Message, Queue, Settled, Start, Stop, Wake, Woke
from .units import Seconds

Step = tuple[object, ...]
"""One result of a job: what each member gets, in order; a `Fault` fails that member alone."""

Run = Callable[[Job, CancelToken], Observable[Step | Notice | Report]]
"""An executor: how a job becomes results. It completes, or errs, only when the work has stopped."""

Stray = Callable[[Job, Exception], None]
"""Hears of an error in work that nobody waits for any more."""

REFRESH: Seconds = 0.25
"""Waiting people are told their new place four times a second: readable, and cheap."""
SHOWN = 256
"""How far down a line places are refreshed; who stands behind learned theirs on entering."""


def schedule(
    run: Run, clock: Clock, stray: Stray, queue: Queue
) -> Callable[[Observable[Sequence[Ask | Cancel]]], Observable[Outcome]]:
    """Run each request by its listener's rules. The queue is driven from here only.

    What comes together, because one act caused it, is all taken before any of it runs.
    Completes when the source has and nothing waits or runs. Disposing asks running work to stop.
    """

    def operator(messages: Observable[Sequence[Ask | Cancel]]) -> Observable[Outcome]:
        def subscribe(
            observer: abc.ObserverBase[Outcome], _: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            driver = _Driver(run, clock, stray, queue, observer)
            source = messages.subscribe(
                driver.post_all, observer.on_error, driver.source_ended, scheduler=clock
            )
            return CompositeDisposable(source, Disposable(driver.stop_all))

        return Observable(subscribe)

    return operator


class _Driver:
    """Feeds the queue one message at a time, even when carrying out an effect posts another."""

    def __init__(
        self,
        run: Run,
        clock: Clock,
        stray: Stray,
        queue: Queue,
        observer: abc.ObserverBase[Outcome],
    ) -> None:
        self.run, self.clock, self.stray, self.queue = run, clock, stray, queue
        self.observer = observer
        self.inbox = deque[Message]()
        self.running = dict[int, tuple[Job, CancelToken, Seconds]]()
        self.draining = self.ended = False
        self.eta = Estimator()
        self.moved = dict[str, None]()  # lines whose waiting requests have a new place, in order

    def post(self, message: Message) -> None:
        self.post_all((message,))

    def post_all(self, messages: Sequence[Message]) -> None:
        self.inbox.extend(messages)
        if self.draining:
            return
        self.draining = True
        try:
            while self.inbox:
                self._carry_out(self.inbox.popleft())
        finally:
            self.draining = False
        if self.ended:
            self._complete_when_idle()

    def _carry_out(self, message: Message) -> None:
        later = list[Start | Stop]()  # user code runs after every outcome of the step was told
        for effect in self.queue.step(message, self.clock.seconds):
            match effect:
                case Outcome():
                    self._tell(effect)
                case Start() | Stop():
                    later.append(effect)
                case Wake(line, at):
                    self.clock.at(at, lambda line=line: self.post(Woke(line)))
        for effect in later:
            if isinstance(effect, Start):
                self._start(effect.job)
            elif (
                effect.job.id in self.running
            ):  # else it ended while the message stood in the inbox
                self.running[effect.job.id][1].request()

    def _tell(self, outcome: Outcome) -> None:
        if outcome.kind is Kind.QUEUED and isinstance(outcome.value, Place):
            listener = outcome.request.listener
            outcome = Outcome(Kind.QUEUED, outcome.request, self.eta.place(listener, outcome.value))
        elif outcome.kind is Kind.STARTED or outcome.kind is Kind.CANCELLED:
            self._refresh_later(outcome.request.listener.line)
        self.observer.on_next(outcome)

    def _start(self, job: Job) -> None:
        cancel = CancelToken()
        begun = self.clock.seconds
        self.running[job.id] = (job, cancel, begun)

        def result(step: Step | Notice | Report) -> None:
            kind = Kind.NOTICE if isinstance(step, Notice) else Kind.PROGRESS
            for index, request in enumerate(job.requests):
                if not self.queue.runs(request):
                    continue  # cancelled, or failed alone: what comes for it is discarded
                if isinstance(step, Notice | Report):
                    self.observer.on_next(Outcome(kind, request, step))
                elif isinstance(value := step[index], Fault):
                    self.post(Settled(request, value.error))
                elif value is not None:  # else this step is about other members
                    self.observer.on_next(Outcome(Kind.YIELDED, request, value))

        def failed(error: Exception) -> None:
            if self.running.pop(job.id, None):
                if not any(map(self.queue.runs, job.requests)):
                    self.stray(job, error)
                self.post(Ended(job, Kind.FAILED, error))

        def succeeded() -> None:
            if self.running.pop(job.id, None):
                self.eta.learn(job.listener, self.clock.seconds - begun)
                self.post(Ended(job))

        self.run(job, cancel).subscribe(result, failed, succeeded)

    def _refresh_later(self, line: str) -> None:
        if line in self.moved or not next(self.queue.places(line, 1), None):
            return
        if not self.moved:
            self.clock.at(self.clock.seconds + REFRESH, self._refresh)
        self.moved[line] = None

    def _refresh(self) -> None:
        lines, self.moved = self.moved, {}
        for line in lines:
            for request, place in tuple(self.queue.places(line, SHOWN)):
                place = self.eta.place(request.listener, place)
                self.observer.on_next(Outcome(Kind.QUEUED, request, place))

    def source_ended(self) -> None:
        self.ended = True
        self._complete_when_idle()

    def _complete_when_idle(self) -> None:
        if self.queue.idle and not self.running:
            self.observer.on_completed()

    def stop_all(self) -> None:
        for _, cancel, _ in tuple(self.running.values()):
            cancel.request()
