"""The queue: lines, limits, places (rules Q1-Q7)."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import pytest
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.errors import QueueFull
from ossicle.flow.model import Kind, Outcome, Place, Request
from ossicle.flow.places import REFRESH, SWEPT
from ossicle.flow.plan import compile_plan
from ossicle.runtime.host import Host

from .lab import STEPS, Lab


def f() -> None: ...
def g() -> None: ...
def h() -> None: ...


MANY: dict[str, Any] = {"trigger_mode": "multiple"}


def buttons(count: int) -> tuple[oc.Blocks, list[oc.Button]]:
    with oc.Blocks() as app:
        made = [oc.Button() for _ in range(count)]
    return app, made


def test_q1_one_line_per_id_fifo_inside() -> None:
    """Q1: listeners that share an id stand in one line and start in the order of their events."""
    app, (a, b) = buttons(2)
    a.click(f, concurrency_id="gpu", **MANY)
    b.click(g, concurrency_id="gpu", **MANY)
    lab = Lab(app, 0.3)
    lab.play("abab", a=lambda: lab.click(a), b=lambda: lab.click(b))
    lab.run(5.0)
    assert lab.marbles("f") == "s--|--s--|"
    assert lab.marbles("g") == "---s--|--s--|"


def test_q1_lines_never_block_each_other() -> None:
    """Q1: without an id each listener has its own line."""
    app, (a, b) = buttons(2)
    a.click(f, **MANY)
    b.click(g, **MANY)
    lab = Lab(app, {"f": 9.0, "g": 0.1})
    lab.play("aab", a=lambda: lab.click(a), b=lambda: lab.click(b))
    lab.run(1.0)
    assert lab.marbles("g") == "--s|"


def test_q1_one_function_twice_is_two_lines() -> None:
    """Q1: the line is the listener's, not the function's (D7)."""
    app, (a, b) = buttons(2)
    a.click(f)
    b.click(f)
    one, two = compile_plan(app).listeners
    assert one.line != two.line


def test_q1_a_cancelled_head_lets_the_others_go() -> None:
    """Q1: those behind a head that waits for its batch to fill start when it is cancelled."""

    def many(texts: list[str]) -> None: ...

    app, (a, b) = buttons(2)
    with app:
        box = oc.Textbox("")
    window: dict[str, Any] = {"batch": True, "batch_window": 2.0, "concurrency_id": "x"}
    dep = a.click(many, box, **window)
    b.click(f, concurrency_id="x")
    with app:
        stop = oc.Button()
        stop.click(None, cancels=[dep])
    lab = Lab(app)
    lab.play("ab--s-", a=lambda: lab.click(a), b=lambda: lab.click(b), s=lambda: lab.click(stop))
    assert lab.marbles("many") == "----^"
    assert lab.marbles("f") == "----(s|)"


def test_q2_the_lowest_limit_of_an_id_holds() -> None:
    """Q2: resolved when the app is built, not when the first one runs (D7)."""
    app, (a, b, c) = buttons(3)
    a.click(f, concurrency_id="x", concurrency_limit=5)
    b.click(g, concurrency_id="x", concurrency_limit=2)
    c.click(h, concurrency_id="x", concurrency_limit=None)
    assert {each.limit for each in compile_plan(app).listeners} == {2}


@pytest.mark.parametrize(
    ("default", "own", "limit"),
    [(1, "default", 1), (3, "default", 3), (None, "default", None), (3, 2, 2), (3, None, None)],
)
def test_q2_default_and_none(default: int | None, own: Any, limit: int | None) -> None:
    """Q2: "default" is the app's setting, None is no limit."""
    app, (a,) = buttons(1)
    a.click(f, concurrency_limit=own)
    assert app.queue(default_concurrency_limit=default).plan().listeners[0].limit == limit


def test_q2_a_limit_of_two() -> None:
    """Q2: two run, the third starts when one of them ends."""
    app, (a,) = buttons(1)
    a.click(f, concurrency_limit=2, **MANY)
    lab = Lab(app, 0.5)
    lab.play("aaa", a=lambda: lab.click(a))
    lab.run(5.0)
    assert lab.marbles("f") == "ss---(|s)|---|"


def test_q3_a_cancelled_function_holds_its_slot() -> None:
    """Q3 C2: what cannot be interrupted runs to its end, and the next one starts only then (D6)."""
    app, (a, stop) = buttons(2)
    dep = a.click(f, **MANY)
    stop.click(None, cancels=[dep])
    lab = Lab(app, {"f": 1.0})
    lab.play("a-sa", a=lambda: lab.click(a), s=lambda: lab.click(stop))
    lab.run(5.0)
    assert lab.marbles("f") == "s-^-------s---------|"


