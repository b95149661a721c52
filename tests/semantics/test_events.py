"""Events: which port fires for what, in which order, with what in it (rules E1-E8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reactivex import Observable, throw
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.graph import Node
from ossicle.flow.model import Cause, Event, Kind
from ossicle.flow.plan import compile_plan
from ossicle.flow.program import Program
from ossicle.flow.said import Act, Open
from ossicle.flow.testing import VirtualClock, inline

from .lab import Lab


def f(*_: object) -> None: ...


def echo(value: object) -> object:
    return value


def more(n: int) -> int:
    return n + 1


def sound(*samples: int) -> Clip:
    return Clip.of(8000, np.array(samples, np.int16))


# -- change ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("writes", "changes"),
    [
        (["a", "a"], 1),
        (["a", "b", "a"], 3),
        ([sound(1, 2), sound(1, 2)], 1),
        ([sound(1, 2), sound(1, 3)], 2),
        ([1, 1.0], 1),
        ([float("nan"), float("nan")], 1),
        ([[1, 2], [1, 2]], 1),
        ([{"x": np.zeros(3)}, {"x": np.zeros(3)}, {"x": np.ones(3)}], 2),
        ([np.zeros(3), np.zeros(4)], 2),
    ],
)
@pytest.mark.parametrize("cause", ["user", "program"])
def test_e1_change_is_a_move_of_the_content(writes: list[Any], changes: int, cause: str) -> None:
    """E1: `change` fires once each time the content moves, whoever moved it; never for an equal."""
    turn = iter(writes)
    with oc.Blocks() as app:
        button, held = oc.Button(), oc.Audio()
        button.click(lambda: next(turn), None, held, postprocess=False)
        held.change(f, trigger_mode="multiple")
    lab = Lab(app)
    for value in writes:
        if cause == "user":
            lab.act(held, "upload", value)
        else:
            lab.click(button)
    assert lab.events().count("change") == changes


def test_e1_the_value_at_open_is_no_change() -> None:
    """E1: what stands there when a session opens did not move."""
    with oc.Blocks() as app:
        oc.Textbox("hello").change(f)
    assert Lab(app).events() == []


def test_e1_a_generator_changes_at_the_yields_that_move() -> None:
    """E1: equal yields in a row are one change, and the end of the generator is none."""

    def count() -> Any:
        yield from ("a", "a", "b", "b")

    with oc.Blocks() as app:
        button, text = oc.Button(), oc.Textbox()
        button.click(count, None, text)
        text.change(f, text, trigger_mode="multiple")
    lab = Lab(app, {"count": 0.1})
    lab.click(button)
    lab.run(1.0)
    assert lab.marbles("f") == "-(s|)-(s|)"


def test_e1_state_changed_in_place_is_a_change() -> None:
    """E1: a function that appends to its State and returns it has moved its content."""

    def add(seen: list[int]) -> list[int]:
        seen.append(len(seen))
        return seen

    with oc.Blocks() as app:
        button, seen = oc.Button(), oc.State([])
        button.click(add, seen, seen)
        seen.change(f, trigger_mode="multiple")
    lab = Lab(app)
    lab.click(button)
    lab.click(button)
    assert lab.events() == ["click", "change", "click", "change"]


def test_e1_a_property_is_no_change() -> None:
    """E1: skip(), and another label, leave the value where it is."""
    with oc.Blocks() as app:
        one, two, text = oc.Button(), oc.Button(), oc.Textbox("x")
        one.click(lambda: oc.update(label="other"), None, text)
        two.click(lambda: oc.skip(), None, text)
        text.change(f)
    lab = Lab(app)
    lab.click(one)
    lab.click(two)
    assert "change" not in lab.events()


# -- what an event carries ---------------------------------------------------------------------


def test_e2_an_event_says_all_about_itself() -> None:
    """E2: id, node, port, session, value, cause, parent and time."""
    with oc.Blocks() as app:
        box, shown = oc.Textbox(), oc.Textbox()
        box.change(echo, box, shown)
        shown.change(f)
    lab = Lab(app, {"echo": 0.3}, sessions=("s",))
    lab.run(0.5)
    lab.type(box, "hello")
    lab.run(2.0)
    load, typed, first, second = (e for _, e in lab.seen(Event))
    assert (load.port, load.cause) == ("load", Cause.LOAD)
    assert (typed.port, typed.value, typed.session) == ("input", "hello", "s")
    assert (first.node, first.port, first.cause, first.at, first.parent) == (
        box.id,
        "change",
        Cause.USER,
        0.5,
        None,
    )
    assert (second.node, second.value, second.cause, second.at) == (
        shown.id,
        "hello",
        Cause.PROGRAM,
        0.8,
    )
    assert second.parent == lab.requests("echo")[0].id
    assert len({load.id, typed.id, first.id, second.id}) == 4


@pytest.mark.parametrize(
    ("act", "cause"), [("tick", Cause.TIMER), ("load", Cause.LOAD), ("chunk", Cause.STREAM)]
)
def test_e2_causes(act: str, cause: Cause) -> None:
    """E2: a timer's event says timer, an opened page's load, a chunk's stream."""
    with oc.Blocks() as app:
        oc.Timer(1).tick(f)
        mic = oc.Audio(streaming=True)
        mic.stream(f)
        app.load(f)
    lab = Lab(app)
    lab.act(mic, "stream", sound(1), cause=Cause.STREAM)
    lab.run(1.0)
    port = {"chunk": "stream"}.get(act, act)
    assert [e.cause for _, e in lab.seen(Event) if e.port == port] == [cause]


