"""Parts of a page that are made anew: when, what stays, and what ends with them (rules P1-P4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.blocks import START, Block
from ossicle.flow.graph import Node
from ossicle.flow.model import Kind
from ossicle.flow.patches import Command, Part
from ossicle.flow.said import Frames

from .lab import Lab

RATE = 1000


def f(*_: object) -> None: ...


def inner(lab: Lab, kind: type[Node]) -> Node:
    """The component of that kind in the part that stands now."""
    newest: Part = lab.seen(Part)[-1][1]
    return next(node for node in newest.plan.nodes if isinstance(node, kind))


def block(first: int, count: int, flags: int = 0) -> Block:
    samples = np.arange(first, first + count, dtype=np.int16)
    return Block.of(RATE, samples, first, flags)


# -- P1 ----------------------------------------------------------------------------------------


def test_p1_a_part_is_made_at_load_and_whenever_an_input_changes() -> None:
    """P1: for each session by itself; writing an equal value makes nothing anew (E1)."""
    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            for _ in range(n):
                oc.Textbox()

    lab = Lab(app, sessions=("a", "b"))
    lab.type(count, 3)
    lab.type(count, 3)
    made = [(part.session, len(part.plan.nodes)) for _, part in lab.seen(Part)]
    assert made == [("a", 1), ("b", 1), ("a", 3)]


def test_p1_a_newer_change_ends_a_build_that_is_not_done() -> None:
    """P1 T4: only the newest values make a part."""
    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            oc.Textbox(str(n))

    lab = Lab(app, 0.3)
    lab.play("-----a-b------", a=lambda: lab.type(count, 2), b=lambda: lab.type(count, 3))
    assert lab.marbles("tracks") == "s--|-s-(^s)--|"
    assert [lab.value(inner(lab, oc.Textbox)), len(lab.seen(Part))] == ["3", 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 1, "queue": False}, "every=1"),
        ({"trigger_mode": "often"}, "choose once"),
        ({"concurrency_limit": 0}, "must be a whole number"),
        ({"batch_window": 1}, "needs batch=True"),
        ({"on_overload": "latest"}, "is for a live"),
    ],
)
def test_p1_what_contradicts_itself_is_refused_in_a_part_too(options: Any, message: str) -> None:
    """P1 T6: the request that would make it fails with the reason; what stood before stands on."""
    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            more: dict[str, Any] = options if n == 2 else {}
            oc.Button().click(f, **more)

    lab = Lab(app)
    lab.type(count, 2)
    assert [end.kind for end in lab.ends("tracks")] == [Kind.SUCCEEDED, Kind.FAILED]
    assert message in lab.error("tracks")
    assert len(lab.seen(Part)) == 1
    lab.click(inner(lab, oc.Button))
    assert lab.marbles("f") == "(s|)"


def test_p1_the_apps_own_settings_count_in_a_part() -> None:
    """P1 T6: `every` needs the queue that queue(enabled=False) took away."""
    with oc.Blocks() as app:

        @oc.render()
        def tracks() -> None:
            oc.Button().click(f, every=1)

    app.queue(enabled=False)
    lab = Lab(app)
    assert [end.kind for end in lab.ends("tracks")] == [Kind.FAILED]
    assert "every=1 needs the queue" in lab.error("tracks")
    assert lab.errors == []


# -- P2 ----------------------------------------------------------------------------------------


def test_p2_what_has_a_key_keeps_its_value() -> None:
    """P2: and its id, so that it stays the one that users see; what has none begins anew."""
    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            oc.Textbox("first", key="name")
            oc.Slider(value=n)

    lab = Lab(app)
    before = inner(lab, oc.Textbox).id, inner(lab, oc.Slider).id
    lab.type(inner(lab, oc.Textbox), "typed")
    lab.type(count, 2)
    after = inner(lab, oc.Textbox).id, inner(lab, oc.Slider).id
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    assert (lab.value(inner(lab, oc.Textbox)), lab.value(inner(lab, oc.Slider))) == ("typed", 2)


# -- P3 ----------------------------------------------------------------------------------------


def test_p3_what_runs_for_the_old_part_is_cancelled() -> None:
    """P3 C2: a generator is closed at its step, its `finally` runs once; who waits never runs."""
    closed = list[str]()

    def steps() -> Iterator[int]:
        try:
            yield from range(99)
        finally:
            closed.append("closed")

    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            oc.Button().click(steps, None, oc.Number(), trigger_mode="multiple")

    lab = Lab(app, {"steps": 0.2})
    button = inner(lab, oc.Button)
    lab.click(button)
    lab.click(button)
    lab.run(0.5)
    lab.type(count, 2)
    lab.run(5.0)
    assert [end.kind for end in lab.ends("steps")] == [Kind.CANCELLED, Kind.CANCELLED]
    assert closed == ["closed"]
    assert lab.program.idle


def test_p3_a_recording_ends_with_its_part() -> None:
    """P3 E7: no chunk of it comes any more, nothing is kept of it, and a new one starts afresh."""
    heard = list[tuple[int, int]]()

    def chunk(sound: tuple[int, Any], event: oc.EventData) -> None:
        heard.append((event.index, len(sound[1])))

    with oc.Blocks() as app:
        count = oc.Number(1)
        out = oc.Audio(streaming=True, interactive=False)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            mic = oc.Audio(streaming=True)
            mic.stream(chunk, mic, None, stream_every=0.1, time_limit=3)
            mic.stream.to(out)

    lab = Lab(app)
    mic = inner(lab, oc.Audio)
    lab.act(mic, "start_recording")
    lab.say(Frames("a", mic.id, block(0, 150, START)))
    session = lab.program.sessions["a"]
    assert session.chunkers and session.limits and session.sounding
    lab.type(count, 2)
    assert not (session.chunkers or session.limits or session.sounding or session.passing)
    assert lab.value(out).frames == 150  # what was heard until then
    mic = inner(lab, oc.Audio)
    lab.act(mic, "start_recording")
    lab.say(Frames("a", mic.id, block(0, 100, START)))
    lab.run(10.0)
    assert heard == [(0, 100), (0, 100)]
    assert [command.node for _, command in lab.seen(Command)] == [mic.id]


def test_p3_a_recorder_with_a_key_goes_on_recording() -> None:
    """P3 P2: its sound goes on without a gap, and its time limit holds."""
    heard = list[tuple[int, int, int]]()

    def chunk(sound: tuple[int, Any], event: oc.EventData) -> None:
        heard.append((event.index, len(sound[1]), event.gap))

    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            mic = oc.Audio(streaming=True, key="mic")
            mic.stream(chunk, mic, None, stream_every=0.1, time_limit=3)

    lab = Lab(app)
    mic = inner(lab, oc.Audio)
    lab.act(mic, "start_recording")
    lab.say(Frames("a", mic.id, block(0, 150, START)))
    lab.run(1.0)
    lab.type(count, 2)
    lab.say(Frames("a", mic.id, block(150, 100)))
    lab.run(10.0)
    lab.act(mic, "stop_recording")
    lab.run(11.0)
    assert heard == [(0, 100, 0), (100, 100, 0), (200, 50, 0)]
    assert [(at, command.node) for at, command in lab.seen(Command)] == [(3.0, mic.id)]


def test_p3_a_part_hears_a_recording_of_the_app_while_it_is_there() -> None:
    """P3 E7: chunks of what is spoken between two renders, and none before or after."""
    heard = list[tuple[str, int]]()

    def app_chunk(_: object, event: oc.EventData) -> None:
        heard.append(("app", event.index))

    def part_chunk(_: object, event: oc.EventData) -> None:
        heard.append(("part", event.index))

    with oc.Blocks() as app:
        count = oc.Number(0)
        mic = oc.Audio(streaming=True)
        mic.stream(app_chunk, mic, None, stream_every=0.1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            if n:
                mic.stream(part_chunk, mic, None, stream_every=0.1)

    lab = Lab(app)
    lab.act(mic, "start_recording")
    for n in range(3):
        if n:
            lab.type(count, n % 2)
        lab.say(Frames("a", mic.id, block(100 * n, 100, 0 if n else START)))
        lab.run(0.5 * (n + 1))
    assert sorted(heard) == [("app", 0), ("app", 100), ("app", 200), ("part", 100)]


# -- P4 ----------------------------------------------------------------------------------------


def test_p4_what_ticks_in_a_part_ends_with_it() -> None:
    """P4 M1: a Timer and `every` of an old part tick no more; those of the new one begin."""
    with oc.Blocks() as app:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def tracks(n: int) -> None:
            oc.Timer(0.5 * n).tick(f, api_name=f"tick{n}")
            oc.Button().click(f, every=0.5, api_name=f"every{n}")

    lab = Lab(app)
    lab.click(inner(lab, oc.Button))
    lab.at(1.2, lambda: lab.type(count, 2))
    lab.run(3.5)
    assert lab.marbles("every1") == "(s|)----(s|)----(s|)"
    assert lab.marbles("tick1") == "-----(s|)----(s|)"
    assert [round(at, 1) for at, o in lab.seen(object) if is_start(o, "tick2")] == [2.2, 3.2]


def is_start(outcome: Any, name: str) -> bool:
    return getattr(outcome, "kind", None) is Kind.STARTED and outcome.request.listener.name == name
