"""One script, the same timed outcomes in virtual time and on asyncio.

Instants are drawn so that no two causes fall on the same microsecond: what is due at one instant
has no order by the rules, and a click may fall before or after an end. One thing is still open:
where a line takes more than one job, two that began at one instant and last equally long end at
one instant, one before the other or the other before the one. There the outcomes of an instant are
compared per request; with a limit of one they are compared as they came.

In real threads there is no time to compare: each step waits until the script lets it go, and what
each request went through is compared.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.graph import Node
from ossicle.flow.said import Act, Close, Disconnect, Open, Reconnect, Withdraw

from .foreman import Foreman
from .worlds import (
    Asyncio,
    Line,
    Placed,
    Processes,
    Recorder,
    Threads,
    Virtual,
    Work,
    World,
    listen,
)

MODES = ("once", "multiple", "always_last", "restart")
WORKS = {
    "function": Work(1.0),
    "generator": Work(0.3, steps=3),
    "failing function": Work(1.0, fails=True),
    "failing generator": Work(0.4, steps=2, fails=True),
}
LONG = 60.0


@dataclass(frozen=True)
class Case:
    """What varies from script to script."""

    mode: str
    limit: int | None
    batch: int
    work: str
    cancels: bool
    state: bool
    queue: bool = True

    def __str__(self) -> str:
        shape = f"batch of {self.batch}" if self.batch else "single"
        parts = [self.mode, f"limit {self.limit}", shape, self.work]
        parts += [name for name in ("cancels", "state") if getattr(self, name)]
        return ", ".join(parts if self.queue else [*parts, "unqueued"])


def cases() -> list[Case]:
    made = [
        Case(*each)
        for each in itertools.product(
            MODES, (1, 2, None), (0, 3), WORKS, (False, True), (False, True)
        )
    ]
    return made + [
        Case(mode, None, 0, work, True, state, queue=False)
        for mode, work, state in itertools.product(MODES, WORKS, (False, True))
    ]


class App:
    """Two working listeners in one line, a third in its own, followers, and a stop button."""

    def __init__(self, world: World, case: Case) -> None:
        def fn(name: str, work: Work) -> Callable[..., Any]:
            return world.function(name, work)

        options: dict[str, Any] = {"trigger_mode": case.mode, "queue": case.queue}
        if case.queue:
            options |= {"concurrency_limit": case.limit, "concurrency_id": "line"}
        if case.batch:
            options |= {"batch": True, "max_batch_size": case.batch}
            if case.queue:
                options["batch_window"] = 0.25
        work = WORKS[case.work]
        other = {**options, "trigger_mode": "multiple", "batch": False}
        for name in ("batch_window", "max_batch_size"):
            other.pop(name, None)
        with oc.Blocks() as app:
            self.one, self.two, self.three = oc.Button(), oc.Button(), oc.Button()
            self.stop, count = oc.Button(), oc.State(0) if case.state else oc.Number(0)
            one = self.one.click(fn("one", work), count, count, **options)
            self.two.click(fn("two", Work(0.7)), count, count, **other)
            three = self.three.click(fn("three", Work(0.2)), every=1.7)
            count.change(fn("changed", Work(0.1)), trigger_mode="multiple", concurrency_limit=3)
            one.success(fn("success", Work(0.05)))
            one.failure(fn("failure", Work(0.05)))
            one.cancelled(fn("cancelled", Work(0.05)))
            one.then(fn("then", Work(0.05)))
            if case.cancels and case.queue:
                self.stop.click(fn("stop", Work(0.3)), cancels=[one, three])
        self.app, self.count = app, count
        self.buttons = [self.one, self.one, self.two, self.three]


def drive(make: Callable[[], World], case: Case, seed: str) -> tuple[list[Line], list[object]]:
    """All outcomes of a script, and the values that are left."""
    world = make()
    app = App(world, case)
    recorder = Recorder(world, app.app, reconnect_window=1.5)
    receive = recorder.program.receive
    sessions = ("a", "b")
    for session in sessions:
        receive(Open(session))
    draw = random.Random(seed)

    def at(seconds: float, action: Callable[..., object], *args: object) -> None:
        world.clock.at(seconds, partial(action, *args))

    def click(session: str, node: Node) -> None:
        receive(Act(session, node.id, "click"))

    def withdraw(session: str) -> None:
        """The newest request of the first listener."""
        ids = [id for _, _, name, whose, id in recorder.lines if (name, whose) == ("one", session)]
        if ids:
            receive(Withdraw(session, max(ids)))

    for _ in range(24):
        at(draw.uniform(0.1, 9.0), click, draw.choice(sessions), draw.choice(app.buttons))
    for _ in range(4 if case.cancels else 0):
        at(draw.uniform(0.5, 9.0), click, draw.choice(sessions), app.stop)
        at(draw.uniform(0.5, 9.0), withdraw, draw.choice(sessions))
    at(draw.uniform(2.0, 6.0), receive, Disconnect("a"))
    at(draw.uniform(6.0, 7.0), receive, Reconnect("a"))
    world.run(LONG)
    values = [recorder.program.sessions[s].values[app.count.id] for s in sessions[1:]]
    for session in sessions:
        receive(Close(session))
    world.run(LONG + 5.0)
    assert recorder.program.sessions == {}
    assert recorder.errors == []
    world.close()
    return recorder.lines, values


Told = tuple[list[tuple[object, ...]], list[object]]


def told(driven: tuple[list[Line], list[object]], case: Case) -> Told:
    """What of it is not open; a request is called by its listener, its session and its turn."""
    lines, values = driven
    turns = dict[tuple[str, str], dict[int, int]]()
    named = list[tuple[object, ...]]()
    for at, kind, name, session, id in lines:
        turn = turns.setdefault((name, session), {})
        named.append((at, name, session, turn.setdefault(id, len(turn)), kind))
    if case.limit != 1:
        named.sort(key=lambda line: line[:4])
    return named, values


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_same_in_virtual_time_and_on_asyncio(case: Case) -> None:
    """Outcome for outcome: the same kind, of the same request, at the same microsecond."""
    virtual = drive(Virtual, case, str(case))
    assert len(virtual[0]) > 50
    assert told(drive(Asyncio, case, str(case)), case) == told(virtual, case)


@pytest.mark.parametrize("case", cases()[::7], ids=str)
def test_the_same_in_place(case: Case) -> None:
    """The executor that users test with gives what virtual time gives."""
    placed, virtual = drive(Placed, case, str(case)), drive(Virtual, case, str(case))
    assert told(placed, case) == told(virtual, case)


@pytest.mark.parametrize("case", cases()[::5], ids=str)
def test_the_same_again(case: Case) -> None:
    """A script has one outcome."""
    assert drive(Virtual, case, str(case)) == drive(Virtual, case, str(case))


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Warm ones for all scripts, and a foreman who lets their steps go."""
    world = Processes()
    world.foreman = Foreman()
    yield world
    world.foreman.close()
    world.end()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("work", ["function", "generator", "failing generator"])
