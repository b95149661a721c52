"""Live streams in virtual time: exact chunks, the last remainder, overload, and sound going out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from reactivex import operators as ops

import ossicle as oc
from ossicle import sound
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import END, START, Block
from ossicle.flow.chunks import Chunker
from ossicle.flow.errors import DeclarationError
from ossicle.flow.model import ENDS, Kind, Outcome
from ossicle.flow.operators import gain, level
from ossicle.flow.patches import Command, Fault, Patch, Set, Sound
from ossicle.flow.program import Program
from ossicle.flow.said import Act, Frames, Open
from ossicle.flow.testing import VirtualClock, inline

RATE = 1000


def ramp(first: int, count: int) -> np.ndarray:
    """int16 samples that tell their own place."""
    return np.arange(first, first + count).astype(np.int16)


def block(first: int, count: int) -> Block:
    return Block.of(RATE, ramp(first, count), first)


Heard = tuple[int, np.ndarray]


def ignore(chunk: Heard) -> None:
    """A listener whose work does not matter here."""


class Stage:
    """One session of an app in virtual time, and what it was shown."""

    def __init__(self, demo: oc.Blocks, takes: float = 0.0) -> None:
        self.clock = VirtualClock()
        self.patches = list[Patch]()
        self.outcomes = list[Outcome]()
        self.program = Program(
            demo.plan(),
            inline(self.clock, lambda _: takes),
            self.clock,
            self.patches.append,
            on_error=self._fail,
            tap=lambda said: self.outcomes.append(said) if isinstance(said, Outcome) else None,
        )
        self.program.receive(Open("s"))

    def _fail(self, error: Exception) -> None:
        raise error

    def act(self, node: Any, act: str, **more: Any) -> None:
        self.program.receive(Act("s", node.id, act, **more))

    def frames(self, node: Any, sound: Block) -> None:
        self.program.receive(Frames("s", node.id, sound))

    def kinds(self) -> list[Kind]:
        return [o.kind for o in self.outcomes]


def listening(heard: list[Any], **options: Any) -> tuple[oc.Blocks, oc.Audio]:
    def hear(chunk: Heard) -> None:
        heard.append(chunk)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(hear, mic, None, **options)
        mic.stop_recording(lambda: heard.append("stop"), None, None)
    return demo, mic


def test_e7_chunks_have_the_exact_length_and_the_last_comes_before_stop() -> None:
    """E7: 0.1 s chunks of frames of any size, contiguous; the remainder, then stop_recording."""
    heard = list[Any]()
    demo, mic = listening(heard, stream_every=0.1)
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    at = 0
    for count in (33, 150, 1, 90, 51):
        stage.frames(mic, block(at, count))
        at += count
    stage.act(mic, "stop_recording")
    stage.clock.run_until(1)
    assert heard[-1] == "stop"
    chunks = [samples for _, samples in heard[:-1]]
    assert [len(c) for c in chunks] == [100, 100, 100, 25]
    np.testing.assert_array_equal(np.concatenate(chunks), ramp(0, at))


@pytest.mark.parametrize("channels", [1, 2])
def test_each_function_gets_a_chunk_of_its_own(channels: int) -> None:
    """What one of them writes into its chunk neither another one hears nor who reads it later."""
    heard = list[np.ndarray]()

    def overwrite(chunk: Heard) -> None:
        heard.append(chunk[1].copy())
        chunk[1][:] = 7

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(overwrite, mic, None, stream_every=0.1)
        mic.stream(overwrite, mic, None, stream_every=0.1)
    stage = Stage(demo)
    came = np.stack([ramp(0, 100)] * channels, axis=1)
    for at in range(0, 100, 20):
        stage.frames(mic, Block.of(RATE, came[at : at + 20], at))
    stage.clock.run_until(1)
    clip = stage.outcomes[0].request.event.value
    assert isinstance(clip, Clip)
    expected = Clip.of(RATE, came)
    assert clip.id == expected.id
    assert clip.channels == channels
    for each in (*heard, clip.int16(), clip.samples()):
        np.testing.assert_array_equal(each, expected.samples())
    assert len(heard) == 2


def test_e7_int16_goes_through_a_stream_bit_for_bit() -> None:
    heard = list[Any]()
    demo, mic = listening(heard, stream_every=65.536)
    stage = Stage(demo)
    every = np.arange(-32768, 32768).astype(np.int16)
    stage.act(mic, "start_recording")
    stage.frames(mic, Block.of(RATE, every))
    stage.act(mic, "stop_recording")
    stage.clock.run_until(1)
    np.testing.assert_array_equal(heard[0][1], every)


def test_e7_a_loss_is_told_with_its_length() -> None:
    """Before a gap a chunk is shorter; the one behind it says how much is missing."""
    found = list[tuple[int, int, int]]()

    def hear(chunk: tuple[int, np.ndarray], event: oc.EventData) -> None:
        found.append((event.index, event.gap, len(chunk[1])))

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(hear, mic, None, stream_every=0.1)
    stage = Stage(demo)
    stage.frames(mic, block(0, 130))
    stage.frames(mic, block(170, 100))
    stage.clock.run_until(1)
    assert found == [(0, 0, 100), (100, 0, 30), (170, 40, 100)]


def test_two_listeners_may_want_chunks_of_different_length() -> None:
    heard = list[tuple[str, int]]()

    def a(chunk: Heard) -> None:
        heard.append(("a", len(chunk[1])))

    def b(chunk: Heard) -> None:
        heard.append(("b", len(chunk[1])))

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(a, mic, None, stream_every=0.1)
        mic.stream(b, mic, None, stream_every=0.25)
    stage = Stage(demo)
    stage.frames(mic, block(0, 500))
    stage.clock.run_until(1)
    assert sorted(heard) == [("a", 100)] * 5 + [("b", 250)] * 2


def test_a_chunk_is_no_change() -> None:
    """E7: only the take that stop_recording brings is."""
    changes = list[str]()
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.change(lambda: changes.append("change"), None, None)
        mic.stream(ignore, mic, None, stream_every=0.1)
    stage = Stage(demo)
    stage.frames(mic, block(0, 500))
    stage.clock.run_until(1)
    assert changes == []
    stage.act(mic, "stop_recording", value=Clip.of(RATE, ramp(0, 500)))
    stage.clock.run_until(2)
    assert changes == ["change"]


@pytest.mark.parametrize(
    ("policy", "started"),
    [
        ("drop_oldest", [0, 3000, 3500, 4000, 4500]),
        ("latest", [0, 4500]),
        ("block", [500 * n for n in range(10)]),
    ],
)
def test_overload_is_a_named_choice(policy: Any, started: list[int]) -> None:
    """Ten chunks meet a busy function: two seconds of them may wait, or one. What was dropped waits
    no longer, and nobody is told a place behind it."""
    begun = list[int]()

    def slow(chunk: Any, count: int, event: oc.EventData) -> int:
        begun.append(event.index)
        return count + 1

    with oc.Blocks() as demo:
        mic, count = oc.Audio(streaming=True), oc.State(0)
        mic.stream(slow, [mic, count], count, stream_every=0.5, on_overload=policy)
    stage = Stage(demo, takes=100.0)
    stage.frames(mic, block(0, 5000))
    stage.clock.run_until(10_000)
    assert begun == started
    assert stage.kinds().count(Kind.DROPPED) == stage.program.dropped == 10 - len(started)
    assert stage.program.idle


def test_who_would_rather_wait_than_lose_waits_a_minute_at_most() -> None:
    """Nobody can make a microphone wait: behind 120 chunks of half a second the oldest goes."""
    begun = list[int]()

    def slow(event: oc.EventData) -> None:
        begun.append(event.index)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(slow, None, None, stream_every=0.5, on_overload="block")
    stage = Stage(demo, takes=100.0)
    stage.frames(mic, block(0, 500 * 130))
    stage.clock.run_until(100_000)
    assert begun == [0, *(500 * n for n in range(10, 130))]
    assert stage.kinds().count(Kind.DROPPED) == stage.program.dropped == 9


def slow_listener(
    heard: list[tuple[int, int, int]], every: float, lost: tuple[int, ...] = (), **options: Any
) -> Stage:
    """Ten chunks of 0.1 s, one each 0.1 s, for a function that takes 0.37 s."""

    def slow(chunk: Heard, event: oc.EventData) -> None:
        first, count = int(chunk[1][0]), len(chunk[1])
        assert (chunk[1] == ramp(first, count)).all()  # it goes on without a gap
        heard.append((event.index, count, event.gap))

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        dep = mic.stream(slow, mic, None, stream_every=every, on_overload="coalesce", **options)
        dep.then(lambda: None, trigger_mode="multiple", concurrency_limit=None)
    stage = Stage(demo, takes=0.37)
    for n in range(10):
        if n not in lost:
            stage.clock.at(0.1 * n, lambda n=n: stage.frames(mic, block(100 * n, 100)))
    stage.clock.run_until(60)
    return stage


def test_what_waits_is_handed_over_as_one_longer_chunk() -> None:
    """E7 C4: sample for sample; each chunk's request ends once, and merged is not dropped."""
    heard = list[tuple[int, int, int]]()
    stage = slow_listener(heard, 0.1)
    assert heard == [(0, 100, 0), (100, 300, 0), (400, 400, 0), (800, 200, 0)]
    kinds = stage.kinds()
    assert (kinds.count(Kind.MERGED), kinds.count(Kind.DROPPED)) == (6, 0)
    assert (stage.program.merged, stage.program.dropped) == (6, 0)
    of_slow = [o.request for o in stage.outcomes if o.request.listener.name == "slow"]
    ended = [o for o in stage.outcomes if o.kind in ENDS and o.request in of_slow]
    assert len(ended) == len({o.request.id for o in ended}) == 10
    followed = [o for o in stage.outcomes if o.kind is Kind.STARTED and o.request not in of_slow]
    assert len(followed) == len(heard)
    assert stage.program.idle


