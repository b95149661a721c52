"""Trigger modes: what an event does while a request of its listener pends (rules T1-T6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError, TriggerError
from ossicle.flow.graph import Node
from ossicle.flow.model import Kind
from ossicle.flow.plan import compile_plan

from .lab import STEPS, Lab


def f(*_: object) -> None: ...


def twice(text: str) -> str:
    return text * 2


def clicked(mode: str | None, fn: Any = f, **options: Any) -> tuple[oc.Blocks, oc.Button]:
    with oc.Blocks() as app:
        button = oc.Button()
        button.click(fn, trigger_mode=mode, **options)
    return app, button


def story(mode: str | None, acts: str, takes: float, fn: Any = f, **options: Any) -> str:
    app, button = clicked(mode, fn, **options)
    lab = Lab(app, takes)
    lab.play(acts, c=lambda: lab.click(button))
    lab.run(30.0)
    return lab.marbles("f")


@pytest.mark.parametrize(
    ("mode", "acts", "calls"),
    [
        ("once", "c-c--c----c", "s-x--(x|)----s----|"),
        ("multiple", "c-c--------", "s-s--|-|"),
        ("always_last", "cc-c--------", "s--x-(|s)----|"),
        ("always_last", "c-----c", "s----|s----|"),
        ("restart", "c-c---------", "s-(^s)----|"),
    ],
)
def test_t1_t2_t3_t4_one_picture_each(mode: str, acts: str, calls: str) -> None:
    """T1 T2 T3 T4: the four modes with calls of half a second and room for all."""
    assert story(mode, acts, 0.5, concurrency_limit=None) == calls


def test_t1_a_drop_is_counted() -> None:
    """T1: what `once` drops is counted."""
    app, button = clicked("once")
    lab = Lab(app, 1.0)
    lab.play("cccc", c=lambda: lab.click(button))
    assert lab.program.dropped == 3


def test_t1_two_events_of_one_act_are_one_request() -> None:
    """T1: the decision falls at the event: of `upload` and `input` of one act, only one enters."""
    with oc.Blocks() as app:
        sound = oc.Audio()
        oc.on([sound.upload, sound.input], f)
    lab = Lab(app, 0.0)
    lab.act(sound, "upload", 1)
    assert [e.kind for e in lab.ends()] == [Kind.DROPPED, Kind.SUCCEEDED]


@pytest.mark.parametrize(
    ("port", "mode"),
    [
        ("stream", "multiple"),
        ("change", "always_last"),
        ("input", "once"),
        ("upload", "once"),
        ("play", "once"),
    ],
)
def test_t1_t2_t3_defaults(port: str, mode: str) -> None:
    """T1 T2 T3: `stream` takes all, `change` the last, everything else one at a time."""
    with oc.Blocks() as app:
        getattr(oc.Audio(), port)(f)
    assert compile_plan(app).listeners[-1].mode == mode


def test_t3_a_callable_value_takes_the_last() -> None:
    """T3: a derived value misses no last change of what it derives from (D25)."""
    with oc.Blocks() as app:
        text = oc.Textbox()
        double = oc.Textbox(twice, inputs=[text])
    lab = Lab(app, 1.0)
    lab.run(2.0)
    lab.play("abc", **{s: (lambda s=s: lab.type(text, s)) for s in "abc"})
    lab.run(10.0)
    assert lab.value(double) == "cc"


def test_t3_the_newest_payload_runs() -> None:
    """T3: the one that waits aside runs with the newest event's values and data (D13)."""
    got = list[tuple[str, object]]()

    def f(text: str, data: oc.EventData) -> None:
        got.append((text, data.n))

    with oc.Blocks() as app:
        box = oc.Textbox()
        box.input(f, box, trigger_mode="always_last")
    lab = Lab(app, 1.0)
    for n, text in enumerate("xyz"):
        lab.at(n / 10, lambda n=n, text=text: lab.act(box, "input", text, data={"n": n}))
    lab.run(5.0)
    assert got == [("x", 0), ("z", 2)]


