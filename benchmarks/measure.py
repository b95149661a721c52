"""What is measured, and how: one round of one side."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import time
from dataclasses import dataclass
from statistics import median, quantiles

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector

from . import our_wire, peer_wire
from .environments import HERE, Side
from .process import POLL, Server
from .wire import Connect, Session, WireError

AT_ONCE = 50
YIELDS = 1_000
START_LIMIT = 60.0
CONNECT: dict[str, Connect] = {"peer": peer_wire.connect, "ossicle": our_wire.connect}


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the report."""

    key: str
    title: str
    unit: str
    higher_is_better: bool = False
    goal: float | None = None
    """What ossicle set out to reach, in `unit`."""
    goal_ratio: float | None = None
    """How many times better than the peer ossicle set out to be."""


MEASURES = (
    Measure("import", "import, whole process", "ms", goal=150),
    Measure("import_cpu", "import, CPU", "ms"),
    Measure("names", "import and take Blocks and Audio", "ms"),
    Measure("bare", "(the same interpreter doing nothing)", "ms"),
    Measure("page", "process start to first page", "ms", goal=600),
    Measure("page_cpu", "CPU to first page", "ms"),
    Measure("usable", "process start to first session", "ms"),
    Measure("rss", "memory after launch, RSS", "MB", goal=80),
    Measure("pss", "memory after launch, PSS", "MB"),
    Measure("rss_used", "memory after the load below, RSS", "MB"),
    Measure("echo_p50", "no-op call, latency p50", "ms"),
    Measure("echo_p99", "no-op call, latency p99", "ms"),
    Measure("echo_cpu", "no-op call, server CPU", "ms", goal_ratio=10),
    Measure("async_p50", "no-op coroutine, latency p50", "ms"),
    Measure("async_cpu", "no-op coroutine, server CPU", "ms"),
    Measure("crowd_rate", f"calls per second, {AT_ONCE} at once", "1/s", higher_is_better=True),
    Measure("crowd_cpu", f"server CPU per call, {AT_ONCE} at once", "ms"),
    Measure("crowd_share", f"server's share of one core, {AT_ONCE} at once", "%"),
    Measure(
        "yields",
        f"generator yields per second, {YIELDS}",
        "1/s",
        higher_is_better=True,
        goal=10_000,
    ),
    Measure("yields_cpu", "server CPU per yield", "ms"),
    Measure("yields_seen", f"of {YIELDS} yields, seen by the page", "", higher_is_better=True),
)
"""Everything a round measures; what a browser measures is in `page.py`."""

Figures = dict[str, float]
"""A measure's key to its value in the measure's unit."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of a server in one round."""

    calls: int = 200
    crowd_seconds: float = 2.0
    warm_up: int = 20


async def one_round(side: Side, load: Load) -> Figures:
    """Import, start, call, and end one side; a figure for every measure."""
    figures: Figures = {}
    figures["import"], figures["import_cpu"] = _process_ms(side, f"import {side.module}")
    figures["names"], _ = _process_ms(side, f"import {side.module} as m; m.Blocks; m.Audio")
    figures["bare"], _ = _process_ms(side, "pass")
    connector = TCPConnector(limit=0)
    async with (
        ClientSession(connector=connector, timeout=ClientTimeout(sock_read=30)) as http,
        Server(side, YIELDS, AT_ONCE) as server,
    ):
        await first_page(http, server)
        figures["page"] = 1e3 * (time.perf_counter() - server.started)
        figures["page_cpu"] = 1e3 * server.cpu()
        session = await CONNECT[side.key](http, server.base)
        figures["usable"] = 1e3 * (time.perf_counter() - server.started)
        await server.quiet()
        memory = server.memory()
        figures |= {"rss": memory.rss / 1e6, "pss": memory.pss / 1e6}
        figures |= await _sequential(server, session, load, "echo", "echo")
        figures |= await _sequential(server, session, load, "echo_async", "async")
        figures |= await _generator(server, session)
        await session.close()
        figures |= await _crowd(server, http, load)
        figures["rss_used"] = server.memory().rss / 1e6
        server.check()
    return figures


def warm_up(side: Side) -> None:
    """Import once unmeasured: the first import compiles and fills the file cache."""
    _process_ms(side, f"import {side.module}")


def _process_ms(side: Side, code: str) -> tuple[float, float]:
    """Milliseconds that a Python lives to run this: on the wall, and on the CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(side.python), "-c", code], check=True, cwd=HERE / "apps")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1e3 * wall, 1e3 * cpu


async def first_page(http: ClientSession, server: Server) -> None:
    """Wait until `GET /` gives a whole page."""
    while time.perf_counter() - server.started < START_LIMIT:
        server.check()
        try:
            async with http.get(server.base) as answer:
                if answer.status == 200 and "<html" in (await answer.text()).lower():
                    return
        except ClientConnectionError:
            pass  # not listening yet: the condition this loop waits for
        await asyncio.sleep(POLL)
    raise SystemExit(f"{server.side.key}: no page within {START_LIMIT} s:\n{server.said()}")


async def _sequential(
    server: Server, session: Session, load: Load, function: str, key: str
) -> Figures:
    """One call after another in one session; each text is new, so that each answer is news."""
    for i in range(load.warm_up):
        await session.echo(function, f"warm {function} {i}")
    times: list[float] = []
    cpu = server.cpu()
    for i in range(load.calls):
        text = f"{function} {i}"
        start = time.perf_counter()
        heard = await session.echo(function, text)
        times.append(1e3 * (time.perf_counter() - start))
        if heard != text:
            raise WireError(f"{server.side.key}: {function} said {heard!r} to {text!r}")
    spent = server.cpu() - cpu
    return {
        f"{key}_p50": median(times),
        f"{key}_p99": quantiles(times, n=100)[98],
        f"{key}_cpu": 1e3 * spent / load.calls,
    }


async def _generator(server: Server, session: Session) -> Figures:
    await session.count()
    cpu = server.cpu()
    start = time.perf_counter()
    seen = await session.count()
    seconds = time.perf_counter() - start
    return {
        "yields": YIELDS / seconds,
        "yields_cpu": 1e3 * (server.cpu() - cpu) / YIELDS,
        "yields_seen": seen,
    }


async def _crowd(server: Server, http: ClientSession, load: Load) -> Figures:
    """Many sessions, each calling again as soon as it is answered."""
    sessions = [await CONNECT[server.side.key](http, server.base) for _ in range(AT_ONCE)]
    await asyncio.gather(*(s.echo("echo", f"warm {i}") for i, s in enumerate(sessions)))
    calls = 0
    end = time.perf_counter() + load.crowd_seconds

    async def keep_calling(session: Session, name: int) -> None:
        nonlocal calls
        i = 0
        while time.perf_counter() < end:
            text = f"{name} {i}"
            heard = await session.echo("echo", text)
            if heard != text:
                raise WireError(f"{server.side.key}: echo said {heard!r} to {text!r}")
            i += 1
            calls += 1

    cpu = server.cpu()
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for name, session in enumerate(sessions):
            group.create_task(keep_calling(session, name))
    seconds = time.perf_counter() - start
    spent = server.cpu() - cpu
    for session in sessions:
        await session.close()
    return {
        "crowd_rate": calls / seconds,
        "crowd_cpu": 1e3 * spent / calls,
        "crowd_share": 100 * spent / seconds,
    }