def test_q4_beyond_max_size_a_request_is_rejected() -> None:
    """Q4: what runs does not count, what waits does; the error says how many and what to do."""
    app, (a,) = buttons(1)
    a.click(f, **MANY).failure(g)
    app.queue(max_size=2)
    lab = Lab(app, {"f": 1.0})
    lab.play("aaaaa", a=lambda: lab.click(a))
    lab.run(9.0)
    assert [e.kind for e in lab.ends("f")].count(Kind.REJECTED) == 2
    rejected = next(e.value for e in lab.ends("f") if e.kind is Kind.REJECTED)
    assert isinstance(rejected, QueueFull)
    assert "f: the queue is full, with 2 waiting" in str(rejected)
    assert len(lab.ends("g")) == 2, "a rejected request has a failure like any other"


def test_q4_over_all_lines() -> None:
    """Q4: the bound is the app's, not a line's; room in a line is always taken."""
    app, (a, b) = buttons(2)
    a.click(f, **MANY)
    b.click(g, **MANY)
    app.queue(max_size=1)
    lab = Lab(app, 1.0)
    lab.play("aabb", a=lambda: lab.click(a), b=lambda: lab.click(b))
    lab.run(9.0)
    assert lab.marbles("f") == "s---------(|s)---------|"
    assert lab.marbles("g") == "--sr--------|"


def test_q4_who_waits_for_a_state_counts() -> None:
    """Q4 I2: a request that stepped aside waits, and is rejected where no more may wait."""

    def add(n: int) -> int:
        return n + 1

    app, (a,) = buttons(1)
    with app:
        state = oc.State(0)
        a.click(add, state, state, concurrency_limit=None, **MANY)
    app.queue(max_size=1)
    lab = Lab(app, 1.0)
    lab.play("aaa", a=lambda: lab.click(a))
    lab.run(9.0)
    assert lab.marbles("add") == "s-r-------(|s)---------|"
    lab.close()
    assert lab.program.sessions == {}


def test_q4_timers_do_not_count() -> None:
    """Q4: a tick that must wait takes nobody's place."""
    app, (a,) = buttons(1)
    with app:
        for seconds in (0.1, 0.2):
            oc.Timer(seconds).tick(f, concurrency_id="x", show_progress="full")
        a.click(g, concurrency_id="x", **MANY)
    app.queue(max_size=1)
    lab = Lab(app, 1.0)
    lab.run(0.5)
    lab.click(a)
    lab.run(0.6)
    assert Kind.REJECTED not in [o.kind for _, o in lab.seen(Outcome)]


@pytest.mark.parametrize("queue", [True, False])
def test_q5_unqueued_is_only_without_waiting(queue: bool) -> None:
    """Q5: a generator shows all its steps, cancels and errors are the same (D14)."""

    def steps() -> Iterator[int]:
        yield from (1, 2, 3)

    def bad() -> None:
        raise ValueError("bad")

    app, (a, b, stop) = buttons(3)
    with app:
        text = oc.Number()
        a.click(steps, None, text, queue=queue).then(f, queue=queue)
        dep = b.click(bad, queue=queue, every=None)
        dep.failure(g, queue=queue)
        slow = b.click(h, queue=True)
        stop.click(None, cancels=[slow], queue=queue)
    lab = Lab(app, {"steps": 0.1, "h": 9.0})
    lab.click(a)
    lab.click(b)
    lab.run(0.5)
    lab.click(stop)
    assert lab.marbles("steps", signs=STEPS) == "syy(y|)"
    assert lab.marbles("f") == "---(s|)"
    assert lab.marbles("bad") == "(s#)"
    assert lab.marbles("g") == "(s|)"
    assert lab.marbles("h") == "s----^"


def test_q5_unqueued_ignores_the_limit() -> None:
    """Q5: all run at once."""
    app, (a,) = buttons(1)
    a.click(f, queue=False, **MANY)
    lab = Lab(app, 1.0)
    lab.play("aaa", a=lambda: lab.click(a))
    lab.run(5.0)
    assert lab.marbles("f") == "sss-------|||"


