"""Traces: what happened, and why it did."""

import pytest

import ossicle as oc
from ossicle.testing import Lab, TraceError

from .traced import App, ended, steps


def test_why_a_chain_ran(told: tuple[App, Lab]) -> None:
    """X1: Back from a written value over the function that wrote it to the user's act."""
    _, lab = told
    assert lab.trace.why(ended(lab, "length", "succeeded")).splitlines() == [
        "length (request 2) succeeded at 0 s, 0 s after its start",
        "  asked for by Textbox 'Out'.change at 0 s, written by greet (request 1)",
        "  which was asked for by Textbox 'Name'.submit at 0 s, by the user",
    ]


def test_why_a_follower_ran(told: tuple[App, Lab]) -> None:
    """A follower names the request whose end it follows, and which end."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "apology", "succeeded")).splitlines()
    assert "asked for by the end of greet (request" in lines[1]
    assert lines[1].endswith("(.failure)")
    assert lines[2].startswith("  which was asked for by Textbox 'Name'.submit at 2.75 s")


def test_a_follower_of_a_change_is_no_further_change() -> None:
    """What follows a run is told of the event that began it, which did not happen again."""
    with oc.Blocks() as app:
        text, up, out = oc.Textbox(label="Text"), oc.Textbox(label="Up"), oc.Textbox(label="Out")
        text.change(str.upper, text, up).then(str.lower, up, out)
        up.change(str.title, up, out)
    with Lab(app) as user:
        user.type(text, "a")
        user.run(0.3)
        user.type(text, "b")
        assert user.trace.to_marbles("change", until=0.5).splitlines() == [
            "Textbox 'Text'.change  a--b-",
            "Textbox 'Up'.change    a--b-",
        ]


def test_why_it_failed(told: tuple[App, Lab]) -> None:
    """The error is told in its own words."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "greet", "failed")).splitlines()
    assert lines[1] == "  because of Error: no such name"


def test_why_it_was_dropped(told: tuple[App, Lab]) -> None:
    """What was pending, and the mode."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "steps", "dropped")).splitlines()
    pending = ended(lab, "steps", "started").request.id
    assert lines[1] == (
        f"  because request {pending} of steps was pending, and its trigger mode is once"
    )


def test_why_it_was_cancelled(told: tuple[App, Lab]) -> None:
    """The listener that cancels, and what asked for it; or the user; or the session's end."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "steps", "cancelled")).splitlines()
    assert lines[0].endswith("was cancelled at 2.75 s, 1.75 s after its start")
    assert "cancels it, since Button 'Stop'.click at 2.75 s" in lines[1]
    again = App()
    with Lab(again.blocks, takes={steps: 1.0}, reconnect_window=2) as fresh:
        fresh.click(again.go)
        fresh.cancel(again.run)
        fresh.run(2)
        fresh.click(again.go)
        fresh.disconnect()
        fresh.run(5)
    assert "because the user cancelled it at 0 s" in fresh.trace.why(
        ended(fresh, "steps", "cancelled")
    )
    assert "because its session ended at 4 s" in fresh.trace.why(
        ended(fresh, "steps", "cancelled", 1)
    )


def test_why_a_timer_or_an_operator(told: tuple[App, Lab]) -> None:
    """Ticks and operators are told as what they are."""
    _, lab = told
    assert "Timer" in (told_of := lab.trace.why(ended(lab, "tick", "succeeded")))
    assert told_of.endswith("a tick of a timer")
    lines = lab.trace.why(ended(lab, "waited", "succeeded")).splitlines()
    assert lines[2].startswith("  made by operators of Textbox 'Name'.change at 0 s")


def test_why_nothing(told: tuple[App, Lab]) -> None:
    """A request that never was is no reason to guess."""
    _, lab = told
    with pytest.raises(TraceError, match="no request 99999"):
        lab.trace.why(99999)
    with pytest.raises(TraceError, match="'greet' is no outcome, and no request's id"):
        lab.trace.why("greet")  # type: ignore[arg-type]  # as a user may try
    assert lab.trace.why(lab.outcomes[-1]) == lab.trace.why(lab.outcomes[-1].outcome)
