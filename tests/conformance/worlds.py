"""The worlds that a program can run in, and one script for all of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Protocol, cast

import chores
from reactivex import Observable

from ossicle.components.textbox import Textbox
from ossicle.flow.calls import Call
from ossicle.flow.cancel import CancelToken
from ossicle.flow.clock import Clock
from ossicle.flow.model import Kind, Outcome
from ossicle.flow.patches import Patch
from ossicle.flow.plan import compile_plan
from ossicle.flow.program import Execute, Program
from ossicle.flow.testing import VirtualClock, inline
from ossicle.runtime.app import Blocks
from ossicle.runtime.clock import LoopClock
from ossicle.runtime.executors.choose import by_kind
from ossicle.runtime.executors.in_process import InProcess
from ossicle.runtime.executors.nothing import nothing
from ossicle.runtime.executors.pool import Pool
from ossicle.runtime.executors.process import process_executor
from ossicle.runtime.testing.autojump import AutojumpLoop
from ossicle.runtime.testing.inplace import InPlace, in_place

from .foreman import Foreman


@dataclass(frozen=True)
class Work:
    """What a listener's function does: for `takes` seconds nothing, and then this.

    steps: None is a function that returns once; else a generator of so many steps, each as long.
    fails: it raises; a function at its start, a generator after its steps.
    """

    takes: float
    steps: int | None = None
    fails: bool = False


Make = Callable[[str, Work], Callable[..., Any]]


class World(Protocol):
    """A clock, an executor, and functions as this executor takes them."""

    execute: Execute

    @property
    def clock(self) -> Clock: ...

    def function(self, name: str, work: Work) -> Callable[..., Any]:
        """A function that does that work; its arguments come back as what it gives."""
        ...

    def run(self, until: float) -> None:
        """Let time pass up to that second."""
        ...

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until this holds; TimeoutError if that is not to be."""
        ...

    def close(self) -> None: ...


PATIENCE = 30.0
"""Seconds, virtual or real, after which what has not come will not come."""


class Boom(Exception):
    """What failing work raises."""


def given(args: tuple[Any, ...]) -> Any:
    """What work makes of its inputs: one more, so that lost updates show; a batch stays one."""
    if len(args) == 1 and isinstance(args[0], list):
        return ([n + 1 for n in cast("list[int]", args[0])],)
    return args[0] + 1 if args else None


class Jumping:
    """What the worlds share in which waiting takes no time."""

    clock: Clock

    def run(self, until: float) -> None:
        raise NotImplementedError

    def until(self, condition: Callable[[], bool]) -> None:
        end = self.clock.seconds + PATIENCE
        while not condition():
            if self.clock.seconds > end:
                raise TimeoutError
            self.run(self.clock.seconds + 0.05)


class Virtual(Jumping):
    """Virtual time: plain functions and generators, in place."""

    def __init__(self) -> None:
        self._time = VirtualClock()
        self.clock = self._time
        self._takes = dict[str, float]()
        self.execute: Execute = inline(self._time, self._lasts)

    def _lasts(self, call: Call) -> float:
        return self._takes.get(call.listener.name, 0.0)

    def function(self, name: str, work: Work) -> Callable[..., Any]:
        self._takes[name] = work.takes
        return plain(name, work, lambda _: None)

    def run(self, until: float) -> None:
        self._time.run_until(until)

    def settle(self, recorder: Recorder) -> None:
        """Let happen what happens now."""
        self.run(self.clock.seconds)

    def step(self, recorder: Recorder) -> None:
        """Let every work that runs do one step."""
        self.run(self.clock.seconds + 1.0)

    def close(self) -> None: ...


