"""Parts made anew, in virtual time: what ticks, streams, waits and is held ends with them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.blocks import Block
from ossicle.flow.calls import Call
from ossicle.flow.graph import Node
from ossicle.flow.patches import Gone, Part, Set, Sound
from ossicle.flow.said import Close, Frames

from . import live


class Stage(live.Stage):
    """The same, whose functions take their time by name, and what its parts were."""

    def __init__(self, demo: oc.Blocks, **takes: float) -> None:
        self._named = takes
        super().__init__(demo)

    def lasts(self, call: Call) -> float:
        return self._named.get(call.listener.name, 0.0)

    @property
    def parts(self) -> list[Part]:
        return [each for each in self.patches if isinstance(each, Part)]

    def inner(self, kind: type[Node]) -> Node:
        return next(node for node in self.parts[-1].plan.nodes if isinstance(node, kind))

    def again(self, count: Node, value: int) -> None:
        self.act(count, "input", value=value)

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.seconds + seconds)

    def story(self, name: str) -> list[str]:
        return [str(o.kind) for o in self.outcomes if o.request.listener.name == name]


def test_ids_stand_above_the_plans_and_are_never_given_twice() -> None:
    """The plan stays as it is; every part has ids of its own."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            box = oc.Textbox(str(n))
            box.change(lambda: None, None, None)

    stage = Stage(demo)
    stage.again(count, 2)
    assert len(stage.program.plan.nodes) == 3
    ids = [[node.id for node in part.plan.nodes] for part in stage.parts]
    assert ids == [[3], [5]]
    assert [part.plan.listeners[0].id for part in stage.parts] == [4, 6]
    assert [len(part.old) for part in stage.parts] == [0, 1]
    assert stage.session.values.keys() == {count.id, 5}
    assert stage.session.contents.keys() == {count.id, 5}


def test_timers_end_with_their_part() -> None:
    """A Timer and `every` of an old part tick no more."""
    ticks = list[str]()
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            if n == 1:
                oc.Timer(1).tick(lambda: ticks.append("timer"), None, None)
                oc.Button().click(lambda: ticks.append("every"), None, None, every=1)

    stage = Stage(demo)
    stage.act(stage.inner(oc.Button), "click")
    stage.run(2.5)
    assert sorted(ticks) == ["every"] * 3 + ["timer"] * 2
    assert len(stage.session.tickers) == 2
    stage.again(count, 2)
    stage.run(5)
    assert len(ticks) == 5
    assert not stage.session.tickers
    assert stage.clock.due == 0


def test_a_generator_is_closed_with_its_part() -> None:
    """What an old part runs is closed at its step; what waits behind it never runs."""
    closed = list[str]()
    with oc.Blocks() as demo:
        count = oc.Number(1)
        seen = oc.Number(0)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            def steps() -> Iterator[int]:
                try:
                    for i in range(9):
                        yield 10 * n + i
                finally:
                    closed.append(f"part {n}")

            oc.Button().click(steps, None, seen, trigger_mode="multiple")

    stage = Stage(demo, steps=1.0)
    old = stage.inner(oc.Button)
    stage.act(old, "click")
    stage.act(old, "click")
    stage.run(2.5)
    assert stage.session.values[seen.id] == 11
    stage.again(count, 2)
    stage.run(3)
    assert closed == ["part 1"]
    assert stage.session.values[seen.id] == 11
    assert [k for k in stage.story("steps") if k != "yielded"] == [
        "started",
        "queued",
        "cancelled",
        "cancelled",
    ]
    assert stage.program.idle


