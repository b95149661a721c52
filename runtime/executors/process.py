"""Run functions marked with `in_process` in processes of their own.

A worker is kept for the next call of its function, so that what it loaded stays loaded. A worker
that dies is told apart from a function that fails, and its call is not repeated: half of it may
have happened.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from typing import Any

from reactivex import Observable, abc

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.errors import WorldError
from ...flow.injected import Tell
from ...flow.notices import Notice, Report
from ...flow.program import Execute
from ...flow.scheduler import Step
from ...flow.work import Work
from .in_process import InProcess
from .pool import AHEAD, Pool
from .worker import work


class Worker:
    """A process that runs one function. One call at a time; `stop` from any thread."""

    def __init__(self, address: tuple[str, str]) -> None:
        # spawn: a fork would copy the locks of threads that it does not copy
        context = multiprocessing.get_context("spawn")
        self.line, there = context.Pipe()
        heard, self._stops = context.Pipe(duplex=False)
        given = (there, heard, address, list(sys.path))
        self.process = context.Process(target=work, args=given, daemon=True, name=address[1])
        self.process.start()
        there.close()
        heard.close()
        self.calls = 0

    def begin(self, args: object, kwargs: object) -> None:
        """Send a call; blocks while the process does not take it."""
        self.line.send((self.calls, args, kwargs))

    def stop(self) -> None:
        """Have this call's generator closed at its step, or the call left out. Never blocks."""
        try:
            self._stops.send(self.calls)
        except OSError:
            return  # it is gone, as whoever waits for its answer hears as well

    def dismiss(self) -> None:
        """End it, wait until it is gone, and close its lines."""
        self.process.kill()
        self.process.join()
        self.line.close()
        self._stops.close()


class Workers:
    """The workers of one function; idle ones wait for the next call. Thread-safe."""

    def __init__(self, address: tuple[str, str]) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._idle = list[Worker]()
        self._busy = set[Worker]()
        self._closed = False

    def take(self) -> Worker:
        """An idle worker, or a new one. Raises WorldError if the app is closing."""
        with self._lock:
            if self._closed:
                raise WorldError("the app is closing.")
            worker = self._idle.pop() if self._idle else Worker(self._address)
            worker.calls += 1
            self._busy.add(worker)
            return worker

    def give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not self._closed:
                self._idle.append(worker)
                return
        worker.dismiss()

    def lose(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.dismiss()

    def close(self) -> None:
        """End all: idle ones are waited for, busy ones are killed and waited for by their calls."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = tuple(self._busy)
        for worker in busy:
            worker.process.kill()
        for worker in idle:
            worker.dismiss()


class Talk:
    """One call in a worker, and the way to stop it."""

    def __init__(self, call: Call, cancel: CancelToken, workers: Workers) -> None:
        self._call, self._cancel, self._workers = call, cancel, workers
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    def stop(self) -> None:
        """Nobody waits any more: kill it if it may be interrupted, else close its generator."""
        with self._lock:
            if self._worker is None:
                return  # not begun, or over: the worker may serve another call by now
            if self._call.listener.interrupt:
                self._worker.process.kill()
            else:
                self._worker.stop()

    def run(self, give: Callable[[Step], None], tell: Tell) -> None:
        """Send the arguments and hand on what comes until the end. Blocks."""
        worker = self._workers.take()
        with self._lock:
            if not (stopped := self._cancel.requested):  # from here on `stop` finds it
                self._worker = worker
        if stopped:
            self._workers.give_back(worker)
            return
        try:
            worker.begin(self._call.args, self._call.kwargs)
            failed = self._listen(worker, give, tell)
        except (EOFError, OSError) as error:  # its line broke: the process is gone
            self._over()
            self._workers.lose(worker)
            if self._cancel.requested:
                return
            raise WorldError(
                f"{self._call.listener.name}: its process ended with exit code"
                f" {worker.process.exitcode} in the middle of a call; the call is not repeated."
            ) from error
        except BaseException:  # a result that its output cannot take, while more may be coming
            self._over()
            self._workers.lose(worker)
            raise
        self._over()
        self._workers.give_back(worker)
        if failed is not None:
            raise failed

    def _over(self) -> None:
        with self._lock:
            self._worker = None

    def _listen(self, worker: Worker, give: Callable[[Step], None], tell: Tell) -> Exception | None:
        while True:
            kind, it = worker.line.recv()
            if kind == "end":
                return None
            if kind == "error":
                return it
            if kind == "tell":
                tell(it)
            elif kind == "value":
                if not self._cancel.requested:
                    give(self._call.step(it))
            elif not self._cancel.requested:
                for step in self._call.steps(it):
                    if self._cancel.requested:
                        break
                    give(step)


def process_executor(pool: Pool, fn: InProcess[..., Any]) -> Execute:
    """An executor for one function, whoever listens. A thread of the pool waits for each call."""
    workers = Workers(fn.address)
    pool.on_close(workers.close)

    def execute(call: Call, cancel: CancelToken) -> Observable[Step | Notice | Report]:
        def begin(observer: abc.ObserverBase[Any]) -> None:
            talk = Talk(call, cancel, workers)
            cancel.on_request(talk.stop)
            ahead = threading.Semaphore(AHEAD)
            cancel.on_request(lambda: ahead.release(AHEAD))  # nobody is left to wait for

            def tell(what: Notice | Report | Step) -> None:
                pool.post(observer.on_next, what)

            def show(step: Step) -> None:
                observer.on_next(step)
                ahead.release()

            def give(step: Step) -> None:
                """Its process waits in turn, when the pipe between is full."""
                ahead.acquire()
                pool.post(show, step)

            def work() -> None:
                try:
                    faults = call.prepare()
                    if faults:
                        tell(faults)
                    if call.alive and not cancel.requested:
                        talk.run(give, tell)
                except BaseException as error:
                    pool.post(observer.on_error, error)
                else:
                    pool.post(observer.on_completed)

            pool.submit(work, tell)

        return Work(begin)

    return execute
