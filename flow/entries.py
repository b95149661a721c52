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


PartNodes = dict[tuple[str, int], str]
"""What the nodes of parts are called, by session and id."""


def part_nodes(entries: Iterable[Entry]) -> PartNodes:
    """The nodes of all parts that ever stood on a page."""
    return {
        (entry.session, int(id)): where
        for entry in entries
        if entry.facts.get("patch") == "part"
        for id, where in entry.facts["nodes"].items()
    }


def node_name(names: Facts, parts: PartNodes, session: str, id: int) -> str:
    """What a node of the app, or of a part of this session's page, is called."""
    nodes: list[str] = names["nodes"]
    return nodes[id] if id < len(nodes) else parts.get((session, id), f"node {id}")


def listener_facts(names: Facts, request: Facts) -> Facts:
    """What is known of a request's listener; one of a part is known by its requests only."""
    which: int = request["listener"]
    listeners: list[Facts] = names["listeners"]
    return listeners[which] if which < len(listeners) else request["part"]