def boom(*_: object) -> None:
    raise ValueError("boom")


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_t3_it_starts_when_the_pending_one_ends_in_any_way(end: str) -> None:
    """T3: success, failure or a cancel of the pending one alone: the one aside starts then (D4)."""

    def f(*_: object) -> Iterator[None]:
        yield None
        if end == "failed":
            raise ValueError

    app, button = clicked("always_last", f)
    lab = Lab(app, 0.4)
    lab.play("cc", c=lambda: lab.click(button))
    if end == "cancelled":
        lab.withdraw(lab.requests("f")[0].id)
    lab.run(0.4)
    ends = [e.kind for e in lab.ends("f")]
    starts = lab.story(Kind.STARTED)
    assert ends == [Kind(end)]
    assert len(starts) == 2, "the one aside has started"


def test_t3_a_withdrawn_one_aside_ends_cancelled() -> None:
    """T3 C4: the request that waits aside can be withdrawn, and never runs."""
    app, button = clicked("always_last")
    lab = Lab(app, 1.0)
    lab.play("cc", c=lambda: lab.click(button))
    lab.withdraw(lab.requests("f")[1].id)
    lab.run(5.0)
    assert lab.marbles("f") == "s-^-------|"


def test_t3_only_this_listener_runs_again() -> None:
    """T3: a sibling on the same trigger is not run again with the one aside (D13)."""

    def g() -> None: ...

    with oc.Blocks() as app:
        button = oc.Button()
        button.click(f, trigger_mode="always_last")
        button.click(g, trigger_mode="once")
    lab = Lab(app, {"f": 1.0, "g": 0.0})
    lab.play("cc", c=lambda: lab.click(button))
    lab.run(5.0)
    assert lab.marbles("f") == "s---------(|s)---------|"
    assert lab.marbles("g") == "(s|)(s|)"


def test_t3_modes_are_per_session() -> None:
    """T3 T1: what pends for one session holds no other session's event back."""
    app, button = clicked("once", concurrency_limit=None)
    lab = Lab(app, 1.0, sessions=("a", "b"))
    lab.click(button, "a")
    lab.click(button, "b")
    lab.run(5.0)
    assert {e.kind for e in lab.ends()} == {Kind.SUCCEEDED}


def test_t4_restart_waits_for_the_slot() -> None:
    """T4 Q3: with one slot the newest waits until the cancelled function has really returned."""
    assert story("restart", "c-c---------", 0.5) == "s-^--s----|"


def test_t4_restart_leaves_only_the_newest() -> None:
    """T4: of many only the newest is left, whether the others waited or ran."""
    assert story("restart", "cccc", 0.5) == "s^^^-s----|"


def test_t4_restart_closes_a_generator() -> None:
    """T4: an iterating generator is closed at its step and the newest takes its place."""
    closed = list[str]()

    def f() -> Iterator[None]:
        try:
            while True:
                yield None
        finally:
            closed.append("closed")

    app, button = clicked("restart", f)
    lab = Lab(app, 0.2)
    lab.play("c-c", c=lambda: lab.click(button))
    lab.run(0.5)
    assert closed == ["closed"]
    assert lab.marbles("f", signs=STEPS) == "s-(^s)-y"


def test_t5_pending_lasts_from_the_event_to_the_end() -> None:
    """T5: a waiting request pends too, and a generator pends until it is exhausted."""

    def g() -> Iterator[None]:
        yield from (None, None, None)

    with oc.Blocks() as app:
        button, other = oc.Button(), oc.Button()
        other.click(f, concurrency_id="one")
        button.click(g, concurrency_id="one")
    lab = Lab(app, 0.2)
    lab.click(other)
    lab.play("cccccccc-c", c=lambda: lab.click(button))
    lab.run(5.0)
    assert lab.marbles("g", signs=STEPS) == "-x(sx)x(xy)x(xy)x(y|)s-y-y-(y|)"