# -- acts --------------------------------------------------------------------------------------

ACTS: list[tuple[Callable[[], Node], str, object, list[str]]] = [
    (oc.Audio, "upload", 1, ["upload", "input", "change"]),
    (oc.Audio, "stop_recording", 1, ["stop_recording", "input", "change"]),
    (oc.Audio, "clear", None, ["clear", "input", "change"]),
    (oc.Audio, "trim", 1, ["input", "change"]),
    (oc.Audio, "undo", 1, ["input", "change"]),
    (oc.Audio, "end", ..., ["pause", "stop"]),
    (oc.Audio, "play", ..., ["play"]),
    (oc.Audio, "pause", ..., ["pause"]),
    (oc.Audio, "start_recording", ..., ["start_recording"]),
    (oc.Audio, "pause_recording", ..., ["pause_recording"]),
    (oc.Textbox, "input", "a", ["input", "change"]),
    (oc.Textbox, "clear", "", ["clear", "input", "change"]),
    (oc.Textbox, "submit", ..., ["submit"]),
    (oc.Textbox, "focus", ..., ["focus"]),
    (oc.Textbox, "blur", ..., ["blur"]),
    (oc.Number, "input", 1, ["input", "change"]),
    (oc.Slider, "input", 1, ["input", "change"]),
    (oc.Slider, "release", ..., ["release"]),
    (oc.Button, "click", ..., ["click"]),
]


@pytest.mark.parametrize(("make", "act", "value", "ports"), ACTS)
def test_e3_e4_e5_e6_every_act_and_its_events(
    make: Callable[[], Node], act: str, value: object, ports: list[str]
) -> None:
    """E3 E4 E5 E6: for each act the specific event, then `input`, then `change`."""
    with oc.Blocks() as app:
        node = make()
        for port in node.ports:
            getattr(node, port)(f, trigger_mode="multiple")
    lab = Lab(app)
    if act == "clear":  # there must be something to clear
        lab.program.sessions["a"].values[node.id] = lab.program.sessions["a"].contents[node.id] = 1
    if value is ...:
        lab.act(node, act)
    else:
        lab.act(node, act, value)
    assert lab.events() == ports


def test_e3_an_act_that_moves_nothing_is_no_input() -> None:
    """E3: the same text again, or clearing what is empty: what the user did is heard, not `input`;
    whoever else listens, and through operators too."""
    heard = list[str]()
    for watched in (False, True):
        with oc.Blocks() as app:
            box = oc.Textbox("a")
            box.input(lambda: heard.append("input"))
            oc.on(box.input.pipe(ops.map(_value)), lambda: heard.append("derived"))
            box.clear(lambda: heard.append("clear"))
            if watched:
                box.change(lambda: heard.append("change"))
        program = Program(
            compile_plan(app),
            inline(clock := VirtualClock()),
            clock,
            lambda _: None,
            on_error=fail,
        )
        program.receive(Open("s"))
        for act, text in (("input", "a"), ("input", "b"), ("clear", ""), ("clear", "")):
            program.receive(Act("s", box.id, act, text))
        moved = ["input", "derived", *["change"] * watched]
        assert heard == [*moved, "clear", *moved, "clear"]
        heard.clear()