@pytest.mark.parametrize("script", ["cccsssssss", "cscscscscs", "csccscsss", "cscsssscc"])
def test_the_same_order_in_threads_and_processes(
    mode: str, work: str, script: str, processes: Processes
) -> None:
    """In real threads, and in processes, each request goes through the same: `c` clicks, `s` lets a
    step be done."""

    def story(make: Callable[[], Virtual | Threads]) -> list[list[str]]:
        world = make()
        with oc.Blocks() as app:
            go = oc.Button()
            fn = world.function("work", replace(WORKS[work], takes=1.0))
            after = world.function("then", Work(0.0, steps=0))
            listen(listen(go.click, fn, trigger_mode=mode, api_name="work").then, after)
        recorder = Recorder(world, app)
        recorder.program.receive(Open("s"))
        for act in script:
            if act == "c":
                recorder.program.receive(Act("s", go.id, "click"))
                world.settle(recorder)
            else:
                world.step(recorder)
        while recorder.program.sessions["s"].pending or not recorder.program.idle:
            world.step(recorder)
        found = dict[int, list[str]]()
        for _, kind, name, _, request in recorder.lines:
            if name == "work":
                found.setdefault(request, []).append(kind)
        world.close()
        return list(found.values())

    virtual = story(Virtual)
    assert story(Threads) == virtual
    assert story(lambda: processes) == virtual
