"""Inputs and State: what a function gets, and when it is read (rules I1-I4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError
from ossicle.flow.model import Kind

from .lab import Lab

if TYPE_CHECKING:
    from collections.abc import Hashable as Spoken


def test_i1_values_are_those_of_the_event() -> None:
    """I1: a request that waits keeps the values that it was asked with."""
    got = list[str]()
    with oc.Blocks() as app:
        box, button = oc.Textbox(), oc.Button()
        button.click(got.append, box, trigger_mode="multiple")
    lab = Lab(app, 1.0)
    for text in "ab":
        lab.type(box, text)
        lab.click(button)
    lab.type(box, "c")
    lab.run(5.0)
    assert got == ["a", "b"]


def test_i1_two_listeners_of_one_event_get_the_same() -> None:
    """I1: what the first one writes is not what the second one of the event gets."""
    got = list[str]()
    with oc.Blocks() as app:
        box, button = oc.Textbox("old"), oc.Button()
        button.click(lambda: "new", None, box)
        button.click(got.append, box)
    lab = Lab(app)
    lab.click(button)
    assert got == ["old"]


def test_i1_state_is_read_at_the_start_and_written_at_each_yield() -> None:
    """I1: the second job of a line sees the State that the first one left."""

    def count(n: int) -> Iterator[int]:
        yield n + 1
        yield n + 10

    with oc.Blocks() as app:
        button, state = oc.Button(), oc.State(0)
        button.click(count, state, state, trigger_mode="multiple")
    lab = Lab(app, 0.1)
    lab.click(button)
    lab.click(button)
    seen = list[int]()
    for tenths in range(1, 5):
        lab.run(tenths / 10 + 0.05)
        seen.append(lab.value(state))
    assert seen == [1, 10, 11, 20]


@pytest.mark.parametrize("limit", [1, 2, None])
@pytest.mark.parametrize("shared", [None, "line"])
def test_i2_no_update_is_lost(limit: int | None, shared: str | None) -> None:
    """I2: jobs of a session that read and write one State never overlap, whatever the limits."""

    def add(n: int) -> int:
        return n + 1

    options: dict[str, Any] = {"concurrency_limit": limit, "concurrency_id": shared}
    with oc.Blocks() as app:
        one, two, state = oc.Button(), oc.Button(), oc.State(0)
        one.click(add, state, state, trigger_mode="multiple", **options)
        two.click(add, state, state, trigger_mode="multiple", **options)
        two.click(add, state, state, trigger_mode="multiple", queue=False)
    lab = Lab(app, 0.1, sessions=("a", "b"))
    for session in "ab":
        for _ in range(5):
            lab.click(one, session)
            lab.click(two, session)
    lab.run(10.0)
    assert [lab.value(state, s) for s in "ab"] == [15, 15]


def test_i2_others_pass() -> None:
    """I2: a request whose State is being written holds back nobody else in its line."""

    def slow(n: int) -> int:
        return n + 1

    def quick() -> None: ...

    with oc.Blocks() as app:
        one, two, state = oc.Button(), oc.Button(), oc.State(0)
        both: dict[str, Any] = {"concurrency_id": "x", "concurrency_limit": 2}
        one.click(slow, state, state, trigger_mode="multiple", **both)
        two.click(quick, **both)
    lab = Lab(app, {"slow": 1.0})
    lab.click(one)
    lab.click(one)
    lab.run(0.5)
    lab.click(two)
    lab.run(5.0)
    assert lab.marbles("quick") == "-----(s|)"
    assert lab.marbles("slow") == "s---------(|s)---------|"


def test_i2_those_that_stepped_aside_keep_their_order() -> None:
    """I2 Q1: they start in the order in which they came, also with others between them."""
    order = list[str]()

    def write(n: int, name: str) -> int:
        order.append(name)
        return n

    with oc.Blocks() as app:
        button, box, state = oc.Button(), oc.Textbox(), oc.State(0)
        button.click(write, [state, box], state, trigger_mode="multiple", concurrency_limit=None)
    lab = Lab(app, 0.1)
    for i in range(9):
        lab.type(box, str(i))
        lab.click(button)
        if i % 3 == 2:
            lab.run(lab.clock.seconds + 0.15)
    lab.withdraw(lab.requests("write")[6].id)
    lab.run(9.0)
    assert order == [str(i) for i in range(9) if i != 6]


def test_i2_who_steps_aside_again_lets_the_next_one_go() -> None:
    """I2: of two that waited for one State the first has to wait for another: the second goes."""

    def both(a: int, b: int) -> tuple[int, int]:
        return a, b

    with oc.Blocks() as app:
        buttons = [oc.Button() for _ in range(5)]
        a, b = oc.State(0), oc.State(0)
        line: dict[str, Any] = {"concurrency_id": "line"}
        buttons[0].click(_next, a, a)
        buttons[1].click(both, [a, b], [a, b], **line)
        buttons[2].click(_next, a, a, api_name="only_a", **line)
        buttons[3].click(_look, a, api_name="busy", **line)
        buttons[4].click(_next, b, b, api_name="only_b")
    lab = Lab(app, {"_next": 0.3, "busy": 0.4, "only_b": 5.0})
    for button in buttons[:4]:  # a is being written; two step aside for it; the line gets busy
        lab.click(button)
    lab.run(0.35)  # a is free, the line is not: now b is being written, too
    lab.click(buttons[4])
    lab.run(9.0)
    assert lab.marbles("only_a") == "----(s|)"
    assert lab.marbles("both").endswith("(s|)") and len(lab.marbles("both")) > 50


def test_i2_readers_do_not_wait() -> None:
    """I2: who only reads a State, or only writes it, need not wait for it."""
    with oc.Blocks() as app:
        button, state = oc.Button(), oc.State(0)
        button.click(_next, state, state)
        button.click(_look, state)
        button.click(_reset, None, state)
    lab = Lab(app, {"_next": 1.0})
    lab.click(button)
    assert lab.story(Kind.STARTED) == ["0 started _next", "0 started _look", "0 started _reset"]


def _next(n: int) -> int:
    return n + 1


def _look(n: int) -> None: ...


def _reset() -> int:
    return 0


def test_i3_a_set_is_one_dict_keyed_by_component() -> None:
    """I3: the order of a set says nothing, so its function gets a dict."""
    got = list[dict[Any, Any]]()
    with oc.Blocks() as app:
        a, b, button = oc.Textbox("x"), oc.Number(2), oc.Button()
        button.click(got.append, {b, a})
    lab = Lab(app)
    lab.click(button)
    assert got == [{a: "x", b: 2}]


def test_i3_a_list_is_positional() -> None:
    """I3: and what the framework hands in stands where its parameter is."""
    got = list[object]()

    def f(a: str, data: oc.EventData, b: float, *, request: oc.Request) -> None:
        got.extend((a, data.target, b, request.session_hash))

    with oc.Blocks() as app:
        a, b, button = oc.Textbox("x"), oc.Number(2), oc.Button()
        button.click(f, [a, b])
    lab = Lab(app)
    lab.click(button)
    assert got == ["x", button, 2, ""]


def none() -> None: ...
def one(a: object) -> None: ...
def two(a: object, b: object) -> None: ...
def some(a: object, b: object = 1) -> None: ...
def named(a: object, *, b: object) -> None: ...
def event(a: object, data: oc.EventData) -> None: ...


@pytest.mark.parametrize(
    ("fn", "count", "keyed", "says"),
    [
        (one, 0, False, "one() takes 1 input (a), but is given no inputs"),
        (two, 1, False, "two() takes 2 inputs (a, b), but is given 1 input"),
        (none, 1, False, "none() takes no inputs, but is given 1 input"),
        (one, 2, False, "one() takes 1 input (a), but is given 2 inputs"),
        (some, 3, False, "some() takes 1 to 2 inputs (a, b), but is given 3 inputs"),
        (two, 2, True, "two() takes 2 inputs (a, b), but is given one dict"),
        (event, 2, False, "event() takes 1 input (a), but is given 2 inputs"),
        (named, 1, False, "named() needs b=..., which nothing gives it"),
    ],
)
def test_i3_fewer_or_more_is_refused(
    fn: Callable[..., object], count: int, keyed: bool, says: str
) -> None:
    """I3: when declared, with the names of the parameters and how many came."""
    with oc.Blocks():
        boxes = [oc.Textbox() for _ in range(count)]
        button = oc.Button()
        with pytest.raises(DeclarationError) as refused:
            button.click(fn, set(boxes) if keyed else boxes)
    assert says in str(refused.value)
    assert str(refused.value).startswith("Button")


@pytest.mark.parametrize(("fn", "count"), [(some, 1), (some, 2), (event, 1), (print, 7)])
def test_i3_what_fits_is_taken(fn: Callable[..., object], count: int) -> None:
    """I3: defaults, injected parameters and *args count as they are written."""
    with oc.Blocks():
        oc.Button().click(fn, [oc.Textbox() for _ in range(count)])


def test_i3_an_annotation_that_cannot_be_read_hides_no_other() -> None:
    """I3: a name that stands there for type checkers alone; what is handed in is still no input."""
    got = list[object]()

    def note(text: Spoken, event: oc.EventData, who: oc.Request) -> None:
        got.extend((text, event.target, who.session_hash))

    with oc.Blocks() as app:
        box, button = oc.Textbox("a"), oc.Button()
        button.click(note, box)
    lab = Lab(app)
    lab.click(button)
    assert got[:2] == ["a", button]


def test_i3_a_button_has_a_value_but_a_row_has_none() -> None:
    """I3: what has no value cannot be an input, and the message says so."""
    with oc.Blocks():
        row: Any = oc.Row()
        with pytest.raises(DeclarationError, match="has no value to read"):
            oc.Button().click(one, row)


def test_i4_each_session_has_its_own_copy() -> None:
    """I4: what one session does to its State, another does not see."""

    def add(seen: list[int]) -> list[int]:
        seen.append(1)
        return seen

    with oc.Blocks() as app:
        button, state = oc.Button(), oc.State([])
        button.click(add, state, state)
    lab = Lab(app, sessions=("a", "b"))
    lab.click(button, "a")
    assert (lab.value(state, "a"), lab.value(state, "b")) == ([1], [])


def test_i4_a_factory_makes_one_each() -> None:
    """I4: a callable is called once per session."""
    made = list[object]()

    def make() -> object:
        made.append(thing := object())
        return thing

    with oc.Blocks() as app:
        state = oc.State(make)
    lab = Lab(app, sessions=("a", "b"))
    assert [lab.value(state, "a"), lab.value(state, "b")] == made


def test_i4_state_is_never_shown() -> None:
    """I4: no patch carries it."""
    with oc.Blocks() as app:
        button, state = oc.Button(), oc.State(0)
        button.click(_next, state, state)
    lab = Lab(app)
    lab.click(button)
    assert lab.value(state) == 1
    assert lab.shown(state) == []
