"""Random apps and random acts: what must hold whatever happens."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reactivex import Observable
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.calls import Call
from ossicle.flow.cancel import CancelToken
from ossicle.flow.listeners import Listener
from ossicle.flow.model import ENDS, Cause, Event, Job, Kind, Outcome, Request
from ossicle.flow.patches import Gone
from ossicle.flow.plan import compile_plan
from ossicle.flow.program import Program
from ossicle.flow.queue import Ask, Cancel, Ended, Message, Queue, Settled, Start, Wake, Woke
from ossicle.flow.said import Act, Close, Disconnect, Open, Reconnect, Withdraw
from ossicle.flow.testing import VirtualClock, inline
from ossicle.flow.triggers import TRIGGERS

from .model import Model, told

SESSIONS = ("a", "b", "c")
MODES = tuple(TRIGGERS)
LOCKS: tuple[tuple[int, ...], ...] = ((), (), (7,), (8,), (7, 8))


# -- the queue beside its model ----------------------------------------------------------------


@st.composite
def some_listeners(draw: st.DrawFn) -> list[Listener]:
    """Listeners with any mix of options, in lines of their own or in one that they share."""
    limits = {"shared": draw(st.sampled_from((1, 1, 2, 3, None)))}
    made = list[Listener]()
    for id in range(draw(st.integers(1, 5))):
        line = draw(st.sampled_from(("shared", f"own {id}")))
        batch = draw(st.sampled_from((0, 0, 2, 3)))
        mode = draw(st.sampled_from(MODES))
        earlier = [each.id for each in made]
        cancels = draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else set[int]()
        made.append(
            Listener(
                id=id,
                name=f"f{id}",
                mode=mode,  # type: ignore[arg-type]
                trigger=TRIGGERS[mode],
                line=line,
                limit=limits.setdefault(line, draw(st.sampled_from((1, 2, None)))),
                batch=batch,
                window=draw(st.sampled_from((0.0, 0.0, 2.0))) if batch else 0.0,
                locks=frozenset(draw(st.sampled_from(LOCKS))),
                cancels=frozenset(cancels),
                on_disconnect=draw(st.sampled_from(("cancel", "cancel", "finish"))),
            )
        )
    return made


class QueueMachine(RuleBasedStateMachine):
    """The queue does what its slow model does, and holds nothing when all is over."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners = list[Listener]()
        self.now = 0.0
        self.asked = 0
        self.jobs = list[Job]()
        self.wakes = list[Wake]()
        self.ends = Counter[int]()

    @initialize(listeners=some_listeners(), max_size=st.sampled_from((None, None, 0, 2, 5)))
    def begin(self, listeners: list[Listener], max_size: int | None) -> None:
        self.listeners = listeners
        self.queue, self.model = Queue(max_size), Model(max_size)

    def post(self, message: Message) -> None:
        effects = self.queue.step(message, self.now)
        assert told(effects) == self.model.step(message, self.now)
        for effect in effects:
            if isinstance(effect, Start):
                self.jobs.append(effect.job)
            elif isinstance(effect, Wake):
                self.wakes.append(effect)
            elif isinstance(effect, Outcome) and effect.kind in ENDS:
                self.ends[effect.request.id] += 1

    @rule(
        which=st.integers(0, 4),
        session=st.sampled_from(SESSIONS),
        cause=st.sampled_from((Cause.USER, Cause.USER, Cause.TIMER)),
    )
    def ask(self, which: int, session: str, cause: Cause) -> None:
        self.asked += 1
        listener = self.listeners[which % len(self.listeners)]
        event = Event(self.asked, session, 0, "click", cause, self.now)
        self.post(Ask(Request(self.asked, session, listener, event)))

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 20), kind=st.sampled_from((Kind.SUCCEEDED, Kind.FAILED)))
    def end(self, which: int, kind: Kind) -> None:
        self.post(Ended(self.jobs.pop(which % len(self.jobs)), kind))

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 20), member=st.integers(0, 2))
    def settle(self, which: int, member: int) -> None:
        requests = self.jobs[which % len(self.jobs)].requests
        self.post(Settled(requests[member % len(requests)], ValueError()))

    @rule(session=st.sampled_from(SESSIONS), leaving=st.booleans())
    def leave(self, session: str, leaving: bool) -> None:
        self.post(Cancel(session, leaving=leaving))

    @rule(session=st.sampled_from(SESSIONS), ids=st.frozensets(st.integers(0, 4), max_size=3))
    def cancel(self, session: str, ids: frozenset[int]) -> None:
        self.post(Cancel(session, ids))

    @rule(session=st.sampled_from(SESSIONS), back=st.integers(0, 8))
    def withdraw(self, session: str, back: int) -> None:
        self.post(Cancel(session, request=self.asked - back))

    @rule(seconds=st.sampled_from((0.5, 1.0, 3.0)))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [wake for wake in self.wakes if wake.at <= until]:
            first = min(due, key=lambda wake: wake.at)
            self.wakes.remove(first)
            self.now = max(self.now, first.at)
            self.post(Woke(first.line))
        self.now = until

    @invariant()
    def places_are_in_order(self) -> None:
        for line in {each.line for each in self.listeners}:
            found = [r.id for r, _ in self.queue.places(line, 99)]
            assert found == [r.id for r in self.model.waiting if r.listener.line == line]

    def teardown(self) -> None:
        if not self.listeners:
            return
        for _ in range(1000):
            if not (self.jobs or self.wakes):
                break
            self.wait(3.0)
            if self.jobs:
                self.post(Ended(self.jobs.pop(0)))
        assert self.ends == Counter(range(1, self.asked + 1))
        assert self.queue.idle


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=int(os.environ.get("OSSICLE_EXAMPLES", "150")),
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


