"""Cancels: what ends, when, and what does not (rules C1-C5)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import ossicle as oc
from ossicle import testing
from ossicle.flow.model import Kind
from ossicle.flow.said import Open

from .lab import Lab


def work(*_: object) -> str:
    return "done"


def stop() -> None: ...


def steps(closed: list[str]) -> Any:
    def steps() -> Iterator[str]:
        try:
            for n in range(10):
                yield str(n)
        finally:
            closed.append("closed")

    return steps


class Stoppable:
    """A button that works, one that stops it, and an output."""

    def __init__(
        self, fn: Any = work, stopper: Any = stop, takes: float = 1.0, **options: Any
    ) -> None:
        with oc.Blocks() as app:
            self.go, self.end, self.out = oc.Button(), oc.Button(), oc.Textbox()
            self.dep: Any = self.go.click(fn, None, self.out, **options)
            self.end.click(stopper, cancels=[self.dep])
        self.app = app
        self.name = fn.__name__
        self.takes = takes

    def lab(self, **options: Any) -> Lab:
        return Lab(self.app, {self.name: self.takes, "stop": 5.0, "after": 0.0}, **options)

    def play(self, acts: str, until: float = 20.0) -> Lab:
        lab = self.lab()
        lab.play(acts, g=lambda: lab.click(self.go), x=lambda: lab.click(self.end))
        lab.run(until)
        return lab


def test_c1_the_cancel_comes_before_the_cancellers_own_function() -> None:
    """C1: at the trigger, not after the five seconds that the stopper itself takes (D2)."""
    lab = Stoppable().play("g-x")
    assert lab.marbles("work") == "s-^"
    assert lab.story()[1:3] == ["0.2 cancelled work", "0.2 started stop"]


def test_c1_even_if_its_own_request_is_dropped() -> None:
    """C1: pressing stop again stops again, though the stopper itself still runs."""
    lab = Stoppable(trigger_mode="multiple", concurrency_limit=None).play("gx-gx")
    assert lab.marbles("work") == "s^-s^"
    assert lab.marbles("stop", until=0.5) == "-s--x"


def test_c1_without_a_function() -> None:
    """C1: fn=None only cancels."""
    lab = Stoppable(stopper=None).play("g-x")
    assert lab.marbles("work") == "s-^"


def test_c2_a_waiting_one_never_runs() -> None:
    """C2: it ends cancelled in its line."""
    ran = list[int]()

    def work() -> None:
        ran.append(1)

    lab = Stoppable(work, trigger_mode="multiple").play("gggx")
    assert lab.marbles("work") == "s--(^^^)"
    assert ran == [1]


def test_c2_a_generator_is_closed_at_its_step() -> None:
    """C2: its `finally` runs exactly once, what it showed stays, what it had not shown does not."""
    closed = list[str]()
    app = Stoppable(steps(closed), takes=0.2)
    lab = app.play("g----x")
    assert closed == ["closed"]
    assert lab.value(app.out) == "1"
    assert lab.marbles("steps") == "s----^"


def test_c2_a_functions_result_is_discarded() -> None:
    """C2: it may finish, but what it returns is shown nowhere."""
    app = Stoppable()
    lab = app.play("g-x")
    assert lab.value(app.out) == ""
    assert lab.shown(app.out) == []


def test_c2_other_sessions_are_not_touched() -> None:
    """C2: only this session's requests end."""
    app = Stoppable(concurrency_limit=None)
    lab = app.lab(sessions=("a", "b"))
    for session in "ab":
        lab.click(app.go, session)
    lab.click(app.end, "a")
    lab.run(5.0)
    assert lab.marbles("work", session="a") == "(s^)"
    assert lab.marbles("work", session="b") == "s---------|"


def test_c2_an_error_after_the_cancel_is_told_to_the_log() -> None:
    """C2 R3: nobody waits for it, but it is not swallowed, and names the listener."""

    def leaky() -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            raise ValueError("in finally")

    lab = Stoppable(leaky, takes=0.2).play("g-x")
    assert lab.marbles("leaky") == "s-^"
    assert [str(e) for e in lab.errors] == ["in finally"]
    assert "leaky" in "".join(lab.errors[0].__notes__)


def test_c2_an_error_that_asks_for_no_log_is_not_told() -> None:
    """C2 R3: print_exception=False holds after a cancel, too."""

    def leaky() -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            raise oc.Error("in finally", print_exception=False)

    lab = Stoppable(leaky, takes=0.2).play("g-x")
    assert lab.marbles("leaky") == "s-^"
    assert lab.errors == []


def test_c4_each_request_ends_once() -> None:
    """C4: whatever is pressed, whenever."""
    lab = Stoppable(trigger_mode="multiple", takes=0.3).play("ggxgg-gx-g---xg--g")
    ids = Counter(e.request.id for e in lab.ends("work"))
    assert set(ids) == {r.id for r in lab.requests("work")}
    assert set(ids.values()) == {1}


def test_c4_one_request_can_be_withdrawn() -> None:
    """C4: its siblings are not touched, whether they run or wait (D6)."""
    app = Stoppable(trigger_mode="multiple", takes=0.5)
    lab = app.lab()
    lab.play("ggg", g=lambda: lab.click(app.go))
    lab.withdraw(lab.requests("work")[1].id)
    lab.run(9.0)
    assert lab.marbles("work") == "s--^-(|s)----|"


def test_c4_withdrawing_another_sessions_request_does_nothing() -> None:
    """C4: a session ends only what is its own; an unknown id is ignored."""
    app = Stoppable()
    lab = app.lab(sessions=("a", "b"))
    lab.click(app.go, "b")
    lab.withdraw(lab.requests("work")[0].id)
    lab.withdraw(999)
    lab.run(5.0)
    assert lab.marbles("work") == "s---------|"