def fail(error: Exception) -> None:
    raise error


def test_e3_a_program_write_is_no_input() -> None:
    """E3 E4: what a function returns is a `change` and nothing else."""
    with oc.Blocks() as app:
        button, held = oc.Button(), oc.Audio()
        button.click(lambda: sound(1), None, held, postprocess=False)
        for port in held.ports:
            getattr(held, port)(f)
    lab = Lab(app)
    lab.click(button)
    assert lab.events() == ["click", "change"]


def test_e4_all_events_of_an_act_see_the_new_value() -> None:
    """E4: not even what the first listener writes shows in what the next ones get."""
    got = list[tuple[str, str]]()

    def on_input(text: str) -> str:
        got.append(("input", text))
        return "overwritten"

    def on_change(text: str) -> None:
        got.append(("change", text))

    with oc.Blocks() as app:
        box = oc.Textbox()
        box.input(on_input, box, box)
        box.change(on_change, box, trigger_mode="multiple")
    lab = Lab(app)
    lab.type(box, "typed")
    assert got == [("input", "typed"), ("change", "typed"), ("change", "overwritten")]


def test_e4_also_where_an_operator_stands_between() -> None:
    """E4 E8: what a derived trigger of the first event calls is not seen by those that follow."""
    got = list[str]()
    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.map(_itself)), lambda: "overwritten", None, box)
        box.change(got.append, box, trigger_mode="multiple")
    lab = Lab(app)
    lab.type(box, "typed")
    assert got == ["typed", "overwritten"]


def _itself(event: Event) -> Event:
    return event


def test_e4_a_recording() -> None:
    """E4: start_recording (pause_recording)* stop_recording input change."""
    with oc.Blocks() as app:
        mic = oc.Microphone()
        for port in mic.ports:
            getattr(mic, port)(f)
    lab = Lab(app)
    for act in ("start_recording", "pause_recording", "pause_recording"):
        lab.act(mic, act)
    lab.act(mic, "stop_recording", sound(1, 2))
    assert lab.events() == [
        "start_recording",
        "pause_recording",
        "pause_recording",
        "stop_recording",
        "input",
        "change",
    ]


def test_e5_the_end_of_a_stream_is_no_clear() -> None:
    """E5: stopping a streaming recording clears nothing (D11)."""
    with oc.Blocks() as app:
        mic = oc.Audio(streaming=True)
        for port in mic.ports:
            getattr(mic, port)(f)
    lab = Lab(app)
    lab.act(mic, "start_recording")
    lab.act(mic, "stream", sound(1), cause=Cause.STREAM)
    lab.act(mic, "stop_recording", sound(1))
    assert "clear" not in lab.events()


def test_e6_looping_is_silent() -> None:
    """E6: `stop` follows its `pause` at the end; a user's pause has no `stop` after it."""
    with oc.Blocks() as app:
        held = oc.Audio(loop=True)
        for port in ("play", "pause", "stop"):
            getattr(held, port)(f)
    lab = Lab(app)
    for act in ("play", "pause", "play", "end"):
        lab.act(held, act)
    assert lab.events() == ["play", "pause", "play", "pause", "stop"]


def test_e7_a_chunk_is_input_but_no_change() -> None:
    """E7: the stream listener gets the chunk; the value, `input` and `change` stay as they are."""
    got = list[object]()

    def hear(chunk: object) -> None:
        got.append(chunk)

    with oc.Blocks() as app:
        mic = oc.Audio(streaming=True)
        mic.stream(hear, mic, preprocess=False)
        mic.change(f)
        mic.input(f)
    lab = Lab(app)
    chunks = [sound(1), sound(2), sound(3)]
    for chunk in chunks:
        lab.act(mic, "stream", chunk, cause=Cause.STREAM)
    assert got == chunks
    assert lab.value(mic) is None
    assert lab.events() == ["stream"] * 3
    lab.act(mic, "stop_recording", take := sound(1, 2, 3))
    assert lab.value(mic) is take
    assert lab.events()[3:] == ["stop_recording", "input", "change"] or lab.events()[3:] == [
        "input",
        "change",
    ]