def test_q6_the_waiting_are_told_where_they_stand() -> None:
    """Q6: rank and size at once, again when the line moves, with an ETA once one is known."""
    app, (a,) = buttons(1)
    a.click(f, **MANY)
    lab = Lab(app, 1.0)
    lab.play("aaa", a=lambda: lab.click(a))
    lab.run(1.3)
    told = [(at, o.request.id - 1, o.value) for at, o in lab.seen(Outcome) if o.kind is Kind.QUEUED]
    first = lab.requests("f")[0].id
    assert [(at, id + 1 - first, place) for at, id, place in told] == [
        (0.1, 1, Place(0, 1)),
        (0.2, 2, Place(1, 2)),
        (1.25, 2, Place(0, 1, 1.0)),
    ]


def test_q6_a_cancel_moves_those_behind() -> None:
    """Q6: who stood behind one that gave up is told the new place, once; nobody else anything."""
    app, (a,) = buttons(1)
    a.click(f, **MANY)
    lab = Lab(app, 9.0)
    lab.play("aaaa", a=lambda: lab.click(a))
    lab.run(2.0)
    before = len(places(lab))
    second = lab.requests("f")[1].id
    lab.withdraw(second)
    lab.run(8.0)
    assert places(lab)[before:] == [
        (2.25, second + 1, Place(0, 2)),
        (2.25, second + 2, Place(1, 2)),
    ]


def test_q6_where_many_wait_they_are_told_less_often() -> None:
    """Q6: 256 places are told in a second at most, so that no crowd slows the requests down."""
    app, (a,) = buttons(1)
    a.click(f, **MANY)
    lab = Lab(app, 0.1)
    for _ in range(400):
        lab.click(a)
    entered = len(places(lab))
    lab.run(3.0)
    told = [at for at, _, _ in places(lab)[entered:]]
    assert {told.count(at) for at in told} == {64}
    assert sorted(set(told)) == [0.35 + n / 4 for n in range(11)]


@pytest.mark.parametrize(("waiting", "lines"), [(1, 1), (300, 1), (5000, 1), (2000, 40)])
def test_q6_no_place_is_older_than_its_bound(waiting: int, lines: int) -> None:
    """Q6: each told place is right when it is told, and is told anew within a quarter second and a
    second for each 128 that wait; also where people give up in the middle of a line."""
    app, go = buttons(lines)
    for each in go:
        each.click(f, **MANY)
    lab = Lab(app, 0.9)
    for n in range(waiting + lines):
        lab.click(go[n % lines])
    gives_up = random.Random(7)
    line = [each.id for _, each in lab.seen(Request)][lines:]
    for id in gives_up.sample(line, len(line) // 20):
        lab.withdraw(id)
        lab.run(lab.clock.seconds + 0.05)
    lab.run(lab.clock.seconds + min(60.0, waiting * 1.5))
    rows = dict[str, list[int]]()
    stale = dict[int, float]()
    late = 0.0
    for at, each in lab.seen(Outcome):
        row, id = rows.setdefault(each.request.listener.line, []), each.request.id
        if each.kind is Kind.QUEUED:
            place = bisect_left(row, id)
            if place == len(row):
                row.append(id)
            assert isinstance(each.value, Place)
            assert (each.value.rank, each.value.size) == (place, len(row))
            late = max(late, at - stale.pop(id, at))
        elif (place := bisect_left(row, id)) < len(row) and row[place] == id:
            del row[place]
            stale.pop(id, None)
            for behind in row[place:]:
                stale.setdefault(behind, at)
    late = max([late, *(lab.clock.seconds - at for at in stale.values())])
    assert late <= REFRESH + waiting / SWEPT


def test_q6_what_moves_nobody_is_told_to_nobody() -> None:
    """Q6: who waits hears nothing of a request that is dropped, or of one that fails elsewhere."""
    app, (a, b) = buttons(2)
    a.click(f, trigger_mode="once")
    b.click(boom)
    lab = Lab(app, {"f": 9.0}, sessions=("x", "y", "z"))
    for session in "xyz":
        lab.click(a, session)
    lab.run(2.0)
    before = places(lab)
    lab.click(a, "y")
    lab.click(b, "z")
    lab.run(8.0)
    assert [str(each.kind) for each in lab.ends()] == ["dropped", "failed"]
    assert places(lab) == before


def boom() -> None:
    raise ValueError


def places(lab: Lab) -> list[tuple[float, int, Any]]:
    return [(at, o.request.id, o.value) for at, o in lab.seen(Outcome) if o.kind is Kind.QUEUED]


def test_q6_who_waits_for_a_state_has_a_place_too() -> None:
    """Q6 I2: those that stepped aside are counted and told like the others."""

    def add(n: int) -> int:
        return n + 1

    app, (a,) = buttons(1)
    with app:
        state = oc.State(0)
        a.click(add, state, state, concurrency_limit=None, **MANY)
    lab = Lab(app, 1.0)
    for _ in range(4):
        lab.click(a)
    lab.run(1.3)
    places = [o.value for _, o in lab.seen(Outcome) if o.kind is Kind.QUEUED]
    assert [(p.rank, p.size) for p in places] == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 2)]