def test_nothing_is_put_together_over_a_gap() -> None:
    """E7: a loss stays one: the chunk behind it comes by itself, with the length of the gap."""
    heard = list[tuple[int, int, int]]()
    slow_listener(heard, 0.1, lost=(3,))
    assert heard[:3] == [(0, 100, 0), (100, 200, 0), (400, 400, 100)]


def test_even_a_longer_chunk_has_a_bound() -> None:
    """E7: two seconds may wait, as with the other policies; then the oldest is dropped."""
    heard = list[tuple[int, int, int]]()

    def slow(chunk: Heard, event: oc.EventData) -> None:
        heard.append((event.index, len(chunk[1]), event.gap))

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(slow, mic, None, stream_every=0.5, on_overload="coalesce")
    stage = Stage(demo, takes=100.0)
    stage.frames(mic, block(0, 5000))
    stage.clock.run_until(1000)
    assert heard == [(0, 500, 0), (3000, 2000, 0)]
    assert (stage.program.merged, stage.program.dropped) == (3, 5)


def test_what_operators_made_is_put_together_as_they_made_it() -> None:
    """E7 E8: the event carries the longer block, the input the longer clip."""
    heard = list[tuple[int, int, np.dtype[Any]]]()

    def slow(chunk: Heard, event: oc.EventData) -> None:
        heard.append((event.index, event.value.frames, event.value.samples.dtype))
        assert len(chunk[1]) == event.value.frames

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        quiet = mic.stream.pipe(gain(-6.0))
        oc.on(quiet, slow, mic, None, trigger_mode="multiple", on_overload="coalesce")
    stage = Stage(demo, takes=1.0)
    for n in range(5):
        stage.frames(mic, block(100 * n, 100))
    stage.clock.run_until(10)
    assert heard == [(0, 100, np.dtype("float32")), (100, 400, np.dtype("float32"))]


