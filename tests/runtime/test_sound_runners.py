"""The same chain gives the same samples in every runner; files, `async for`, the sound card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from reactivex import Subject

from ossicle.flow.audio import Clip, ClipError
from ossicle.flow.blocks import DISCONTINUITY, END, FLUSH, START, Block, BlockError, Samples, joined
from ossicle.flow.errors import DeclarationError, Overload
from ossicle.flow.generators import clip_blocks, noise, tone
from ossicle.flow.offline import render, run
from ossicle.flow.operators import (
    BlockOperator,
    Choice,
    MissingExtra,
    Param,
    compressor,
    crossfade,
    denoise,
    frame,
    gain,
    limiter,
    lowpass,
    merge,
    mix,
    pedalboard,
    pitch,
    resample,
    reverb,
    switch,
    vad,
)
from ossicle.flow.operators.testing import cut
from ossicle.flow.testing import VirtualClock
from ossicle.runtime.clock import LoopClock
from ossicle.runtime.iterate import iterate
from ossicle.runtime.media.blocks import read_blocks, write_blocks
from ossicle.runtime.soundcard import SoundCardError, Speaker, microphone
from ossicle.runtime.testing.autojump import AutojumpLoop

RATE = 48_000


def chain() -> list[BlockOperator]:
    """One of everything that carries state, holds sound back, moves, or meets another stream."""
    return [
        gain(Param(0.0, changes=[(20_000, -6.0)])),
        lowpass(Param(8000.0, changes=[(10_000, 1000.0)])),
        mix(tone(330.0, 1.0), gains=[0.0, -10.0]),
        compressor(),
        switch(Choice(reverb(), changes=[(30_000, [denoise()])])),
        pitch(2.0),
        resample(16_000),
        limiter(-3.0),
        frame(512),
    ]


def sound() -> Clip:
    return Clip.of(RATE, render(noise(1.0, level=-14.0, seed=5)).samples, normalize="never")


def on_virtual_time(block: int) -> Samples:
    clock = VirtualClock()
    came: list[Block] = []
    errors: list[Exception] = []
    source = clip_blocks(sound(), block)
    stream = source.pipe(*chain())
    stream.subscribe(came.append, errors.append, scheduler=clock)
    clock.run_until(5.0)
    assert errors == []
    return joined(came)


def on_asyncio(block: int) -> Samples:
    async def main() -> list[Block]:
        values = iterate(clip_blocks(sound(), block), *chain())
        return [value async for value in values]

    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        return joined(runner.run(main()))


@pytest.mark.parametrize("block", [480, 960, 4000])
def test_every_runner_gives_the_same_samples(block: int) -> None:
    """Offline, paced by a virtual clock, and in `async for` on an event loop: bit for bit."""
    wanted = render(sound(), *chain()).samples
    assert wanted.shape == (16_000, 1)
    assert float(np.abs(wanted).max()) > 0.1
    assert np.array_equal(on_virtual_time(block), wanted)
    assert np.array_equal(on_asyncio(block), wanted)


def test_a_file_gives_the_same_samples(tmp_path: Path) -> None:
    """From a clip or from its file, through the chain into a file: the same sound."""
    source = tmp_path / "in.wav"
    soundfile.write(source, sound().int16(), RATE)
    (path,) = run(read_blocks(source, 1000), *chain(), write_blocks(tmp_path / "out.wav"))
    assert path == tmp_path / "out.wav"
    data, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    wanted = render(sound(), *chain()).samples[:, 0]
    assert float(np.abs(data - wanted).max()) <= 0.5 / 32768 + 1e-9


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_formats(tmp_path: Path, name: str) -> None:
    """Each format is written block by block, and read back at its length."""
    run(tone(440.0, 2.0, rate=44_100), write_blocks(tmp_path / name))
    back = render(read_blocks(tmp_path / name))
    assert (back.rate, back.frames) == (44_100, 88_200)
    wanted = render(tone(440.0, 2.0, rate=44_100)).samples
    assert float(np.abs(back.samples - wanted)[5000:-5000].max()) < 0.02


def test_an_mp3_is_the_same_in_any_blocks(tmp_path: Path) -> None:
    """Blocks and a start in the middle give the samples of one decoding from the beginning."""
    run(noise(2.0, rate=44_100), write_blocks(tmp_path / "a.mp3"))
    whole, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    for block, start in ((8192, 0), (1000, 0), (5000, 50_000), (700, 3000)):
        part = render(read_blocks(tmp_path / "a.mp3", block, start=start)).samples[:, 0]
        assert np.array_equal(part, whole[start:])


def test_a_float_file_is_exact(tmp_path: Path) -> None:
    """depth="float" keeps what is beyond full scale, bit for bit; start and loops count frames."""
    samples = 3 * np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32)
    source = Subject[Block]()
    paths: list[Path] = []
    source.pipe(write_blocks(tmp_path / "x.wav", depth="float")).subscribe(paths.append)
    for block in cut(samples):
        source.on_next(block)
    source.on_completed()
    assert paths == [tmp_path / "x.wav"]
    back = render(read_blocks(paths[0], 700, start=4000, loops=2))
    assert np.array_equal(back.samples, np.concatenate([samples[4000:], samples]))
    assert back.index == 4000


def test_no_half_file_is_left(tmp_path: Path) -> None:
    """Where the stream fails, ends up empty, or is given up, there is no file."""
    target = tmp_path / "x.wav"
    with pytest.raises(BlockError, match=r"resample\(\)"):
        run_blocks([*cut(np.ones(10), end=False), *cut(np.ones(10), rate=8000)], target)
    with pytest.raises(BlockError, match="no sound"):
        run_blocks([], target)
    source = Subject[Block]()
    running = source.pipe(write_blocks(target)).subscribe()
    source.on_next(cut(np.ones(10))[0])
    assert target.exists()
    running.dispose()
    assert list(tmp_path.iterdir()) == []


def run_blocks(blocks: list[Block], target: Path) -> None:
    import reactivex

    run(reactivex.from_iterable(blocks), write_blocks(target))


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    """The name of the file and the reason, and never a path."""
    (tmp_path / "no.wav").write_text("this is no sound at all")
    with pytest.raises(ClipError, match=r"cannot read 'no\.wav'") as caught:
        render(read_blocks(tmp_path / "no.wav"))
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(ClipError, match=r"'gone\.wav': No such file"):
        render(read_blocks(tmp_path / "gone.wav"))
    with pytest.raises(DeclarationError, match="'xyz'"):
        write_blocks(tmp_path / "a.xyz")
    with pytest.raises(DeclarationError, match="choose wav"):
        write_blocks(tmp_path / "a.flac", depth="float")


# -- async for -------------------------------------------------------------------------------------


async def test_a_loop_that_is_left_ends_the_subscription() -> None:
    """An endless source stops with the loop that takes from it."""
    taken: list[Block] = []
    async with aclosing(iterate(tone(440.0, None, block="1 ms"))) as blocks:
        async for block in blocks:
            taken.append(block)
            if len(taken) == 3:
                break
    assert [b.index for b in taken] == [0, 48, 96]


async def test_an_error_is_raised_in_the_loop() -> None:
    """What goes wrong in the chain is raised where its values are taken."""
    with pytest.raises(ClipError):
        async for _ in iterate(read_blocks("gone.wav")):
            pass


@pytest.mark.parametrize(("policy", "first"), [("drop_oldest", 6), ("latest", 9)])
async def test_a_slow_loop_drops_and_marks(policy: Any, first: int) -> None:
    """At most `waiting` values wait; what comes after a loss is marked DISCONTINUITY."""
    source = Subject[Block]()
    blocks = iterate(source, on_overload=policy, waiting=4)
    taking = asyncio.ensure_future(anext(blocks))
    await asyncio.sleep(0)
    for block in cut(np.ones(100), (10,)):
        source.on_next(block)
    assert (await taking).index == first * 10
    rest = [await anext(blocks) for _ in range(9 - first)]
    flags = [b.flags for b in rest]
    assert all(not f & DISCONTINUITY for f in flags)
    await blocks.aclose()


async def test_a_slow_loop_may_be_an_error() -> None:
    """on_overload="error" says how many waited."""
    source = Subject[Block]()
    blocks = iterate(source, on_overload="error", waiting=4)
    taking = asyncio.ensure_future(anext(blocks))
    await asyncio.sleep(0)
    for block in cut(np.ones(100), (10,)):
        source.on_next(block)
    assert (await taking).flags & START
    with pytest.raises(Overload, match="4 values wait"):
        while True:
            await anext(blocks)


# -- the sound card --------------------------------------------------------------------------------


class Card:
    """A sound card that is moved by hand."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.state = "made"
        self.callback: Callable[..., None] = settings["callback"]

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> None:
        self.state = "stopped"

    def close(self) -> None:
        self.state = "closed"


