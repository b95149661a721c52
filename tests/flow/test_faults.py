"""Operators that fail or give what is no sound: left out, named once in a recording, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reactivex import operators as ops

import ossicle as oc
from ossicle import sound
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import DISCONTINUITY, OVERDUE, STALE, START, Block, BlockError, Samples
from ossicle.flow.figures import Chain
from ossicle.flow.operators.operator import Kernel
from ossicle.flow.patches import Fault, Patch
from ossicle.flow.pipe import PATIENCE
from ossicle.flow.program import Program
from ossicle.flow.said import Act, Frames, Open
from ossicle.flow.testing import VirtualClock, inline

RATE, HOP = 8000, 160
Make = Callable[[Block], Any]


def spoiled(value: float) -> Make:
    def spoil(block: Block) -> Block:
        samples = block.samples.copy()
        samples[5] = value
        return block.with_samples(samples)

    return spoil


def typed(block: Block, dtype: Any) -> Block:
    samples: Any = block.samples.astype(dtype)
    return block.with_samples(samples)


def fail(block: Block) -> Block:
    raise RuntimeError("no")


WRONG: dict[str, tuple[Make, str]] = {
    "nan": (spoiled(np.nan), "1 of 160 samples are NaN or infinite"),
    "inf": (spoiled(np.inf), "1 of 160 samples are NaN or infinite"),
    "rate": (lambda b: Block(b.samples, 44_100, b.index), "44100 Hz with 1 channels came"),
    "channels": (lambda b: b.with_samples(np.repeat(b.samples, 2, 1)), "8000 Hz with 2 channels"),
    "int16": (lambda b: typed(b, np.int16), "of type int16 came"),
    "shape": (lambda b: b.with_samples(b.samples[:, 0]), r"array\[:, None\]"),
    "nothing": (lambda b: None, "nothing .None. came in place of a Block"),
    "array": (lambda b: b.samples, "one ndarray came in place of a Block"),
    "error": (fail, "no"),
}


class Stage:
    """Two sessions of an app whose microphone goes through `chain` to a speaker."""

    def __init__(self, *chain: Any) -> None:
        self.patches = list[Patch]()
        with oc.Blocks() as demo:
            self.mic = oc.Audio(label="Mic", streaming=True)
            self.out = oc.Audio(label="Out", streaming=True, interactive=False)
            self.mic.stream.pipe(*chain).to(self.out)
        clock = VirtualClock()
        self.program = Program(
            demo.plan(), inline(clock), clock, self.patches.append, on_error=self.throw
        )
        for session in "ab":
            self.program.receive(Open(session))

    def throw(self, error: Exception) -> None:
        raise error

    def act(self, act: str, session: str = "a") -> None:
        self.program.receive(Act(session, self.mic.id, act))

    def speak(self, blocks: int, session: str = "a", first: int = 0) -> None:
        for n in range(first, first + blocks):
            samples = np.full(HOP, (n + 1) / 1000, np.float32)
            self.program.receive(Frames(session, self.mic.id, Block.of(RATE, samples, n * HOP)))

    def faults(self, session: str = "a") -> list[Fault]:
        return [p for p in self.patches if isinstance(p, Fault) and p.session == session]

    def heard(self, session: str = "a") -> list[float]:
        """One sample of each block that was kept."""
        value = self.program.sessions[session].values[self.out.id]
        assert isinstance(value, Clip)
        return [round(each / 32.768) for each in value.int16()[10::HOP]]

    def chain(self, session: str = "a") -> Chain:
        (chain,) = self.program.sessions[session].pipes
        return chain


def at(wrong: set[int], make: Make) -> Any:
    def spoil(block: Any) -> Any:
        return make(block) if block.index // HOP in wrong else block

    return ops.map(spoil)


@pytest.mark.parametrize("behind", [(), (sound.gain(0.0), sound.gain(0.0))], ids=["", "gain"])
@pytest.mark.parametrize("name", list(WRONG))
def test_what_is_no_sound_is_left_out_named_and_counted(name: str, behind: Any) -> None:
    """R3: the node, the block and the reason once; then how many; the rest is heard unchanged."""
    make, says = WRONG[name]
    stage = Stage(at({3, 4, 6}, make), *behind)
    stage.act("start_recording")
    stage.speak(8)
    stage.act("stop_recording")
    first, last = stage.faults()
    assert first.node == stage.out.id
    assert first.where == "Audio 'Mic'.stream.pipe(...).to(Audio 'Out')"
    with pytest.raises(Exception, match=says):
        raise first.error or AssertionError
    notes = "; ".join([str(first.error), *getattr(first.error, "__notes__", ())])
    assert "480..640" in notes or name in ("shape", "nothing", "array", "error"), notes
    assert (first.count, last.count, last.error) == (1, 3, None)
    assert (stage.chain().faults, stage.chain().blocks) == (3, 8)
    assert stage.heard() == [1, 2, 3, 6, 8]


def test_what_the_app_is_behind_with_is_left_out_before_operators() -> None:
    """On the way to a speaker operators do not see it, begin anew behind it, and it is counted; on
    the way to a function they do, until the app is seconds behind."""
    seen, got = list[tuple[int, int]](), list[int]()

    def see(block: Block) -> Block:
        seen.append((block.index // HOP, block.flags))
        return block

    def note(block: Block) -> Block:
        got.append(block.index // HOP)
        return block

    stage = Stage(ops.map(see), sound.gain(0.0))
    stage.act("start_recording")
    samples = np.full(HOP, 0.1, np.float32)
    for n, flags in enumerate([START, 0, STALE, STALE, 0, 0, STALE, 0]):
        block = Block.of(RATE, samples, n * HOP, flags)
        stage.program.receive(Frames("a", stage.mic.id, block))
    stage.act("stop_recording")
    again = DISCONTINUITY
    assert seen == [(0, START), (1, 0), (4, again), (5, 0), (7, again)]
    chain = stage.chain()
    assert (chain.dropped, chain.faults, chain.operators[1].discontinuities) == (3 * HOP, 0, 2)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream.pipe(ops.map(note))(lambda: None, None, None)
    clock = VirtualClock()
    program = Program(demo.plan(), inline(clock), clock, list[Patch]().append, on_error=stage.throw)
    program.receive(Open("a"))
    for n, flags in enumerate([START, STALE, STALE, 0, OVERDUE, STALE | OVERDUE, 0]):
        program.receive(Frames("a", mic.id, Block.of(RATE, samples, n * HOP, flags)))
    assert got == [0, 1, 2, 3, 6]
    (pipe,) = program.sessions["a"].pipes
    assert pipe.dropped == 2 * HOP


def test_no_other_session_notices() -> None:
    stage = Stage(at({1}, fail))
    stage.speak(3)
    stage.speak(1, "b")
    stage.act("stop_recording", "b")
    assert [each.session for each in stage.faults()] == ["a"]
    assert stage.chain("b").faults == 0


def test_a_filter_that_swallowed_nan_is_as_new_after_it() -> None:
    """NaN in a filter's state would be there for ever."""
    stage = Stage(at({2}, spoiled(np.nan)), sound.lowpass(2000.0))
    stage.speak(6)
    stage.act("stop_recording")
    assert stage.chain().faults == 1
    assert stage.heard()[-1] in (5, 6)


