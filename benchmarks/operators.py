"""`python -m benchmarks.operators`: what each operator costs, and a chain offline.

Costs are process CPU time, so that a busy machine does not count. A block of 20 ms may take 20,000
µs in all; offline, "times real time" is seconds of sound a second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from reactivex import Observable, Subject
from reactivex import operators as rx

from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block
from ossicle.flow.generators import clip_blocks
from ossicle.flow.offline import run
from ossicle.flow.operators import (
    Operator,
    align,
    chorus,
    compressor,
    declick,
    delay,
    denoise,
    eq,
    frame,
    gain,
    gate,
    highpass,
    level,
    limiter,
    loudness,
    lowpass,
    mel,
    mono,
    onset,
    pan,
    pause,
    pitch,
    pitch_track,
    record,
    resample,
    reverb,
    spectrogram,
    spectrum,
    tee,
    tempo,
    vad,
)

from .report import load_average, machine

RATE = 48_000
GOAL = 1_000

Make = Callable[[], Operator[Block, Any]]

EACH: dict[str, Make] = {
    "gain": lambda: gain(-6.0),
    "pan": lambda: pan(0.3),
    "mono": mono,
    "lowpass (1 section)": lambda: lowpass(800.0),
    "lowpass (4 sections)": lambda: lowpass(800.0, 8),
    "eq (3 sections)": lambda: eq(3.0, -2.0, 1.0),
    "resample to 16 kHz": lambda: resample(16_000),
    "frame(512)": lambda: frame(512),
    "level": level,
    "tee(level)": lambda: tee(level(), into=lambda _: None),
    "gate": gate,
    "compressor": compressor,
    "limiter": limiter,
    "delay": delay,
    "chorus": chorus,
    "reverb": reverb,
    "tempo(1.25)": lambda: tempo(1.25),
    "pitch(4)": lambda: pitch(4.0),
    "denoise": denoise,
    "align": align,
    "declick": declick,
    "vad": vad,
    "pause": pause,
    "spectrum(2048)": spectrum,
    "spectrogram(1024, 256)": spectrogram,
    "mel(80, 25 ms, 10 ms)": mel,
    "pitch_track": pitch_track,
    "onset": onset,
    "loudness": loudness,
    "record": record,
}


def material(seconds: float) -> np.ndarray[Any, Any]:
    """Mono: a voice-like tone in bursts over noise."""
    now = np.arange(round(seconds * RATE)) / RATE
    bursts = np.where(now % 0.5 < 0.3, 0.1, 0.0)
    voice = np.sum([np.sin(2 * np.pi * 220 * k * now) / k for k in range(1, 8)], axis=0)
    noise = np.random.default_rng(0).standard_normal(len(now)) * 0.003
    return (bursts * voice + noise).astype(np.float32)[:, None]


def per_block(make: Make, samples: np.ndarray[Any, Any], size: int, rounds: int) -> float:
    """µs of CPU for a block of `size` frames, source and sink left out of it."""
    blocks = [
        Block(samples[at : at + size], RATE, at) for at in range(0, len(samples) - size + 1, size)
    ]
    times: list[float] = []
    for _ in range(rounds):
        source = Subject[Block]()
        out: Observable[Any] = make()(source)
        out.subscribe(lambda _: None)
        for block in blocks[:20]:  # scipy and FFmpeg load, filters fill
            source.on_next(block)
        begin = time.process_time()
        for block in blocks[20:]:
            source.on_next(block)
        times.append((time.process_time() - begin) / (len(blocks) - 20))
    return median(times) * 1e6


def plumbing(rounds: int) -> list[tuple[str, float]]:
    """What the frame around an operator costs: a block made, and a hop through Rx."""
    samples = np.zeros((960, 1), np.float32)
    many = 20_000

    def timed(work: Callable[[], None]) -> float:
        times: list[float] = []
        for _ in range(rounds):
            begin = time.process_time()
            work()
            times.append((time.process_time() - begin) / many)
        return median(times) * 1e6

    def make() -> None:
        for n in range(many):
            Block(samples, RATE, n)

    block16 = np.zeros((960, 1), np.int16)

    def check() -> None:
        for n in range(many):
            Block.of(RATE, block16, n)

    def hop(chain: Sequence[Any]) -> Callable[[], None]:
        def work() -> None:
            source = Subject[Block]()
            out: Observable[Any] = source
            for operator in chain:
                out = operator(out)
            out.subscribe(lambda _: None)
            for n in range(many):
                source.on_next(Block(samples, RATE, n * 960))

        return work

    identity: Any = rx.map(lambda block: block)  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType]
    empty = timed(hop(()))
    return [
        ("Block(...)", timed(make)),
        ("Block.of(int16)", timed(check)),
        ("rx.map(identity)", timed(hop([identity] * 10)) / 10 - empty / 10),
        ("gain(0.0), which does nothing", timed(hop([gain(0.0)] * 10)) / 10 - empty / 10),
    ]


def times_real_time(
    clip: Clip, block: int, rounds: int, make: Callable[[], Sequence[Operator[Any, Any]]]
) -> float:
    """Seconds of sound for a second of CPU, from a clip of 16-bit samples to the readings."""
    speeds: list[float] = []
    for _ in range(rounds):
        begin = time.process_time()
        run(clip_blocks(clip, block), *make())
        speeds.append(clip.duration / (time.process_time() - begin))
    return median(speeds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operators", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many (default 5)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of sound for each operator")
    options = parser.parse_args()
    for name, value in {**machine(), "load average": load_average()}.items():
        print(f"{name}: {value}")
    print("\nµs of CPU")
    for name, cost in plumbing(options.rounds):
        print(f"  {name:34}{cost:8.2f}")
    samples = material(options.seconds)
    print(f"\n{'48 kHz mono, µs of CPU a block of':36}{'20 ms':>8}{'10 ms':>8}{'× real time':>13}")
    for name, make in EACH.items():
        long = per_block(make, samples, 960, options.rounds)
        short = per_block(make, samples, 480, options.rounds)
        print(f"  {name:34}{long:8.1f}{short:8.1f}{20_000 / long:13.0f}")
    clip = Clip.of(RATE, material(60.0), normalize="never")
    print("\noffline, gain → highpass → level, from 16 bit, × real time")
    for block in (960, 8192, 65_536):
        speed = times_real_time(
            clip, block, options.rounds, lambda: (gain(-3.0), highpass(80.0), level())
        )
        goal = f"  (goal {GOAL}: {'met' if speed >= GOAL else 'missed'})" if block == 8192 else ""
        print(f"  {f'blocks of {block}':34}{speed:8.0f}{goal}")


if __name__ == "__main__":
    main()