class Cards:
    def __init__(self) -> None:
        self.made: list[Card] = []

    def InputStream(self, **settings: Any) -> Card:
        self.made.append(Card(**settings))
        return self.made[-1]

    OutputStream = InputStream


async def test_the_microphone_gives_blocks_and_counts_what_is_lost() -> None:
    """Frames are counted by the card; a loop that is too slow loses blocks, marked."""
    cards = Cards()
    came: list[Block] = []
    running = microphone(block=100, waiting=2, sounds=cards).subscribe(came.append)
    (card,) = cards.made
    assert (card.state, card.settings["blocksize"]) == ("started", 100)
    buffer = np.ones((100, 1), np.float32)
    for _ in range(4):
        card.callback(buffer, 100, None, None)
    buffer[:] = 0  # PortAudio uses its memory again
    await asyncio.sleep(0)
    card.callback(buffer, 100, None, "input overflow")
    await asyncio.sleep(0)
    assert [(b.index, b.flags) for b in came] == [(0, START), (100, 0), (400, DISCONTINUITY)]
    assert came[0].samples.all()
    running.dispose()
    assert card.state == "closed"


def played(card: Card, frames: int) -> NDArray[np.float32]:
    out = np.full((frames, 1), np.nan, np.float32)
    card.callback(out, frames, None, None)
    return out[:, 0]


