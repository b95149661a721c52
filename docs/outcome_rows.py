"""How three requests end: each trigger mode, kind of function and fate, by running apps.

tests/semantics/outcomes.txt keeps what comes out; TRUTH says what the rules want of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, product
from typing import Any

import ossicle as oc
from ossicle.flow.model import ENDS
from ossicle.testing import Lab

MODES = ("once", "multiple", "always_last", "restart")
KINDS = ("function", "coroutine", "generator", "async generator", "batch")
FATES = {
    "it succeeds": "succeeded",
    "it raises": "failed",
    "it returns skip()": "succeeded",
    "cancelled while it waits": "cancelled",
    "cancelled while it runs": "cancelled",
    "its user leaves for ever": "cancelled",
}
"""What happens to all calls, and how a request ends that was neither dropped nor restarted."""

TRUTH = {
    "once": ("{end}", "dropped", "dropped"),
    "multiple": ("{end}", "{end}", "{end}"),
    "always_last": ("{end}", "dropped", "{end}"),
    "restart": ("cancelled", "cancelled", "{end}"),
}
"""Rules T1 to T4, for three presses while the first one pends, whatever the kind of function."""

PRESSES = (0.1, 0.3, 0.5)
LASTS = 2.0
"""Seconds of a call; a generator takes them in two steps."""


@dataclass(frozen=True)
class Row:
    mode: str
    kind: str
    fate: str
    ends: tuple[str, ...]
    """Of the three requests, in the order of the presses."""
    at: tuple[float, ...]
    value: str
    """What stands in the output at last."""
    opened: int
    closed: int
    """Generators that began, and whose `finally` ran."""


class Work:
    """One function of each kind; all do the same."""

    def __init__(self, fate: str) -> None:
        self.raises = fate == "it raises"
        self.gives: Any = oc.skip() if fate == "it returns skip()" else "done"
        self.opened = self.closed = 0

    def of(self, kind: str) -> Callable[..., Any]:
        found: dict[str, Callable[..., Any]] = {
            "function": self.function,
            "coroutine": self.coroutine,
            "generator": self.generator,
            "async generator": self.async_generator,
            "batch": self.batch,
        }
        return found[kind]

    def result(self) -> Any:
        if self.raises:
            raise oc.Error("no", print_exception=False)
        return self.gives

    def function(self, _: str) -> Any:
        return self.result()

    async def coroutine(self, _: str) -> Any:
        await asyncio.sleep(LASTS)
        return self.result()

    def generator(self, _: str) -> Iterator[Any]:
        self.opened += 1
        try:
            yield oc.skip()
            yield self.result()
        finally:
            self.closed += 1

    async def async_generator(self, _: str) -> AsyncIterator[Any]:
        self.opened += 1
        try:
            await asyncio.sleep(LASTS / 2)
            yield oc.skip()
            await asyncio.sleep(LASTS / 2)
            yield self.result()
        finally:
            self.closed += 1

    def batch(self, texts: list[str]) -> tuple[list[Any]]:
        return ([self.result() for _ in texts],)


def hold() -> None:
    """Stands in the same line."""


def run(mode: Any, kind: str, fate: str) -> Row:
    """Press three times, and let it be."""
    work = Work(fate)
    fn = work.of(kind)
    with oc.Blocks() as demo:
        go, halt, busy = oc.Button(), oc.Button(), oc.Button()
        given, out = oc.Textbox(), oc.Textbox("before")
        busy.click(hold, concurrency_id="line")
        dep = go.click(
            fn, given, out, trigger_mode=mode, batch=kind == "batch", concurrency_id="line"
        )
        halt.click(None, cancels=[dep])
    lab = Lab(demo, reconnect_window=1, connect=False)
    lab.connect()
    lab.takes(hold, 3)
    if kind in ("function", "batch"):
        lab.takes(fn, LASTS)
    elif kind == "generator":
        lab.takes(fn, LASTS / 2)
    for seconds in PRESSES:
        lab.clock.at(seconds, lambda: lab.click(go))
    if fate == "cancelled while it waits":
        lab.click(busy)
        lab.clock.at(1.3, lambda: lab.click(halt))
    elif fate == "cancelled while it runs":
        lab.clock.at(1.3, lambda: lab.click(halt))
    elif fate == "its user leaves for ever":
        lab.clock.at(0.7, lab.disconnect)
    lab.run_until(20)
    mine = [each for each in lab.outcomes if each.outcome.request.listener.id == dep.declared.id]
    ends = sorted((s.request_id, str(s.kind), round(s.at, 6)) for s in mine if s.kind in ENDS)
    value = "gone" if fate == "its user leaves for ever" else str(lab.value(out))
    lab.close()
    kinds, times = tuple(e[1] for e in ends), tuple(e[2] for e in ends)
    return Row(mode, kind, fate, kinds, times, value, work.opened, work.closed)


@cache
def rows() -> list[Row]:
    return [run(*each) for each in product(MODES, KINDS, FATES)]


HEAD = """\
Three presses, at 0.1, 0.3 and 0.5 s, of a button whose listener takes 2 s (a generator 1 s twice):
how each of the three requests ends, and when; what stands in the output, which began as "before".
Cancelled while it waits: another holds the line until 3 s, and stop is pressed at 1.3 s; while it
runs: stop is pressed at 1.3 s. Who leaves does so at 0.7 s, and the reconnect window is 1 s.
Written by `make docs`. Rules T1 to T5, Q3, B1, C2, C4, C5.
"""


def text(made: list[Row]) -> str:
    """The table that is kept."""
    lines = HEAD.splitlines()
    for (mode, kind), block in groupby(made, key=lambda row: (row.mode, row.kind)):
        lines += ["", f"{mode}, {kind}"]
        for row in block:
            ends = [f"{end} {at:g}" for end, at in zip(row.ends, row.at, strict=True)]
            lines.append(f"  {row.fate:24}  {'  '.join(f'{e:13}' for e in ends)}  {row.value}")
    return "\n".join(lines) + "\n"
