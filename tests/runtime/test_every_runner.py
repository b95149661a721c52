"""One chain, the same samples: offline, on a clock, in `async for`, in a session, on a card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block, Samples, from_int16, int16, joined
from ossicle.flow.generators import clip_blocks
from ossicle.flow.offline import render
from ossicle.flow.testing import VirtualClock
from ossicle.runtime.iterate import iterate
from ossicle.runtime.soundcard import Speaker, microphone
from ossicle.runtime.testing.autojump import AutojumpLoop
from ossicle.testing import Lab

from ..flow.operators.cases import RATE, SOUND, SWITCH, Case, material

HOP = 960


@cache
def sound(channels: int) -> Clip:
    """What a microphone at 16 bit may give."""
    return Clip.of(RATE, material(channels, 0.35), normalize="clip")


def offline(case: Case) -> Samples:
    return render(sound(case.takes), case.make()).samples


def on_a_clock(case: Case) -> Samples:
    clock, came, errors = VirtualClock(), list[Block](), list[Exception]()
    stream = case.make()(clip_blocks(sound(case.takes), 700))
    stream.subscribe(came.append, errors.append, scheduler=clock)
    clock.run_until(5.0)
    assert errors == []
    return joined(came)


def in_a_loop(case: Case) -> Samples:
    async def main() -> list[Block]:
        values = iterate(clip_blocks(sound(case.takes), 480), case.make(), waiting=10_000)
        return [value async for value in values]

    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        return joined(runner.run(main()))


def in_a_session(case: Case) -> NDArray[np.int16]:
    """What the page is given to play, and what it leaves as a value."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(case.make()).to(out)
    with Lab(demo, trace=False) as lab:
        lab.record(mic, sound(case.takes))
        lab.run(5)
        value = lab.stored(out)
        heard = np.concatenate([frame.samples for frame in lab.page.heard[out.id]])
    assert isinstance(value, Clip)
    np.testing.assert_array_equal(value.int16().reshape(heard.shape), heard)
    return heard


class Card:
    """PortAudio's two streams, moved by hand: the callbacks are those of `sounddevice`."""

    def __init__(self) -> None:
        self.callback: Callable[[NDArray[np.float32], int, Any, Any], None] | None = None

    def InputStream(self, **settings: Any) -> Card:
        self.callback = settings["callback"]
        return self

    OutputStream = InputStream

    def move(self, samples: NDArray[np.float32]) -> None:
        """One period: PortAudio lends its own memory, and takes it back."""
        assert self.callback
        self.callback(samples, len(samples), None, None)

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


def on_a_card(case: Case, rate: int, channels: int) -> Samples:
    """As much as comes out while the microphone goes on: it never ends."""
    into, out = Card(), Card()
    samples = from_int16(sound(case.takes).int16().reshape(-1, case.takes))
    played = list[Block]()

    async def main() -> Samples:
        with Speaker(rate=rate, channels=channels, target=0.0, most="1 min", sounds=out) as speaker:

            def play(block: Block) -> None:
                played.append(block)
                speaker.play(block)

            mic = microphone(channels=case.takes, block=HOP, sounds=into)
            running = case.make()(mic).subscribe(play)
            for at in range(0, len(samples), HOP):
                period = samples[at : at + HOP].copy()
                into.move(period)
                period[:] = np.nan
                await asyncio.sleep(0)
            running.dispose()
            heard = np.zeros((sum(block.frames for block in played), channels), np.float32)
            out.move(heard)
            return heard

    return asyncio.run(main())


@pytest.mark.parametrize("case", [*SOUND, SWITCH], ids=lambda c: c.name)
def test_every_runner_gives_the_same_samples(case: Case) -> None:
    """Bit for bit; a session's are those of 16 bit, a sound card's all but what is still held."""
    wanted = offline(case)
    assert np.abs(wanted).max() > 0.01
    assert np.array_equal(on_a_clock(case), wanted)
    assert np.array_equal(in_a_loop(case), wanted)
    assert np.array_equal(in_a_session(case), int16(wanted))
    if "mix" in case.name or "merge" in case.name or "crossfade" in case.name:
        return  # another source needs a clock, and a card alone has none
    operator = case.make()
    heard = on_a_card(case, operator.rate(RATE), wanted.shape[1])
    held = (operator.latency(RATE) + HOP) * operator.rate(RATE) / RATE / case.pace
    assert len(heard) >= len(wanted) - held - 2
    assert np.array_equal(heard, wanted[: len(heard)])
