"""What every executor must do, tried on each (rules Q3, C2, C3, R2, R3, R4)."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import chores
import pytest
from chores import OddError
from reactivex import abc

import ossicle as oc
from ossicle.flow.calls import Call, Member
from ossicle.flow.cancel import CancelToken
from ossicle.flow.model import Cause, Event, Kind, Request
from ossicle.flow.notices import Bar, Report
from ossicle.flow.patches import Patch, Run, Set, Toast
from ossicle.flow.plan import compile_plan
from ossicle.flow.said import Act, Open
from ossicle.flow.work import Work

from . import worlds
from .foreman import Foreman
from .worlds import (
    PATIENCE,
    Asyncio,
    Chore,
    Processes,
    Recorder,
    Threads,
    Virtual,
    World,
    listen,
)

Log = list[str]


class Flavour:
    """One executor: the world that it runs in, and functions of the kind that it takes."""

    name: str
    steps = False
    """Whether its functions are generators."""
    make: Callable[[], World] = Asyncio

    def __init__(self) -> None:
        self.world = self.make()
        self.gate = Gate()

    def close(self) -> None:
        self.world.close()

    def giving(self, values: list[str]) -> Callable[..., Any]:
        """Gives these values, or the last of them."""
        raise NotImplementedError

    def failing(self, log: Log) -> Callable[..., Any]:
        """Raises OddError(7); a generator after one step."""
        raise NotImplementedError

    def exiting(self) -> Callable[..., Any]:
        """Calls sys.exit; a generator after one step."""
        raise NotImplementedError

    def telling(self) -> Callable[..., Any]:
        """Says "first", how far it is, gives a value, and says "last" as the last thing it does."""
        raise NotImplementedError

    def held(self, log: Log) -> Callable[..., Any]:
        """Begins, and waits for the gate: a generator, which yields all the time, at its end."""
        raise NotImplementedError


class Gate:
    """Holds work back until the test opens it; not in virtual time, where nothing waits."""

    def __init__(self) -> None:
        self.is_open = threading.Event()

    def open(self) -> None:
        self.is_open.set()

    def block(self) -> None:
        assert self.is_open.wait(PATIENCE)

    async def passed(self) -> None:
        while not self.is_open.is_set():
            await asyncio.sleep(0.05)


class Inline(Flavour):
    name = "inline"
    make = Virtual

    def giving(self, values: list[str]) -> Callable[..., Any]:
        return lambda: values[-1]

    def failing(self, log: Log) -> Callable[..., Any]:
        def fn() -> None:
            log.append("called")
            raise OddError(7)

        return fn

    def exiting(self) -> Callable[..., Any]:
        return lambda: sys.exit("no more")

    def telling(self) -> Callable[..., Any]:
        def fn(progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
            oc.Info("first")
            progress((1, 2), "half")
            oc.Info("last")
            return "x"

        return fn


class InlineSteps(Flavour):
    name = "inline, generator"
    make = Virtual
    steps = True

    def giving(self, values: list[str]) -> Callable[..., Any]:
        def fn() -> Iterator[str]:
            yield from values

        return fn

    def failing(self, log: Log) -> Callable[..., Any]:
        def fn() -> Iterator[str]:
            log.append("called")
            yield "shown"
            raise OddError(7)

        return fn

    def exiting(self) -> Callable[..., Any]:
        def fn() -> Iterator[str]:
            yield "shown"
            sys.exit("no more")

        return fn

    def telling(self) -> Callable[..., Any]:
        def fn(progress: oc.Progress = oc.Progress()) -> Iterator[str]:  # noqa: B008
            oc.Info("first")
            progress((1, 2), "half")
            yield "x"
            oc.Info("last")

        return fn


class Placed(Inline):
    name = "in place"
    make = worlds.Placed


class PlacedSteps(InlineSteps):
    name = "in place, generator"
    make = worlds.Placed


class Thread(Inline):
    name = "thread"
    make = Threads

    def held(self, log: Log) -> Callable[..., Any]:
        def fn() -> str:
            log.append("begun")
            self.gate.block()
            log.append("done")
            return "unread"

        return fn


class ThreadSteps(InlineSteps):
    name = "thread, generator"
    make = Threads

    def held(self, log: Log) -> Callable[..., Any]:
        def fn() -> Iterator[str]:
            log.append("begun")
            try:
                while True:
                    yield "shown"
                    time.sleep(0.001)  # a step takes something; without it this is a busy loop
            finally:
                self.gate.block()
                log.append("done")

        return fn


class Coroutine(Flavour):
    name = "coroutine"

    def giving(self, values: list[str]) -> Callable[..., Any]:
        async def fn() -> str:
            return values[-1]

        return fn

    def failing(self, log: Log) -> Callable[..., Any]:
        async def fn() -> None:
            log.append("called")
            raise OddError(7)

        return fn

    def exiting(self) -> Callable[..., Any]:
        async def fn() -> None:
            sys.exit("no more")

        return fn

    def telling(self) -> Callable[..., Any]:
        async def fn(progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
            oc.Info("first")
            progress((1, 2), "half")
            await asyncio.sleep(0.1)
            oc.Info("last")
            return "x"

        return fn

    def held(self, log: Log) -> Callable[..., Any]:
        async def fn() -> str:
            log.append("begun")
            try:
                await self.gate.passed()
            except asyncio.CancelledError:
                log.append("interrupted")
                raise
            log.append("done")
            return "unread"

        return fn


class AsyncSteps(Flavour):
    name = "async_generator"
    steps = True

    def giving(self, values: list[str]) -> Callable[..., Any]:
        async def fn() -> AsyncIterator[str]:
            for value in values:
                yield value

        return fn

    def failing(self, log: Log) -> Callable[..., Any]:
        async def fn() -> AsyncIterator[str]:
            log.append("called")
            yield "shown"
            raise OddError(7)

        return fn

    def exiting(self) -> Callable[..., Any]:
        async def fn() -> AsyncIterator[str]:
            yield "shown"
            sys.exit("no more")

        return fn

    def telling(self) -> Callable[..., Any]:
        async def fn(progress: oc.Progress = oc.Progress()) -> AsyncIterator[str]:  # noqa: B008
            oc.Info("first")
            progress((1, 2), "half")
            yield "x"
            oc.Info("last")

        return fn

    def held(self, log: Log) -> Callable[..., Any]:
        async def fn() -> AsyncIterator[str]:
            log.append("begun")
            try:
                while True:
                    yield "shown"
                    await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                log.append("interrupted")
                raise
            finally:
                await self.gate.passed()
                log.append("done")

        return fn


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    """Warm processes for all tests of this file."""
    yield
    if Process.world_of_all:
        Process.world_of_all.end()
        Process.world_of_all = None


class Process(Flavour):
    name = "process"
    world_of_all: Processes | None = None

    @staticmethod
    def make() -> World:
        Process.world_of_all = Process.world_of_all or Processes()
        return Process.world_of_all

    def __init__(self) -> None:
        super().__init__()
        self.foreman = Foreman()
        self.gate.is_open = self.foreman.gate

    def close(self) -> None:
        self.foreman.close()

    def chore(self, marked: Callable[..., Any], log: Log | None = None, **more: Any) -> Chore:
        self.foreman.log = [] if log is None else log
        return Chore(marked, self.foreman.text(**more))

    def giving(self, values: list[str]) -> Any:
        return self.chore(chores.give_steps if self.steps else chores.give, values=values)

    def failing(self, log: Log) -> Any:
        return self.chore(chores.raise_boom_later if self.steps else chores.raise_boom, log)

    def exiting(self) -> Any:
        return self.chore(chores.leave_later if self.steps else chores.leave)

    def telling(self) -> Any:
        return self.chore(chores.tell_steps if self.steps else chores.tell)

    def held(self, log: Log) -> Any:
        return self.chore(chores.hold_steps if self.steps else chores.hold, log)


class ProcessSteps(Process):
    name = "process, generator"
    steps = True


FLAVOURS = [
    *(Inline, InlineSteps, Placed, PlacedSteps, Thread, ThreadSteps),
    *(Coroutine, AsyncSteps, Process, ProcessSteps),
]
HOLDING = [Thread, ThreadSteps, Coroutine, AsyncSteps, Process, ProcessSteps]


def made(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    flavour = request.param()
    yield flavour
    flavour.gate.open()
    flavour.close()


flavour = pytest.fixture(made, params=FLAVOURS, ids=lambda f: f.name)
holding = pytest.fixture(made, name="holding", params=HOLDING, ids=lambda f: f.name)
waiting = pytest.fixture(made, name="waiting", params=[Coroutine, AsyncSteps], ids=lambda f: f.name)


class Pressed:
    """An app with one listener, and its button pressed once."""

    def __init__(self, world: World, fn: Callable[..., Any] | Chore | None, **options: Any) -> None:
        with oc.Blocks() as app:
            self.go, self.stop, self.out = oc.Button(), oc.Button(), oc.Textbox()
            outputs = () if fn is None else (self.out,)
            dep = listen(self.go.click, fn, *outputs, trigger_mode="multiple", **options)
            self.stop.click(None, cancels=[dep], api_name="stop")
        self.shown: list[object] = []
        self.toasts: list[str] = []
        self.bars: list[Bar] = []
        self.errors: list[object] = []
        self.world = world
        self.recorder = Recorder(world, app, emit=self._emit)
        self.recorder.program.receive(Open("s"))
        self.press()

    def _emit(self, patch: Patch) -> None:
        if isinstance(patch, Set):
            self.shown.append(patch.value)
        elif isinstance(patch, Toast):
            self.toasts.append(patch.notice.message)
        elif isinstance(patch, Run) and isinstance(patch.outcome.value, Report):
            self.bars.extend(patch.outcome.value.bars)
        elif isinstance(patch, Run) and patch.outcome.kind is Kind.FAILED:
            self.errors.append(patch.outcome.value)

    def press(self, button: oc.Button | None = None) -> None:
        self.recorder.program.receive(Act("s", (button or self.go).id, "click"))

    def ends(self) -> list[str]:
        ends = ("succeeded", "failed", "cancelled")
        return [k for _, k, name, _, _ in self.recorder.lines if k in ends and name != "stop"]

    def count(self, kind: str) -> int:
        return sum(k == kind and name != "stop" for _, k, name, _, _ in self.recorder.lines)


def test_r2_values_come_in_order(flavour: Flavour) -> None:
    """R2: every value of a generator, more of them than any buffer holds; a function's one."""
    values = [str(i) for i in range(300)]
    pressed = Pressed(flavour.world, flavour.giving(values))
    flavour.world.until(lambda: len(pressed.ends()) == 1)
    assert pressed.shown == (values if flavour.steps else values[-1:])
    assert pressed.ends() == ["succeeded"]


