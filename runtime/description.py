"""The app as a front end is told of it when a session opens: nodes, layout, listeners."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..components.base import Component, Placed
from ..flow.graph import Place
from ..flow.plan import Plan
from ..flow.program import Session

Message = dict[str, Any]


class Description:
    """One app's description. What is the same for all sessions is worked out once.

    extra: what the page is told beside (theme and the like).
    """

    def __init__(self, plan: Plan, title: str, extra: Mapping[str, Any]) -> None:
        self._plan, self._title, self._extra = plan, title, dict(extra)
        self._ports = plan.ports
        self._read = {id for each in plan.listeners for id in each.inputs}
        self._written = {id for each in plan.listeners for id in each.outputs}

    def of(self, session: Session) -> Message:
        """The app as this session sees it now."""
        return {
            "title": self._title,
            "nodes": [self._node(session, node) for node in self._shown],
            "layout": self._layout,
            "listeners": self._listeners,
            **self._extra,
        }

    @cached_property
    def _shown(self) -> list[Placed]:
        return [n for n in self._plan.nodes if isinstance(n, Placed) and not n.server_only]

    @cached_property
    def _layout(self) -> Message:
        return _tree(self._plan.graph.layout, {n.id for n in self._shown})

    @cached_property
    def _listeners(self) -> list[Message]:
        triggers = dict[int, list[list[int | str]]]()
        for (node, port), found in self._plan.at_port.items():
            for each in found:
                triggers.setdefault(each.id, []).append([node, port])
        return [
            {
                "id": each.id,
                "name": each.name,
                "triggers": triggers.get(each.id, []),
                "inputs": list(each.inputs),
                "outputs": [i for i in each.outputs if not self._plan.nodes[i].server_only],
                "show_progress": each.show_progress,
                "scroll_to_output": each.options.scroll_to_output,
                "js": each.options.js,
                "backend": each.fn is not None,
            }
            for each in self._plan.listeners
        ]

    def _node(self, session: Session, declared: Placed) -> Message:
        node = session.nodes.get(declared.id, declared)
        assert isinstance(node, Placed)
        props = node.props()
        if isinstance(node, Component):
            props["value"] = node.to_wire(session.values[node.id], session.media)
            props["interactive"] = self.interactive(node)
        ports = self._ports.get(node.id, [])
        return {"id": node.id, "type": node.type, "props": props, "ports": ports}

    def interactive(self, node: Component) -> bool:
        """Whether users may change it: as written, else inferred from where it is used.

        An input of any listener may be changed; what is only an output, or has a first value and
        no listener at all, is for reading.
        """
        if node.interactive is not None:
            return node.interactive
        if node.id in self._read:
            return True
        return node.id not in self._written and node.value is None and node.source is None


def _tree(place: Place, shown: set[int]) -> Message:
    children = [_tree(child, shown) for child in place.children if child.node.id in shown]
    return {"id": place.node.id, **({"children": children} if children else {})}