def test_the_speaker_waits_plays_and_counts() -> None:
    """Silence until the target is there, then the sound; an underrun is counted and waits anew."""
    cards = Cards()
    with Speaker(rate=1000, target="40 ms", most="100 ms", sounds=cards) as speaker:
        (card,) = cards.made
        blocks = cut(np.arange(1, 201), (30,), rate=1000)
        speaker.play(blocks[0])
        assert not played(card, 10).any()
        speaker.play(blocks[1])
        assert played(card, 50).tolist() == list(range(1, 51))
        assert (speaker.played, speaker.fill, speaker.underruns) == (50, 10, 0)
        assert played(card, 20).tolist() == [*range(51, 61), *[0] * 10]
        assert speaker.underruns == 1
        for block in blocks[2:6]:
            speaker.play(block)
        assert (speaker.fill, speaker.skipped) == (40, 80)
        assert played(card, 10).tolist() == list(range(141, 151))
        speaker.play(blocks[6])
        assert played(card, 60).tolist() == [*range(151, 201), *[0] * 10]
        assert speaker.underruns == 1  # the end of a take is none
    assert card.state == "closed"


def test_a_flush_silences_the_speaker_at_once() -> None:
    """What waits is gone, what is late is void, and the last frame heard is known."""
    cards = Cards()
    with Speaker(rate=1000, target="10 ms", sounds=cards) as speaker:
        (card,) = cards.made
        (block,) = cut(np.ones(100), (100,), rate=1000)
        speaker.play(block)
        played(card, 25)
        speaker.play(Block(np.zeros((0, 1), np.float32), 1000, 100, FLUSH, 1))
        assert not played(card, 25).any()
        speaker.play(block)
        assert speaker.fill == 0
        assert speaker.played == 25
        with pytest.raises(BlockError, match=r"resample\(\)"):
            speaker.play(Block(np.zeros((5, 2), np.float32), 1000, 0, 0, 1))


@pytest.mark.parametrize("rate", [1000, 8000, 16_000, 48_000])
def test_a_file_meets_another_stream_whole_at_any_rate(rate: int) -> None:
    """Nobody names a size of blocks: none may be so long that `mix` takes the file as silent."""
    said = np.linspace(-0.4, 0.4, rate, dtype=np.float32)[:, None]
    clip = Clip.of(rate, said, normalize="never")
    beside = tone(220.0, 1.0, rate=rate)
    both = render(clip, mix(beside)).samples
    np.testing.assert_array_equal(both, render(clip).samples + render(beside).samples)