def test_lines_of_old_parts_are_not_kept() -> None:
    """However often a part is made, the queue holds only what the app has."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            oc.Button().click(lambda: None, None, None)
            oc.Button().click(lambda: None, None, None, concurrency_id="shared")

    stage = Stage(demo)
    lines = stage.program._scheduler.queue._lines  # pyright: ignore[reportPrivateUsage]
    before = set(lines)
    for n in range(2, 20):
        for node in stage.parts[-1].plan.nodes:
            stage.act(node, "click")
        stage.again(count, n)
    assert set(lines) == before


def test_a_shared_line_keeps_the_apps_limit() -> None:
    """A concurrency id that the app has is the same line in a part, whatever the part says."""
    with oc.Blocks() as demo:
        go = oc.Button()
        go.click(lambda: None, None, None, concurrency_id="gpu", concurrency_limit=2)

        @oc.render()
        def _() -> None:
            oc.Button().click(lambda: None, None, None, concurrency_id="gpu", concurrency_limit=7)

    (listener,) = Stage(demo).parts[0].plan.listeners
    assert (listener.line, listener.limit) == ("id gpu", 2)


def test_derived_triggers_and_chunks_come_and_go() -> None:
    """A part may listen to streams and through operators; both end with it."""
    heard = list[Any]()

    def ramp(first: int) -> Block:
        return Block.of(1000, np.arange(first, first + 100).astype(np.int16), first)

    with oc.Blocks() as demo:
        count = oc.Number(1)
        text = oc.Textbox()
        mic = oc.Audio(streaming=True)

        def chunk(n: int, sound: Any) -> None:
            heard.append((n, len(sound[1])))

        def late(said: str) -> None:
            heard.append(said)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            if n < 3:
                every = n / 10
                mic.stream(functools.partial(chunk, n), mic, None, stream_every=every)
                oc.on(text.change.pipe(ops.debounce(1.0)), late, text)

    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.program.receive(Frames("s", mic.id, ramp(0)))
    stage.again(count, 2)
    for first in (100, 200):
        stage.program.receive(Frames("s", mic.id, ramp(first)))
    assert heard == [(1, 100), (2, 200)]
    stage.act(text, "input", value="late")
    stage.again(count, 3)
    stage.program.receive(Frames("s", mic.id, ramp(300)))
    stage.run(5)
    assert heard == [(1, 100), (2, 200)]
    assert not stage.session.chunkers


def test_what_operators_heard_of_a_part_is_forgotten_with_it() -> None:
    """A page that is made anew all day keeps nothing of the parts before."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(_n: int) -> None:
            text = oc.Textbox()
            oc.on(text.change.pipe(ops.debounce(1.0)), print, text)

    stage = Stage(demo)
    before = set(stage.session.streams)
    for n in range(2, 5):
        stage.again(count, n)
    after = set(stage.session.streams)
    assert len(before) == len(after) == 1
    assert before.isdisjoint(after)


def test_sound_that_goes_straight_to_a_node_of_a_part_ends_with_it() -> None:
    """`to` works inside of a part, and what was heard there is cut off when the part goes."""
    with oc.Blocks() as demo:
        count = oc.Number(1)
        mic = oc.Audio(streaming=True)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            if n == 1:
                mic.stream.to(oc.Audio(streaming=True))

    stage = Stage(demo)
    stage.act(mic, "start_recording")
    sound = Block.of(1000, np.zeros(100, np.int16), 0)
    stage.program.receive(Frames("s", mic.id, sound))
    stage.again(count, 2)
    stage.program.receive(Frames("s", mic.id, sound))
    stages = [each.stage for each in stage.patches if isinstance(each, Sound)]
    assert stages == ["more", "flush"]
    assert not stage.session.passing
    assert not stage.session.sounding


def test_state_and_chains_of_a_part() -> None:
    """State is read when the job starts; what is chained follows, on outer listeners too."""
    with oc.Blocks() as demo:
        outer = oc.Button()
        total = oc.Number(0)
        first = outer.click(lambda: 1, None, total)

        @oc.render()
        def _() -> None:
            kept = oc.State(lambda: [0])
            button = oc.Button()

            def more(state: list[int]) -> tuple[list[int], int]:
                return [*state, 1], len(state)

            button.click(more, kept, [kept, total], trigger_mode="multiple")
            first.then(lambda: 7, None, total)

    stage = Stage(demo, more=1.0)
    button = stage.inner(oc.Button)
    stage.act(button, "click")
    stage.act(button, "click")
    stage.run(2)
    assert stage.session.values[total.id] == 2
    stage.act(outer, "click")
    assert stage.session.values[total.id] == 7


def test_a_part_may_cancel_outer_work() -> None:
    """`cancels` names listeners outside of the part as it names those inside."""
    with oc.Blocks() as demo:
        go = oc.Button()
        slow = go.click(lambda: None, None, None, api_name="slow")

        @oc.render()
        def _() -> None:
            oc.Button().click(None, cancels=slow)

    stage = Stage(demo, slow=5.0)
    stage.act(go, "click")
    stage.act(stage.inner(oc.Button), "click")
    assert stage.story("slow") == ["started", "cancelled"]


def test_inputs_as_a_set_are_keyed_by_the_parts_components() -> None:
    """A listener in a part that takes a set gets a dict with the components as written (I3)."""
    got = list[dict[Any, Any]]()
    with oc.Blocks() as demo:
        outer = oc.Textbox("out")
        inner = list[oc.Textbox]()

        @oc.render(inputs={outer})
        def _(values: dict[Any, Any]) -> None:
            got.append(values)
            inner.append(oc.Textbox("in"))
            oc.Button().click(got.append, {outer, inner[0]}, None)

    stage = Stage(demo)
    stage.act(stage.inner(oc.Button), "click")
    assert got == [{outer: "out"}, {outer: "out", inner[0]: "in"}]


