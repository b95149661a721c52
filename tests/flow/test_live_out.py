"""Sound that is made piece by piece, and becomes a value at its end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.chunks import Chunker
from ossicle.flow.model import Kind
from ossicle.flow.patches import Set, Sound

from .live import RATE, Stage, block, ramp


def speaking(pieces: int) -> tuple[oc.Blocks, oc.Audio, oc.Button, oc.Button, list[str]]:
    changes = list[str]()

    def speak() -> Iterator[tuple[int, np.ndarray]]:
        for n in range(pieces):
            yield RATE, ramp(n * 100, 100)

    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, interactive=False)
        go, stop = oc.Button("go"), oc.Button("stop")
        run = go.click(speak, None, out)
        stop.click(None, None, None, cancels=[run])
        out.change(lambda: changes.append("change"), None, None)
    return demo, out, go, stop, changes


def test_what_a_generator_yields_is_one_sound_and_at_last_a_value() -> None:
    """Three pieces, one stream, one change; sample by sample what was yielded."""
    demo, out, go, _, changes = speaking(3)
    stage = Stage(demo, takes=1.0)
    stage.act(go, "click")
    stage.clock.run_until(10)
    sounds = [p for p in stage.patches if isinstance(p, Sound)]
    assert [p.stage for p in sounds] == ["more", "more", "more", "end"]
    assert len({p.epoch for p in sounds}) == 1
    values = [p.value for p in stage.patches if isinstance(p, Set) and p.node == out.id]
    assert len(values) == 1
    assert isinstance(values[0], Clip)
    np.testing.assert_array_equal(values[0].samples(), ramp(0, 300))
    assert changes == ["change"]


def test_a_cancel_silences_what_was_not_heard() -> None:
    """Interruption: flushed at once; what was made stays the value."""
    demo, out, go, stop, _ = speaking(10)
    stage = Stage(demo, takes=1.0)
    stage.act(go, "click")
    stage.clock.run_until(3.5)
    stage.act(stop, "click")
    sounds = [p.stage for p in stage.patches if isinstance(p, Sound)]
    assert sounds == ["more", "more", "more", "flush"]
    value = stage.clip(out)
    assert value.frames == 300


def test_a_new_run_has_a_new_epoch() -> None:
    demo, _, go, _, _ = speaking(1)
    stage = Stage(demo)
    for at in (1.0, 2.0):
        stage.clock.run_until(at)
        stage.act(go, "click")
    stage.clock.run_until(3)
    epochs = [p.epoch for p in stage.patches if isinstance(p, Sound) and p.stage == "more"]
    assert len(set(epochs)) == len(epochs) == 2


def test_a_stream_keeps_its_rate() -> None:
    def speak() -> Iterator[tuple[int, np.ndarray]]:
        yield 1000, ramp(0, 10)
        yield 2000, ramp(0, 10)

    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, label="Voice", interactive=False)
        go = oc.Button()
        go.click(speak, None, out)
    stage = Stage(demo)
    stage.act(go, "click")
    stage.clock.run_until(1)
    failed = [o for o in stage.outcomes if o.kind is Kind.FAILED]
    assert len(failed) == 1
    assert "2000 Hz" in str(failed[0].value) and "Voice" in str(failed[0].value)


def test_float_pieces_keep_their_level() -> None:
    """Never normalised per chunk: a quiet one stays quiet."""

    def speak() -> Iterator[tuple[int, np.ndarray]]:
        yield RATE, np.full(10, 0.5)
        yield RATE, np.full(10, 0.01)
        yield RATE, np.zeros(0)

    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, out)
    stage = Stage(demo)
    stage.act(go, "click")
    stage.clock.run_until(1)
    value = stage.clip(out)
    samples = value.int16()
    assert len(samples) == 20
    assert abs(int(samples[0]) - 16384) <= 1
    assert abs(int(samples[10]) - 328) <= 1


def test_a_chunker_holds_nothing_back_and_fills_nothing_in() -> None:
    cut = Chunker(0.01)
    got = [c for n in range(7) for c in cut.push(block(n * 3, 3))] + cut.flush()
    assert [c.block.frames for c in got] == [10, 10, 1]
    assert [c.block.index for c in got] == [0, 10, 20]
    assert cut.flush() == []