# -- whole apps --------------------------------------------------------------------------------


class Watch:
    """Counts what runs, from inside the executor, where no bookkeeping of the queue is believed."""

    def __init__(self, clock: VirtualClock, takes: Callable[[Call], float]) -> None:
        self._inner = inline(clock, takes)
        self.running = Counter[str]()
        self.writing = Counter[tuple[str, int]]()
        self.most = Counter[str]()

    def __call__(self, call: Call, cancel: CancelToken) -> Observable[Any]:
        listener = call.listener
        keys = [(m.request.session, node) for m in call.members for node in listener.locks]
        assert len(call.members) <= max(listener.batch, 1)
        assert len({m.request.listener for m in call.members}) == 1
        self.running[listener.line] += 1
        self.most[listener.line] = max(self.most[listener.line], self.running[listener.line])
        assert listener.limit is None or self.running[listener.line] <= listener.limit
        for key in keys:
            self.writing[key] += 1
            assert self.writing[key] == 1, "two jobs of a session write one State"

        def over() -> None:
            self.running[listener.line] -= 1
            for key in keys:
                self.writing[key] -= 1

        return self._inner(call, cancel).pipe(ops.do_action(None, lambda _: over(), over))


class RandomApp:
    """An app of listeners with random options, and the functions that count what they did."""

    def __init__(self, draw: random.Random) -> None:
        self.takes = dict[str, float]()
        self.opened = self.closed = 0
        self.written = Counter[str]()
        with oc.Blocks() as app:
            self.buttons = [oc.Button() for _ in range(6)]
            self.boxes = [oc.Number(0) for _ in range(3)]
            self.state = oc.State(0)
            deps = list[Any]()
            for n in range(8):
                options = self._options(draw)
                fn = self._function(draw, f"f{n}", bool(options.get("batch")))
                inputs, outputs = draw.choice(
                    (
                        (self.state, self.state),
                        (self.state, self.state),
                        (self.boxes[0], self.boxes[1]),
                        (self.boxes[1], self.boxes[2]),
                        (self.boxes[2], self.state),
                    )
                )
                source = draw.choice((*(b.click for b in self.buttons), self.boxes[1].change))
                named = draw.sample(deps, min(len(deps), draw.choice((0, 0, 1, 2))))
                cancels = [d for d in named if d.declared.options.queue is not False]
                dep = source(fn, inputs, outputs, cancels=cancels, **options)
                deps.append(dep)
                if draw.random() < 0.3:
                    after = draw.choice((dep.then, dep.success, dep.failure, dep.cancelled))
                    deps.append(after(self._function(draw, f"after{n}", False), self.state))
            oc.Timer(0.7).tick(self._function(draw, "tick", False), self.state, self.state)
            app.unload(self._function(draw, "unload", False), self.state)
        self.app = app.queue(
            default_concurrency_limit=draw.choice((1, 2, None)),
            max_size=draw.choice((None, None, 5, 50)),
        )

    def _options(self, draw: random.Random) -> dict[str, Any]:
        made: dict[str, Any] = {"trigger_mode": draw.choice(MODES)}
        if draw.random() < 0.2:
            return made | {"queue": False}
        if draw.random() < 0.3:
            made["batch"] = True
            made["max_batch_size"] = draw.choice((1, 2, 4))
            made["batch_window"] = draw.choice((0, 0, 0.5))
        if draw.random() < 0.5:
            made["concurrency_id"] = "shared"
        if draw.random() < 0.2:
            made["every"] = draw.choice((0.4, 1.3))
        made["concurrency_limit"] = draw.choice(("default", 1, 2, 3, None))
        made["on_disconnect"] = draw.choice(("cancel", "cancel", "finish"))
        return made

    def _function(self, draw: random.Random, name: str, batch: bool) -> Callable[..., Any]:
        fails, steps = draw.random() < 0.2, draw.choice((0, 0, 2, 3))
        self.takes[name] = draw.choice((0.0, 0.05, 0.3, 0.8))

        def result(value: Any) -> Any:
            return ([n + 1 for n in value],) if batch else value + 1

        def plain(value: Any) -> Any:
            if fails:
                raise ValueError(name)
            return result(value)

        def generator(value: Any) -> Iterator[Any]:
            self.opened += 1
            try:
                for _ in range(steps):
                    yield result(value)
                if fails:
                    raise ValueError(name)
            finally:
                self.closed += 1

        fn: Callable[..., Any] = generator if steps else plain
        fn.__name__ = name
        return fn


