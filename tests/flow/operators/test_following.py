"""Numbers and sounds that follow components, and clips that play under a stream."""

from __future__ import annotations

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block, BlockError, Samples, joined
from ossicle.flow.errors import DeclarationError
from ossicle.flow.follow import lending
from ossicle.flow.generators import noise, tone
from ossicle.flow.graph import Node
from ossicle.flow.offline import render
from ossicle.flow.operators import Choice, eq, gain, lowpass, mix, overlay, switch
from ossicle.flow.operators.testing import Feeder, cut, through

RATE = 48_000
ones = np.ones((4800, 1), np.float32)


def clip(samples: Samples, rate: int = RATE) -> Clip:
    return Clip.of(rate, samples, normalize="never")


def test_without_a_session_a_component_counts_as_it_begins() -> None:
    """Offline, a slider at -20 dB is a gain of -20 dB."""
    assert np.allclose(joined(through(cut(ones), gain(oc.Slider(-60, 0, -20)))), 0.1)


def test_each_session_follows_its_own_value_and_glides() -> None:
    """Two runs of one operator with two values; a change arrives within 20 ms, in a line."""
    slider = oc.Slider(-60, 0, 0)
    operator, values = gain(slider), {"a": 0.0, "b": -20.0}
    feeders = dict[str, Feeder]()
    for name in values:

        def read(node: Node, name: str = name) -> object:
            assert node is slider
            return values[name]

        with lending(read):
            feeders[name] = Feeder(operator)
    for n, block in enumerate(cut(ones, (480,))):
        if n == 4:
            values["a"] = -20.0
        for feeder in feeders.values():
            feeder.feed(block)
    moved, still = (joined(feeder.values)[:, 0] for feeder in feeders.values())
    assert np.all(moved[:1920] == 1)
    assert np.allclose(moved[1920:2880], 1 - 0.9 * np.arange(1, 961) / 960, atol=1e-6)
    assert np.allclose(moved[2880:], 0.1)
    assert np.allclose(still, 0.1)


def test_a_mix_and_a_switch_follow_too() -> None:
    """What runs inside of another operator reads the same session."""
    slider = oc.Slider(-60, 0, 0)
    with lending(lambda _: -20.0):
        mixed = Feeder(mix(tone(0.001, 0.1), gains=[slider], hold="1 min"))
        switched = Feeder(switch(Choice(gain(slider))))
    for block in cut(ones):
        mixed.feed(block)
        switched.feed(block)
    assert np.allclose(joined(mixed.values), 0.1, atol=1e-3)
    assert np.allclose(joined(switched.values), 0.1)


def test_an_emptied_field_changes_nothing() -> None:
    """A number that is being typed anew is None for a moment; the sound stays as it was."""
    number, values = oc.Number(-20), [-20.0, None, None, -20.0, -20.0]
    blocks = cut(ones, (960,))
    now = iter(values)
    value: float | None = -20.0
    with lending(lambda _: value):
        feeder = Feeder(gain(number))
    for block in blocks:
        value = next(now)
        feeder.feed(block)
    assert np.allclose(joined(feeder.values), 0.1)


@pytest.mark.parametrize("component", [oc.Textbox("loud"), oc.Number(None)])
def test_what_has_no_number_is_named(component: oc.Textbox | oc.Number) -> None:
    """The error names the component and what would do."""
    with pytest.raises(DeclarationError, match="(Textbox|Number).*(no number|no value)"):
        through(cut(ones), lowpass(component))


def test_a_clip_plays_under_the_sound_from_its_beginning() -> None:
    """Frame n of the clip meets index n of the take; after its end the sound is alone."""
    under = (np.arange(1000) / 4096).astype(np.float32)
    out: list[Block] = through(cut(ones / 4), overlay(clip(under[:, None])))
    wanted = ones[:, 0] / 4
    wanted = wanted + np.concatenate((under, np.zeros(3800, np.float32)))
    assert np.array_equal(joined(out)[:, 0], wanted)