def test_a_policy_needs_a_stream() -> None:
    """T6: and a longer chunk no batch."""
    with oc.Blocks(), pytest.raises(DeclarationError, match="on_overload='latest' is for a live"):
        oc.Button().click(ignore, oc.Textbox(), None, on_overload="latest")
    with oc.Blocks(), pytest.raises(DeclarationError, match="batch=True"):
        mic = oc.Audio(streaming=True)
        mic.stream(ignore, mic, None, batch=True, on_overload="coalesce")


def test_overload_as_an_error_rejects_the_new_chunk() -> None:
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(ignore, mic, None, stream_every=1.0, on_overload="error")
    stage = Stage(demo, takes=100.0)
    stage.frames(mic, block(0, 5000))
    rejected = [o for o in stage.outcomes if o.kind is Kind.REJECTED]
    assert len(rejected) == 2
    assert "on_overload" in str(rejected[0].value)


def test_a_time_limit_asks_the_front_end_to_stop() -> None:
    demo, mic = listening([], stream_every=0.1, time_limit=3)
    stage = Stage(demo)
    stage.clock.run_until(1)
    stage.act(mic, "start_recording")
    stage.clock.run_until(3.9)
    assert not [p for p in stage.patches if isinstance(p, Command)]
    stage.clock.run_until(4)
    assert [p.command for p in stage.patches if isinstance(p, Command)] == ["stop_recording"]