def test_load_comes_to_each_part_once_it_stands() -> None:
    """Callable values and `on` without triggers run when their part is there."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            oc.Textbox(lambda: f"made {n}")

    stage = Stage(demo)
    assert stage.session.values[stage.inner(oc.Textbox).id] == "made 1"
    stage.again(count, 2)
    assert stage.session.values[stage.inner(oc.Textbox).id] == "made 2"
    shown = [each.value for each in stage.patches if isinstance(each, Set)]
    assert shown == ["made 1", "made 2"]


def test_a_part_that_always_changes_its_own_input_is_stopped() -> None:
    """The loads of parts count as hops (H3)."""
    with oc.Blocks() as demo:
        count = oc.Number(0)

        @oc.render(inputs=count)
        def part(n: int) -> None:
            oc.on(None, lambda: n + 1, None, count)

    stage = Stage(demo)
    failed = [o for o in stage.outcomes if o.kind == "failed"]
    assert len(failed) == 1
    assert "100 steps" in str(failed[0].value)
    assert stage.program.idle


def test_what_has_a_key_keeps_its_value_and_its_place() -> None:
    """Made again it is the same; what has no key, or is of another kind by now, begins anew."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def part(n: float) -> None:
            oc.Textbox("first", key="kept")
            oc.Textbox("first")
            (oc.Textbox if n < 3 else oc.Number)(key="other")

    stage = Stage(demo)

    def boxes() -> list[Node]:
        return [n for n in stage.parts[-1].plan.nodes if isinstance(n, oc.Textbox | oc.Number)]

    def values() -> list[object]:
        return [stage.session.values[each.id] for each in boxes()]

    first = boxes()
    for box in first:
        stage.act(box, "input", value="typed")
    stage.again(count, 2)
    assert values() == ["typed", "first", "typed"]
    assert [a.id == b.id for a, b in zip(boxes(), first, strict=True)] == [True, False, True]
    assert stage.session.gone(first[1].id) and not stage.session.gone(first[0].id)
    assert not stage.session.gone(count.id) and not stage.session.gone(10_000)
    stage.again(count, 3)
    assert values() == ["typed", "first", None]


def test_sound_of_an_old_part_is_silenced_at_once() -> None:
    """A speaker that is gone plays nothing on: its page is told to flush what it still has."""

    def speak() -> Iterator[tuple[int, Any]]:
        for _ in range(9):
            yield 8000, np.ones(800, np.int16)

    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def part(n: float) -> None:
            go, speaker = oc.Button(), oc.Audio(streaming=True)
            go.click(speak, None, speaker)

    stage = Stage(demo, speak=0.5)
    speaker = stage.inner(oc.Audio)
    stage.act(stage.inner(oc.Button), "click")
    stage.run(1.2)
    stage.again(count, 2)
    sounds = [each for each in stage.patches if isinstance(each, Sound)]
    assert [(each.node, each.stage) for each in sounds] == [
        (speaker.id, "more"),
        (speaker.id, "more"),
        (speaker.id, "flush"),
    ]


def test_a_session_that_closes_takes_its_parts_along() -> None:
    """Nothing of a part outlives its session, not even one that is being made."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def part(n: int) -> None:
            oc.Timer(1).tick(lambda: None, None, None)
            oc.on(count.change.pipe(ops.delay(1.0)), lambda: None, None)

    stage = Stage(demo, part=1.0)
    stage.run(1)
    stage.again(count, 2)
    stage.program.receive(Close("s"))
    stage.run(9)
    assert len(stage.parts) == 1
    assert isinstance(stage.patches[-1], Gone)
    assert not stage.program.sessions
    assert stage.program.idle


def test_what_an_old_part_asked_for_writes_nothing() -> None:
    """A request of an old part that starts while its cancel is due is not run (C2)."""
    ran = list[int]()
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            inner = oc.Number(0)
            count.change(lambda: ran.append(n), None, inner)

    stage = Stage(demo)
    stage.again(count, 2)
    assert ran == []
    assert stage.story("lambda") == ["started", "cancelled"]


@pytest.mark.parametrize("times", [1, 40])
def test_a_session_holds_what_stands_and_no_more(times: int) -> None:
    """Making a part many times leaves as much behind as making it once."""
    with oc.Blocks() as demo:
        count = oc.Number(0)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            kept = oc.Number(n, key="kept")

            @oc.render(inputs=kept, key="inner" if n % 2 else None)
            def _(m: int) -> None:
                for i in range(3):
                    oc.Textbox(key=i).change(lambda: None, None, None)

    stage = Stage(demo)
    for n in range(1, times + 1):
        stage.again(count, n)
    session = stage.session
    overlay = session.overlay
    assert overlay is not None
    sizes = [len(session.values), len(session.nodes), len(session.contents), len(overlay.parts)]
    assert sizes == [5, 5, 5, 2]
    assert not overlay.keyed
    assert len(overlay.listeners) == 4
