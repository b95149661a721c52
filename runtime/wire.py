"""Patches as the JSON that front ends get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..components.base import Component, Placed
from ..flow.errors import Error, WorldError, named
from ..flow.graph import Node
from ..flow.model import Kind, Outcome, Place
from ..flow.notices import Report
from ..flow.patches import Command, Set, Toast
from ..flow.results import UNSET

if TYPE_CHECKING:
    from ..flow.audio import Media

Message = dict[str, Any]


def trouble(text: str) -> Message:
    """A message to one user for whom something went wrong that has no place of its own."""
    return {"kind": "toast", "level": "error", "title": "Error", "message": text, "duration": 10}


def patch(made: Set | Toast | Command, node: Node | None, media: Media) -> Message:
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
        case Place(rank, size, eta):
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
    text = named(error) if show_error else None
    return {"title": "Error", "message": text, "duration": 10, "visible": True}