class Drive:
    """Random acts on a random app; what must hold is checked at every outcome."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.made = RandomApp(self.draw)
        self.clock = VirtualClock()
        self.watch = Watch(self.clock, lambda call: self.made.takes.get(call.listener.name, 0.0))
        self.ends = Counter[int]()
        self.asked = self.acts = self.opened = 0
        self.entered = dict[str, list[int]]()
        self.gone = Counter[str]()
        self.errors = list[Exception]()
        self.sessions = list[str]()
        self.last = dict[tuple[str, str], int]()
        self.states = Counter[str]()
        self.program = Program(
            compile_plan(self.made.app, self.made.app.settings),
            self.watch,
            self.clock,
            self.emit,
            reconnect_window=2.0,
            on_error=self.errors.append,
            tap=self.tap,
        )

    def emit(self, patch: object) -> None:
        if isinstance(patch, Gone):
            self.gone[patch.session] += 1

    def tap(self, seen: object) -> None:
        if isinstance(seen, Request):
            self.asked += 1
        elif isinstance(seen, Outcome):
            id, kind = seen.request.id, seen.kind
            assert self.ends[id] == 0, "nothing comes after the end"
            if kind in ENDS:
                self.ends[id] += 1
            elif kind is Kind.STARTED:
                self.in_order(seen.request)

    def in_order(self, request: Request) -> None:
        """One listener's requests of one session start in the order in which they were made."""
        key = request.session, request.listener.name
        assert self.last.get(key, 0) < request.id
        self.last[key] = request.id

    def open(self) -> None:
        self.opened += 1
        self.sessions.append(f"s{self.opened}")
        self.program.receive(Open(self.sessions[-1]))

    def act(self) -> None:
        self.acts += 1
        draw, receive = self.draw, self.program.receive
        if not self.sessions or (len(self.sessions) < 5 and draw.random() < 0.05):
            self.open()
        session = draw.choice(self.sessions)
        chance = draw.random()
        if chance < 0.55:
            receive(Act(session, draw.choice(self.made.buttons).id, "click"))
        elif chance < 0.7:
            box = draw.choice(self.made.boxes)
            receive(Act(session, box.id, "input", draw.randint(0, 9)))
        elif chance < 0.75:
            receive(Withdraw(session, max(self.asked - draw.randint(0, 9), 0)))
        elif chance < 0.77:
            receive(Disconnect(session))
        elif chance < 0.79:
            receive(Reconnect(session))
        elif chance < 0.795:
            receive(Close(session))
        else:
            self.clock.run_until(self.clock.seconds + draw.choice((0.01, 0.1, 0.5)))
        self.sessions = [s for s in self.sessions if s in self.program.sessions]

    def finish(self) -> None:
        for session in tuple(self.program.sessions):
            self.program.receive(Close(session))
        self.clock.run_until(self.clock.seconds + 1000.0)

    def check(self) -> None:
        assert self.errors == [] or all(isinstance(e, ValueError) for e in self.errors)
        assert len(self.ends) == self.asked and set(self.ends.values()) <= {1}
        assert self.program.sessions == {}
        assert self.program.idle
        assert self.clock.due == 0
        assert not +self.watch.running and not +self.watch.writing
        assert set(self.gone.values()) <= {1} and len(self.gone) == self.opened
        assert self.made.opened == self.made.closed


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_whatever_app(seed: int) -> None:
    """C4 Q2 B1 Q1 I2 M3: each request ends once, limits and sizes hold, nothing is left over."""
    drive = Drive(seed)
    for _ in range(300):
        drive.act()
    drive.finish()
    drive.check()