def test_e7_what_follows_a_chunk_sees_the_value() -> None:
    """E7 H1: a follower of a stream listener is none itself; its input is the node's value."""
    got = list[object]()
    with oc.Blocks() as app:
        mic = oc.Audio(streaming=True)
        mic.stream(f, mic, preprocess=False).then(got.append, mic, preprocess=False)
    lab = Lab(app)
    lab.act(mic, "stop_recording", take := sound(1, 2))
    lab.act(mic, "stream", sound(9), cause=Cause.STREAM)
    assert got == [take]


# -- ports as streams --------------------------------------------------------------------------


def test_e8_a_debounced_port_is_a_trigger() -> None:
    """E8: 0.3 s after the last of a burst, on the session's clock."""
    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.debounce(0.3)), f, box)
    lab = Lab(app)
    texts = {s: (lambda s=s: lab.type(box, s)) for s in "abc"}
    lab.play("a-b---------c", **texts)
    lab.run(5.0)
    assert lab.marbles("f") == "-----(s|)---------(s|)"
    assert [r.inputs for r in lab.requests("f")] == [("b",), ("c",)]


def test_e8_each_session_has_its_own() -> None:
    """E8: one session's burst does not hold back another's."""
    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.debounce(0.3)), f)
    lab = Lab(app, sessions=("a", "b"))
    lab.type(box, "x", "a")
    lab.run(0.2)
    lab.type(box, "y", "b")
    lab.run(5.0)
    assert lab.marbles("f", session="a") == "---(s|)"
    assert lab.marbles("f", session="b") == "-----(s|)"


def test_e8_what_an_operator_makes_reaches_the_function() -> None:
    """E8: a value that is no event is the event's data, and the input of a stream listener."""
    got = list[object]()

    def pairs(data: oc.EventData) -> None:
        got.append(data.value)

    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.map(_value), ops.pairwise()), pairs, trigger_mode="multiple")
        mic = oc.Audio(streaming=True)
        oc.on(mic.stream.pipe(ops.buffer_with_count(2)), got.append, mic, preprocess=False)
    lab = Lab(app)
    for text in "abc":
        lab.type(box, text)
    for chunk in (1, 2, 3, 4):
        lab.act(mic, "stream", chunk, cause=Cause.STREAM)
    assert got == [("a", "b"), ("b", "c"), [1, 2], [3, 4]]


def _value(event: Event) -> object:
    return event.value


def test_e8_an_operator_that_fails_goes_on() -> None:
    """E8 R3: an error in an operator is told, and the next event triggers again."""

    def number(event: Event) -> int:
        return int(str(event.value))

    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.map(number)), f, trigger_mode="multiple")
    lab = Lab(app)
    for text in ("1", "x", "2"):
        lab.type(box, text)
    assert len(lab.ends("f")) == 2
    assert [type(e) for e in lab.errors] == [ValueError]


def test_e8_an_operator_that_fails_at_once_is_told_once() -> None:
    """E8: it is not subscribed again and again."""

    def broken(_: Observable[Any]) -> Observable[Any]:
        return throw(ValueError("never"))

    with oc.Blocks() as app:
        oc.on(oc.Textbox().input.pipe(broken), f)
    lab = Lab(app)
    lab.run(1.0)
    assert len(lab.errors) == 1


@pytest.mark.parametrize("leaving", ["cancel", "finish"])
def test_e8_nothing_comes_after_the_session(leaving: Any) -> None:
    """E8 M3: what an operator still holds when the session ends triggers nothing."""
    with oc.Blocks() as app:
        box = oc.Textbox()
        oc.on(box.input.pipe(ops.debounce(1.0)), f, on_disconnect=leaving)
    lab = Lab(app, sessions=("a", "b"))
    lab.type(box, "x")
    lab.run(0.5)
    lab.close()
    assert lab.clock.due == 0
    lab.run(5.0)
    assert lab.requests("f") == []
    assert "a" not in lab.program.sessions


def test_e8_cycles_through_operators_end() -> None:
    """E8 H3: hops are counted through derived streams, too."""
    with oc.Blocks() as app:
        count = oc.Number(0)
        oc.on(count.change.pipe(ops.map(_value)), more, count, count)
    lab = Lab(app)
    lab.act(count, "input", 1)
    lab.run(5.0)
    assert [e.kind for e in lab.ends()].count(Kind.FAILED) == 1
    assert "100 steps" in lab.error("more")