def test_behind_a_gap_the_clip_goes_on_where_the_index_is() -> None:
    """What was lost of the microphone is lost of the clip: they stay together."""
    under = (np.arange(4000) / 4096).astype(np.float32)[:, None]
    blocks = [*cut(ones[:480], end=False), *cut(ones[:480], index=3000, flags=0)]
    out: list[Block] = through(blocks, overlay(clip(under), loops=None))
    assert np.array_equal(out[1].samples, ones[:480] + under[3000:3480])


def test_a_clip_goes_round_and_a_mono_voice_becomes_stereo() -> None:
    """loops=None plays on and on; a stereo clip makes stereo of a mono stream."""
    under = np.stack((np.full(700, 0.25), np.full(700, 0.5)), axis=1).astype(np.float32)
    (block,) = through(cut(ones, (4800,)), overlay(clip(under), -20.0, loops=None))
    assert np.allclose(block.samples, [[1.025, 1.05]], atol=1e-6)
    with pytest.raises(BlockError, match="overlay: streams of 2 and 3 channels"):
        through(cut(np.repeat(ones, 3, axis=1)), overlay(clip(under)))


def test_a_clip_of_another_rate_is_resampled_in_place() -> None:
    """1 kHz at 44.1 kHz is 1 kHz at 48 kHz, in phase with the stream's own."""
    under = Clip.of(44_100, render(tone(1000.0, 0.5, rate=44_100)).samples, normalize="clip")
    out = render(noise(0.5, level=-200.0), overlay(under)).samples
    wanted = render(tone(1000.0, 0.5)).samples
    assert np.allclose(out[500:-500], wanted[500:-500], atol=1e-4)


def test_a_sessions_own_clip() -> None:
    """An Audio component in the clip's place: each session's sound, none where there is none."""
    audio = oc.Audio()
    found: Clip | None = clip(np.full_like(ones, 0.5))
    with lending(lambda _: found):
        feeder = Feeder(overlay(audio))
    for block in cut(ones, (4800,)):
        feeder.feed(block)
    found = None
    for block in cut(ones, (4800,)):
        feeder.feed(block)
    assert [float(b.samples.mean()) for b in feeder.values] == [1.5, 1.0]


def test_sliders_in_an_app_move_the_sound_of_their_session() -> None:
    """In a program: two users, two levels, one chain."""
    from ossicle.testing import Lab

    with oc.Blocks() as demo:
        level = oc.Slider(-60, 0, 0, step=0.1)
        microphone = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        microphone.stream.pipe(gain(level)).to(out)
    loud = np.full(RATE // 2, 16_000, np.int16)
    with Lab(demo) as ada:
        bob = ada.session()
        bob.input(level, -20.0)
        for user in (ada, bob):
            user.record(microphone, (RATE, loud))
            ada.run(1)
        mine, his = ada.stored(out), bob.stored(out)
        assert isinstance(mine, Clip) and isinstance(his, Clip)
        assert np.all(mine.int16() == 16_000)
        assert np.all(his.int16() == 1600)


def test_what_sound_follows_may_be_changed_by_users() -> None:
    """A slider that only an operator reads is a control, not a reading."""
    from ossicle.testing import Lab

    with oc.Blocks() as demo:
        level, treble = oc.Slider(-60, 0, 0), oc.Slider(-12, 12, 0)
        backing = oc.Audio((RATE, np.zeros(10, np.int16)))
        shown = oc.Slider(0, 1, 0.5)
        microphone = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        microphone.stream.pipe(eq(high=treble), overlay(backing, level)).to(out)
    with Lab(demo) as lab:
        changeable = {n: lab.props(n)["interactive"] for n in (level, treble, backing, shown)}
    assert changeable == {level: True, treble: True, backing: True, shown: False}


def test_a_component_of_another_app_is_refused() -> None:
    """Where the chain is given to a stream, not when sound begins."""
    with oc.Blocks():
        foreign = oc.Slider(-60, 0, 0)
    with oc.Blocks():
        microphone = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        with pytest.raises(DeclarationError, match="belongs to another Blocks"):
            microphone.stream.pipe(gain(foreign)).to(out)
