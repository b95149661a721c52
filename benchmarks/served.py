"""A server of the live benchmark, one of `apps/`, in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from .process import until

APPS = Path(__file__).parent / "apps"
FOREIGN = ("bare", "by hand")
"""Without ours."""


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cpu(self) -> float:
        """Seconds of all its threads so far; the id is made as clock_getcpuclockid(3) does."""
        return time.clock_gettime((~self.process.pid << 3) | 2)


@contextlib.asynccontextmanager
async def serving(which: str, frame: float, *, uvloop: bool = False) -> AsyncGenerator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    app = [str(APPS / f"{which.replace(' ', '_')}.py"), str(port)]
    if which not in FOREIGN:
        app = [str(APPS / "live.py"), str(port), which, str(frame)]
    if uvloop:
        app.append("uvloop")
    process = subprocess.Popen(
        [sys.executable, *app], cwd=APPS.parents[1], stdin=subprocess.DEVNULL
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        if not await until(listens, 60):
            raise SystemExit(f"the server for {which} did not come up")
        yield Served(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