class Loop(Jumping):
    """A real loop whose time jumps."""

    def __init__(self) -> None:
        self.loop = AutojumpLoop()
        self.clock = LoopClock(self.loop)
        self.pool: Pool = InPlace(self.loop)
        self.execute: Execute = by_kind(self.pool)

    def run(self, until: float) -> None:
        self.loop.run_until(until)

    def close(self) -> None:
        self.pool.close()
        self.loop.run_until_complete(self._end_all())
        self.loop.close()

    async def _end_all(self) -> None:
        """What a test left under way."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_asyncgens()


class Placed(Loop):
    """The same with plain functions, in place: what users test their apps with."""

    def __init__(self) -> None:
        super().__init__()
        self._works = dict[str, Work]()
        self.execute = by_kind(self.pool, in_place(self.clock, self._lasting))

    def _lasting(self, call: Call) -> Iterator[float]:
        work = self._works.get(call.listener.name, Work(0.0))
        if work.steps is None:
            return repeat(0.0 if work.fails else work.takes)
        return chain(repeat(work.takes, work.steps), repeat(0.0))

    def function(self, name: str, work: Work) -> Callable[..., Any]:
        self._works[name] = work
        return plain(name, work, lambda _: None)


class Asyncio(Loop):
    """The same with coroutines and async generators that sleep."""

    def function(self, name: str, work: Work) -> Callable[..., Any]:
        async def once(*args: Any) -> Any:
            if work.fails:
                raise Boom(name)
            await asyncio.sleep(work.takes)
            return given(args)

        async def steps(*args: Any) -> AsyncIterator[Any]:
            for _ in range(work.steps or 0):
                await asyncio.sleep(work.takes)
                yield given(args)
            if work.fails:
                raise Boom(name)

        fn: Callable[..., Any] = once if work.steps is None else steps
        fn.__name__ = name
        return fn


class Threads:
    """A real loop in real time: plain functions and generators in threads.

    Each step of their work waits until it is let go, so that nothing depends on how fast they are.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock: Clock = LoopClock(self.loop)
        self.pool = Pool(self.loop)
        self.execute: Execute = by_kind(self.pool)
        self._go = threading.Semaphore(0)
        self._standing = 0
        self._lock = threading.Lock()

    def function(self, name: str, work: Work) -> Callable[..., Any]:
        return plain(name, work, lambda _: self._stand())

    def _stand(self) -> None:
        with self._lock:
            self._standing += 1
        assert self._go.acquire(timeout=PATIENCE)

    def step(self, recorder: Recorder) -> None:
        """Let every work that runs do one step."""
        self.settle(recorder)
        with self._lock:
            standing, self._standing = self._standing, 0
        for _ in range(standing):
            self._go.release()
        self.settle(recorder)

    def settle(self, recorder: Recorder) -> None:
        """Let happen what happens before the next step."""
        running = recorder.program._scheduler.running  # pyright: ignore[reportPrivateUsage]
        self.until(lambda: self._standing == len(running))

    def run(self, until: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(until - self.clock.seconds))

    def until(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0)  # what a thread had posted before it made this hold

        self.loop.run_until_complete(wait())

    def close(self) -> None:
        self.pool.close()
        self.loop.close()


@dataclass(frozen=True)
class Chore:
    """A function that stands in a module of its own, and the text that it is to be called with."""

    marked: Callable[..., Any]
    text: str


def listen(
    source: Any, fn: Callable[..., Any] | Chore | None, *outputs: Any, **options: Any
) -> Any:
    """Hang a function on a port; a chore gets its text from a box of its own."""
    if isinstance(fn, Chore):
        return source(fn.marked, Textbox(fn.text), outputs or None, **options)
    return source(fn, None, outputs or None, **options)


class Processes(Threads):
    """The same with functions in processes, which look for a foreman. One for all tests of a file:
    a process takes a third of a second to begin."""

    def __init__(self) -> None:
        super().__init__()
        self._executors = dict[object, Execute]()
        self.execute = self._execute
        self.foreman: Foreman | None = None

    def _execute(self, call: Call, cancel: CancelToken) -> Observable[Any]:
        fn = call.fn
        if not isinstance(fn, InProcess):
            return nothing(call, cancel)
        marked = cast("InProcess[..., Any]", fn)
        if marked not in self._executors:
            self._executors[marked] = process_executor(self.pool, marked)
        return self._executors[marked](call, cancel)

    def function(self, name: str, work: Work) -> Any:
        assert self.foreman
        text = self.foreman.text(steps=work.steps, fails=work.fails)
        return Chore(chores.work if work.steps is None else chores.work_steps, text)

    def step(self, recorder: Recorder) -> None:
        assert (foreman := self.foreman)
        self.settle(recorder)
        with foreman.lock:
            standing, foreman.standing = foreman.standing, 0
        foreman.go.release(standing) if standing else None
        self.settle(recorder)

    def settle(self, recorder: Recorder) -> None:
        assert (foreman := self.foreman)
        running = recorder.program._scheduler.running  # pyright: ignore[reportPrivateUsage]
        self.until(lambda: foreman.standing == len(running))

    def close(self) -> None:
        """It goes on for the next test; `end` is the end."""

    def end(self) -> None:
        super().close()


def plain(name: str, work: Work, sleep: Callable[[float], None]) -> Callable[..., Any]:
    """Work as a function or generator that is not async."""

    def once(*args: Any) -> Any:
        if work.fails:
            raise Boom(name)
        sleep(work.takes)
        return given(args)

    def steps(*args: Any) -> Iterator[Any]:
        for _ in range(work.steps or 0):
            sleep(work.takes)
            yield given(args)
        if work.fails:
            raise Boom(name)

    fn: Callable[..., Any] = once if work.steps is None else steps
    fn.__name__ = name
    return fn


Line = tuple[float, str, str, str, int]
"""When, what became of it, of which listener's request, whose, and its number."""


class Recorder:
    """A program in a world, and its outcomes in order."""

    def __init__(
        self,
        world: World,
        app: Blocks,
        *,
        emit: Callable[[Patch], None] = lambda _: None,
        **options: Any,
    ) -> None:
        self.world = world
        self.lines: list[Line] = []
        self.errors: list[Exception] = []
        self.program = Program(
            compile_plan(app, app.settings),
            world.execute,
            world.clock,
            emit,
            on_error=self.errors.append,
            tap=self._tap,
            **options,
        )

    def _tap(self, seen: object) -> None:
        if isinstance(seen, Outcome) and seen.kind is not Kind.QUEUED:
            request = seen.request
            at = round(self.world.clock.seconds, 6)
            name = request.listener.name
            self.lines.append((at, str(seen.kind), name, request.session, request.id))
