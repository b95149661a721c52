"""What a trace is made of: entries, all JSON, and the names that they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .units import Seconds

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `what`: said, event, request, outcome or patch; `facts` are JSON."""

    at: Seconds
    what: str
    session: str
    facts: Facts

    def line(self) -> str:
        """As text; equal entries have equal lines."""
        known = {"at": round(self.at, 9), "what": self.what, "session": self.session}
        return json.dumps(known | self.facts, ensure_ascii=False)


def sessions(entries: Iterable[Entry]) -> list[str]:
    """The sessions of a trace, in the order of their opening."""
    return list(dict.fromkeys(entry.session for entry in entries if entry.session))


def node_name(names: Facts, id: int) -> str:
    """What a node is called; one of a part of a page, which has no name in the app, by its id."""
    nodes: list[str] = names["nodes"]
    return nodes[id] if id < len(nodes) else f"node {id}"


def listener_facts(names: Facts, request: Facts) -> Facts:
    """What is known of a request's listener; one of a part is known by its requests only."""
    which: int = request["listener"]
    listeners: list[Facts] = names["listeners"]
    return listeners[which] if which < len(listeners) else request["part"]
