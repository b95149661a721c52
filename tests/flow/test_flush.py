"""`flush()`: silence at once, whoever made the sound that is heard."""

from __future__ import annotations

from collections.abc import Iterator

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.model import Kind
from ossicle.flow.patches import Set, Sound

from .live import Stage, ramp
from .test_live_out import speaking


def heard(stage: Stage) -> list[tuple[int, str]]:
    """What the front end was told: which stream, counted from 0, and what of it."""
    told = [p for p in stage.patches if isinstance(p, Sound)]
    return [(p.epoch - told[0].epoch, p.stage) for p in told]


def test_a_flush_silences_what_another_function_streams() -> None:
    """It goes on as a new sound; each of the two was the value once."""
    demo, out, go, _, _ = speaking(4)
    with demo:
        hush = oc.Button("hush")
        hush.click(lambda: oc.flush(), None, out)
    stage = Stage(demo, takes=1.0)
    stage.act(go, "click")
    stage.clock.run_until(2.5)  # it takes a second, as each piece does
    stage.act(hush, "click")
    stage.clock.run_until(10)
    assert heard(stage) == [
        (0, "more"), (0, "more"), (0, "more"), (0, "flush"), (1, "more"), (1, "end")
    ]  # fmt: skip
    values = [p.value for p in stage.patches if isinstance(p, Set) and p.node == out.id]
    assert [v.samples().tolist() for v in values if isinstance(v, Clip)] == [
        ramp(0, 300).tolist(),
        ramp(300, 100).tolist(),
    ]


def test_a_flush_silences_what_was_made_long_ago_and_is_still_heard() -> None:
    """The function that made it has ended, so there is nothing to cancel."""
    demo, out, go, _, changes = speaking(2)
    with demo:
        hush = oc.Button("hush")
        hush.click(lambda: oc.flush(), None, out)
    stage = Stage(demo)
    stage.act(go, "click")
    stage.clock.run_until(5)
    stage.act(hush, "click")
    stage.clock.run_until(6)
    assert heard(stage) == [(0, "more"), (0, "more"), (0, "end"), (0, "flush")]
    assert changes == ["change"], "what was made stays the value"


def test_a_generator_may_begin_again_with_another_rate() -> None:
    """It yields a flush itself: what follows is a sound of its own."""

    def speak() -> Iterator[object]:
        yield 1000, ramp(0, 10)
        yield oc.flush()
        yield 2000, ramp(10, 20)

    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, out)
    stage = Stage(demo)
    stage.act(go, "click")
    stage.clock.run_until(1)
    assert heard(stage) == [(0, "more"), (0, "flush"), (1, "more"), (1, "end")]
    value = stage.clip(out)
    assert (value.rate, value.frames) == (2000, 20)


def test_a_flush_of_what_was_never_heard_is_nothing() -> None:
    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, interactive=False)
        hush = oc.Button("hush")
        hush.click(lambda: oc.flush(), None, out)
    stage = Stage(demo)
    stage.act(hush, "click")
    stage.clock.run_until(1)
    assert [o.kind for o in stage.outcomes][-1] is Kind.SUCCEEDED
    assert not [p for p in stage.patches if isinstance(p, Sound)]


def test_a_flush_of_what_does_not_stream_is_an_error_that_names_it() -> None:
    with oc.Blocks() as demo:
        text = oc.Textbox(label="Text")
        hush = oc.Button("hush")
        hush.click(lambda: oc.flush(), None, text)
    stage = Stage(demo)
    stage.act(hush, "click")
    stage.clock.run_until(1)
    (failed,) = [o for o in stage.outcomes if o.kind is Kind.FAILED]
    assert "Textbox 'Text'" in str(failed.value) and "streaming=True" in str(failed.value)
