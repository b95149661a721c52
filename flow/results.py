"""What a function may return besides plain values: nothing for an output, or other properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import AsyncGeneratorType, CoroutineType
from typing import Any

from .errors import ResultError
from .graph import Node
from .listeners import Listener
from .same import PLAIN
from .shapes import is_dict, is_listing


class Special(Enum):
    """Marks that are not values."""

    SKIP = "skip"
    UNSET = "unset"
    FLUSH = "flush"


SKIP = Special.SKIP
FLUSH = Special.FLUSH
UNSET = Special.UNSET


@dataclass(frozen=True, slots=True)
class Update:
    """Other properties for a component; `value` among them is its value."""

    props: Mapping[str, object]


def skip() -> Any:
    """Return it for an output that stays as it is; alone, for all outputs."""
    return SKIP


def flush() -> Any:
    """Return or yield it for an `Audio(streaming=True)`: silence, at once.

    What was streamed there and not heard yet is void; what was made until now becomes the value,
    and what is streamed afterwards is a new sound. `playback_finished` tells how much was heard.
    Also where the function that made the sound has long ended, and the listener still hears it.
    """
    return FLUSH


def update(**props: Any) -> Any:
    """Return it for an output to change the component's properties, like update(label="B")."""
    return Update(props)


def assign(listener: Listener, nodes: tuple[Node, ...], returned: object) -> tuple[object, ...]:
    """One returned value per output (rule R1).

    Raises ResultError naming the function, how many values came and how many it has outputs.
    """
    count = len(nodes)
    if count == 1 and type(returned) in PLAIN:
        return (returned,)
    _not_awaited(listener, returned)
    if not count:
        return ()
    if returned is SKIP:
        return (SKIP,) * count
    if is_dict(returned) and returned and all(isinstance(key, Node) for key in returned):
        return _by_node(listener, nodes, returned)
    if count == 1:
        return (returned,)
    if not is_listing(returned):
        raise ResultError(
            f"{listener.name}() returned {_say(returned)}, but has {count} outputs;"
            f" return a tuple of {count} values, or a dict keyed by component."
        )
    values: tuple[object, ...] = tuple(returned)
    if len(values) != count:
        raise ResultError(
            f"{listener.name}() returned {len(values)} values, but has {count} outputs"
            f" ({', '.join(n.where for n in nodes)})."
        )
    return values


def split(
    listener: Listener, nodes: tuple[Node, ...], members: int, returned: object
) -> list[object]:
    """What each member of a batch gets of what a batch function returned (rule B2).

    Raises ResultError, for all members, if it is no tuple of lists of the batch's length.
    """
    outputs = len(nodes)
    if not outputs:
        return [SKIP] * members
    values = f"{members} value{'s' * (members > 1)}"
    wanted = f"a tuple of {outputs} list{'s' * (outputs > 1)}, each with {values}"
    if not is_listing(returned) or len(returned) != outputs:
        _not_awaited(listener, returned)
        raise ResultError(f"{listener.name}() returned {_say(returned)}; a batch needs {wanted}.")
    columns = list[list[object]]()
    column: object
    for node, column in zip(nodes, returned, strict=True):
        if not is_listing(column) or len(column) != members:
            raise ResultError(
                f"{listener.name}() returned {_say(column)} for {node.where}; a batch needs"
                f" {wanted}."
            )
        columns.append(list(column))
    rows = [tuple(row) for row in zip(*columns, strict=True)]
    return [_row(row) for row in rows]


def _row(row: tuple[object, ...]) -> object:
    """Rule B3: an element that is an exception fails its member alone."""
    for value in row:
        if isinstance(value, BaseException):
            return value
    return row[0] if len(row) == 1 else row


def _not_awaited(listener: Listener, returned: object) -> None:
    """A plain function that calls an async one gets what nobody awaits."""
    if type(returned) in (CoroutineType, AsyncGeneratorType):
        if isinstance(returned, CoroutineType):
            returned.close()
        raise ResultError(
            f"{listener.name}() returned a call of an async function, which nothing awaits; give"
            " the async function itself, or let this one be async and await it."
        )


def _by_node(
    listener: Listener, nodes: tuple[Node, ...], returned: Mapping[Node, object]
) -> tuple[object, ...]:
    ids = {node.id for node in nodes}
    for key in returned:
        if key.id not in ids:
            raise ResultError(
                f"{listener.name}() returned a value for {key.where}, which is not an output;"
                f" its outputs are {', '.join(n.where for n in nodes)}."
            )
    by_id = {key.id: value for key, value in returned.items()}
    return tuple(by_id.get(node.id, SKIP) for node in nodes)


def _say(value: object) -> str:
    if value is None:
        return "nothing (None)"
    if is_listing(value) or is_dict(value):
        return f"a {type(value).__name__} of {len(value)}"
    return f"one {type(value).__name__}"
