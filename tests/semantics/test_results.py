"""Results: what a function returns, and what becomes of it (rules R1-R4)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

import ossicle as oc
from ossicle import testing
from ossicle.flow.model import Kind, Outcome
from ossicle.flow.patches import Patch, Run, Set

from .lab import STEPS, Lab


def only_second(a: oc.Textbox, b: oc.Textbox) -> Any:
    return {b: "y"}


def both(a: oc.Textbox, b: oc.Textbox) -> Any:
    return {b: "y", a: "x"}


def returning(value: Any, outputs: int = 2) -> tuple[Lab, list[oc.Textbox]]:
    """An app whose button's function returns `value`, or what it makes of the outputs; pressed."""

    def work() -> Any:
        return value(*boxes) if value in (only_second, both) else value

    with oc.Blocks() as app:
        go = oc.Button()
        boxes = [oc.Textbox(str(i)) for i in range(outputs)]
        go.click(work, None, boxes)
    lab = Lab(app)
    lab.click(go)
    return lab, boxes


@pytest.mark.parametrize(
    ("value", "outputs", "after"),
    [
        ("x", 1, ["x"]),
        (("x", "y"), 2, ["x", "y"]),
        (["x", "y"], 2, ["x", "y"]),
        (only_second, 2, ["0", "y"]),
        (both, 2, ["x", "y"]),
        (oc.skip(), 1, ["0"]),
        (oc.skip(), 2, ["0", "1"]),
        ((oc.skip(), "y"), 2, ["0", "y"]),
        ("ignored", 0, []),
        (None, 0, []),
    ],
)
def test_r1_values_go_to_outputs(value: Any, outputs: int, after: list[str]) -> None:
    """R1: one value, a tuple, a dict keyed by component; skip() leaves one alone."""
    lab, boxes = returning(value, outputs)
    assert [lab.value(box) for box in boxes] == after
    assert [e.kind for e in lab.ends()] == [Kind.SUCCEEDED]


@pytest.mark.parametrize(
    ("value", "outputs", "says"),
    [
        (("x",), 2, "work() returned 1 values, but has 2 outputs"),
        (("x", "y", "z"), 2, "work() returned 3 values, but has 2 outputs"),
        ("xy", 2, "work() returned one str, but has 2 outputs; return a tuple of 2 values"),
        (None, 2, "work() returned nothing (None), but has 2 outputs"),
    ],
)
def test_r1_a_wrong_number_names_the_function(value: Any, outputs: int, says: str) -> None:
    """R1: too few, too many, or nothing: what came, and what would do."""
    lab, boxes = returning(value, outputs)
    assert says in lab.error("work")
    assert [lab.value(box) for box in boxes] == ["0", "1"]


def test_r1_a_dict_may_name_outputs_only() -> None:
    """R1: another component as key is an error that names it and the outputs."""
    with oc.Blocks() as app:
        go, out, other = oc.Button(), oc.Textbox(label="out"), oc.Textbox(label="other")
        go.click(lambda: {other: "x"}, None, out)
    lab = Lab(app)
    lab.click(go)
    assert "Textbox 'other', which is not an output" in lab.error("lambda")
    assert "Textbox 'out'" in lab.error("lambda")


@pytest.mark.parametrize("make", [oc.Textbox, oc.update])
def test_r1_a_component_changes_properties(make: Any) -> None:
    """R1: for this session; the value stays."""
    lab, (box,) = returning(make(label="new", placeholder="p"), 1)
    sets = [s for _, s in lab.seen(Set)]
    assert [(s.node, s.props) for s in sets] == [(box.id, {"label": "new", "placeholder": "p"})]
    assert lab.value(box) == "0"
    node = lab.program.sessions["a"].nodes[box.id]
    assert getattr(node, "label") == "new" and box.label is None  # noqa: B009


def test_r1_a_component_with_a_value_sets_both() -> None:
    """R1: value among the properties is the value."""
    lab, (box,) = returning(oc.update(label="new", value="v"), 1)
    assert lab.value(box) == "v"


def test_r1_an_unknown_property_is_an_error() -> None:
    """R1: it names the property and the function."""
    lab, _ = returning(oc.update(colour="red"), 1)
    assert "work()" in lab.error("work") and "'colour'" in lab.error("work")


def test_r2_each_yield_shows_at_once_and_the_last_stays() -> None:
    """R2: one patch a yield; the end repeats nothing."""

    def steps() -> Iterator[str]:
        yield from "abc"

    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()
        go.click(steps, None, out)
    lab = Lab(app, 0.1)
    lab.click(go)
    lab.run(1.0)
    assert lab.marbles("steps", signs=STEPS) == "syy(y|)"
    assert lab.shown(out) == ["a", "b", "c"]
    assert lab.value(out) == "c"


def test_r2_no_yield_leaves_the_outputs() -> None:
    """R2: and what a generator returns is nobody's value (D14)."""

    def steps() -> Any:
        return "returned"
        yield

    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox("before")
        go.click(steps, None, out)
    lab = Lab(app)
    lab.click(go)
    assert lab.value(out) == "before"
    assert [e.kind for e in lab.ends()] == [Kind.SUCCEEDED]


def test_r3_an_exception_is_one_failed_outcome() -> None:
    """R3: what it showed before stays; the slot is free; the next request runs."""
    turn = iter((ValueError("boom"), None))

    def steps() -> Iterator[str]:
        yield "shown"
        if error := next(turn):
            raise error

    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()
        go.click(steps, None, out)
    lab = Lab(app, 0.1)
    lab.play("c--c-", c=lambda: lab.click(go))
    assert lab.marbles("steps") == "s#-s|"
    assert lab.value(out) == "shown"
    assert lab.errors == []