def test_q7_a_thousand_idle_sessions_have_nothing_due() -> None:
    """Q7: with operators, batches, queues and live sound that have all been used."""
    with oc.Blocks() as app:
        go, text, state = oc.Button(), oc.Textbox(), oc.State(0)
        mic = oc.Audio(streaming=True)
        mic.stream(ignore, mic, preprocess=False, time_limit=5)
        oc.on(text.input.pipe(ops.debounce(0.3)), ignore, text)
        go.click(ignore, text, batch=True, batch_window=0.2)
        go.click(ignore, state, concurrency_id="x")
        text.change(ignore, text, concurrency_id="x").then(f)
    names = tuple(f"s{n}" for n in range(1000))
    lab = Lab(app, 0.01, sessions=names)
    for name in names[::10]:
        lab.click(go, name)
        lab.type(text, "typed", name)
        lab.act(mic, "start_recording", session=name)
        lab.act(mic, "stop_recording", session=name)
    lab.run(60.0)
    assert len(lab.ends()) >= 400
    assert lab.clock.due == 0
    assert lab.program.idle


def test_q7_who_waits_for_a_batch_to_fill_is_not_idle() -> None:
    """Q7 B1: nothing runs, but something is due; afterwards nothing is."""
    app, (a,) = buttons(1)
    a.click(f, batch=True, batch_window=1.0)
    lab = Lab(app)
    lab.click(a)
    lab.run(0.5)
    assert not lab.program.idle
    lab.run(2.0)
    assert lab.program.idle


def ignore(value: object) -> None: ...


def test_q7_nothing_waits_on_the_loop_of_an_idle_server() -> None:
    """Q7: in production, too: no timer and no callback stands on the event loop, so it sleeps in
    the selector until somebody says something."""
    asyncio.run(_rest_after_work())  # a loop of its own, on which nothing else can stand


async def _rest_after_work() -> None:
    app, (a,) = buttons(1)
    with app:
        out = oc.Textbox()
        a.click(lambda: "x", None, out, **MANY)
        oc.Slider().change(f, **MANY)
    loop: Any = asyncio.get_running_loop()
    host = Host(app.plan())
    ended = asyncio.Event()
    lines = [host.connect(None, 0, lambda _: None) for _ in range(200)]

    def told(message: object) -> None:
        if "succeeded" in str(message):
            ended.set()

    lines.append(host.connect(None, 0, told))
    for line in lines:
        line.receive({"type": "act", "node": a.id, "act": "click"})
    async with asyncio.timeout(30):
        await ended.wait()

    def standing() -> list[Any]:
        return [each for each in loop._scheduled if not each.cancelled()] + list(loop._ready)

    for _ in range(200):  # what is told once, a quarter of a second later, still stands there
        if not standing():
            break
        await asyncio.sleep(0.05)
    assert host.program.idle and standing() == []
    await host.close()


def test_q6_who_waits_for_a_state_is_told_how_long() -> None:
    """Q6 I2: without a limit, too, those that write one State go one after the other."""

    def add(n: int) -> int:
        return n + 1

    app, (a,) = buttons(1)
    with app:
        state = oc.State(0)
        a.click(add, state, state, concurrency_limit=None, **MANY)
    lab = Lab(app, 1.0)
    lab.click(a)
    lab.run(2.0)
    for _ in range(4):
        lab.click(a)
    lab.run(3.3)
    places = [o.value for _, o in lab.seen(Outcome) if o.kind is Kind.QUEUED]
    assert [(p.rank, p.eta) for p in places] == [(0, 1.0), (1, 2.0), (2, 3.0), (0, 1.0), (1, 2.0)]


def test_q7_an_idle_app_has_nothing_due() -> None:
    """Q7: when all is done no action is left on the clock."""
    app, (a,) = buttons(1)
    a.click(f, **MANY)
    lab = Lab(app, 0.1)
    for _ in range(5):
        lab.click(a)
    lab.run(9.0)
    assert lab.clock.due == 0
