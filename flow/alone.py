"""Listeners that a page runs by itself: JavaScript alone, started by its user (rule J1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .graph import Declared, Node
from .sources import After, Port

Deeds = tuple[tuple[int, str, bool], ...]
"""(node, act, whether only if the act moved the node's value): what starts such a listener."""

NEVER = frozenset({"change", "stream", "tick", "load", "unload", "playback_finished"})
"""Ports of which only the server knows when they fire."""

PLAYER = frozenset({"play", "pause", "stop", "select"})
"""Of a sound or a file a page alone knows no more: whether it moved, its content decides."""


def alone(listeners: Collection[Declared]) -> dict[int, Deeds]:
    """By listener: what starts it in the page. The others are the server's to start."""
    followed = {
        source.dependency.declared
        for each in listeners
        for source in each.sources
        if isinstance(source, After)
    }
    cancelled = {each for declared in listeners for each in declared.cancels}
    found = dict[int, Deeds]()
    for each in listeners:
        o = each.options
        if each.fn is not None or o.js is None or each in followed | cancelled:
            continue
        if each.cancels or o.every is not None or any(map(_kept, each.outputs)):
            continue
        if deeds := _deeds(each):
            found[each.id] = deeds
    return found


def _kept(node: Node) -> bool:
    """The page cannot make a value of it."""
    return node.heavy or node.server_only


def _deeds(declared: Declared) -> Deeds:
    """Nothing if the server has to see one of its events."""
    deeds = dict[tuple[int, str], bool]()
    for source in declared.sources:
        if not isinstance(source, Port) or source.port in NEVER:
            return ()
        node, port = source.node, source.port
        if node.heavy and port not in PLAYER:
            return ()
        for act in _acts(node, port):
            key = node.id, act  # one act starts it once
            deeds[key] = deeds.get(key, True) and port == "input"
    return tuple((node, act, moved) for (node, act), moved in deeds.items())


def _acts(node: Node, port: str) -> Iterable[str]:
    if port not in node.acts:
        yield port
    for act, ports in node.acts.items():
        if port in ports:
            yield act