def test_r3_an_error_is_failed_once(flavour: Flavour) -> None:
    """R3: called once, failed once; what was shown before stays; the slot is free."""
    log = Log()
    pressed = Pressed(flavour.world, flavour.failing(log))
    pressed.press()
    flavour.world.until(lambda: len(pressed.ends()) == 2)
    assert pressed.ends() == ["failed", "failed"]
    assert log == ["called", "called"]
    assert pressed.shown == (["shown"] * 2 if flavour.steps else [])
    assert [type(each) for each in pressed.errors] == [OddError, OddError]
    assert [getattr(each, "code", None) for each in pressed.errors] == [7, 7]


def test_r3_a_function_that_exits_has_failed(flavour: Flavour) -> None:
    """R3: sys.exit in a function ends its request and nothing else: not the loop, not the app."""
    pressed = Pressed(flavour.world, flavour.exiting())
    flavour.world.until(lambda: len(pressed.ends()) == 1)
    pressed.press()
    flavour.world.until(lambda: len(pressed.ends()) == 2)
    assert pressed.ends() == ["failed", "failed"]
    assert [type(each) for each in pressed.errors] == [SystemExit, SystemExit]
    assert pressed.shown == (["shown"] * 2 if flavour.steps else [])


def test_r4_notices_reach_who_asked(flavour: Flavour) -> None:
    """R4: also the one that a function says as the last thing before it returns."""
    pressed = Pressed(flavour.world, flavour.telling())
    flavour.world.until(lambda: len(pressed.ends()) == 1)
    assert pressed.toasts == ["first", "last"]
    assert pressed.bars == [Bar(1, 2, "steps", "half")]


