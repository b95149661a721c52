"""Batches: who is in one, what its function gets and gives (rules B1-B5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.model import Kind, Outcome

from .lab import STEPS, Lab


def double(texts: list[str]) -> tuple[list[str]]:
    return ([text * 2 for text in texts],)


class Batched:
    """One box, one button and one batch listener; types and clicks in as many sessions."""

    def __init__(
        self, fn: Any = double, takes: float = 1.0, sessions: str = "abcdefgh", **options: Any
    ) -> None:
        options = {"batch": True, "trigger_mode": "multiple", **options}
        with oc.Blocks() as app:
            self.box, self.button, self.out = oc.Textbox(""), oc.Button(), oc.Textbox()
            self.dep = self.button.click(fn, self.box, self.out, **options)
            self.stop = oc.Button()
            self.stop.click(None, cancels=[self.dep])
        self.lab = Lab(app, {fn.__name__: takes}, sessions=tuple(sessions))
        self.name = fn.__name__

    def ask(self, *sessions: str) -> None:
        for session in sessions:
            self.lab.type(self.box, session, session)
            self.lab.click(self.button, session)

    def sizes(self) -> list[int]:
        """How many started together, one after the other."""
        starts = [at for at, o in self.lab.seen(Outcome) if o.kind is Kind.STARTED]
        return [starts.count(at) for at in dict.fromkeys(starts)]

    def outs(self, sessions: str) -> list[Any]:
        return [self.lab.value(self.out, s) for s in sessions]

    def kinds(self) -> dict[str, Kind]:
        return {e.request.session: e.kind for e in self.lab.ends(self.name)}


def test_b1_a_job_takes_who_waits_in_order() -> None:
    """B1: one starts at once, then up to four of all sessions together, in order."""
    batched = Batched()
    batched.ask(*"abcdef")
    batched.lab.run(9.0)
    assert batched.sizes() == [1, 4, 1]
    assert batched.outs("abcdef") == ["aa", "bb", "cc", "dd", "ee", "ff"]
    assert [e.request.session for e in batched.lab.ends()] == list("abcdef")


def test_b1_the_most_is_what_it_is_told() -> None:
    """B1: max_batch_size bounds a job."""
    batched = Batched(max_batch_size=2)
    batched.ask(*"abcdef")
    batched.lab.run(9.0)
    assert batched.sizes() == [1, 2, 2, 1]


def test_b1_only_one_listeners_requests() -> None:
    """B1: others in the same line are passed over, and keep their turn."""
    got = list[str]()

    def other() -> None:
        got.append("other")

    def batch(texts: list[str]) -> tuple[list[str]]:
        got.append("".join(texts))
        return (texts,)

    with oc.Blocks() as app:
        box, one, two, out = oc.Textbox(""), oc.Button(), oc.Button(), oc.Textbox()
        shared: dict[str, Any] = {"concurrency_id": "x", "trigger_mode": "multiple"}
        one.click(batch, box, out, batch=True, **shared)
        two.click(other, **shared)
    lab = Lab(app, 1.0)
    for text, button in (("1", one), ("2", one), ("", two), ("3", one)):
        lab.type(box, text)
        lab.click(button)
    lab.run(9.0)
    assert got == ["1", "23", "other"]


def test_b1_a_window_waits_to_fill() -> None:
    """B1: with batch_window the first waits so long for others, or until the batch is full."""
    batched = Batched(takes=0.1, batch_window=0.5, max_batch_size=3)
    lab = batched.lab
    lab.play("a-b---", a=lambda: batched.ask("a"), b=lambda: batched.ask("b"))
    lab.run(2.0)
    assert lab.marbles("double") == "-----(ss)(||)"
    lab.play("ab-c-", **{s: (lambda s=s: batched.ask(s)) for s in "abc"})
    lab.run(3.0)
    assert lab.marbles("double") == "-----(ss)(||)----------------(sss)(|||)"


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        (None, "nothing (None)"),
        ("ab", "one str"),
        (["a", "b"], "a list of 2"),
        ((["a", "b"], ["a", "b"]), "a tuple of 2"),
        ((["a"],), "a list of 1"),
        ((["a", "b", "c"],), "a list of 3"),
        (("ab",), "one str"),
    ],
)
def test_b2_any_other_shape_fails_every_member(returns: object, says: str) -> None:
    """B2: and the error says what came and what was expected (D8)."""

    def wrong(texts: list[str]) -> object:
        return returns

    batched = Batched(wrong, batch_window=0.1)
    batched.ask("a", "b")
    batched.lab.run(9.0)
    assert batched.kinds() == {"a": Kind.FAILED, "b": Kind.FAILED}
    text = batched.lab.error("wrong")
    assert says in text
    assert "wrong() returned" in text and "a tuple of 1 list, each with 2 values" in text


def test_b2_one_list_per_input_and_output() -> None:
    """B2: two inputs and two outputs: two lists in, two lists out."""
    got = list[object]()

    def both(texts: list[str], numbers: list[float]) -> tuple[list[float], list[str]]:
        got.append((texts, numbers))
        return numbers, texts

    with oc.Blocks() as app:
        text, number, button = oc.Textbox("x"), oc.Number(1), oc.Button()
        more, out = oc.Number(), oc.Textbox()
        button.click(both, [text, number], [more, out], batch=True, batch_window=0.1)
    lab = Lab(app, sessions=("a", "b"))
    for session in "ab":
        lab.click(button, session)
    lab.run(1.0)
    assert got == [(["x", "x"], [1, 1])]
    assert lab.value(more, "b") == 1 and lab.value(out, "b") == "x"


def test_b2_without_outputs_anything_may_come() -> None:
    """B2: a function without outputs may return nothing."""
    got = list[list[str]]()
    with oc.Blocks() as app:
        box, button = oc.Textbox("x"), oc.Button()
        button.click(got.append, box, batch=True)
    lab = Lab(app)
    lab.click(button)
    assert got == [["x"]] and [e.kind for e in lab.ends()] == [Kind.SUCCEEDED]


def test_b3_an_exception_as_element_fails_its_member_alone() -> None:
    """B3: the others get their results (D8)."""

    def picky(texts: list[str]) -> tuple[list[object]]:
        return ([ValueError(f"no {t}") if t == "b" else t for t in texts],)

    batched = Batched(picky, batch_window=0.1)
    batched.ask("a", "b", "c")
    batched.lab.run(9.0)
    assert batched.kinds() == {"a": Kind.SUCCEEDED, "b": Kind.FAILED, "c": Kind.SUCCEEDED}
    assert batched.lab.error("picky") == "no b"
    assert batched.outs("ac") == ["a", "c"]


def test_b3_an_exception_for_one_of_several_outputs() -> None:
    """B3: fails its member, none of whose outputs is written."""

    def picky(texts: list[str]) -> tuple[list[str], list[object]]:
        return texts, [ValueError("no") if t == "b" else t for t in texts]

    with oc.Blocks() as app:
        box, button, one, two = oc.Textbox(""), oc.Button(), oc.Textbox(), oc.Textbox()
        button.click(picky, box, [one, two], batch=True, batch_window=0.1)
    lab = Lab(app, sessions=("a", "b"))
    for session in "ab":
        lab.type(box, session, session)
        lab.click(button, session)
    lab.run(1.0)
    assert [lab.value(one, s) for s in "ab"] == ["a", ""]
    assert [lab.value(two, s) for s in "ab"] == ["a", ""]


@pytest.mark.parametrize("error", [ValueError, KeyError, AttributeError])
def test_b3_a_bad_input_or_output_fails_its_member_alone(error: type[Exception]) -> None:
    """B3: whatever a component raises for one member is that member's."""

    class Box(oc.Textbox):
        def preprocess(self, value: Any, media: Any) -> object:
            if value == "in":
                raise error("in")
            return value

        def postprocess(self, value: Any, media: Any) -> object:
            if value == "out":
                raise error("out")
            return value

    def same(texts: list[str]) -> tuple[list[str]]:
        return (texts,)

    with oc.Blocks() as app:
        box, button = Box("ok"), oc.Button()
        out = Box()
        button.click(same, box, out, batch=True, batch_window=0.1)
    lab = Lab(app, sessions=("a", "b", "c"))
    for session, text in (("a", "in"), ("b", "out"), ("c", "fine")):
        lab.type(box, text, session)
        lab.click(button, session)
    lab.run(1.0)
    assert {e.request.session: e.kind for e in lab.ends()} == {
        "a": Kind.FAILED,
        "b": Kind.FAILED,
        "c": Kind.SUCCEEDED,
    }
    assert lab.value(out, "c") == "fine"
    assert lab.errors == []