def test_t6_an_unknown_mode_is_refused_when_declared() -> None:
    """T6: the message says where, what came and what may be written."""
    with oc.Blocks():
        button = oc.Button(elem_id="go")
        with pytest.raises(TriggerError) as refused:
            button.click(f, trigger_mode="latest")  # pyright: ignore[reportArgumentType]
    assert "Button" in str(refused.value) and ".click" in str(refused.value)
    assert "'latest' is unknown" in str(refused.value)
    assert "once, multiple, always_last or restart" in str(refused.value)


CONTRADICTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"every": 1, "queue": False}, "every=1", "leave queue=False out"),
    ({"every": 0}, "every=0", "at least"),
    ({"every": "1"}, "every='1'", "number of seconds"),
    ({"concurrency_limit": 0}, "concurrency_limit=0", "whole number, 1 or more"),
    ({"concurrency_limit": "all"}, "concurrency_limit='all'", "default"),
    ({"max_batch_size": 0, "batch": True}, "max_batch_size=0", "1 or more"),
    ({"batch_window": 1}, "batch_window=1", "batch=True"),
    ({"batch_window": -1, "batch": True}, "batch_window=-1", "at least 0"),
    ({"batch_window": "1", "batch": True}, "batch_window='1'", "number of seconds"),
    ({"batch_window": 1, "batch": True, "queue": False}, "batch_window=1", "leave one of them out"),
    ({"batch": True, "interrupt": True}, "interrupt=True", "use one of them"),
    ({"show_progress": "none"}, "show_progress='none'", "full, minimal or hidden"),
    ({"on_disconnect": "stop"}, "on_disconnect='stop'", "cancel or finish"),
    ({"time_limit": -1}, "time_limit=-1", "number of seconds"),
    ({"stream_every": 0}, "stream_every=0", "number of seconds"),
    ({"debounce": 1}, "'debounce' is not an option", "it takes fn, inputs"),
    ({"cancel": []}, "'cancel' is not an option", "did you mean 'cancels'?"),
]


@pytest.mark.parametrize(("given", "what", "way_out"), CONTRADICTIONS)
def test_t6_what_cannot_work_is_refused(given: dict[str, Any], what: str, way_out: str) -> None:
    """T6: each message names the listener, the option and the way out."""
    with oc.Blocks():
        button = oc.Button()
        with pytest.raises(DeclarationError) as refused:
            button.click(f, **given)
    text = str(refused.value)
    assert text.startswith("Button") and ".click: " in text
    assert what in text and way_out in text


def test_t6_an_app_without_a_queue_refuses_every() -> None:
    """T6 M1: what the app's own setting makes impossible is refused when it is built."""
    with oc.Blocks() as app:
        oc.Button().click(f, every=1)
    with pytest.raises(DeclarationError, match=r"f.*every=1.*queue"):
        app.queue(enabled=False).plan()


def test_t6_an_unqueued_listener_cannot_be_cancelled() -> None:
    """T6: `cancels` of a listener with queue=False is refused, naming both."""
    with oc.Blocks():
        button = oc.Button()
        dep = button.click(f, queue=False)
        with pytest.raises(DeclarationError, match=r"click.*cancels.*\bf\b.*queue=False"):
            button.click(None, cancels=[dep])


def test_t6_other_apps_are_not_mixed_in() -> None:
    """T6: neither a listener nor a component of another app is accepted."""
    with oc.Blocks():
        foreign: Node = oc.Textbox()
        dep = oc.Button().click(f)
    with oc.Blocks():
        button = oc.Button()
        with pytest.raises(DeclarationError, match="stands in another Blocks"):
            button.click(None, cancels=[dep])
        with pytest.raises(DeclarationError, match="belongs to another Blocks"):
            button.click(f, foreign)


def test_t6_a_listener_needs_an_app() -> None:
    """T6: outside `with Blocks()` there is nothing to listen in."""
    with pytest.raises(DeclarationError, match=r"inside `with Blocks\(\):`"):
        oc.Textbox().change(f)