def test_the_least_time_limit_counts_through_operators_too() -> None:
    """Of all who listen to the microphone; one that has none sets none."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(ignore, mic, time_limit=5)
        mic.stream.pipe(sound.gain(2))(ignore, mic, time_limit=2)
        mic.stream.pipe(sound.gain(2))(ignore, mic)
        oc.Audio(streaming=True).stream(ignore, mic, time_limit=1)
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.clock.run_until(1.9)
    assert not [p for p in stage.patches if isinstance(p, Command)]
    stage.clock.run_until(2)
    assert [(p.node, p.command) for p in stage.patches if isinstance(p, Command)] == [
        (mic.id, "stop_recording")
    ]


def test_a_time_limit_does_not_outlive_its_recording() -> None:
    demo, mic = listening([], stream_every=0.1, time_limit=3)
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.act(mic, "stop_recording")
    stage.clock.run_until(10)
    assert not [p for p in stage.patches if isinstance(p, Command)]


# -- out ---------------------------------------------------------------------------------------


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
    value = stage.program.sessions["s"].values[out.id]
    assert isinstance(value, Clip)
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
    value = stage.program.sessions["s"].values[out.id]
    assert isinstance(value, Clip)
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


# -- in and out --------------------------------------------------------------------------------


def echoing(**options: Any) -> tuple[oc.Blocks, oc.Audio, oc.Audio]:
    def double(chunk: Heard) -> Heard:
        return chunk[0], chunk[1] * 2

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream(double, mic, out, stream_every=0.1, **options)
    return demo, mic, out


def stages(stage: Stage) -> list[tuple[str, int]]:
    return [(p.stage, p.epoch) for p in stage.patches if isinstance(p, Sound)]


def test_what_a_function_returns_for_each_chunk_is_one_live_stream() -> None:
    """One epoch a recording; it ends with its last chunk, and all of it becomes the value."""
    demo, mic, out = echoing()
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.frames(mic, block(0, 130))
    stage.frames(mic, block(130, 95))
    stage.act(mic, "stop_recording")
    stage.clock.run_until(1)
    assert stages(stage) == [("more", 1)] * 3 + [("end", 1)]
    sounds = [p for p in stage.patches if isinstance(p, Sound) and p.stage == "more"]
    assert [p.origin for p in sounds] == [(mic.id, 0.0), (mic.id, 0.1), (mic.id, 0.2)]
    assert all(p.live for p in sounds)
    value = stage.program.sessions["s"].values[out.id]
    assert isinstance(value, Clip)
    np.testing.assert_array_equal(value.samples(), ramp(0, 225) * 2)


def test_a_live_stream_ends_when_its_slow_last_chunk_is_done() -> None:
    demo, mic, _ = echoing(on_overload="block")
    stage = Stage(demo, takes=5.0)
    stage.act(mic, "start_recording")
    stage.frames(mic, block(0, 250))
    stage.act(mic, "stop_recording")
    assert stages(stage) == []
    stage.clock.run_until(60)
    assert stages(stage) == [("more", 1)] * 3 + [("end", 1)]


def test_a_streaming_microphone_as_its_own_output_is_written_and_not_played() -> None:
    """Sound for the node that it came from would be heard by its own microphone."""

    def echo(chunk: Heard) -> Heard:
        return chunk

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream(echo, mic, mic)
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.frames(mic, block(0, 500))
    assert not [each for each in stage.patches if isinstance(each, Sound)]
    value = stage.program.sessions["s"].values[mic.id]
    assert isinstance(value, Clip) and value.frames == 500


def test_each_recording_is_a_stream_of_its_own() -> None:
    demo, mic, out = echoing()
    stage = Stage(demo)
    for _ in range(2):
        stage.act(mic, "start_recording")
        stage.frames(mic, block(0, 100))
        stage.act(mic, "stop_recording")
        stage.clock.run_until(stage.clock.seconds + 1)
    assert stages(stage) == [("more", 1), ("end", 1), ("more", 2), ("end", 2)]
    assert stage.program.sessions["s"].values[out.id].frames == 100  # type: ignore[union-attr]


def test_operators_between_microphone_and_speaker() -> None:
    """A block that came through operators is a chunk; the function is only the last step."""

    def as_it_is(chunk: Heard) -> Heard:
        return chunk

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(gain(-6.0206))(as_it_is, mic, out)
    stage = Stage(demo)
    stage.act(mic, "start_recording")
    stage.frames(mic, block(0, 100))
    stage.frames(mic, block(100, 100))
    stage.act(mic, "stop_recording")
    stage.clock.run_until(1)
    assert stages(stage) == [("more", 1)] * 2 + [("end", 1)]
    value = stage.program.sessions["s"].values[out.id]
    assert isinstance(value, Clip)
    np.testing.assert_allclose(value.samples(), ramp(0, 200) / 2, atol=1)


def test_sound_goes_straight_to_a_speaker() -> None:
    """No function: what comes out of the operators is heard, and at the end is the value."""
    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(gain(-6.0206)).to(out)
    stage = Stage(demo)
    for epoch in (1, 2):
        stage.patches.clear()
        stage.act(mic, "start_recording")
        stage.frames(mic, Block.of(RATE, ramp(0, 100), 0, START))
        stage.frames(mic, block(100, 100))
        assert stages(stage) == [("more", epoch)] * 2, "at once"
        stage.act(mic, "stop_recording")
        assert stages(stage) == [("more", epoch)] * 2 + [("end", epoch)]
        value = stage.program.sessions["s"].values[out.id]
        assert isinstance(value, Clip)
        np.testing.assert_allclose(value.samples(), ramp(0, 200) / 2, atol=1)
    assert stage.outcomes == []


def test_what_is_mixed_into_a_microphone_begins_and_ends_with_each_take() -> None:
    """Not with the session: by then it would be far ahead, and the microphone never heard."""
    music = sound.clip_blocks(Clip.of(RATE, ramp(1, 1500)), 20)
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(sound.mix(music)).to(out)
    stage = Stage(demo)
    stage.clock.run_until(3.0)
    assert stage.patches == []
    for take in range(1, 3):
        begin = len(stage.patches)
        stage.program.receive(Act("s", mic.id, "start_recording"))
        for n in range(5):
            stage.clock.run_until(3.0 * take + 0.5 + n * 0.1)  # the microphone took 0.5 s to open
            voice = Block(np.full((100, 1), 0.25, np.float32), RATE, n * 100, flag(n, 4))
            stage.program.receive(Frames("s", mic.id, voice))
        stage.clock.run_until(3.0 * take + 1.9)  # the take is stored before it is told
        stage.program.receive(Act("s", mic.id, "stop_recording", None))
        stage.clock.run_until(3.0 * take + 2.9)
        pieces = [p for p in stage.patches[begin:] if isinstance(p, Sound) and p.stage == "more"]
        heard = np.concatenate([piece.pcm for piece in pieces if piece.pcm is not None])
        assert heard[:, 0].tolist() == [8192 + n + 1 for n in range(500)]
        (chain,) = stage.program.sessions["s"].pipes
        assert chain.late == 0


def flag(n: int, last: int) -> int:
    return (START if n == 0 else 0) | (END if n == last else 0)


def test_only_sound_can_go_straight_to_a_speaker() -> None:
    with oc.Blocks():
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        for wrong in (
            lambda: mic.change.to(out),
            lambda: mic.stream.to(mic),
            lambda: mic.stream.to(oc.Audio()),
            lambda: mic.stream.to(oc.Textbox()),
        ):
            with pytest.raises(oc.DeclarationError):
                wrong()


def test_an_operator_that_fails_ends_no_stream() -> None:
    """Rule R3: it is told, and the next block is heard."""

    def fail_once(sound: Block) -> Block:
        if sound.index == 100:
            raise ValueError("no")
        return sound

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(ops.map(fail_once)).to(out)
    stage = Stage(demo)
    for at in (0, 100, 200):
        stage.frames(mic, block(at, 100))
    assert stages(stage) == [("more", 1)] * 2
    assert [str(each.error) for each in stage.patches if isinstance(each, Fault)] == ["no"]


def test_a_reading_comes_to_the_function_as_it_is() -> None:
    """What is no sound is what the listener gets in place of the microphone's value."""
    got = list[object]()

    def show(reading: object) -> None:
        got.append(reading)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        mic.stream.pipe(level("100 ms"))(show, mic, None)
    stage = Stage(demo)
    stage.frames(mic, block(0, 250))
    stage.clock.run_until(1)
    assert [type(each).__name__ for each in got] == ["Level", "Level"]


