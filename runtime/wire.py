"""Patches and the app itself as the JSON that front ends get."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..components.base import Component, Placed
from ..flow.errors import Error, WorldError
from ..flow.graph import Node, Place
from ..flow.model import Kind, Outcome
from ..flow.model import Place as LinePlace
from ..flow.notices import Report
from ..flow.patches import Command, Run, Set, Toast
from ..flow.plan import Plan
from ..flow.program import Session
from ..flow.results import UNSET

if TYPE_CHECKING:
    from ..flow.audio import Media

log = logging.getLogger("ossicle")

Message = dict[str, Any]


def describe(plan: Plan, session: Session, title: str, extra: Message) -> Message:
    """The app as one session sees it now: nodes with values, layout, listeners."""
    ports = plan.ports
    shown = [n for n in plan.nodes if isinstance(n, Placed) and not n.server_only]
    nodes = list[Message]()
    for declared in shown:
        node = session.nodes.get(declared.id, declared)
        assert isinstance(node, Placed)
        props = node.props()
        if isinstance(node, Component):
            props["value"] = node.to_wire(session.values[node.id], session.media)
            props["interactive"] = interactive(plan, node)
        nodes.append(
            {"id": node.id, "type": node.type, "props": props, "ports": ports.get(node.id, [])}
        )
    return {
        "title": title,
        "nodes": nodes,
        "layout": _layout(plan.graph.layout, {n.id for n in shown}),
        "listeners": [
            {
                "id": each.id,
                "name": each.name,
                "triggers": [list(key) for key, found in plan.at_port.items() if each in found],
                "inputs": list(each.inputs),
                "outputs": [i for i in each.outputs if not plan.nodes[i].server_only],
                "show_progress": each.show_progress,
                "scroll_to_output": each.options.scroll_to_output,
                "js": each.options.js,
                "backend": each.fn is not None,
            }
            for each in plan.listeners
        ],
        **extra,
    }


def _layout(place: Place, shown: set[int]) -> Message:
    children = [_layout(child, shown) for child in place.children if child.node.id in shown]
    return {"id": place.node.id, **({"children": children} if children else {})}


def interactive(plan: Plan, node: Component) -> bool:
    """Whether users may change it: as written, else inferred from where it is used.

    An input of any listener may be changed; what is only an output, or has a first value and no
    listener at all, is for reading.
    """
    if node.interactive is not None:
        return node.interactive
    if any(node.id in each.inputs for each in plan.listeners):
        return True
    written = any(node.id in each.outputs for each in plan.listeners)
    return not written and node.value is None and node.source is None


def trouble(text: str) -> Message:
    """A message to one user for whom something went wrong that has no place of its own."""
    return {"kind": "toast", "level": "error", "title": "Error", "message": text, "duration": 10}


def patch(
    made: Set | Run | Toast | Command, node: Node | None, media: Media, show_error: bool
) -> Message:
    """One patch as JSON. `node` is the session's own, for a Set."""
    match made:
        case Set(value=value, props=props):
            assert isinstance(node, Placed)
            shown = dict(node.props()) if props else {}
            changed = {name: shown[name] for name in (props or {}) if name in shown}
            if "interactive" in changed and changed["interactive"] is None:
                del changed["interactive"]
            if value is not UNSET and isinstance(node, Component):
                changed["value"] = node.to_wire(value, media)
            return {"kind": "set", "node": made.node, "props": changed}
        case Command(node=id, command=command):
            return {"kind": "command", "node": id, "command": command}
        case Run(outcome=outcome):
            return run(outcome, show_error)
        case Toast(notice=notice):
            return {
                "kind": "toast",
                "level": notice.level,
                "title": notice.title,
                "message": notice.message,
                "duration": notice.duration,
            }


def run(outcome: Outcome, show_error: bool) -> Message:
    """A request's station as JSON."""
    request = outcome.request
    made: Message = {
        "kind": "run",
        "listener": request.listener.id,
        "request": request.id,
        "outputs": list(request.listener.outputs),
        "state": str(outcome.kind),
    }
    match outcome.value:
        case LinePlace(rank, size, eta):
            made |= {"rank": rank, "size": size, "eta": eta}
        case Report(bars):
            made["progress"] = [
                {"desc": b.desc, "value": b.value, "total": b.total, "unit": b.unit} for b in bars
            ]
        case BaseException() as error if outcome.kind in (Kind.FAILED, Kind.REJECTED):
            made["error"] = error_of(error, show_error)
        case _:
            pass
    return made


def error_of(error: BaseException, show_error: bool) -> Message:
    """What a user is told of an error (rule R3): nothing of one that was not meant for them."""
    if isinstance(error, Error):
        return {
            "title": error.title,
            "message": error.message,
            "duration": error.duration,
            "visible": error.visible,
        }
    if isinstance(error, WorldError):
        return {"title": "Error", "message": str(error), "duration": 10, "visible": True}
    text = f"{type(error).__name__}: {error}" if show_error else None
    return {"title": "Error", "message": text, "duration": 10, "visible": True}