def test_b3_state_is_each_members_own() -> None:
    """B3: everyone's State is read and written, not the first one's (D8)."""

    def add(counts: list[int]) -> tuple[list[int]]:
        return ([n + 1 for n in counts],)

    with oc.Blocks() as app:
        button, state = oc.Button(), oc.State(0)
        button.click(add, state, state, batch=True, trigger_mode="multiple")
    lab = Lab(app, 0.1, sessions=("a", "b"))
    for session in "aababab":
        lab.click(button, session)
    lab.run(9.0)
    assert (lab.value(state, "a"), lab.value(state, "b")) == (4, 3)


def test_b3_requests_are_each_members_own() -> None:
    """B3: what is handed in beside the inputs is a list, too."""
    got = list[object]()

    def who(texts: list[str], request: oc.Request, data: oc.EventData) -> None:
        got.extend((type(request), type(data)))

    with oc.Blocks() as app:
        box, button = oc.Textbox("x"), oc.Button()
        button.click(who, box, batch=True)
    lab = Lab(app)
    lab.click(button)
    assert got == [list, list]


def test_b4_cancelling_one_member_leaves_the_others() -> None:
    """B4: its result is discarded, theirs arrive; the job goes on."""
    batched = Batched(batch_window=0.1)
    batched.ask("a", "b")
    batched.lab.run(0.5)
    batched.lab.click(batched.stop, "a")
    batched.lab.run(9.0)
    assert batched.kinds() == {"a": Kind.CANCELLED, "b": Kind.SUCCEEDED}
    assert batched.outs("ab") == ["", "bb"]