def test_a_live_stream_keeps_its_rate_over_its_chunks() -> None:
    rates = iter([1000, 2000])

    def change(chunk: Heard) -> Heard:
        return next(rates), chunk[1]

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream(change, mic, out, stream_every=0.1)
    stage = Stage(demo)
    stage.frames(mic, block(0, 200))
    stage.clock.run_until(1)
    failed = [o for o in stage.outcomes if o.kind is Kind.FAILED]
    assert len(failed) == 1
    assert "2000 Hz" in str(failed[0].value)


def test_the_least_length_is_of_the_whole_and_not_of_a_chunk() -> None:
    heard = list[Heard]()

    def hear(chunk: Heard) -> None:
        heard.append(chunk)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True, min_length=5)
        mic.stream(hear, mic, None, stream_every=0.1)
    stage = Stage(demo)
    stage.frames(mic, block(0, 100))
    stage.clock.run_until(1)
    assert len(heard) == 1


def test_e8_operators_run_on_a_sessions_stream() -> None:
    """A recording through mono, framing and a level meter calls a function per reading."""
    heard = list[float]()

    def show(event: oc.EventData) -> None:
        heard.append(event.value.rms[0])

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        levels = mic.stream.pipe(sound.mono(), sound.frame(50), sound.level("100 ms"))
        oc.on(levels, show, None, None, trigger_mode="multiple", concurrency_limit=None)
    stage = Stage(demo)
    stage.program.receive(Open("t"))
    loud = np.full((250, 2), 16384, np.int16)
    stage.frames(mic, Block.of(RATE, loud))
    stage.frames(mic, Block.of(RATE, loud, 250))
    stage.clock.run_until(1)
    assert heard == pytest.approx([0.5] * 5)


