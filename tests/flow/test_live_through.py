"""Sound that comes in and goes out: through functions, and through operators."""

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
from ossicle.flow.model import Kind
from ossicle.flow.operators import gain, level
from ossicle.flow.patches import Fault, Sound
from ossicle.flow.said import Act, Frames, Open

from .live import RATE, Heard, Stage, block, ignore, ramp


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
    value = stage.clip(out)
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
    value = stage.clip(mic)
    assert value.frames == 500


def test_each_recording_is_a_stream_of_its_own() -> None:
    demo, mic, out = echoing()
    stage = Stage(demo)
    for _ in range(2):
        stage.act(mic, "start_recording")
        stage.frames(mic, block(0, 100))
        stage.act(mic, "stop_recording")
        stage.clock.run_until(stage.clock.seconds + 1)
    assert stages(stage) == [("more", 1), ("end", 1), ("more", 2), ("end", 2)]
    assert stage.clip(out).frames == 100


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
    value = stage.clip(out)
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
        value = stage.clip(out)
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
        (chain,) = stage.session.pipes
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
    value = stage.clip(out)
    assert value.frames == 5000, "what was made is kept"
