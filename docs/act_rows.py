"""Each component, each thing that can happen to it, and the events that follow: by running apps.

What happens is in `act_cases`. tests/semantics/acts.txt keeps what comes out, and docs/semantics.md
shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from act_cases import Bench, Case, cases

from ossicle.components.base import Component
from ossicle.testing import Lab


@dataclass(frozen=True)
class Row:
    """A case, the events of the component in order, and the acts that were sent to it."""

    component: str
    what: str
    kind: type[Any]
    events: tuple[str, ...]
    acts: frozenset[str]


def run(case: Case) -> Row:
    """Let it happen."""
    bench = Bench(case.make, case.value)
    lab = Lab(bench.app, reconnect_window=10, connect=False)
    lab.connect()
    if case.ready:
        case.ready(lab, bench)
        lab.settle()
    before = len(lab.trace) if case.do else 0
    if case.do:
        case.do(lab, bench)
        lab.settle()
    mine = [each for each in lab.trace.entries[before:] if each.facts.get("node") == bench.node.id]
    events = tuple(each.facts["port"] for each in mine if each.what == "event")
    said = frozenset(each.facts["act"] for each in mine if each.facts.get("said") == "act")
    lab.close()
    return Row(case.component, case.what, bench.kind, events, said)


@cache
def rows() -> list[Row]:
    return [run(case) for case in cases()]


HEAD = """\
What happens to a component, and the events that follow at it, in order; - is none.
Written by `make docs`. Rules E1 to E7: the specific event, then input, then change.
"""


def text(made: list[Row]) -> str:
    """The table that is kept: a block for each component."""
    lines = [*HEAD.splitlines()]
    width = max(len(row.what) for row in made)
    for name, block in groupby(made, key=lambda row: row.component):
        lines += ["", name]
        lines += [f"  {row.what:{width}}  {' '.join(row.events) or '-'}" for row in block]
    return "\n".join(lines) + "\n"


def digest(made: list[Row]) -> list[tuple[str, str, str]]:
    """The same for people: what happens, the events, and to which components; alike rows once."""
    found = dict[tuple[str, tuple[str, ...]], dict[str, None]]()
    for row in made:
        whose = found.setdefault((row.what, row.events), {})
        whose[row.component.split(",")[0]] = None  # whatever its sources are
    return [
        (what, " ".join(f"`{each}`" for each in events) or "nothing", ", ".join(whose))
        for (what, events), whose in found.items()
    ]


SILENT = {"Examples.change": "its samples never move; what they fill does"}
"""Events that no row can show, and why."""


def gaps(made: list[Row], classes: set[type[Any]]) -> list[str]:
    """Which events of these components no row shows, and which acts that a page may send."""
    missing = list[str]()
    for cls in sorted(classes, key=lambda each: each.__name__):
        mine = [row for row in made if row.kind is cls]
        heard = {event for row in mine for event in row.events}
        sent = {act for row in mine for act in row.acts}
        acts = cls.known_acts() if issubclass(cls, Component) else set(cls.acts or cls.ports)
        fires = [port for port in cls.ports if f"{cls.__name__}.{port}" not in SILENT]
        missing += [f"{cls.__name__}: no row shows {port}" for port in fires if port not in heard]
        missing += [f"{cls.__name__}: no row sends {act}" for act in sorted(acts - sent)]
    return missing
