"""The app as a front end is told of it when a session opens: nodes, layout, listeners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from ..components.base import Component, Placed
from ..flow.fragments import Overlay
from ..flow.graph import Node, Place
from ..flow.patches import Part
from ..flow.plan import Plan
from ..flow.session import Session

Message = dict[str, Any]


class Description:
    """One app's description. What is the same for all sessions is worked out once.

    extra: what the page is told beside (theme and the like).
    """

    def __init__(self, plan: Plan, title: str, extra: Mapping[str, Any]) -> None:
        self._plan, self._title, self._extra = plan, title, dict(extra)
        self._ports = plan.ports
        self._read = {id for each in plan.listeners for id in each.inputs} | plan.followed
        self._written = {id for each in plan.listeners for id in each.outputs}

    def tell(self, more: Mapping[str, Any]) -> None:
        """Something more beside, for sessions that open from now on."""
        self._extra.update(more)

    def of(self, session: Session) -> Message:
        """The app as this session sees it now."""
        nodes, layout, listeners = self._shown, self._layout, self._listeners
        if overlay := session.overlay:
            nodes = [*nodes, *(node for plan in overlay.plans for node in _shown(plan.nodes))]
            layout = _tree(self._plan.graph.layout, overlay)
            inner = (each for plan in overlay.plans for each in self._told(session, plan))
            listeners = [*listeners, *inner]
        return {
            "title": self._title,
            "nodes": [self._node(session, node) for node in nodes],
            "layout": layout,
            "listeners": listeners,
            **self._extra,
        }

    def part(self, session: Session, made: Part) -> Message:
        """A part of the page that was made anew.

        gone, silent: nodes and listeners that the page can forget. outer: what the part's listeners
        change about nodes that stand elsewhere.
        """
        kept = {node.id for node in made.plan.nodes}
        used = {id for plan in (made.plan, *made.old) for id in _used(plan)} - kept
        outer = (session.nodes.get(id) or self._outer(id) for id in sorted(used))
        return {
            "kind": "part",
            "node": made.node,
            "nodes": [self._node(session, node) for node in _shown(made.plan.nodes)],
            "layout": _tree(made.plan.graph.layout, session.overlay),
            "listeners": self._told(session, made.plan),
            "gone": [n.id for plan in made.old for n in plan.nodes if n.id not in kept],
            "silent": [each.id for plan in made.old for each in plan.listeners],
            "outer": [
                {
                    "id": node.id,
                    "ports": self._heard(session, node.id),
                    "interactive": self.interactive(node, session.overlay),
                }
                for node in outer
                if isinstance(node, Component) and not node.server_only
            ],
        }

    def _outer(self, id: int) -> Node | None:
        """None for a node of another part, which went with this one."""
        return self._plan.nodes[id] if id < len(self._plan.nodes) else None

    @cached_property
    def _shown(self) -> list[Placed]:
        return _shown(self._plan.nodes)

    @cached_property
    def _layout(self) -> Message:
        return _tree(self._plan.graph.layout, None)

    @cached_property
    def _listeners(self) -> list[Message]:
        return self._told(None, self._plan)

    def _told(self, session: Session | None, plan: Plan) -> list[Message]:
        """What the page is told of a plan's listeners."""
        triggers = dict[int, list[list[int | str]]]()
        for (node, port), found in plan.at_port.items():
            for each in found:
                triggers.setdefault(each.id, []).append([node, port])

        def hidden(id: int) -> bool:
            own = session.nodes.get(id) if session else None
            return (own or self._plan.nodes[id]).server_only

        return [
            {
                "id": each.id,
                "name": each.name,
                "triggers": triggers.get(each.id, []),
                "inputs": list(each.inputs),
                "outputs": [id for id in each.outputs if not hidden(id)],
                "show_progress": each.show_progress,
                "scroll_to_output": each.options.scroll_to_output,
                "js": each.options.js,
                "backend": each.fn is not None,
                "alone": [list(deed) for deed in plan.alone.get(each.id, ())],
            }
            for each in plan.listeners
        ]

    def _heard(self, session: Session, id: int) -> list[str]:
        """The ports of a node that somebody listens to."""
        ports = self._ports.get(id, [])
        if session.overlay:
            ports = list(dict.fromkeys([*ports, *session.overlay.ports.get(id, ())]))
        return ports

    def _node(self, session: Session, declared: Placed) -> Message:
        node = session.nodes.get(declared.id, declared)
        assert isinstance(node, Placed)
        props = node.props()
        if isinstance(node, Component):
            props["value"] = node.to_wire(session.values[node.id], session.media)
            props["interactive"] = self.interactive(node, session.overlay)
        ports = self._heard(session, node.id)
        return {"id": node.id, "type": node.type, "props": props, "ports": ports}

    def interactive(self, node: Component, overlay: Overlay | None = None) -> bool:
        """Whether users may change it: as written, else inferred from where it is used.

        An input of any listener, and what operators follow, may be changed; what is only an
        output, or was written with a first value and has no listener at all, is for reading.
        """
        if node.interactive is not None:
            return node.interactive
        inner = [each for plan in overlay.plans for each in plan.listeners] if overlay else []
        if node.id in self._read or any(node.id in each.inputs for each in inner):
            return True
        if overlay and any(node.id in plan.followed for plan in overlay.plans):
            return True
        if node.id in self._written or any(node.id in each.outputs for each in inner):
            return False
        return node.given().get("value") is None and node.source is None


def _shown(nodes: Iterable[Node]) -> list[Placed]:
    return [n for n in nodes if isinstance(n, Placed) and not n.server_only]


def _used(plan: Plan) -> set[int]:
    """The nodes that a plan's listeners read, write or wait for."""
    named = {id for each in plan.listeners for id in (*each.inputs, *each.outputs)}
    return named | plan.ports.keys() | plan.followed


def _tree(place: Place, overlay: Overlay | None) -> Message:
    """The layout, with what stands in parts."""
    part = overlay.parts.get(place.node.id) if overlay else None
    inside = part.fragment.layout.children if part else place.children
    children = [_tree(each, overlay) for each in inside if _shown((each.node,))]
    return {"id": place.node.id, **({"children": children} if children else {})}