def test_a_chain_that_only_fails_rests_until_the_next_recording() -> None:
    """A model that is loaded anew for each block would take the time of all sessions."""
    made = list[int]()

    def load(_: Any) -> Any:
        made.append(1)
        raise RuntimeError("no model")

    stage = Stage(sound.vad("20 ms", decide=lambda: load(None)))
    stage.act("start_recording")
    stage.speak(40)
    assert stage.chain().resting
    stage.act("stop_recording")
    assert len(made) == stage.chain().faults == PATIENCE
    assert [each.count for each in stage.faults()] == [1, PATIENCE]
    stage.act("start_recording")
    stage.speak(1)
    assert len(made) == PATIENCE + 1
    assert not stage.chain().resting


def test_an_empty_block_is_told_once_and_counted() -> None:
    stage = Stage(at({1, 2, 3}, lambda b: b.with_samples(b.samples[:0])), sound.gain(0.0))
    stage.speak(5)
    stage.act("stop_recording")
    (fault,) = stage.faults()
    assert "an empty block came out, <Block 160..160" in str(fault.error)
    assert (stage.chain().empty, stage.chain().faults) == (3, 0)
    assert stage.heard() == [1, 5]


def test_float64_is_the_same_sound() -> None:
    stage = Stage(at({1, 2}, lambda b: typed(b, np.float64)))
    stage.speak(4)
    stage.act("stop_recording")
    assert stage.heard() == [1, 2, 3, 4]
    assert stage.faults() == []


def test_a_function_behind_operators_never_gets_what_is_no_sound() -> None:
    got = list[np.ndarray]()

    def keep(chunk: tuple[int, np.ndarray]) -> None:
        got.append(chunk[1])

    with oc.Blocks() as demo:
        mic = oc.Audio(label="Mic", streaming=True)
        chain = mic.stream.pipe(at({1}, spoiled(np.nan)))
        chain(keep, mic, None, trigger_mode="multiple")
    clock, patches = VirtualClock(), list[Patch]()
    program = Program(demo.plan(), inline(clock), clock, patches.append, on_error=print)
    program.receive(Open("a"))
    for n in range(3):
        samples = np.full(HOP, 0.25, np.float32)
        program.receive(Frames("a", mic.id, Block.of(RATE, samples, n * HOP)))
    clock.run_until(1)
    assert [(len(each), int(each[5])) for each in got] == [(HOP, 8192)] * 2
    (fault,) = [each for each in patches if isinstance(each, Fault)]
    assert fault.node == mic.id and "NaN" in str(fault.error)


class _Divide(Kernel):
    def process(self, samples: Samples) -> Samples:
        with np.errstate(all="ignore"):
            return samples / np.float32(0)


def test_a_kernel_of_ones_own_is_named_offline_too() -> None:
    """A limiter behind it would make a loud sound of infinity."""
    from ossicle.flow.operators.operator import sound as operator

    level = operator("level by zero", lambda form: _Divide())
    with pytest.raises(BlockError, match="NaN or infinite") as caught:
        sound.render(sound.tone(220.0, 0.1), level, sound.limiter())
    assert "in operator 'level by zero', at <Block 0.." in caught.value.__notes__[0]


def test_what_is_no_source_is_told_with_the_way_out() -> None:
    """The tuple that functions get is the first thing that one tries."""
    pair: Any = (8000, np.zeros(80, np.int16))
    with pytest.raises(oc.DeclarationError, match=r"tuple came; Clip\.of\(rate, samples\)"):
        sound.render(pair, sound.gain(-3.0))
