"""A job as a call: the arguments its function gets, and what its results write.

Runs wherever the executor runs it, so it touches nothing of a session but what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .errors import Error, InputError, ResultError, text_of
from .graph import Node
from .injected import ClientRequest, EventData, Progress
from .listeners import Listener, name_of
from .model import Fault, Request
from .record import record
from .results import FLUSH, SKIP, UNSET, Update, assign, split


@record
class Write:
    """What one output gets: a stored value, other properties, or both."""

    node: int
    value: object = UNSET
    props: Mapping[str, object] | None = None
    component: Node | None = None
    """The node with those properties, for this session."""
    piece: object = UNSET
    """One more piece of a stream, in stored form, or FLUSH; the value is set when it ends."""


@dataclass(slots=True)
class Member:
    """One request of the job and what it sees: its values and its session's components."""

    request: Request
    inputs: tuple[object, ...]
    input_nodes: tuple[Node, ...]
    output_nodes: tuple[Node, ...]
    target: Node
    media: Any = None
    client: ClientRequest = ClientRequest()
    sounding: Mapping[int, object] | None = None
    """What is returned goes on live streams: by output node, the piece before, None at first."""


class Call:
    """One call of a listener's function for its members."""

    def __init__(self, listener: Listener, members: tuple[Member, ...]) -> None:
        self.listener = listener
        self.members = members
        self.alive = list(range(len(members)))
        """Members whose inputs could be prepared; a batch function sees only these."""
        self._pieces: dict[tuple[int, int], object] = {}
        self.args: list[object] = []
        self.kwargs: dict[str, object] = {}
        self.fn: Callable[..., Any] | None = listener.fn

    @property
    def prepares_quickly(self) -> bool:
        """`prepare` needs no thread."""
        return all(
            not node.heavy or node.quick(value)
            for member in self.members
            for node, value in zip(member.input_nodes, member.inputs, strict=True)
        )

    def steps_quickly(self, returned: object) -> bool:
        """`step` of what the function returned needs no thread."""
        nodes = self.members[0].output_nodes
        if not any(node.heavy for node in nodes):
            return True
        if self.listener.batch:
            return False
        try:
            values = assign(self.listener, nodes, returned)
        except ResultError:
            return True  # which `step` says
        return all(
            value is SKIP or value is FLUSH or not node.heavy or node.quick(value)
            for node, value in zip(nodes, values, strict=True)
        )

    def yields_quickly(self, value: object) -> bool:
        """`yielded` needs no thread: there is no disk to wait for, and no long sound."""
        return self.steps_quickly(value) and not any(
            member.media is not None and member.media.behind for member in self.members
        )

    def prepare(self) -> tuple[object, ...] | None:
        """Make the arguments. Returns a step with a `Fault` for each member with bad inputs."""
        rows: list[list[object]] = []
        faults: dict[int, Fault] = {}
        for index in self.alive:
            try:
                rows.append(self._inputs(self.members[index]))
            except Exception as error:
                faults[index] = Fault(error)
        if faults:
            self.alive = [i for i in self.alive if i not in faults]
        if rows:
            self._arrange(rows)
        return tuple(faults.get(i) for i in range(len(self.members))) if faults else None

    def step(self, returned: object, more: bool = False) -> tuple[object, ...]:
        """What each member's outputs get. A member whose part is bad gets a `Fault`.

        `more`: a generator's; what it yields for a streaming output is a piece of its sound.
        """
        if not self.listener.batch:
            return (self._writes(self.members[0], returned, more),)
        rows = split(self.listener, self.members[0].output_nodes, len(self.alive), returned)
        parts: list[object] = [None] * len(self.members)
        for index, row in zip(self.alive, rows, strict=True):
            parts[index] = (
                Fault(row)
                if isinstance(row, BaseException)
                else self._writes(self.members[index], row, more)
            )
        return tuple(parts)

    def yielded(
        self, value: object
    ) -> tuple[tuple[object, ...], Iterator[tuple[object, ...]] | None]:
        """The step that a generator's value is, and more steps where long sound is in it.

        Waits while what its session made waits for a slow disk: call it in a thread, but where it
        `yields_quickly`.
        """
        self._keep_up()
        rest = list[tuple[int, int, Iterator[object]]]()
        first = tuple(
            self._parted(index, each, rest) for index, each in enumerate(self.step(value, True))
        )
        return first, self._rest(rest) if rest else None

    def steps(self, value: object) -> Iterator[tuple[object, ...]]:
        """All steps of a generator's value, one after another."""
        first, rest = self.yielded(value)
        yield first
        if rest:
            yield from rest

    # -- in ------------------------------------------------------------------------------------

    def _inputs(self, member: Member) -> list[object]:
        if not self.listener.options.preprocess:
            return list(member.inputs)
        made: list[object] = []
        whole = self.listener.signature.whole
        for node, value in zip(member.input_nodes, member.inputs, strict=True):
            try:
                given = node.preprocess(value, member.media)
                made.append(node.seen(given) if len(made) in whole else given)
            except (Error, InputError):
                raise
            except ValueError as error:
                raise InputError(_about(node, error)) from error
        return made

    def _arrange(self, rows: list[list[object]]) -> None:
        batch = bool(self.listener.batch)
        values: list[object] = (
            [list(column) for column in zip(*rows, strict=True)] if batch else rows[0]
        )
        if self.listener.keyed:
            values = [dict(zip(self.listener.keys, values, strict=True))]
        for position, name, kind in self.listener.signature.given:
            each = [self._inject(kind, self.members[i]) for i in self.alive]
            value: object = each if batch and kind is not Progress else each[0]
            if position is None or position > len(values):
                self.kwargs[name] = value
            else:
                values.insert(position, value)
        self.args = values

    def _inject(self, kind: type, member: Member) -> object:
        if kind is ClientRequest:
            return member.client
        if issubclass(kind, EventData):
            return kind(member.target, member.request.event.data)
        return Progress(self.listener.signature.tracks)

    # -- out -----------------------------------------------------------------------------------

    def _writes(self, member: Member, returned: object, more: bool) -> object:
        try:
            values = assign(self.listener, member.output_nodes, returned)
            writes = list[Write]()
            for node, value in zip(member.output_nodes, values, strict=True):
                if value is not SKIP:
                    writes.append(self._write(member, node, value, more))
            return tuple(writes)
        except (Error, ResultError) as error:
            return Fault(error)

    def _write(self, member: Member, node: Node, value: object, more: bool) -> Write:
        try:
            if isinstance(value, Node):
                value = Update(value.given())
            if isinstance(value, Update):
                props = dict(value.props)
                inner = props.pop("value", UNSET)
                changed = node.with_props(props) if props else node
                stored = UNSET if inner is UNSET else self._store(member, changed, inner)
                return Write(node.id, stored, props or None, changed if props else None)
            if value is FLUSH:
                if not node.streaming:
                    raise ValueError("flush() is for what streams; say streaming=True.")
                self._pieces.pop((member.request.id, node.id), None)
                return Write(node.id, piece=FLUSH)
            if node.streaming and (more or (member.sounding and node.id in member.sounding)):
                return Write(node.id, piece=self._append(member, node, value))
            return Write(node.id, self._store(member, node, value))
        except Error:
            raise
        except Exception as error:  # whatever it is, it is this member's alone (rule B3)
            name = name_of(self.fn) if self.fn else self.listener.name
            raise ResultError(f"{name}(): output {_about(node, error)}") from error

    def _parted(
        self, index: int, part: object, rest: list[tuple[int, int, Iterator[object]]]
    ) -> object:
        """One member's part of a step, with no more of each sound than its first part."""
        if not isinstance(part, tuple):
            return part
        member, made = self.members[index], list[Write]()
        for write in cast("tuple[Write, ...]", part):
            if write.piece is not UNSET and write.piece is not FLUSH and write.piece is not None:
                (node,) = (each for each in member.output_nodes if each.id == write.node)
                pieces = node.parts(write.piece)
                if pieces is not None:
                    write = Write(node.id, piece=next(pieces))
                    rest.append((index, node.id, pieces))
            made.append(write)
        return tuple(made)

    def _rest(self, rest: list[tuple[int, int, Iterator[object]]]) -> Iterator[tuple[object, ...]]:
        for index, node, pieces in rest:
            for piece in pieces:
                self._keep_up()
                parts: list[object] = [None] * len(self.members)
                parts[index] = (Write(node, piece=piece),)
                yield tuple(parts)

    def _keep_up(self) -> None:
        for member in self.members:
            if member.media is not None and any(node.streaming for node in member.output_nodes):
                member.media.keep_up()

    def _append(self, member: Member, node: Node, value: object) -> object:
        key = member.request.id, node.id
        before = self._pieces.get(key) or (member.sounding or {}).get(node.id)
        piece = node.append(value, before, member.media)
        if piece is not None:
            self._pieces[key] = piece
        return piece

    def _store(self, member: Member, node: Node, value: object) -> object:
        if not self.listener.options.postprocess:
            return value
        stored = node.postprocess(value, member.media)
        node.warm(stored)
        return stored


def _about(node: Node, error: Exception) -> str:
    text = text_of(error)
    return text if text.startswith(node.where) else f"{node.where}: {text}"
