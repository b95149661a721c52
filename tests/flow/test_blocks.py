"""Block: what it keeps, what it refuses; durations; and the sources that need no device."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reactivex import Observable
from reactivex.scheduler import ImmediateScheduler

from ossicle.flow.audio import Clip
from ossicle.flow.blocks import DISCONTINUITY, END, START, Block, BlockError, int16, joined
from ossicle.flow.durations import frames_of, seconds_of
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import clip_blocks, noise, sweep, tone
from ossicle.flow.offline import render, run
from ossicle.flow.operators import gain, level
from ossicle.flow.testing import VirtualClock


def test_a_block_never_changes() -> None:
    """Its fields cannot be set, and it equals nothing but itself."""
    block = Block(np.zeros((10, 2), np.float32), 48_000, 20, START | DISCONTINUITY, 3)
    with pytest.raises(AttributeError, match="never changes"):
        block.rate = 44_100
    assert block != Block(block.samples, 48_000, 20, START | DISCONTINUITY, 3)
    assert len({block, block}) == 1
    assert (block.frames, block.channels, block.end) == (10, 2, 30)
    assert repr(block) == "<Block 20..30 48000 Hz, 2 channels START DISCONTINUITY epoch 3>"


def test_a_block_can_be_sent_to_another_process() -> None:
    """pickle gives the same sound at the same place."""
    block = Block(np.ones((3, 1), np.float32), 8000, 5, END, 1)
    copy = pickle.loads(pickle.dumps(block))
    assert repr(copy) == repr(block)
    assert np.array_equal(copy.samples, block.samples)


def test_sound_from_outside_becomes_a_block() -> None:
    """int16 meets float at 32768 = 1.0; mono may be one-dimensional; float32 is not copied."""
    block = Block.of(48_000, np.array([-32768, 16384, 32767], np.int16))
    assert block.samples[:, 0].tolist() == [-1.0, 0.5, 32767 / 32768]
    data = np.zeros((5, 2), np.float32)
    assert Block.of(8000, data).samples is data
    assert Block.of(8000, data.astype(np.float64)).samples.dtype == np.float32


def test_16_bit_is_the_nearest_step_and_never_beyond_full_scale() -> None:
    """Every step is itself, what lies in the middle goes to the even one, the rest is rounded."""
    steps = np.arange(-32768, 32768, dtype=np.float32)
    some = np.random.default_rng(1).uniform(-33_000, 33_000, 50_000).astype(np.float32)
    scaled = np.concatenate([steps, steps + 0.5, steps - 0.5, some, [1e9, -1e9]])
    samples = (scaled / 32768).astype(np.float32)
    wanted = np.rint(np.clip(scaled, -32768, 32767)).astype(np.int16)
    assert np.array_equal(int16(samples[:, None])[:, 0], wanted)
    assert np.array_equal(int16(np.asfortranarray(samples.reshape(-1, 2))), wanted.reshape(-1, 2))
    assert int16(np.zeros((0, 2), np.float32)).shape == (0, 2)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, 1, 100, 958, 959])
def test_what_is_no_number_is_not_made_16_bit(number: float, at: int) -> None:
    """Wherever it stands, among sound that is cut as among silence."""
    for samples in (np.zeros((480, 2), np.float32), np.full((480, 2), 3, np.float32)):
        samples.flat[at] = number
        with pytest.raises(BlockError, match="1 of 960 samples are NaN or infinite"):
            int16(samples)
        into = np.zeros((480, 2), np.int16)
        with pytest.raises(BlockError):
            int16(samples, into=into)


def test_16_bit_is_written_where_it_is_wanted() -> None:
    """The same samples, in place, and nothing beside them."""
    samples = np.random.default_rng(2).uniform(-1.1, 1.1, (480, 2)).astype(np.float32)
    whole = np.full((482, 2), 7, np.int16)
    into = whole[1:-1]
    assert int16(samples, into=into) is into
    assert np.array_equal(into, int16(samples)) and (whole[[0, -1]] == 7).all()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        ([1, 2], "numpy array"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((4, 40)), "32 channels"),
        (np.array([1.0, math.nan, math.inf]), "2 of 3 samples are NaN"),
        (np.array([1, 2], np.int32), "int32"),
        (np.array(["a"]), "U1"),
    ],
)
def test_what_is_no_sound_is_refused(array: Any, text: str) -> None:
    """The error says what came."""
    with pytest.raises(BlockError, match=text):
        Block.of(48_000, array)


def test_lengths_as_people_write_them() -> None:
    """Text with a unit, seconds, or frames; nonsense is named."""
    assert seconds_of("20 ms") == 0.02
    assert seconds_of("1.5s") == 1.5
    assert seconds_of(" 2 min ") == 120.0
    assert frames_of("20 ms", 44_100) == 882
    assert frames_of(512, 44_100) == 512
    for wrong in ("20", "fast", "-3 ms", -1.0, math.nan, math.inf):
        with pytest.raises(DeclarationError):
            seconds_of(wrong)
    with pytest.raises(DeclarationError, match="1 frame"):
        frames_of(0, 48_000)


def test_generators_give_the_same_in_any_blocks() -> None:
    """Bit for bit, whatever the size; START on the first, END on the last; index without gap."""
    makes: list[Callable[[int], Observable[Block]]] = [
        lambda size: tone(333.0, 0.5, block=size),
        lambda size: noise(0.5, channels=2, block=size),
        lambda size: sweep(20.0, 20_000.0, 0.5, block=size),
    ]
    for make in makes:
        whole = render(make(10**6)).samples
        for size in (1000, 37):
            blocks: list[Block] = run(make(size))
            assert np.array_equal(joined(blocks), whole)
            assert [b.index for b in blocks[1:]] == [b.end for b in blocks[:-1]]
            assert (blocks[0].flags, blocks[-1].flags) == (START, END)


def test_generators_keep_their_promises() -> None:
    """Levels and frequencies are what was asked for."""
    sine = render(tone(1000.0, 1.0, level=-6.0)).samples[:, 0]
    assert math.isclose(float(np.abs(sine).max()), 10 ** (-6 / 20), rel_tol=1e-5)
    assert np.argmax(np.abs(np.fft.rfft(sine))) == 1000
    hiss = render(noise(2.0, level=-20.0)).samples
    assert abs(20 * math.log10(float(np.sqrt(np.square(hiss).mean()))) + 20) < 0.1
    slide = render(sweep(100.0, 1600.0, 4.0)).samples[:, 0]
    for second, hertz in ((1.0, 200.0), (2.0, 400.0), (3.0, 800.0)):
        part = slide[round(second * 48_000) - 2400 : round(second * 48_000) + 2400]
        assert abs(np.argmax(np.abs(np.fft.rfft(part * np.hanning(4800)))) * 10 - hertz) <= 20


def test_a_clip_is_played_from_anywhere_and_in_loops() -> None:
    """int16 divided by 32768; blocks are full across the seam of a loop; index goes on."""
    samples = np.arange(-500, 500, dtype=np.int16)
    clip = Clip.of(8000, samples)
    blocks: list[Block] = run(clip_blocks(clip, 64, start=900, loops=3))
    wanted = np.concatenate([samples[900:], samples, samples]) / np.float32(32768)
    assert np.array_equal(joined(blocks)[:, 0], wanted)
    assert blocks[0].index == 900
    assert {b.frames for b in blocks[:-1]} == {64}


def test_blocks_come_when_their_last_frame_is_due() -> None:
    """On a clock, block k of 20 ms comes at (k + 1) · 20 ms, without drift."""
    clock = VirtualClock()
    came: list[float] = []
    tone(440.0, 60.0, rate=44_100).subscribe(lambda _: came.append(clock.seconds), scheduler=clock)
    clock.run_until(30.0)
    assert len(came) == 1500
    assert all(abs(at - (n + 1) * 0.02) < 1e-9 for n, at in enumerate(came))


def test_a_disposed_source_stops() -> None:
    """On a clock and without one, nothing comes after dispose."""
    clock = VirtualClock()
    came: list[Block] = []
    running = tone(440.0, None).subscribe(came.append, scheduler=clock)
    clock.run_until(1.0)
    running.dispose()
    clock.run_until(2.0)
    assert len(came) == 50


def test_another_scheduler_is_refused() -> None:
    """Only our clocks count seconds from frames."""
    errors: list[Exception] = []
    tone().subscribe(on_error=errors.append, scheduler=ImmediateScheduler())
    assert isinstance(errors[0], DeclarationError)
    assert "ImmediateScheduler" in str(errors[0])


def test_render_says_why_it_cannot() -> None:
    """An endless source, readings instead of sound, nothing at all: each has its words."""
    from reactivex import empty, never

    with pytest.raises(DeclarationError, match="did not end"):
        render(never())
    with pytest.raises(DeclarationError, match=r"run\(\)"):
        render(tone(), level())
    with pytest.raises(DeclarationError, match="nothing came out"):
        render(empty())
    assert render(tone(440.0, None), gain(-3.0), seconds=0.5).frames == 24_000
