"""Chains: what follows a listener, and how far (rules H1-H3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.errors import HopError
from ossicle.flow.model import Kind

from .lab import Lab


def good(*_: object) -> str:
    return "x"


def bad(*_: object) -> str:
    raise ValueError("bad")


def wrong(*_: object) -> Any:
    return 1, 2


def succeeded() -> None: ...
def failed() -> None: ...
def was_cancelled() -> None: ...
def anyway() -> None: ...


def follow(dep: Any) -> None:
    dep.then(anyway)
    dep.cancelled(was_cancelled)
    dep.failure(failed)
    dep.success(succeeded)


@pytest.mark.parametrize(
    ("fn", "end", "follower"),
    [
        (good, "succeeded", "succeeded"),
        (bad, "failed", "failed"),
        (wrong, "failed", "failed"),
        (good, "cancelled", "was_cancelled"),
        (good, "rejected", "failed"),
        (None, "succeeded", "succeeded"),
    ],
)
def test_h1_exactly_one_of_three_and_then_always(
    fn: Callable[..., Any] | None, end: str, follower: str
) -> None:
    """H1: success, failure or cancelled once, and `then` once (D3)."""
    with oc.Blocks() as app:
        go, stop, block = oc.Button(), oc.Button(), oc.Button()
        a, b = oc.Textbox(), oc.Textbox()
        outputs = [a, b] if fn is wrong and end != "failed" else ([a] if fn is good else [])
        if fn is wrong:
            outputs = [a, b, oc.Textbox()]
        dep = go.click(fn, None, outputs, concurrency_id="x", api_name="work")
        block.click(slow, concurrency_id="x")
        stop.click(None, cancels=[dep])
        follow(dep)
    if end == "rejected":
        app.queue(max_size=0)
    lab = Lab(app, {"work": 1.0, "slow": 9.0})
    if end == "rejected":
        lab.click(block)
    lab.click(go)
    lab.run(0.5)
    if end == "cancelled":
        lab.click(stop)
    lab.run(20.0)
    assert [str(e.kind) for e in lab.ends("work")] == [end]
    names = ("succeeded", "failed", "was_cancelled", "anyway")
    ran = {name: len(lab.ends(name)) for name in names}
    assert ran == {**dict.fromkeys(names, 0), follower: 1, "anyway": 1}


def test_h1_whether_or_not_a_browser_looks() -> None:
    """H1: what follows runs on the server, also while the line is lost, and is there afterwards."""
    with oc.Blocks() as app:
        go, a, b = oc.Button(), oc.Textbox("1"), oc.Textbox()
        dep = go.click(twice, a, a)
        follow(dep)
        dep.success(twice, a, b).then(twice, b, b)
    lab = Lab(app, {"twice": 1.0}, reconnect_window=60.0)
    lab.click(go)
    lab.run(0.5)
    lab.disconnect()
    lab.run(10.0)
    assert (lab.value(a), lab.value(b)) == ("11", "11111111")
    assert [len(lab.ends(name)) for name in ("succeeded", "failed", "was_cancelled", "anyway")] == [
        *(1, 0, 0, 1)
    ]


def slow() -> None: ...


def test_h1_nothing_follows_a_dropped_event() -> None:
    """H1: what was dropped never was a run."""
    with oc.Blocks() as app:
        go = oc.Button()
        follow(go.click(good, api_name="work"))
    lab = Lab(app, {"work": 1.0})
    lab.play("ccc", c=lambda: lab.click(go))
    lab.run(5.0)
    assert len(lab.ends("anyway")) == 1


def test_h1_a_generator_is_followed_once_at_its_end() -> None:
    """H1: not at its yields."""

    def steps() -> Any:
        yield from "abc"

    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()
        follow(go.click(steps, None, out))
    lab = Lab(app, {"steps": 0.1})
    lab.click(go)
    lab.run(5.0)
    assert lab.marbles("succeeded") == "---(s|)"


def test_h1_a_follower_sees_the_values_of_its_own_start() -> None:
    """H1 I1: a chain passes values through components."""
    with oc.Blocks() as app:
        go, a, b = oc.Button(), oc.Textbox("1"), oc.Textbox()
        go.click(twice, a, a).then(twice, a, a).success(twice, a, b)
    lab = Lab(app)
    lab.click(go)
    assert (lab.value(a), lab.value(b)) == ("1111", "11111111")


def twice(text: str) -> str:
    return text * 2


def test_h1_a_follower_knows_what_began_it() -> None:
    """H1 E2: it gets the data and target of the act at the head of its chain."""
    got = list[object]()

    def tell(data: oc.EventData) -> None:
        got.append((data.target, data.index))

    with oc.Blocks() as app:
        box = oc.Textbox()
        box.select(good).then(good).then(tell)
    lab = Lab(app)
    lab.act(box, "select", data={"index": 3})
    assert got == [(box, 3)]


def test_h2_in_the_order_of_declaration_and_independent() -> None:
    """H2: a slow or a failing first one holds the second one back by nothing (D1)."""
    with oc.Blocks() as app:
        go = oc.Button()
        go.click(slow)
        go.click(bad)
        go.click(good)
    lab = Lab(app, {"slow": 9.0})
    lab.click(go)
    assert lab.story(Kind.STARTED) == ["0 started slow", "0 started bad", "0 started good"]
    assert lab.marbles("good") == "(s|)"


def test_h2_followers_too() -> None:
    """H2: `then` and `success` start in the order in which they were written."""
    with oc.Blocks() as app:
        go = oc.Button()
        dep = go.click(good)
        dep.then(anyway)
        dep.success(succeeded)
        dep.then(failed)
    lab = Lab(app)
    lab.click(go)
    starts = [line.split()[-1] for line in lab.story(Kind.STARTED)]
    assert starts == ["good", "anyway", "succeeded", "failed"]


def test_h2_a_decorated_function_is_a_dependency() -> None:
    """H2 H1: the decorator returns what can be chained, cancelled and called."""
    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()

        @go.click(outputs=out)
        def work() -> str:
            return "x"

        work.then(anyway)
    lab = Lab(app)
    lab.click(go)
    assert lab.marbles("anyway") == "(s|)"
    assert work() == "x"


def test_h2_on_without_triggers_is_every_input_and_load() -> None:
    """H2: one listener: two of its events do not overlap."""
    with oc.Blocks() as app:
        a, b = oc.Textbox(), oc.Textbox()
        oc.on(None, good, [a, b])
    lab = Lab(app, 1.0)
    lab.run(3.0)
    lab.type(a, "x")
    lab.type(b, "y")
    lab.run(9.0)
    assert [r.event.port for r in lab.requests("good")] == ["load", "change", "change"]
    assert lab.marbles("good")[-21:] == "s---------(|s)---------|"[-21:]


@pytest.mark.parametrize("mode", ["once", "multiple", "always_last", "restart"])
def test_h3_a_cycle_ends_with_an_error_that_names_the_path(mode: Any) -> None:
    """H3: two changes that move each other stop after 100 steps, unless the mode stops them."""
    with oc.Blocks() as app:
        a, b = oc.Number(0), oc.Number(0)
        a.change(up, a, b, trigger_mode=mode)
        b.change(down, b, a, trigger_mode=mode)
    lab = Lab(app)
    lab.act(a, "input", 1)
    lab.run(9.0)
    errors = [e.value for e in lab.ends() if e.kind is Kind.FAILED]
    assert len(errors) == 1 and isinstance(errors[0], HopError)
    assert "100 steps" in str(errors[0]) and "up → down → up" in str(errors[0])
    assert "skip()" in str(errors[0])
    assert len(lab.ends()) == 102


def up(n: int) -> int:
    return n + 1


def down(n: int) -> int:
    return n + 1


def test_h3_other_work_goes_on() -> None:
    """H3 R3: the end of a cycle is a failed outcome and nothing more."""
    with oc.Blocks() as app:
        a, go = oc.Number(0), oc.Button()
        a.change(up, a, a)
        go.click(good)
    lab = Lab(app)
    lab.act(a, "input", 1)
    lab.click(go)
    assert lab.marbles("good") == "(s|)"


def test_h3_a_long_chain_is_no_cycle() -> None:
    """H3: 99 followers in a row all run."""
    with oc.Blocks() as app:
        go = oc.Button()
        dep = go.click(good)
        for _ in range(99):
            dep = dep.then(good)
    lab = Lab(app)
    lab.click(go)
    assert {e.kind for e in lab.ends()} == {Kind.SUCCEEDED}
    assert len(lab.ends()) == 100
