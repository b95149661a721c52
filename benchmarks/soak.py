"""`python -m benchmarks.soak --minutes 30`: does anything grow while people come and go for long?

Front ends made of Python record takes, hear what comes back, click, leave, and new ones come. Every
minute the server's counters are printed; at the end it is said what grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from ossicle.runtime.streams.frame import START, Frame, unpack

from .live import percentile
from .process import free_port
from .report import load_average

APP = Path(__file__).parent / "apps" / "soak.py"
RATE = 48_000
TAKE = 20.0  # seconds of one recording
TAKES = 3  # of one visitor, who then leaves
WARM_UP = 2  # minutes in which caches fill: nothing is compared with them


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--visitors", type=int, default=4, help="at once (default 4)")
    parser.add_argument("--frame", type=float, default=20.0, metavar="MS")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("memory and files are read from Linux' /proc")
    if options.minutes < 3 * WARM_UP:
        parser.error(f"{3 * WARM_UP} minutes are the least: the first {WARM_UP} do not count")
    grew = asyncio.run(soak(options.minutes, options.visitors, options.frame))
    sys.exit(1 if grew else 0)


@dataclass
class Heard:
    """What the front ends saw within a minute."""

    sent: int = 0
    back: int = 0
    refused: int = 0
    trips: list[float] = field(default_factory=list[float])


@dataclass(frozen=True)
class Minute:
    """What there was at the end of one."""

    rss: float
    used: float
    """MB that the C heap has lent out: what is in RSS beyond it is free, and in pieces."""
    blocks: float
    """Thousands of Python's own."""
    fds: int
    threads: int
    tasks: int
    open: int


async def soak(minutes: int, visitors: int, frame: float) -> list[str]:
    """Let visitors come and go; what grew, in words."""
    history: list[Minute] = []
    async with serving(frame) as (server, url), ClientSession() as http:
        heard = Heard()
        people = [
            asyncio.create_task(visit_for_ever(http, url, heard, frame, n)) for n in range(visitors)
        ]
        try:
            for minute in range(1, minutes + 1):
                await asyncio.sleep(60)
                history.append(report(minute, server, await told(server), heard))
                heard.__init__()
                for each in people:
                    if each.done():
                        each.result()  # a visitor that failed ends the soak with its error
        finally:
            for each in people:
                each.cancel()
            await asyncio.gather(*people, return_exceptions=True)
        await asyncio.sleep(7)  # everybody has left: the sessions end after their grace
        left = await told(server)
        held = rss(server.pid)
        await told(server, "trim")
        print(f"after all have left: {left['open']} sessions, {left['tasks']} tasks, "
              f"{held:.1f} MB; what was free given back: {rss(server.pid):.1f} MB")  # fmt: skip
    grew = growth(history[WARM_UP:])
    if left["open"]:
        grew.append(f"{left['open']} sessions were left")
    print("grew: " + "; ".join(grew) if grew else "nothing grew")
    return grew


def report(
    minute: int, server: subprocess.Popen[str], state: dict[str, Any], heard: Heard
) -> Minute:
    into, out = state["totals"]["in"], state["totals"]["out"]
    now = Minute(
        rss(server.pid),
        state["heap"]["used"],
        state["heap"]["blocks"],
        len(os.listdir(f"/proc/{server.pid}/fd")),
        len(os.listdir(f"/proc/{server.pid}/task")),
        state["tasks"],
        state["open"],
    )
    trips = [1000 * each for each in heard.trips] or [float("nan")]
    print(
        f"{minute:3} min  RSS {now.rss:6.1f} MB  "
        f"heap {now.used:.1f} used {state['heap']['free']:.1f} free  blocks {now.blocks:.0f}k  "
        f"fds {now.fds}  threads {now.threads}  "
        f"tasks {now.tasks}  sessions {now.open} of {state['opened']}  "
        f"back {100 * heard.back / max(1, heard.sent):5.1f} % of {heard.sent}  "
        f"p50 {median(trips):.1f} p99 {percentile(trips, 99):.1f} ms  "
        f"lost {into['lost']} late {into['late']} dropped {out['dropped']}  "
        f"refused {heard.refused}  "
        f"loop p99 {state['loop']['p99_ms']} most {state['loop']['most_ms']} ms  "
        f"load average {load_average()}",
        flush=True,
    )
    return now


