"""What is measured in sound, against signals whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ossicle.flow.blocks import END, START, Block, BlockError, Samples
from ossicle.flow.errors import DeclarationError
from ossicle.flow.generators import noise, sweep, tone
from ossicle.flow.offline import render, run
from ossicle.flow.operators import (
    Level,
    Loudness,
    Mel,
    Onset,
    Pitch,
    Spectrogram,
    Spectrum,
    Voice,
    level,
    loudness,
    mel,
    onset,
    pause,
    pitch_track,
    spectrogram,
    spectrum,
    vad,
)
from ossicle.flow.operators.testing import cut, through

RATE = 48_000


def stereo(hertz: float, seconds: float, decibels: float) -> Samples:
    """A sine on both channels, its peak at so many dB."""
    mono = render(tone(hertz, seconds, level=decibels)).samples
    return np.repeat(mono, 2, axis=1)


def test_level_reads_rms_peak_and_clipping() -> None:
    """A full-scale sine: -3 dB RMS, peak 1; samples at full scale are counted; the rest at END."""
    samples = np.zeros((5000, 2), np.float32)
    samples[:2400, 0] = np.sin(np.arange(2400) * 2 * np.pi / 48)
    samples[4805:4808, 1] = (1.0, -1.5, 0.5)
    first, second, rest = through(cut(samples), level("50 ms"))
    assert isinstance(first, Level)
    assert (first.index, second.index, rest.index) == (0, 2400, 4800)
    assert math.isclose(first.rms[0], math.sqrt(0.5), rel_tol=1e-5)
    assert abs(first.decibels + 3.01) < 0.01
    assert first.peak == (1.0, 0.0)
    assert (first.clipped, second.clipped, rest.clipped) == (100, 0, 2)
    assert second.decibels == -200.0
    assert (rest.frames, rest.peak[1]) == (200, 1.5)


@pytest.mark.parametrize(
    ("passages", "wanted"),
    [
        ([(-23.0, 20.0)], -23.0),
        ([(-33.0, 20.0)], -33.0),
        ([(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        ([(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        ([(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ],
    ids=["1", "2", "3", "4", "5"],
)
def test_loudness_passes_the_cases_of_tech_3341(
    passages: list[tuple[float, float]], wanted: float
) -> None:
    """EBU Tech 3341, minimum requirements 1 to 5: stereo sines of 1 kHz, to within 0.1 LU."""
    samples = np.concatenate([stereo(1000.0, seconds, db) for db, seconds in passages])
    readings: list[Loudness] = through(cut(samples, (48_000,)), loudness())
    assert abs(readings[-1].integrated - wanted) <= 0.1
    if len(passages) == 1:
        assert abs(readings[-1].momentary - wanted) <= 0.1
        assert abs(readings[-1].short_term - wanted) <= 0.1


def test_loudness_is_the_same_at_every_rate() -> None:
    """The filters are made for the rate: a tone of 1 kHz is as loud at 44.1 as at 48 kHz."""
    for rate in (16_000, 44_100, 96_000):
        reading = run(tone(1000.0, 5.0, rate=rate, level=-20.0), loudness())[-1]
        assert abs(reading.integrated + 23.0) < 0.1


def test_loudness_of_silence() -> None:
    """Silence has a number, and gates nothing in."""
    reading = through(cut(np.zeros(RATE)), loudness())[-1]
    assert (reading.momentary, reading.integrated) == (-120.0, -120.0)


def test_a_spectrum_shows_a_tone_at_its_height() -> None:
    """A full-scale sine on a bin is 1.0 there, and nowhere above -90 dB four bins away."""
    values: list[Spectrum] = run(tone(1500.0, 0.2, level=0.0), spectrum(1024))
    assert [v.index for v in values[:3]] == [0, 512, 1024]
    one = values[3]
    assert float(one.frequencies[np.argmax(one.magnitudes)]) == 1500.0
    assert math.isclose(float(one.magnitudes.max()), 1.0, rel_tol=1e-3)
    far = np.abs(one.frequencies - 1500.0) > 4 * RATE / 1024
    assert float(one.decibels[far].max()) < -90


def test_a_spectrogram_follows_a_sweep() -> None:
    """The loudest bin rises from column to column; pictures are whole but for the last."""
    pictures: list[Spectrogram] = run(sweep(200.0, 10_000.0, 1.0), spectrogram(columns=16))
    assert {p.decibels.shape[0] for p in pictures[:-1]} == {16}
    assert all(b.index - a.index == 16 * 256 for a, b in zip(pictures, pictures[1:], strict=False))
    loudest = np.concatenate([p.decibels.argmax(axis=1) for p in pictures])
    assert np.all(np.diff(loudest) >= 0)
    assert loudest[-1] > 20 * loudest[0] > 0
    assert min(float(p.decibels.min()) for p in pictures) >= -100.001


def test_mel_bands_hold_a_tone() -> None:
    """A tone's power is in the band around it: 1 kHz is 1000 mel, by HTK's formula."""
    values: list[Mel] = run(tone(1000.0, 0.2, rate=16_000), mel(40))
    band = int(np.argmax(values[3].bands))
    top = 2595 * math.log10(1 + 8000 / 700)
    assert abs((band + 1) * top / 41 - 999.99) < top / 41
    assert [v.index for v in values[:3]] == [0, 160, 320]


@pytest.mark.parametrize("hertz", [65.0, 110.0, 196.0, 440.0, 987.8])
def test_pitch_is_found_to_some_cents(hertz: float) -> None:
    """A voice of seven partials, to within 3 cents, wherever it lies."""
    time = np.arange(RATE // 2) / RATE
    voice = np.sum([np.sin(2 * np.pi * hertz * k * time + k) / k for k in range(1, 8)], axis=0)
    found: list[Pitch] = through(cut(0.1 * voice), pitch_track())
    assert len(found) > 20
    for reading in found:
        assert reading.hertz is not None
        assert abs(1200 * math.log2(reading.hertz / hertz)) < 3
        assert reading.clarity > 0.95


def test_a_pitch_has_a_note() -> None:
    """A4 is 440 Hz, and 25 cents above it is told."""
    pitch = Pitch(0, RATE, 440.0 * 2 ** (25 / 1200), 1.0)
    assert (pitch.note, round(pitch.cents or 0, 6)) == ("A4", 25.0)
    assert Pitch(0, RATE, 261.63, 1.0).note == "C4"
    assert Pitch(0, RATE, None, 0.0).note is None


def test_noise_and_silence_have_no_pitch() -> None:
    """None, and little clarity."""
    assert all(p.hertz is None for p in run(noise(0.5), pitch_track()))
    assert {p.hertz for p in through(cut(np.zeros(9600)), pitch_track())} == {None}


def test_onsets_are_found_where_notes_begin() -> None:
    """Soft and loud notes over faint noise, each once, to within 10 ms."""
    time = np.arange(3 * RATE) / RATE
    sound = 0.0003 * np.random.default_rng(0).standard_normal(len(time))
    begins = [0.4, 0.9, 1.3, 1.75, 2.4]
    for n, begin in enumerate(begins):
        passed = time - begin
        note = np.sin(2 * np.pi * (220 * 1.3**n) * passed) * np.exp(-6 * passed)
        sound += np.where(passed >= 0, 0.05 * (n + 1) * note, 0)
    found: list[Onset] = through(cut(sound), onset())
    late = [o.index / RATE for o in found if o.index > 0.1 * RATE]
    assert len(late) == len(begins)
    assert all(abs(a - b) < 0.01 for a, b in zip(late, begins, strict=True))


def speech() -> Samples:
    """Words at 1.0 to 1.8 s and 2.6 to 3.0 s over noise of -50 dB, 4 s at 16 kHz."""
    time = np.arange(4 * 16_000) / 16_000
    word = ((time > 1.0) & (time < 1.8)) | ((time > 2.6) & (time < 3.0))
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    hiss = 0.003 * np.random.default_rng(2).standard_normal(len(time))
    return (0.1 * word * voice + hiss).astype(np.float32)[:, None]


def test_vad_tells_words_from_noise() -> None:
    """Speaking 60 ms after a word begins, until 300 ms after it ends; noise is not speech."""
    voices: list[Voice] = through(cut(speech(), rate=16_000), vad())
    edges = [
        (b.index / 16_000, b.speaking)
        for a, b in zip(voices, voices[1:], strict=False)
        if a.speaking != b.speaking
    ]
    wanted = [(1.04, True), (2.08, False), (2.64, True), (3.28, False)]
    assert [s for _, s in edges] == [s for _, s in wanted]
    assert all(abs(a - b) <= 0.021 for (a, _), (b, _) in zip(edges, wanted, strict=True))
    assert {v.block.frames for v in voices} == {320}


def test_vad_takes_another_detector() -> None:
    """`decide` makes a detector that gets mono samples of the hop and their rate."""
    asked: list[tuple[tuple[int, ...], int]] = []

    def make() -> object:
        def decide(samples: Samples, rate: int) -> bool:
            asked.append((samples.shape, rate))
            return True

        return decide

    voices = through(cut(np.zeros((4800, 2))), vad(480, start="10 ms", decide=make))  # pyright: ignore[reportArgumentType]
    assert asked == [((480, 1), RATE)] * 10
    assert all(v.speaking for v in voices)


def test_pause_gives_each_utterance_as_one_block() -> None:
    """From 200 ms before a word to the silence after it, with the very samples that came."""
    came = speech()
    said: list[Block] = through(cut(came, rate=16_000), pause("300 ms"))
    assert [b.flags for b in said] == [START | END, START | END]
    for block, (begin, end) in zip(said, [(1.0, 1.8), (2.6, 3.0)], strict=True):
        assert begin - 0.3 < block.index / 16_000 < begin - 0.15
        assert end + 0.25 < block.end / 16_000 < end + 0.4
        assert np.array_equal(block.samples, came[block.index : block.end])


def test_a_long_utterance_is_cut() -> None:
    """Nothing is held for longer than max_seconds; the pieces join without a gap."""
    loud = 0.2 * np.random.default_rng(0).standard_normal(3 * RATE)
    said: list[Block] = through(cut(loud), pause(max_seconds=1.0))
    assert all(b.duration <= 1.0 for b in said)
    assert all(a.end == b.index for a, b in zip(said, said[1:], strict=False))
    assert said[-1].end == 3 * RATE


def test_webrtc_tells_a_voice_from_noise_that_is_as_loud() -> None:
    """A hum of many partials that moves is a voice, hiss of the same level is none."""
    time = np.arange(2 * 16_000) / 16_000
    pitch = 2 * np.pi * np.cumsum(140 + 20 * np.sin(2 * np.pi * 3 * time)) / 16_000
    voice = np.sum([np.sin(k * pitch) / k for k in range(1, 20)], axis=0)
    voice *= 0.1 * (1 + np.sin(2 * np.pi * 4 * time)) / 2
    hiss = 0.02 * np.random.default_rng(1).standard_normal(len(time))
    spoken: list[Voice] = through(cut(voice, rate=16_000), vad(method="webrtc"))
    noisy: list[Voice] = through(cut(hiss, rate=16_000), vad(method="webrtc"))
    assert sum(v.heard for v in spoken) > 0.7 * len(spoken)
    assert sum(v.heard for v in noisy[5:]) < 0.1 * len(noisy)


def test_webrtc_says_what_it_takes() -> None:
    """Another rate and an odd hop are named, with what to put before it."""
    with pytest.raises(BlockError, match=r"resample\(16_000\)"):
        run(tone(rate=44_100), vad(method="webrtc"))
    with pytest.raises(BlockError, match="choose hop='20 ms'"):
        run(tone(rate=16_000), vad(512, method="webrtc"))
    with pytest.raises(DeclarationError, match="energy or webrtc"):
        vad(method="silero")  # pyright: ignore[reportArgumentType]