@pytest.mark.parametrize("generator", [True, False])
def test_c5_a_session_that_goes_is_cancelled_after_its_grace(generator: bool) -> None:
    """C5: sync functions and generators alike; then it is gone (D24)."""
    closed = list[str]()
    app = Stoppable(steps(closed) if generator else work, takes=1.0 if generator else 9.0)
    lab = app.lab(reconnect_window=2.0)
    lab.click(app.go)
    lab.run(1.0)
    lab.disconnect()
    lab.run(20.0)
    assert lab.ends()[0].kind is Kind.CANCELLED
    ended = next(at for at, e in lab.log if e is lab.ends()[0])
    assert ended == 3.0
    assert lab.gone() == [(3.0, "a")]
    assert closed == (["closed"] if generator else [])


def test_c5_who_comes_back_in_time_has_lost_nothing() -> None:
    """C5: within the window the work goes on, and the session stays, however often."""
    app = Stoppable(takes=9.0)
    lab = app.lab(reconnect_window=2.0)
    lab.click(app.go)
    for _ in range(3):
        lab.disconnect()
        lab.disconnect()
        lab.run(lab.clock.seconds + 1.9)
        lab.reconnect()
    lab.run(20.0)
    assert [e.kind for e in lab.ends()] == [Kind.SUCCEEDED]
    assert lab.value(app.out) == "done"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_c5_who_comes_back_receives_all_that_was_missed(kind: str) -> None:
    """C5: each step of a generator, in order, and every message, once; sync and async alike."""

    def steps() -> Iterator[str]:
        for n in range(4):
            oc.Info(f"message {n}")
            yield f"step {n}"

    async def async_steps() -> AsyncIterator[str]:
        for each in steps():
            await asyncio.sleep(1)
            yield each

    with oc.Blocks() as app:
        go, out, log = oc.Button(), oc.Textbox(), oc.State([])
        go.click(steps if kind == "sync" else async_steps, None, out)
        out.change(noted, [out, log], log, trigger_mode="multiple")
    with testing.Lab(app, reconnect_window=60) as lab:
        if kind == "sync":
            lab.takes(steps, 1)
        lab.click(go)
        lab.run(1.5)
        before = len(lab.toasts)
        lab.disconnect()
        lab.run(5)
        assert len(lab.toasts) == before and lab.props(out)["value"] == "step 0"
        seen = list[str]()
        receive = lab.page.receive

        def watch(message: Any) -> None:
            seen.extend(values(message, out.id))
            receive(message)

        lab.page.receive = watch
        lab.reconnect()
        assert [each.message for each in lab.toasts] == [f"message {n}" for n in range(4)]
        assert seen == ["step 1", "step 2", "step 3"]
        assert lab.value(log) == [f"step {n}" for n in range(4)]


def noted(text: str, log: list[str]) -> list[str]:
    return [*log, text]


def values(message: Any, node: int) -> list[str]:
    """What a message sets this node to."""
    patches: list[Any] = message["patches"] if message["type"] == "patches" else []
    mine: list[Any] = [
        each["props"] for each in patches if each["kind"] == "set" and each["node"] == node
    ]
    return [each["value"] for each in mine if "value" in each]


def after() -> None: ...


def test_c5_finish_lets_work_run_on() -> None:
    """C5 H1: with on_disconnect="finish" it ends as if its user were there, and so does what
    follows with the same choice; a follower without it is not asked."""
    app = Stoppable(on_disconnect="finish", takes=5.0)
    app.dep.then(after, on_disconnect="finish")
    app.dep.then(stop)
    lab = app.lab(reconnect_window=1.0)
    lab.click(app.go)
    lab.disconnect()
    lab.run(20.0)
    assert [(e.kind, e.request.listener.name) for e in lab.ends()] == [
        (Kind.SUCCEEDED, "work"),
        (Kind.SUCCEEDED, "after"),
    ]
    assert lab.gone() == [(5.0, "a")]
    assert lab.program.sessions == {}


def test_c5_no_new_work_for_who_is_gone() -> None:
    """C5: what a finishing job changes starts nothing that would be cancelled at once."""
    app = Stoppable(on_disconnect="finish", takes=5.0)
    app.out.change(after)
    lab = app.lab(reconnect_window=0.0)
    lab.click(app.go)
    lab.disconnect()
    lab.run(20.0)
    assert lab.requests("after") == []


def test_c5_unload_runs_after_the_cancel() -> None:
    """C5: the listeners of `unload` run when the session's own work was cancelled."""
    app = Stoppable(takes=9.0)
    app.app.unload(after)
    lab = app.lab()
    lab.click(app.go)
    lab.run(1.0)
    lab.close()
    assert lab.story() == [
        "0 started work",
        "1 cancelled work",
        "1 started after",
        "1 succeeded after",
    ]
    assert lab.gone() == [(1.0, "a")]


def test_c5_when_the_app_ends_nothing_that_waits_is_started() -> None:
    """C5 Q3: not even what would run on without its user, when what runs now lets its slot go."""
    ran = list[str]()

    def work() -> None:
        ran.append("work")

    app = Stoppable(work, on_disconnect="finish", trigger_mode="multiple", takes=5.0)
    lab = app.lab()
    lab.click(app.go)
    lab.click(app.go)
    lab.run(1.0)
    lab.program.dispose()
    lab.run(20.0)
    assert ran == ["work"]


def test_c5_a_session_that_is_over_hears_nothing() -> None:
    """C5: acts that come late are ignored."""
    app = Stoppable()
    lab = app.lab()
    lab.close()
    lab.click(app.go)
    lab.reconnect()
    lab.close()
    lab.say(Open("b"))
    lab.click(app.go, "b")
    assert [r.session for r in lab.requests("work")] == ["b"]