def test_each_session_has_its_own_state_in_an_operator() -> None:
    """Two users at once: the filter of one never hears the other."""
    out = dict[str, list[np.ndarray]]()

    def keep(event: oc.EventData, request: oc.Request) -> None:
        out.setdefault(request.session_hash, []).append(event.value.samples)

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        oc.on(mic.stream.pipe(sound.lowpass(100)), keep, None, None, trigger_mode="multiple")
    stage = Stage(demo)
    stage.program.receive(Open("t", client=oc.Request(session_hash="t")))
    noise = np.random.default_rng(3).integers(-9000, 9000, 400).astype(np.int16)
    for at in range(0, 400, 100):
        for session, part in (("s", noise[at : at + 100]), ("t", noise[at : at + 100] // 2)):
            stage.program.receive(Frames(session, mic.id, Block.of(RATE, part, at)))
    stage.clock.run_until(1)
    alone = sound.render(Clip.of(RATE, noise), sound.lowpass(100))
    mine = np.concatenate(out[""])[:, 0]
    assert len(mine) == 400
    np.testing.assert_array_equal(mine, alone.samples[:, 0])


def test_a_cancel_silences_what_was_made_and_is_still_to_be_heard() -> None:
    """A generator is done long before its sound is; `cancels` means what people hear of it."""

    def speak() -> Iterator[Heard]:
        yield RATE, ramp(0, 5000)

    with oc.Blocks() as demo:
        out = oc.Audio(streaming=True, interactive=False)
        go, other, quiet = oc.Button(), oc.Button(), oc.Button()
        speech = go.click(speak, None, out)
        other.click(ignore, out, None)
        quiet.click(None, None, None, cancels=[speech])
    stage = Stage(demo)
    stage.act(go, "click")
    stage.clock.run_until(1)
    stage.act(other, "click")
    assert stages(stage) == [("more", 1), ("end", 1)]
    stage.act(quiet, "click")
    assert stages(stage) == [("more", 1), ("end", 1), ("flush", 1)]
    stage.act(quiet, "click")
    assert stages(stage)[3:] == [], "it is silent already"
    value = stage.program.sessions["s"].values[out.id]
    assert isinstance(value, Clip) and value.frames == 5000, "what was made is kept"
