"""Echo, room, chorus, pitch, tempo, denoise and resample, by what can be heard and measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import signal as scipy_signal

from ossicle.flow.blocks import Samples, joined
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import noise, tone
from ossicle.flow.offline import render
from ossicle.flow.operators import (
    chorus,
    delay,
    denoise,
    mix,
    pedalboard,
    pitch,
    pitch_track,
    resample,
    reverb,
    tempo,
)
from ossicle.flow.operators.testing import cut, held_back, through

RATE = 48_000
signal: Any = scipy_signal


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def impulse(frames: int = RATE, at: int = 0) -> Samples:
    out = np.zeros((frames, 1), np.float32)
    out[at] = 1
    return out


def loudest(samples: Samples, rate: int = RATE) -> float:
    """The frequency in Hz where the spectrum is highest."""
    size = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    return float(np.argmax(size)) * rate / len(samples)


def test_echoes_come_in_time_and_fade() -> None:
    """The first `mix` times as loud, each next `feedback` times the one before."""
    out = joined(through(cut(impulse()), delay("100 ms", 0.5, 0.8)))[:, 0]
    assert np.flatnonzero(out).tolist() == [4800 * n for n in range(10)]
    assert np.allclose(out[::4800][:4], [1.0, 0.8, 0.4, 0.2])


def test_an_echo_that_grows_is_refused() -> None:
    """A feedback of 1 or more would never end."""
    with pytest.raises(DeclarationError, match="grow"):
        delay("100 ms", 1.0)


def test_a_room_rings_out() -> None:
    """The tail falls steadily, by 60 dB in a time that grows with the room, and has no echo."""

    def fall(size: float) -> float:
        out = joined(through(cut(impulse(3 * RATE)), reverb(size, mix=1.0))).astype(np.float64)
        energy = np.cumsum(np.square(out[::-1, 0]))[::-1]
        level = 10 * np.log10(energy / energy[0])
        # Schroeder's backward integration, -5 to -25 dB, as far as 60 dB.
        return 3 * float(np.argmax(level < -25) - np.argmax(level < -5)) / RATE

    small, large = fall(0.1), fall(0.9)
    assert 0.3 < small < 1.0 < large < 6.0


def test_a_room_is_wide() -> None:
    """The two channels of the tail differ; mix 0 is the sound itself."""
    stereo = np.repeat(impulse(), 2, axis=1)
    out = joined(through(cut(stereo), reverb(mix=1.0)))
    together = np.corrcoef(out[2000:, 0], out[2000:, 1])[0, 1]
    assert abs(together) < 0.3
    assert np.array_equal(joined(through(cut(stereo), reverb(mix=0.0))), stereo)


def test_a_chorus_sways_around_its_delay() -> None:
    """One voice without sway is a delay of 15 ms; with sway it reads where the sine says."""
    out = joined(through(cut(impulse(4800)), chorus(depth=0.0, voices=1, mix=1.0)))[:, 0]
    assert np.flatnonzero(out).tolist() == [720]
    ramp = np.arange(20_000) / 48_000
    swayed = joined(through(cut(ramp), chorus(2.0, "3 ms", "15 ms", voices=1, mix=1.0)))[:, 0]
    late = 0.015 + 0.003 * np.sin(2 * np.pi * 2.0 * ramp)
    assert np.allclose(swayed[1000:], (ramp - late)[1000:], atol=1e-5)


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.0, 1.25, 2.0])
def test_tempo_changes_length_and_not_pitch(speed: float) -> None:
    """frames / speed frames, the same frequency, about the same power."""
    came = render(tone(220.0, 2.0))
    goes = render(tone(220.0, 2.0), tempo(speed))
    assert goes.frames == round(came.frames / speed)
    assert abs(loudest(goes.samples) - 220.0) < 1.5
    assert 0.9 < rms(goes.samples) / rms(came.samples) < 1.05


def test_a_tempo_of_1_is_the_sound_itself() -> None:
    """Nothing is moved where nothing must be."""
    came = render(noise(0.5)).samples
    assert np.allclose(render(noise(0.5), tempo(1.0)).samples[720:-720], came[720:-720], atol=1e-6)


def test_tempo_keeps_time() -> None:
    """Clicks come where they should, to within the reach of a window (7.5 ms)."""
    clicks = np.zeros(2 * RATE)
    clicks[RATE // 2 :: RATE // 2] = 1
    out = np.abs(joined(through(cut(clicks), tempo(0.8)))[:, 0])
    for second in (0.5, 1.0, 1.5):
        middle = round(second / 0.8 * RATE)
        near = out[middle - 720 : middle + 720]
        assert near.max() > 0.3
        assert out[middle - 4000 : middle - 1500].max() < 0.01


@pytest.mark.parametrize("semitones", [-12.0, -5.0, 0.0, 4.0, 12.0])
def test_pitch_changes_frequency_and_not_length(semitones: float) -> None:
    """As many frames, 2 ** (semitones / 12) times the frequency."""
    goes = render(tone(220.0, 2.0), pitch(semitones))
    assert goes.frames == 2 * RATE
    wanted = 220.0 * 2 ** (semitones / 12)
    assert abs(loudest(goes.samples) - wanted) < 0.01 * wanted


def test_pitch_keeps_place() -> None:
    """A click stays at its index, to within 7.5 ms."""
    out = np.abs(joined(through(cut(impulse(RATE, 20_000)), pitch(3.0)))[:, 0])
    assert abs(int(np.argmax(out)) - 20_000) < 360


def test_denoise_takes_noise_and_leaves_a_tone() -> None:
    """White noise falls by 8 dB and more after 2 s; a tone above it stays within 1 dB."""
    alone = render(noise(4.0, level=-50.0), denoise(15.0)).samples[2 * RATE :]
    assert rms(alone) < rms(render(noise(4.0, level=-50.0)).samples) * 10 ** (-8 / 20)
    # In bursts, as speech: a tone that never pauses is noise by definition.
    time = np.arange(4 * RATE) / RATE
    bursts = 0.2 * np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.5)
    hiss = 0.002 * np.random.default_rng(1).standard_normal(len(time))
    out = joined(through(cut(bursts + hiss), denoise(15.0)))
    loud = (time > 3.1) & (time < 3.4)
    assert abs(20 * math.log10(rms(out[loud]) / rms(bursts[loud, None].astype(np.float32)))) < 1


def test_denoise_of_nothing_is_the_sound_itself() -> None:
    """With no reduction the windows add up to what came, and keep place."""
    came = render(noise(0.5)).samples
    assert np.allclose(render(noise(0.5), denoise(0.0)).samples, came, atol=1e-6)


@pytest.mark.parametrize(("came", "goes"), [(48_000, 16_000), (44_100, 48_000), (16_000, 48_000)])
def test_resampling_keeps_a_tone(came: int, goes: int) -> None:
    """1 kHz stays 1 kHz at its place: all else lies 90 dB below."""
    out = render(tone(1000.0, 1.0, rate=came, level=-6.0), resample(goes))
    assert (out.rate, out.frames) == (goes, goes)
    wanted = render(tone(1000.0, 1.0, rate=goes, level=-6.0)).samples
    error = (out.samples - wanted)[goes // 10 : -goes // 10]
    assert 20 * math.log10(rms(error) / rms(wanted)) < -80
    # scipy's own, as a second witness that place and gain are right.
    ratio = math.gcd(came, goes)
    source = render(tone(1000.0, 1.0, rate=came, level=-6.0)).samples.astype(np.float64)
    other = signal.resample_poly(source, goes // ratio, came // ratio, axis=0)
    middle = slice(goes // 10, -goes // 10)
    assert np.allclose(out.samples[middle], other[middle], atol=2e-3)


def test_resampling_lets_no_alias_through() -> None:
    """What the lower rate cannot hold is gone: 12 kHz on the way to 16 kHz, by 80 dB."""
    out = render(tone(12_000.0, 0.5), resample(16_000)).samples[800:-800]
    assert 20 * math.log10(rms(out) / rms(render(tone(12_000.0, 0.5)).samples)) < -80


def test_a_chain_of_effects_stays_in_tune() -> None:
    """An octave up and tracked: the pitch is the octave."""
    from ossicle.flow.offline import run

    found = [p.hertz for p in run(tone(220.0, 1.0), pitch(12.0), pitch_track())[5:-5]]
    assert all(hertz is not None and abs(hertz / 440 - 1) < 0.02 for hertz in found)
    both = render(tone(220.0, 0.2), mix(tone(220.0, 0.2))).samples
    assert np.allclose(both, 2 * render(tone(220.0, 0.2)).samples)


@pytest.mark.parametrize(("came", "goes"), [(48_000, 16_000), (44_100, 48_000)])
def test_the_best_resampling_keeps_24_bits(came: int, goes: int) -> None:
    """Around 1 kHz all else lies 120 dB below: what float32 itself can hold."""
    out = render(tone(1000.0, 1.0, rate=came, level=-6.0), resample(goes, "best"))
    assert (out.rate, out.frames) == (goes, goes)
    wanted = render(tone(1000.0, 1.0, rate=goes, level=-6.0)).samples
    error = (out.samples - wanted)[goes // 10 : -goes // 10]
    assert 20 * math.log10(rms(error) / rms(wanted)) < -120
    with pytest.raises(DeclarationError, match="choose 'live' or 'best'"):
        resample(16_000, "fast")  # pyright: ignore[reportArgumentType]


def test_a_plugin_that_holds_sound_back_keeps_place_and_length() -> None:
    """An MP3 encoder and decoder in a row are late by some 2,500 frames; what comes is in place."""
    import pedalboard as library

    def through_mp3() -> list[Any]:
        return [library.MP3Compressor(2.0), library.Gain(6.0206)]

    came = render(tone(220.0, 1.0))
    operator = pedalboard(through_mp3, latency="55 ms")
    goes = render(tone(220.0, 1.0), operator)
    assert goes.frames == came.frames
    assert np.allclose(goes.samples[5000:-5000], 2 * came.samples[5000:-5000], atol=0.01)
    assert held_back(operator, came.samples[:9000]) <= operator.latency(RATE) == 2640
