"""`python -m benchmarks.flow`: what the semantics cost by themselves, in virtual time.

One event should cost the same however many requests wait, sessions are open or listeners stand in
the program. Functions take no real time here, so the figures are the framework's own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import ossicle as oc
from ossicle.flow.graph import Graph, Node
from ossicle.flow.listeners import Listener
from ossicle.flow.model import Cause, Event, Job, Request, Seconds
from ossicle.flow.patches import Patch
from ossicle.flow.plan import compile_plan
from ossicle.flow.program import Program
from ossicle.flow.queue import Ask, Cancel, Effect, Ended, Queue, Start
from ossicle.flow.said import Act, Close, Open
from ossicle.flow.sources import event
from ossicle.flow.testing import VirtualClock, inline
from ossicle.flow.triggers import TRIGGERS
from ossicle.runtime.description import Description
from ossicle.runtime.host import Host

from .report import machine

WAITING = (10, 1_000, 100_000)
SESSIONS = (1, 100, 10_000)
LISTENERS = (5, 500, 5_000)
IDLE = 1_000
TURNS = 25
TURN: Seconds = 0.02
TOO_SLOW = 100_000.0
"""Microseconds an event may cost; beyond it larger sizes are left out."""
JOB: Seconds = 0.001
"""Virtual length of a call where others wait for it."""

Cycle = Callable[[], object]
"""One event and all that follows from it."""
Row = tuple[str, Sequence[int], Callable[[int], Cycle]]
"""A title, sizes, and what makes the cycle of a size."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flow", description=__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    sections: tuple[tuple[str, tuple[Row, ...]], ...] = (
        (
            "the whole program: a click to its last patch",
            (
                ("requests waiting, each in its own session", WAITING, program_waiting),
                ("requests waiting, all in one session", WAITING, program_crowded),
                ("sessions, taking turns", SESSIONS, program_sessions),
                ("listeners, each on its own button", LISTENERS, program_listeners),
                ("sessions open while one comes and goes", SESSIONS, program_visits),
            ),
        ),
        (
            "the queue alone: a request in, a job's end",
            (
                ("requests waiting, each in its own session", WAITING, queue_waiting),
                ("requests waiting, all in one session", WAITING, queue_crowded),
                ("requests waiting for one State to be written", WAITING, queue_writing),
                ("requests waiting while one is cancelled", WAITING, queue_leaving),
                ("requests of one session while one is cancelled", WAITING, queue_withdrawing),
                ("sessions, taking turns", SESSIONS, queue_sessions),
            ),
        ),
        (
            "the page: what a new tab is told",
            (("listeners, each on its own button", LISTENERS, page_opens),),
        ),
    )
    lines = [f"- {name}: {value}" for name, value in machine().items()]
    lines += [f"- figures: µs of CPU an event, median of {TURNS} turns; × what the first size took"]
    for heading, rows in sections:
        lines += ["", f"| {heading} | size: µs | size: µs | size: µs |"]
        lines += ["| --- | ---: | ---: | ---: |"]
        lines += [f"| {title} | {' | '.join(cells(sizes, make))} |" for title, sizes, make in rows]
    lines += [
        "",
        f"An idle app with {IDLE:,} sessions: {asyncio.run(idle()):.2f} ms of CPU in 2 s.",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


def cells(sizes: Sequence[int], make: Callable[[int], Cycle]) -> list[str]:
    """The cost at each size, and what it is of that at the first.

    In turns: a machine that is shared is slower for a while, and that while meets all sizes.
    """
    cycles: list[Cycle] = []
    for size in sizes:
        cycles.append(make(size))
        if cost(cycles[-1]) > TOO_SLOW:
            break
    gc.collect()
    gc.disable()
    turns = [[cost(cycle) for cycle in cycles] for _ in range(TURNS)]
    gc.enable()
    found: list[str] = []
    for at, size in enumerate(sizes):
        if at >= len(cycles):
            found.append(f"{size:,}: left out")
            continue
        cell = median(turn[at] for turn in turns)
        share = f" ×{median(turn[at] / turn[0] for turn in turns):.2f}" if at else ""
        found.append(f"{size:,}: {cell:.1f}{share}" if cell < 100 else f"{size:,}: {cell:,.0f}")
    return found


def cost(cycle: Cycle) -> float:
    """Microseconds of CPU a cycle, in one turn."""
    # CPU time, which other programs on the machine cannot take part in: all is in one thread
    done, start = 0, time.thread_time()
    while (passed := time.thread_time() - start) < TURN:
        cycle()
        done += 1
    return 1e6 * passed / done


def echo(value: object) -> object:
    return value


# -- the whole program -------------------------------------------------------------------------


class Text(Node):
    """Holds a value; its `change` is what outputs feed back."""

    holds_value = True
    change = event("Its value moved.")


class Button(Node):
    """Something to press."""

    click = event("It was pressed.")


class Small:
    """A program of some buttons, each echoing one text into another, and its clock."""

    def __init__(self, listeners: int = 1, limit: int | None = None, lasts: Seconds = 0.0) -> None:
        graph = Graph()
        graph.begin()
        said, heard = Text().place(), Text().place()
        self.buttons = [Button().place() for _ in range(listeners)]
        for button in self.buttons:
            button.click(echo, said, heard, trigger_mode="multiple", concurrency_limit=limit)
        graph.end()
        self.said = said
        self.clock = VirtualClock()
        self.shown = 0
        self.program = Program(
            compile_plan(graph),
            inline(self.clock, lambda _: lasts),
            self.clock,
            self._show,
            on_error=fail,
        )

    def open(self, session: str) -> None:
        self.program.receive(Open(session))

    def click(self, session: str, button: int = 0) -> None:
        self.program.receive(Act(session, self.buttons[button].id, "click"))

    def job_ends(self) -> None:
        self.clock.run_until(self.clock.seconds + JOB)

    def _show(self, patch: Patch) -> None:
        self.shown += 1


def fail(error: Exception) -> None:
    raise error


def program_waiting(n: int) -> Cycle:
    app = Small(limit=1, lasts=JOB)
    sessions = deque(f"s{i}" for i in range(n + 1))
    for session in sessions:
        app.open(session)
        app.click(session)

    def cycle() -> None:
        app.job_ends()
        app.click(sessions[0])
        sessions.rotate(-1)

    return cycle


def program_crowded(n: int) -> Cycle:
    app = Small(limit=1, lasts=JOB)
    app.open("s")
    for _ in range(n + 1):
        app.click("s")

    def cycle() -> None:
        app.job_ends()
        app.click("s")

    return cycle


def program_sessions(n: int) -> Cycle:
    app = Small()
    for i in range(n):
        app.open(f"s{i}")
    turn = count()
    return lambda: app.click(f"s{next(turn) % n}")


def program_listeners(n: int) -> Cycle:
    app = Small(listeners=n)
    app.open("s")
    turn = count()
    return lambda: app.click("s", next(turn) % n)


def program_visits(n: int) -> Cycle:
    app = Small()
    for i in range(n):
        app.open(f"s{i}")

    def cycle() -> None:
        app.open("guest")
        app.click("guest")
        app.program.receive(Close("guest"))

    return cycle


# -- the queue alone ---------------------------------------------------------------------------


class Line:
    """A queue with one listener, and the jobs that run in it."""

    def __init__(self, limit: int | None = 1, locks: frozenset[int] = frozenset()) -> None:
        self.queue = Queue()
        self.running = deque[Job]()
        self._ids = count(1)
        self._listener = Listener(
            id=0,
            name="echo",
            fn=echo,
            mode="multiple",
            trigger=TRIGGERS["multiple"],
            line="echo",
            limit=limit,
            locks=locks,
        )

    def ask(self, session: str) -> int:
        id = next(self._ids)
        event = Event(id, session, 1, "click", Cause.USER, 0.0)
        self._post(Ask(Request(id, session, self._listener, event)))
        return id

    def job_ends(self) -> None:
        self._post(Ended(self.running.popleft()))

    def cancel(self, session: str, request: int | None = None) -> None:
        self._post(Cancel(session, None, request))

    def _post(self, message: Any) -> None:
        effects: list[Effect] = self.queue.step(message, 0.0)
        self.running.extend(effect.job for effect in effects if isinstance(effect, Start))


def queue_waiting(n: int) -> Cycle:
    line = Line()
    sessions = map("s{}".format, count())
    for _ in range(n + 1):
        line.ask(next(sessions))

    def cycle() -> None:
        line.ask(next(sessions))
        line.job_ends()

    return cycle


def queue_crowded(n: int) -> Cycle:
    return _crowded(Line(), n)


def queue_writing(n: int) -> Cycle:
    """No limit holds these back, only that each must see what the one before it wrote."""
    return _crowded(Line(limit=None, locks=frozenset({7})), n)


def _crowded(line: Line, n: int) -> Cycle:
    for _ in range(n + 1):
        line.ask("s")

    def cycle() -> None:
        line.ask("s")
        line.job_ends()

    return cycle


def queue_leaving(n: int) -> Cycle:
    line = Line()
    for i in range(n + 1):
        line.ask(f"s{i}")

    def cycle() -> None:
        line.ask("leaving")
        line.cancel("leaving")

    return cycle


def queue_withdrawing(n: int) -> Cycle:
    line = Line()
    for _ in range(n + 1):
        line.ask("s")
    return lambda: line.cancel("s", line.ask("s"))


def queue_sessions(n: int) -> Cycle:
    line = Line(limit=None)
    turn = count()

    def cycle() -> None:
        line.ask(f"s{next(turn) % n}")
        line.job_ends()

    return cycle


# -- the page ----------------------------------------------------------------------------------


def page_opens(n: int) -> Cycle:
    """The first message of a session, as the web front end sends it."""
    with oc.Blocks() as app:
        said, heard = oc.Textbox(), oc.Textbox()
        for _ in range(n):
            oc.Button("echo").click(echo, said, heard)
    plan = app.plan()
    clock = VirtualClock()
    program = Program(plan, inline(clock), clock, lambda _: None, on_error=fail)
    program.receive(Open("s"))
    session = program.sessions["s"]
    description = Description(plan, "many", {})  # made once for all sessions, as the host does
    return lambda: description.of(session)


# -- rest --------------------------------------------------------------------------------------


async def idle() -> float:
    """Milliseconds of CPU that a server takes in two seconds in which nobody does anything."""
    with oc.Blocks() as app:
        said, heard = oc.Textbox(), oc.Textbox()
        oc.Button("echo").click(echo, said, heard)
        oc.Microphone(streaming=True).stream(echo, said, heard)
    host = Host(app.plan())
    for _ in range(IDLE):
        host.connect(None, 0, lambda _: None)
    await asyncio.sleep(1)
    gc.collect()
    start = time.process_time()
    await asyncio.sleep(2)
    used = time.process_time() - start
    await host.close()
    return 1e3 * used


if __name__ == "__main__":
    main()