def test_c4_ends_exactly_once_and_after_all_else(flavour: Flavour) -> None:
    """C4: one end, nothing after it, seen from the raw observer that Rx would shield."""
    for fn in (flavour.giving(["a", "b"]), flavour.failing([]), flavour.telling()):
        heard = raw(flavour.world, fn)
        flavour.world.until(lambda heard=heard: heard[-1:] in (["completed"], ["error"]))
        flavour.world.run(flavour.world.clock.seconds + 0.1)
        assert heard.count("completed") + heard.count("error") == 1
        assert heard[-1] in ("completed", "error")


def test_c4_asked_to_stop_before_it_began(flavour: Flavour) -> None:
    """C4 C2: it ends once, and shows nothing."""
    cancel = CancelToken()
    cancel.request()
    heard = raw(flavour.world, flavour.giving(["a"]), cancel)
    flavour.world.until(lambda: bool(heard))
    flavour.world.run(flavour.world.clock.seconds + 0.1)
    assert heard == ["completed"]


class Heard(abc.ObserverBase[Any]):
    """Writes down what it hears, with nothing between it and the executor."""

    def __init__(self) -> None:
        self.log = list[str]()

    def on_next(self, value: Any) -> None:
        self.log.append("next")

    def on_error(self, error: Exception) -> None:
        self.log.append("error")

    def on_completed(self) -> None:
        self.log.append("completed")


