"""Waiting chunks of one live stream as one longer chunk: what `on_overload="coalesce"` hands over.

The law of this file: sound is put together only where it goes on exactly, never over a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .graph import Node
from .model import Event, Request

if TYPE_CHECKING:
    from .blocks import Block


def run_of(requests: Iterable[Request]) -> list[Request]:
    """The first of these chunks, and those after it that go on where the one before ends."""
    found = list[Request]()
    for each in requests:
        if found and not _follows(found[-1].event, each.event):
            break
        found.append(each)
    return found


def merged(node: Node, first: Request, more: tuple[Request, ...]) -> Request:
    """The first request, with the sound of all of them; the other inputs are its own (rule I1)."""
    event, all_ = first.event, [first, *more]
    value = node.joined([each.event.value for each in all_])
    data = dict(event.data or {})
    if "value" in data:  # what operators made, as they made it
        data["value"] = _joined([cast("Any", each.event.data)["value"] for each in all_])
    whole = Event(
        event.id,
        event.session,
        event.node,
        event.port,
        event.cause,
        event.at,
        value,
        event.parent,
        data,
        event.hops,
        event.path,
        event.derived,
    )
    given = zip(first.listener.inputs, first.inputs, strict=True)
    inputs = tuple(value if id == event.node else each for id, each in given)
    return Request(first.id, first.session, first.listener, whole, inputs)


def _follows(before: Event, after: Event) -> bool:
    one, other = _place(before), _place(after)
    if one is None or other is None or (after.data or {}).get("gap"):
        return False
    index, frames, form = one
    return before.node == after.node and other[0] == index + frames and other[2] == form


def _place(event: Event) -> tuple[int, int, tuple[object, ...]] | None:
    """Index, frames and what must be the same; None for what is no sound that goes on."""
    data: Mapping[str, object] = event.data or {}
    index, sound = data.get("index"), cast("Any", data.get("value", event.value))
    frames: object = getattr(sound, "frames", None)
    rate: object = getattr(sound, "rate", None)
    if not (isinstance(index, int) and isinstance(frames, int)) or getattr(sound, "whole", False):
        return None
    if "value" in data and not hasattr(sound, "epoch"):
        return None  # an operator's own, and no block
    return index, frames, (rate, getattr(sound, "channels", 1), getattr(sound, "epoch", 0))


def _joined(blocks: list[Any]) -> Block:
    from .blocks import Block, joined

    first = blocks[0]
    return Block(joined(blocks), first.rate, first.index, first.flags, first.epoch)
