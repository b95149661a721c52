"""What a front end's acts mean: JSON that nobody vouches for, as what the program is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..components.base import Component
from ..flow.errors import InputError
from ..flow.said import Act
from ..flow.shapes import is_dict

if TYPE_CHECKING:
    from ..flow.session import Session


SET = "js"
"""The act of a page whose own JavaScript has set a value (rule J1)."""


def whole(message: Mapping[str, Any], name: str) -> int:
    """A count, an index or an id of a message, below 2**53. Raises InputError."""
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise InputError(f"{name} must be a whole number, not {value!r}.")
    return value


def standing(session: Session, message: Mapping[str, Any]) -> Act | None:
    """What shows a page again what stands, where its own JavaScript set what cannot."""
    id = whole(message, "node")
    if not session.set_by_page(id):
        return None
    return Act(session.id, id, SET, session.values[id], echo=True)


def act_of(session: Session | None, message: Mapping[str, Any]) -> Act | None:
    """What an act means; None for one that was on its way while its part was made anew.

    Raises InputError, with a text that may be shown, for one that its component does not have.
    """
    id = whole(message, "node")
    if session is None:
        raise InputError("this session is over.")
    if session.gone(id):
        return None
    node = session.find(id)
    act, data = message.get("act"), message.get("data")
    if node is None or node.server_only:
        raise InputError(f"there is no component {id}.")
    if not isinstance(act, str) or act in ("load", "unload"):
        raise InputError(f"{node.where}: {act!r} is no act of a user.")
    if data is not None and not is_dict(data):
        raise InputError(f"{node.where}: data must be an object, not {data!r}.")
    if act == SET and isinstance(node, Component) and session.set_by_page(id):
        return Act(session.id, id, act, node.from_wire(message.get("value"), session.media))
    if isinstance(node, Component):
        now: object = session.values[id]
        received = node.receive(act, message.get("value"), data, now, session.media)
    elif act in (node.acts or node.ports):
        return Act(session.id, id, act, data=data)
    else:
        raise InputError(f"{node.where}: {act!r} is no act of it.")
    return Act(
        session.id,
        id,
        act,
        received.value,
        received.data,
        echo=received.echo,
        component=received.component,
    )
