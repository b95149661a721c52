"""`python -m benchmarks.lab`: what an hour of an app costs in a lab's virtual time.

An app with timers, a queue, batches and a stream of 20 ms blocks; one user all along, and guests.
A function hears of each second: in one app of the stream's chunk, in another of the reading of a
meter, in a third of what Rx's own operators make of each block.
`--trace` prints what happened instead: the same text under every hash seed; `--seeds 100` tries it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import reactivex.operators as ops

import ossicle as oc
from ossicle.flow.blocks import Block
from ossicle.flow.operators import Level, level
from ossicle.testing import Lab

from .report import machine

ROOT = Path(__file__).parent.parent
HOUR = 3600.0
CHUNK = 0.02
RATE = 48_000
A_SECOND = round(1 / CHUNK)
WAYS = {
    "chunks": "the stream in chunks of a second",
    "operators": "the stream through a meter and Rx's map",
    "rx": "the stream through Rx's buffer_with_count and map",
}


class App:
    """Timers, a queue, batches and a stream, of which something is made each second.

    way: of `WAYS`.
    """

    def __init__(self, way: str = "chunks") -> None:
        with oc.Blocks() as self.blocks:
            self.mic = oc.Microphone(streaming=True)
            self.text, self.answer, self.words = oc.Textbox(), oc.Textbox(), oc.Textbox()
            self.level, self.count, self.total = oc.Number(0), oc.Number(0), oc.Number(0)
            self.history = oc.State([])
            self.ask, self.tell, self.go = oc.Button("Ask"), oc.Button("Tell"), oc.Button("Go")
            oc.Timer(1.0).tick(more, self.count, self.count)
            self.go.click(more, self.total, self.total, every=10)
            if way == "chunks":
                self.mic.stream(loudest, self.mic, self.level, stream_every=1)
            else:
                seconds = [level("1 s"), ops.map(reading)]
                if way == "rx":
                    seconds = [ops.buffer_with_count(A_SECOND), ops.map(peak)]
                self.mic.stream.pipe(*seconds)(loudness, None, self.level)
            self.ask.click(
                answer,
                [self.text, self.history],
                [self.answer, self.history],
                trigger_mode="multiple",
                concurrency_id="model",
                concurrency_limit=2,
            )
            self.tell.click(
                shout, self.text, self.words, batch=True, max_batch_size=8, batch_window=0.5
            ).then(count_to_three, None, self.words)
            self.text.change(length, self.text, self.total)


def more(number: int) -> int:
    return number + 1


def loudest(sound: tuple[int, Any]) -> float:
    _, samples = sound
    return float(samples.max())


def reading(meter: Level) -> float:
    return meter.peak[0]


def peak(blocks: list[Block]) -> float:
    return max(float(block.samples.max()) for block in blocks[::10])


def loudness(event: oc.EventData) -> float:
    return event.value


def answer(text: str, history: list[str]) -> tuple[str, list[str]]:
    return f"{text}?", [*history[-9:], text]


def shout(texts: list[str]) -> tuple[list[str]]:
    return ([text.upper() for text in texts],)


async def count_to_three() -> AsyncIterator[str]:
    for n in range(3):
        await asyncio.sleep(0.2)
        yield str(n)


def length(text: str) -> int:
    return len(text)


def chunks(seconds: float) -> Iterator[Block]:
    samples = np.linspace(0, 1, round(CHUNK * RATE), dtype=np.float32)[:, None]
    size = len(samples)
    return (Block(samples, RATE, n * size) for n in range(round(seconds / CHUNK)))


def run(lab: Lab, app: App, seconds: float) -> None:
    """One user talks all the time; each minute two guests come, ask too, and lose their line."""
    lab.takes(answer, 1.5)
    lab.takes(shout, 0.3)
    lab.feed(app.mic, chunks(seconds), CHUNK)
    lab.click(app.go)
    for minute in range(round(seconds / 60)):
        guests = [lab.session(), lab.session()]
        for n, user in enumerate((lab, *guests)):
            user.type(app.text, f"{minute} {n}")
            user.click(app.ask)
            user.click(app.ask)
            user.click(app.tell)
        lab.run_until(minute * 60 + 10)
        for guest in guests:
            guest.disconnect()
        lab.run_until(minute * 60 + 15)
        guests[0].reconnect()
        lab.run_until(minute * 60 + 20)
        guests[0].disconnect()
        lab.run_until((minute + 1) * 60)


def trace(seconds: float) -> str:
    app = App()
    with Lab(app.blocks) as lab:
        run(lab, app, seconds)
        return "\n".join(lab.trace.lines())


def measure(way: str) -> dict[str, Any]:
    app = App(way)
    gc.collect()
    begun, used = time.perf_counter(), time.process_time()
    with Lab(app.blocks) as lab:
        run(lab, app, HOUR)
        took, used = time.perf_counter() - begun, time.process_time() - used
        requests = len({each.request_id for each in lab.outcomes})
        stations = len(lab.outcomes)
    return {"took": took, "used": used, "requests": requests, "stations": stations}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab", description=__doc__)
    parser.add_argument("--trace", action="store_true", help="print three minutes of what happens")
    parser.add_argument("--seeds", type=int, metavar="N", help="compare N runs by hash seed")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.trace:
        print(trace(180))
    elif options.seeds:
        compare(options.seeds)
    else:
        for name, value in machine().items():
            print(f"- {name}: {value}")
        for way, title in WAYS.items():
            report(title, [measure(way) for _ in range(options.rounds)])


def report(title: str, found: list[dict[str, Any]]) -> None:
    print(f"- {title}: {HOUR / CHUNK:,.0f} blocks, {found[0]['requests']:,} requests,", end=" ")
    print(f"{found[0]['stations']:,} stations of requests")
    for what in ("took", "used"):
        seconds = [each[what] for each in found]
        print(f"  - {what}: {median(seconds):.2f} s ({', '.join(f'{s:.2f}' for s in seconds)})")


def compare(seeds: int) -> None:
    seen = dict[str, list[int]]()
    for seed in range(seeds):
        env = dict(os.environ, PYTHONHASHSEED=str(seed))
        command = [sys.executable, "-m", "benchmarks.lab", "--trace"]
        done = subprocess.run(
            command, cwd=ROOT, env=env, check=True, capture_output=True, text=True
        )
        seen.setdefault(done.stdout, []).append(seed)
    lines = len(next(iter(seen)).splitlines())
    print(f"{seeds} runs, {len(seen)} different traces of {lines:,} lines")
    if len(seen) > 1:
        print(f"by seed: {list(seen.values())}")
        sys.exit(1)


if __name__ == "__main__":
    main()