@pytest.mark.parametrize("error", [ValueError, oc.Error, KeyError, AssertionError, StopIteration])
def test_r3_any_exception(error: type[Exception]) -> None:
    """R3: of any kind; the outcome carries it as it is."""

    def work() -> None:
        raise error("boom")

    with oc.Blocks() as app:
        go = oc.Button()
        go.click(work)
    lab = Lab(app)
    lab.click(go)
    lab.click(go)
    assert [e.kind for e in lab.ends()] == [Kind.FAILED] * 2
    assert all(isinstance(e.value, error) for e in lab.ends())


@pytest.mark.parametrize("show", [False, True])
@pytest.mark.parametrize("error", [oc.Error, ValueError])
def test_r3_who_sees_an_error(
    error: type[Exception], show: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """R3: Error is shown to the user who asked, others in full only with show_error=True; each is
    logged with the path of the node that asked, and with where it was raised if that was no aim."""

    def work() -> None:
        raise error("the text")

    with oc.Blocks() as app:
        go = oc.Button("Go")
        go.click(work)
    with caplog.at_level(logging.ERROR, "ossicle"), testing.Lab(app, show_error=show) as lab:
        other = lab.session()
        lab.click(go)
        shown = [each.message for each in lab.toasts]
        full = "the text" if error is oc.Error else "ValueError: the text"
        assert shown == [full if show or error is oc.Error else None]
        assert other.toasts == []
    (record,) = caplog.records
    assert "work" in record.getMessage() and "Button 'Go'.click" in record.getMessage()
    assert "the text" in caplog.text and ("Traceback" in caplog.text) == (error is ValueError)


def test_r3_a_value_that_an_output_cannot_take() -> None:
    """R3: names the function and the output."""
    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Number(label="n")
        go.click(lambda: "seven", None, out, api_name="work")
    lab = Lab(app)
    lab.click(go)
    assert "Number 'n'" in lab.error("work") and "lambda" in lab.error("work")


def test_r3_a_value_that_cannot_be_shown_ends_nothing() -> None:
    """R3: a front end that fails to show a patch is told to the log; the program goes on."""

    def emit(patch: Patch) -> None:
        if isinstance(patch, Set):
            raise OSError("disk full")

    with oc.Blocks() as app:
        go, out = oc.Button(), oc.Textbox()
        go.click(lambda: "x", None, out)
    lab = Lab(app, emit=emit)
    lab.click(go)
    lab.click(go)
    assert [e.kind for e in lab.ends()] == [Kind.SUCCEEDED] * 2
    assert [str(e) for e in lab.errors] == ["disk full"] * 2


def test_r3_a_component_that_fails_ends_nothing() -> None:
    """R3: not even one whose content cannot be compared."""

    class Odd(oc.Textbox):
        def content(self, value: object) -> object:
            if value == "odd":
                raise RuntimeError("odd")
            return value

    with oc.Blocks() as app:
        go, out = oc.Button(), Odd()
        go.click(lambda: "odd", None, out)
    lab = Lab(app)
    lab.click(go)
    lab.click(go)
    assert len(lab.ends()) == 2 and len(lab.errors) == 2


def test_r4_notices_reach_the_session_that_asked() -> None:
    """R4: in a batch each member's session, and none else."""

    def work(texts: list[str]) -> None:
        oc.Info("hello")
        oc.Warning("careful")

    with oc.Blocks() as app:
        go, box = oc.Button(), oc.Textbox("x")
        go.click(work, box, batch=True, batch_window=0.1)
    lab = Lab(app, sessions=("a", "b", "c"))
    lab.click(go, "a")
    lab.click(go, "c")
    lab.run(1.0)
    assert sorted(lab.toasts()) == [
        ("a", "careful"),
        ("a", "hello"),
        ("c", "careful"),
        ("c", "hello"),
    ]


def test_r4_progress_reaches_the_request() -> None:
    """R4: nested bars, outermost first."""

    def work(progress: oc.Progress = oc.Progress()) -> None:  # noqa: B008
        for _ in progress.tqdm(range(2), desc="outer"):
            progress(0.5, "inner")

    with oc.Blocks() as app:
        go = oc.Button()
        go.click(work)
    lab = Lab(app)
    lab.click(go)
    reports: list[Any] = [o.value for _, o in lab.seen(Outcome) if o.kind is Kind.PROGRESS]
    drawn = [[(bar.desc, bar.value) for bar in report.bars] for report in reports]
    assert drawn == [
        [("outer", 0)],
        [("outer", 0), ("inner", 0.5)],
        [("outer", 1)],
        [("outer", 1), ("inner", 0.5)],
        [("outer", 2)],
    ]
    assert any(isinstance(p, Run) and p.outcome.kind is Kind.PROGRESS for _, p in lab.seen(Run))


def test_r4_of_a_cancelled_request_nothing_more() -> None:
    """R4 C2: who has gone is told nothing more."""

    def work() -> Iterator[None]:
        while True:
            oc.Info("step")
            yield None

    with oc.Blocks() as app:
        go, stop = oc.Button(), oc.Button()
        dep = go.click(work)
        stop.click(None, cancels=[dep])
    lab = Lab(app, {"work": 0.2})
    lab.click(go)
    lab.run(0.3)
    before = len(lab.toasts())
    lab.click(stop)
    lab.run(5.0)
    assert len(lab.toasts()) == before == 2