def raw(world: World, fn: Callable[..., Any] | Chore, cancel: CancelToken | None = None) -> Log:
    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()
        listen(go.click, fn, out)
    plan = compile_plan(app)
    listener = plan.listeners[0]
    event = Event(1, "s", go.id, "click", Cause.USER, 0.0)
    nodes = tuple(plan.nodes[id] for id in listener.inputs)
    values = tuple(node.initial() for node in nodes)
    call = Call(listener, (Member(Request(1, "s", listener, event), values, nodes, (out,), go),))
    heard = Heard()
    work = world.execute(call, cancel or CancelToken())
    if isinstance(work, Work):
        work.subscribe(heard)
    else:
        work._subscribe(heard, None)  # pyright: ignore
    return heard.log


# -- cancels -----------------------------------------------------------------------------------


def test_q3_the_slot_is_held_until_the_work_has_ended(holding: Flavour) -> None:
    """Q3 C2: cancelled at once, but the next one starts only when the work has really stopped; a
    generator's `finally` runs once, and what comes late is shown nowhere."""
    log = Log()
    pressed = Pressed(holding.world, holding.held(log))
    holding.world.until(lambda: log == ["begun"] and len(pressed.shown) >= holding.steps)
    pressed.press(pressed.stop)
    shown = len(pressed.shown)
    pressed.press()
    assert pressed.ends() == ["cancelled"]
    holding.world.run(holding.world.clock.seconds + 0.1)
    assert log == ["begun"] and pressed.count("started") == 1
    holding.gate.open()
    holding.world.until(lambda: log == ["begun", "done", "begun"] + ["done"] * (not holding.steps))
    holding.world.until(lambda: pressed.count("started") == 2)
    pressed.press(pressed.stop)
    holding.world.until(lambda: log.count("done") == 2)
    assert log == ["begun", "done", "begun", "done"]
    assert holding.steps or len(pressed.shown) - shown <= 1


def test_q3_one_end_for_the_request_and_none_later(holding: Flavour) -> None:
    """C4: an error of work that was cancelled is told to the log, not to anybody's request."""
    log = Log()
    pressed = Pressed(holding.world, holding.held(log))
    holding.world.until(lambda: log == ["begun"])
    pressed.press(pressed.stop)
    holding.gate.open()
    holding.world.until(lambda: log[-1] == "done")
    holding.world.run(holding.world.clock.seconds + 0.1)
    assert pressed.ends() == ["cancelled"]


def test_c3_interrupt_stops_an_async_function_at_its_await(waiting: Flavour) -> None:
    """C3: it gets CancelledError, and its slot is free as soon as it has ended."""
    log = Log()
    waiting.gate.open() if waiting.steps else None
    pressed = Pressed(waiting.world, waiting.held(log), interrupt=True)
    pressed.press()
    waiting.world.run(0.45)
    assert log == ["begun"]
    pressed.press(pressed.stop)
    pressed.press()
    waiting.world.run(0.46)
    assert log == ["begun", "interrupted"] + ["done"] * waiting.steps + ["begun"]
    assert pressed.ends() == ["cancelled", "cancelled"]
    assert pressed.recorder.errors == []


def test_c2_without_interrupt_it_may_finish(waiting: Flavour) -> None:
    """C2: cancelled, an async function gets no CancelledError: it goes on like a plain one."""
    log = Log()
    pressed = Pressed(waiting.world, waiting.held(log))
    waiting.world.run(0.25)
    pressed.press(pressed.stop)
    waiting.gate.open()
    waiting.world.run(5.0)
    assert log == ["begun", "done"]


def test_a_listener_without_a_function_succeeds_at_once() -> None:
    """The executor `nothing`: one end, no value, in every world."""
    for make in (Virtual, Asyncio, worlds.Placed):
        world = make()
        pressed = Pressed(world, None)
        world.run(1.0)
        assert pressed.ends() == ["succeeded"] and pressed.shown == []
        world.close()


def test_r4_a_thread_of_a_coroutines_own_reaches_them_too() -> None:
    """R4: the way to who asked goes along with its context, and what is said comes in order."""
    world = Asyncio()

    async def fn() -> str:
        here = contextvars.copy_context()
        await world.loop.run_in_executor(threads, here.run, oc.Info, "from a thread")
        oc.Info("from the loop")
        return "x"

    with ThreadPoolExecutor(1) as threads:
        pressed = Pressed(world, fn)
        world.run(1.0)
    assert pressed.toasts == ["from a thread", "from the loop"]
    world.close()
