"""A server under measurement: its start, its CPU time, its memory, its end. Linux only (/proc)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from .environments import HERE, Side

APP = HERE / "apps" / "small.py"
POLL = 0.005
"""Seconds between looks at a condition; far below everything that is measured."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes held by a process and its children."""

    rss: int
    pss: int
    """Shared pages counted in proportion: what ending the process would give back."""


class Server:
    """An app as one side serves it, on a port of its own; `numbers` are for the app."""

    def __init__(self, side: Side, *numbers: int, app: Path = APP) -> None:
        self.side = side
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/"
        self._log: IO[bytes] = tempfile.TemporaryFile()
        command = [str(side.python), str(app), side.module, *map(str, (self.port, *numbers))]
        # Neither side shall speak to the world while it is measured.
        environment = dict(os.environ, GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
        environment["PATH"] = f"{side.python.parent}{os.pathsep}{environment['PATH']}"
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=app.parent,
            env=environment,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def check(self) -> None:
        """Raise with the server's own words if it has ended."""
        if self._process.poll() is not None:
            raise SystemExit(f"{self.side.key}'s server ended by itself:\n{self.said()}")

    def said(self) -> str:
        """The last of what the server printed."""
        self._log.seek(0)
        return self._log.read()[-4000:].decode(errors="replace")

    def cpu(self) -> float:
        """Seconds of user and system time used so far by the process and all its children."""
        return sum(_cpu_seconds(pid) for pid in self._tree())

    def memory(self) -> Memory:
        rss = pss = 0
        for pid in self._tree():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in ("Rss", "Pss"):
                    size = int(rest.split()[0]) * 1024
                    rss, pss = (rss + size, pss) if name == "Rss" else (rss, pss + size)
        return Memory(rss, pss)

    async def quiet(self, seconds: float = 0.3, limit: float = 10.0) -> None:
        """Wait until the server has used less than a hundredth of a core for `seconds`."""
        end = time.perf_counter() + limit
        while time.perf_counter() < end:
            before = self.cpu()
            await asyncio.sleep(seconds)
            if self.cpu() - before < seconds / 100:
                return
        # Not an error: a server that never rests is a finding, and its figures say so.

    async def stop(self) -> None:
        """End the process and its children, gently first."""
        tree = self._tree() if self._process.poll() is None else []
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(sign)
                await until(lambda: self._process.poll() is not None, 3.0)
        for pid in tree[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._log.close()

    def _tree(self) -> list[int]:
        parents = {pid: parent for pid in _processes() if (parent := _parent(pid)) is not None}
        tree = [self._process.pid]
        for pid in tree:
            tree += [child for child, parent in parents.items() if parent == pid]
        return tree


async def until(condition: Callable[[], bool], limit: float) -> bool:
    """Wait for the condition; false after `limit` seconds without it."""
    end = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > end:
            return False
        await asyncio.sleep(POLL)
    return True


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str]:
    # The name in brackets may hold spaces: the fields that count come after it.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _cpu_seconds(pid: int) -> float:
    # A process' CPU clock counts nanoseconds, where utime and stime count hundredths of a second;
    # its id is made from the pid as clock_getcpuclockid(3) does. Ended children it leaves out.
    own = time.clock_gettime((~pid << 3) | 2)
    ended_children = sum(map(int, _stat(pid)[13:15])) / _TICKS
    return own + ended_children
