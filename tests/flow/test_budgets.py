"""A budget for how late sound may be: known beforehand, or said with who takes how much."""

from __future__ import annotations

import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError
from ossicle.flow.operators import BudgetError, chain, gain, limiter, pitch, resample


def echo(chunk: object) -> object:
    return chunk


def test_a_straight_way_names_who_takes_how_much() -> None:
    """The microphone's frame and what operators hold back, each by its name."""
    with oc.Blocks() as demo:
        mic = oc.Audio(label="Mic", streaming=True, frame_ms=20)
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        row = chain(gain(-3.0), limiter(), pitch(4.0))
        with pytest.raises(BudgetError) as caught:
            mic.stream.pipe(row).to(out, budget="60 ms")
        assert demo.plan().edges == ()
        mic.stream.pipe(limiter()).to(out, budget="60 ms")
    assert "Audio 'Mic'.stream.pipe(...).to(Audio 'Out')" in str(caught.value)
    assert "its budget is 60 ms: frames of Audio 'Mic' 20 ms, limiter 5 ms, pitch" in str(
        caught.value
    )
    (budget,) = demo.plan().budgets.values()
    assert budget.limit == 0.06
    assert budget.known == pytest.approx(0.025)


def test_a_function_waits_for_its_chunk() -> None:
    """stream_every counts; of an operator's blocks it is what the operator holds."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        with pytest.raises(BudgetError, match="frames of Audio 1 20 ms, chunks 480 ms"):
            mic.stream(echo, mic, out, budget="100 ms")
        mic.stream(echo, mic, out, stream_every=0.04, budget=0.1)
        mic.stream.pipe(resample(16_000))(echo, mic, out, budget="30 ms")
    assert demo.plan().budgets[out.id].limit == 0.03, "the least counts"


def test_a_budget_where_nothing_is_heard_is_refused() -> None:
    """A click has no way from a microphone; a text is not heard."""
    with oc.Blocks():
        mic, text = oc.Audio(streaming=True), oc.Textbox()
        with pytest.raises(DeclarationError, match="output is heard"):
            mic.stream(echo, mic, text, budget="100 ms")
        with pytest.raises(DeclarationError, match="no length of time"):
            mic.stream(echo, mic, oc.Audio(streaming=True), stream_every=0.02, budget="soon")