def test_b4_the_job_stops_when_nobody_is_left() -> None:
    """B4: a generator is closed when its last member has gone, however it went."""
    closed = list[str]()

    def steps(texts: list[str]) -> Iterator[tuple[list[Any]]]:
        try:
            yield ([ValueError("b") if t == "b" else t for t in texts],)
            yield (texts,)
            yield (texts,)
        finally:
            closed.append("closed")

    batched = Batched(steps, takes=0.5, batch_window=0.1)
    batched.ask("a", "b")
    batched.lab.run(0.8)  # the first step is done: b has failed alone
    assert batched.kinds() == {"b": Kind.FAILED} and not closed
    batched.lab.click(batched.stop, "a")
    batched.lab.run(1.2)
    assert closed == ["closed"]
    assert batched.kinds() == {"a": Kind.CANCELLED, "b": Kind.FAILED}


def test_b4_a_generator_whose_every_member_failed_is_closed() -> None:
    """B4: nobody is left either when each one's part failed."""
    steps_taken = list[int]()

    def steps(texts: list[str]) -> Iterator[tuple[list[Any]]]:
        for n in range(9):
            steps_taken.append(n)
            yield ([ValueError("no") for _ in texts],)

    batched = Batched(steps, takes=0.1)
    batched.ask("a")
    batched.lab.run(9.0)
    assert batched.kinds() == {"a": Kind.FAILED}
    assert steps_taken == [0]


def test_b5_generators_batch_too() -> None:
    """B5: each yield is a tuple of lists, shown to each member at once."""

    def steps(texts: list[str]) -> Iterator[tuple[list[str]]]:
        yield (texts,)
        yield ([text * 2 for text in texts],)

    batched = Batched(steps, takes=0.1, batch_window=0.1)
    batched.ask("a", "b")
    batched.lab.run(1.0)
    assert batched.lab.marbles("steps", session="b", signs=STEPS) == "-sy(y|)"
    assert batched.outs("ab") == ["aa", "bb"]


def test_b1_each_member_ends_once() -> None:
    """B1 C4: each member ends once."""
    batched = Batched(batch_window=0.1)
    batched.ask("a", "b", "c")
    batched.lab.run(9.0)
    assert len(batched.lab.ends("double")) == 3


def test_b1_a_state_that_becomes_free_may_fill_the_batch() -> None:
    """B1 I2: who had to wait for its State joins as soon as it is free; the window ends then."""

    def batch(counts: list[int]) -> tuple[list[int]]:
        return ([n + 1 for n in counts],)

    def alone(n: int) -> int:
        return n + 1

    with oc.Blocks() as app:
        one, two, state = oc.Button(), oc.Button(), oc.State(0)
        one.click(alone, state, state)
        two.click(batch, state, state, batch=True, max_batch_size=2, batch_window=2.0)
    lab = Lab(app, {"alone": 0.5}, sessions=("a", "b"))
    lab.click(one, "a")
    lab.click(two, "b")
    lab.click(two, "a")
    lab.run(5.0)
    assert lab.marbles("batch") == "-----(ss||)"
    assert (lab.value(state, "a"), lab.value(state, "b")) == (2, 1)
