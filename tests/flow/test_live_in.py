"""Live streams that come in: exact chunks, the last remainder, overload, time limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ossicle as oc
from ossicle import sound
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block
from ossicle.flow.errors import DeclarationError
from ossicle.flow.model import ENDS, Kind
from ossicle.flow.operators import gain
from ossicle.flow.patches import Command

from .live import RATE, Heard, Stage, block, ignore, ramp


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