def growth(history: Sequence[Minute]) -> list[str]:
    """What is more in the last third than in the first, beyond what comes and goes."""
    third = max(1, len(history) // 3)
    found: list[str] = []
    for name, least, unit in (
        ("rss", 0.05, "MB"), ("used", 0.05, "MB of heap"), ("blocks", 0.02, "thousand blocks"),
        ("fds", 0.0, ""), ("threads", 0.0, ""), ("tasks", 0.0, ""),
    ):  # fmt: skip
        first = median(getattr(each, name) for each in history[:third])
        last = median(getattr(each, name) for each in history[-third:])
        if last - first > max(3.0, least * first):
            found.append(f"{name} from {first:.1f} to {last:.1f} {unit}".rstrip())
    return found


# -- a server ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def serving(frame: float) -> AsyncGenerator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, str(APP), str(port), str(frame)],
        cwd=APP.parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        await told(server)  # it answers as soon as it listens
        yield server, f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


async def told(server: subprocess.Popen[str], words: str = "") -> dict[str, Any]:
    """The server's own counters."""
    into, out = server.stdin, server.stdout
    assert into and out

    def ask() -> str:
        into.write(f"{words}\n")
        into.flush()
        return out.readline()

    answer = await asyncio.to_thread(ask)
    if not answer:
        raise SystemExit("the server has ended")
    return json.loads(answer)


def rss(pid: int) -> float:
    """MB that a process holds."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- front ends ----------------------------------------------------------------------------------


async def visit_for_ever(
    http: ClientSession, url: str, heard: Heard, frame: float, number: int
) -> None:
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, TAKE))
    while True:
        async with http.ws_connect(url + "ws", origin=url.rstrip("/")) as line:
            opened = json.loads((await line.receive()).data)
            ids = {
                node["props"].get("label") or node["props"].get("value"): node["id"]
                for node in opened["app"]["nodes"]
            }
            hearing = asyncio.create_task(hear(line, heard))
            for _ in range(TAKES):
                await line.send_json({"type": "act", "node": ids["Speak"], "act": "click"})
                await take(line, ids["Microphone"], heard, frame, chance)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def take(
    line: ClientWebSocketResponse, node: int, heard: Heard, frame: float, chance: random.Random
) -> None:
    """One recording, with a frame lost now and then, as lines are."""
    size = round(RATE * frame / 1000)
    samples = np.random.default_rng(1).integers(-9000, 9000, (size, 1)).astype(np.int16)
    await line.send_json({"type": "act", "node": node, "act": "start_recording"})
    begin = time.perf_counter()
    for n in range(round(1000 * TAKE / frame)):
        await asyncio.sleep(max(0.0, begin + n * frame / 1000 - time.perf_counter()))
        if n and chance.random() < 0.001:
            continue
        now = (time.perf_counter() % 100_000) * 1000
        piece = Frame(node, 0 if n else START, n, RATE, n * size, now, samples)
        await line.send_bytes(piece.pack())
        heard.sent += 1
    await line.send_json({"type": "act", "node": node, "act": "stop_recording"})


async def hear(line: ClientWebSocketResponse, heard: Heard) -> None:
    """Acknowledge all sound, and measure what was captured here."""
    told: dict[int, float] = {}
    seq = 0
    async for message in line:
        now = time.perf_counter()
        if message.type is WSMsgType.TEXT:
            said = json.loads(message.data)
            if said.get("type") == "trouble" or any(
                each["kind"] == "trouble" for each in said.get("patches", [])
            ):
                heard.refused += 1
            if said.get("seq", 0) > seq:
                seq = said["seq"]
                await line.send_json({"type": "ack", "seq": seq})
            continue
        if message.type is not WSMsgType.BINARY:
            continue
        frame = unpack(message.data)
        if frame.seq:  # it tells when it was captured
            heard.back += 1
            heard.trips.append(((now % 100_000) * 10_000 - frame.seq) % (1 << 32) / 10_000)
        if now - told.get(frame.node, 0.0) > 0.1:
            told[frame.node] = now
            at = frame.index + len(frame.samples)
            await line.send_json(
                {"type": "played", "node": frame.node, "epoch": round(frame.time), "frames": at,
                 "underruns": 0}
            )  # fmt: skip


if __name__ == "__main__":
    main()