ACTS = int(os.environ.get("OSSICLE_ACTS", "20000"))
"""OSSICLE_ACTS=100000 does a hundred thousand."""


def test_a_hundred_thousand_acts() -> None:
    """The same for apps with ten thousand acts each: how many acts there are in all is ACTS."""
    acts = asked = 0
    for seed in range(1000, 1000 + ACTS // 10_000):
        drive = Drive(seed)
        for _ in range(10_000):
            drive.act()
        drive.finish()
        drive.check()
        acts += drive.acts
        asked += drive.asked
    assert acts == ACTS // 10_000 * 10_000
    assert asked > acts, "an act asks for more than one call on the average"


@pytest.mark.parametrize("seed", range(20))
def test_no_update_is_lost(seed: int) -> None:
    """I2: State counts every step of every job that succeeded, whatever ran beside it."""
    draw = random.Random(seed)
    with oc.Blocks() as app:
        buttons = [oc.Button() for _ in range(4)]
        state = oc.State(0)
        for button in buttons:
            options: dict[str, Any] = {"concurrency_limit": draw.choice((1, 2, None))}
            if draw.random() < 0.5:
                options["concurrency_id"] = "shared"
            elif draw.random() < 0.5:
                options = {"queue": False}
            button.click(more, state, state, trigger_mode="multiple", **options)
    clock = VirtualClock()
    outcomes = list[Outcome]()
    program = Program(
        compile_plan(app),
        inline(clock, lambda _: draw.choice((0.0, 0.1, 0.3))),
        clock,
        lambda _: None,
        on_error=fail,
        tap=lambda seen: outcomes.append(seen) if isinstance(seen, Outcome) else None,
    )
    for session in SESSIONS:
        program.receive(Open(session))
    for _ in range(200):
        program.receive(Act(draw.choice(SESSIONS), draw.choice(buttons).id, "click"))
        if draw.random() < 0.2:
            program.receive(Withdraw(draw.choice(SESSIONS), draw.randint(1, 200)))
        clock.run_until(clock.seconds + draw.choice((0.0, 0.05, 0.2)))
    clock.run_until(1000.0)
    for session in SESSIONS:
        mine = [o for o in outcomes if o.request.session == session]
        done = sum(o.kind is Kind.YIELDED for o in mine)
        assert program.sessions[session].values[state.id] == done > 0


def fail(error: Exception) -> None:
    raise error


def more(n: int) -> int:
    return n + 1
