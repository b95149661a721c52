"""What a frame of live sound costs a server, beside a bare echo, in turns.

Each side has a server process and a process of front ends (`benchmarks.voices`). They talk in
turns, a few seconds each, so that a busy moment meets all of them; what is compared is CPU time of
the server's process for a frame, in and out, and its ratio to the bare echo of the same frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from .environments import ROOT
from .report import load_average
from .served import Served, serving

UVLOOP = " uvloop"
"""At the end of a side's name: the same on that loop; without it on asyncio's."""
SIDES = {
    "bare": "aiohttp alone, frames sent back as they came",
    "by hand": "what operators does, written out for this one case with aiohttp and numpy",
    "straight": "microphone.stream.to(out)",
    "operators": "the same through align, mono, gain, delay and declick",
    "strip": "the same through gain, highpass, gate, compressor and delay",
    "echo": "a function that is called for each chunk, in a thread",
    "coroutine": "an async function that is called for each chunk",
}
WARM_UP = 1.0  # seconds
GOAL_CPU = 60  # µs a frame
GOAL_P99 = 20  # ms


@dataclass
class Turns:
    """What one side showed, a value a turn."""

    cpu: list[float] = field(default_factory=list[float])
    """µs of the server for a frame."""
    share: list[float] = field(default_factory=list[float])
    """Of one core, in percent."""
    p50: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])
    sent: int = 0
    heard: float = 0
    late: float = 0
    """ms by which the front ends themselves were late, at most: theirs, not the server's."""

    @property
    def back(self) -> float:
        return 100 * self.heard / max(1, self.sent)


class Voices:
    """A process of front ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, line: str) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        return json.loads(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def voices(served: Served, which: str, sessions: int, frame: float) -> AsyncGenerator[Voices]:
    wire = {"bare": "bare", "by hand": "told"}.get(which.removesuffix(UVLOOP), "ours")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.voices"),
        *(str(served.port), wire, str(sessions), str(frame)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        if not await process.stdout.readline():
            raise SystemExit(f"the front ends of {which} could not connect")
        yield Voices(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def crowd(
    sides: list[str], sessions: int, rounds: int, seconds: float, frame: float = 20
) -> dict[str, Turns]:
    """The sides in turns."""
    found: dict[str, Turns] = defaultdict(Turns)
    async with contextlib.AsyncExitStack() as stack:
        open_sides = list[tuple[str, Served, Voices]]()
        for which in sides:
            app = which.removesuffix(UVLOOP)
            served = await stack.enter_async_context(serving(app, frame, uvloop=app != which))
            people = await stack.enter_async_context(voices(served, which, sessions, frame))
            await people.say(f"talk {WARM_UP}")
            open_sides.append((which, served, people))
        for _ in range(rounds):
            for which, served, people in open_sides:
                before = served.cpu()
                told = await people.say(f"talk {seconds}")
                cpu = served.cpu() - before
                turns = found[which]
                turns.cpu.append(1e6 * cpu / told["sent"])
                turns.share.append(100 * cpu / seconds)
                turns.sent += told["sent"]
                turns.heard += told["heard"]
                turns.late = max(turns.late, told["late"])
                if told["trips"]:
                    turns.p50.append(told["trips"][0])
                    turns.p99.append(told["trips"][2])
                if told["lost"]:
                    print(f"{which}: {told['lost']}", file=sys.stderr)
    return found


def table(found: dict[int, dict[str, Turns]]) -> str:
    """Markdown."""
    lines = [
        "| without a browser | server CPU a frame | × bare | p50 | p99 | came back | of a core |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for sessions, sides in found.items():
        for which, turns in sides.items():
            cpu = median(turns.cpu)
            least = "bare" + UVLOOP * which.endswith(UVLOOP)
            bare = median(sides[least].cpu) if least in sides else 0
            lines.append(
                f"| {which}, {sessions} session{'s' * (sessions > 1)} "
                f"| {cpu:.0f} µs ({min(turns.cpu):.0f} to {max(turns.cpu):.0f}) "
                f"| {f'{cpu / bare:.2f}' if bare else '–'} "
                f"| {_ms(turns.p50)} | {_ms(turns.p99)} | {turns.back:.1f} % "
                f"| {median(turns.share):.0f} % |"
            )
    most = max(turns.late for sides in found.values() for turns in sides.values())
    lines += [
        "",
        *(f"- {which}: {text}" for which, text in SIDES.items()),
        "- × bare: on the same loop",
        f"- goals: operators at 200 sessions ≤ {GOAL_CPU} µs, p99 < {GOAL_P99} ms, 100 % back",
        f"- the front ends themselves were late by {most:.0f} ms at most; load {load_average()}",
    ]
    return "\n".join(lines)


def _ms(values: list[float]) -> str:
    return f"{median(values):.1f} ms" if values else "–"
