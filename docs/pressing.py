"""Functions that docs/semantics.md runs behind a button, and how such a run is drawn."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

import ossicle as oc
from ossicle.testing import Lab


def work() -> str:
    return "done"


def steps() -> Iterator[int]:
    yield from (1, 2, 3)


def fail() -> str:
    raise oc.Error("no", print_exception=False)


def batch(texts: list[str]) -> tuple[list[str]]:
    return ([text.upper() for text in texts],)


async def endless() -> AsyncIterator[int]:
    for n in range(100):
        await asyncio.sleep(0.5)
        yield n


# -- what they look like -----------------------------------------------------------------------


def picture(text: str) -> str:
    return f"```text\n{text}\n```\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def pressing(
    script: str,
    fn: Callable[..., Any],
    takes: Any,
    *,
    until: float = 2.0,
    stop: bool = False,
    **options: Any,
) -> tuple[str, list[str]]:
    """Press a button as a picture says (s presses stop); what it looks like and how each ended."""
    with oc.Blocks() as demo:
        go, halt, out = oc.Button(label="Go"), oc.Button(label="Stop"), oc.Textbox()
        run = go.click(fn, None, out, **options)
        if stop:
            halt.click(None, cancels=[run])
    with Lab(demo, takes={} if takes is None else {fn: takes}) as lab:
        acts: dict[str, Callable[[], object]] = {"s": lambda: lab.click(halt)}
        acts |= {letter: lambda: lab.click(go) for letter in "abcde"}
        lab.perform(script, acts)
        lab.run_until(until)
        drawn = lab.trace.to_marbles("click", run.name, waits=False, until=until)
        ends = {each.request_id: str(each.kind) for each in lab.outcomes}
        asked = [e.facts["request"] for e in lab.trace if e.what == "request"]
        return plain(drawn), [ends[request] for request in asked]


def plain(drawn: str) -> str:
    """`Button 'Go'.click` as `Go.click`: a picture is no error message."""
    lines = [re.sub(r"\w+ '([^']*)'\.", r"\1.", line) for line in drawn.splitlines()]
    names = [line.split("  ", 1) for line in lines]
    width = max(len(name.strip()) for name, *_ in names)
    return "\n".join(f"{name.strip():{width}}  {rest[0].strip()}" for name, *rest in names)