class NoCard:
    """PortAudio on a machine without a sound card."""

    def InputStream(self, **settings: Any) -> Card:
        raise RuntimeError("Error querying device -1")

    OutputStream = InputStream


def test_a_missing_card_is_one_clear_error() -> None:
    """The microphone's fails its stream, the speaker's its `with`: what was asked, and ways out."""
    errors: list[Exception] = []

    async def listen() -> None:
        microphone(device="USB", sounds=NoCard()).subscribe(on_error=errors.append)

    asyncio.run(listen())
    with pytest.raises(SoundCardError) as caught, Speaker(channels=2, sounds=NoCard()):
        raise AssertionError("it must not open")
    heard, spoken = str(errors[0]), str(caught.value)
    assert heard.startswith("the microphone could not be opened (device='USB', 48000 Hz, 1 channel")
    assert spoken.startswith("the speaker could not be opened (none was named, 48000 Hz, 2 channel")
    for text in (heard, spoken):
        assert "Error querying device -1; `python -m sounddevice` lists what there is" in text


def meeting(name: str) -> BlockOperator:
    other = tone(330.0, 1.0, block=50, rate=1000)
    if name == "mix":
        return mix(other, gains=[0.0, -6.0])
    if name == "merge":
        return merge(other)
    return crossfade(other, Param(0.0, changes=[(300, 1.0)]))


@pytest.mark.parametrize("name", ["mix", "merge", "crossfade"])
def test_two_streams_meet_on_the_sound_card_as_they_do_offline(name: str) -> None:
    """A microphone that PortAudio feeds in time, beside a tone: the speaker plays what `render`
    gives, bit for bit."""
    said = np.linspace(-0.5, 0.5, 500, dtype=np.float32)[:, None]
    blocks = clip_blocks(Clip.of(1000, said, normalize="never"), 50)
    given = joined(run(blocks))  # at 16 bit, as a clip is
    wanted = render(blocks, meeting(name)).samples[:500]
    channels = wanted.shape[1]
    cards = Cards()

    async def main() -> NDArray[np.float32]:
        with Speaker(
            rate=1000, channels=channels, target="1 ms", most="1 s", sounds=cards
        ) as speaker:
            heard = microphone(rate=1000, block=50, sounds=cards).pipe(meeting(name))
            clock = LoopClock(asyncio.get_running_loop())
            running = heard.subscribe(speaker.play, scheduler=clock)
            played_by, captured_by = cards.made
            for at in range(0, 500, 50):
                await asyncio.sleep(0.05)  # of virtual time: so long the card records
                captured_by.callback(given[at : at + 50], 50, None, None)
            await asyncio.sleep(0.05)
            running.dispose()
            assert speaker.fill >= 500
            out = np.zeros((500, channels), np.float32)
            played_by.callback(out, 500, None, None)
            assert (speaker.underruns, speaker.skipped, speaker.played) == (0, 0, 500)
            return out

    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        np.testing.assert_array_equal(runner.run(main()), wanted)


def test_what_is_no_number_never_reaches_a_speaker() -> None:
    """NaN out of an operator of one's own is named where it would be heard."""
    with Speaker(rate=1000, sounds=Cards()) as speaker:
        for wrong in (np.nan, np.inf):
            with pytest.raises(BlockError, match="NaN or infinity came in <Block 0..5"):
                speaker.play(Block(np.full((5, 1), wrong, np.float32), 1000))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an extra's library the error says what to install, in the chain and for the card."""
    import sys

    for module, make, extra in (
        ("sounddevice", lambda: Speaker().__enter__(), "local"),
        ("scipy.signal", lambda: render(tone(), lowpass(100.0)), "dsp"),
        ("av", lambda: render(tone(), resample(16_000)), "codecs"),
        ("soxr", lambda: render(tone(), resample(16_000, "best")), "resample"),
        ("webrtcvad", lambda: vad(method="webrtc"), "vad"),
        ("pedalboard", lambda: pedalboard(list), "pedalboard"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtra, match=rf"ossicle\[{extra}\]"):
            make()


def test_flags_of_a_whole() -> None:
    """What render gives is a take of its own."""
    assert render(tone()).flags == START | END
