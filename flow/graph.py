"""The graph while it is being written: nodes, where they stand, and who listens to what."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from .errors import DeclarationError
from .listeners import Options, check_inputs, name_of
from .refusals import check_empty, check_interrupt, check_triggers
from .remarks import remark_on

if TYPE_CHECKING:
    from .chunks import Chunk
    from .tape import Tape

N = TypeVar("N", bound="Node")

building: contextvars.ContextVar[Graph | None] = contextvars.ContextVar("building", default=None)
"""The graph whose `with` block we are in."""


class Node:
    """A placed thing: a component with a value, or a container of others.

    `id` is given by the graph, in the order in which it first meets the node, so that one program
    always has the same ids.
    """

    type: ClassVar[str] = "node"
    """The name of the kind on the wire and for string shortcuts."""
    ports: ClassVar[tuple[str, ...]] = ()
    """The names of its event streams."""
    holds_value: ClassVar[bool] = False
    server_only: ClassVar[bool] = False
    """Its value is never sent to a front end (rule I4)."""

    acts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What a user can do -> the ports that fire for it, in order, before `change` (rule E4)."""

    streaming: bool = False
    """What a generator yields for it is appended, not shown in turn."""
    heavy: ClassVar[bool] = False
    """Converting its values takes long enough to need a thread, but for those that are `quick`."""

    id: int = -1
    graph: Graph | None = None

    def __repr__(self) -> str:
        return f"<{self.where}>"

    @property
    def where(self) -> str:
        """How errors call it: its kind, and its label or id."""
        label = getattr(self, "label", None)
        kind = type(self).__name__
        return f"{kind} {label!r}" if label else f"{kind} {self.id}" if self.id >= 0 else kind

    def initial(self) -> object:
        """The value that a new session begins with; a fresh copy if it can be changed in place."""
        return None

    def content(self, value: object) -> object:
        """What `change` compares: it fires if and only if this moves (rule E1)."""
        return value

    def again(self, old: Any, new: Any) -> bool:
        """Whether a function's value is what stands there over again, and may be let go.

        Then front ends keep the handle by which they know the value: they may be fetching it.
        """
        return False

    def preprocess(self, value: Any, media: Any) -> object:
        """The stored value as the function gets it."""
        return value

    def postprocess(self, value: Any, media: Any) -> object:
        """What the function returned as it is stored. Raises ValueError saying what would do."""
        return value

    def quick(self, value: object) -> bool:
        """Whether `preprocess` or `postprocess` of this value needs no thread, though the node is
        `heavy`: a subclass that takes longer over it says so here."""
        return False

    def seen(self, value: object) -> object:
        """What a function gets that asks for the node with its properties; `value` is prepared."""
        return value

    def chunk(self, block: Any) -> object:
        """A piece of a live stream as a value (rule E7)."""
        return block

    def cut(self, chunk: Chunk) -> object:
        """A chunk of an asked length as a value; the same as `chunk` for who has no quicker way."""
        return self.chunk(chunk.block)

    def append(self, value: Any, before: Any, media: Any) -> object:
        """One more piece of what a generator streams out, in stored form; None adds nothing.

        `before` is the piece before it. Raises ValueError if the two cannot be one stream.
        """
        raise DeclarationError(f"{self.where}: nothing can be streamed to it.")

    def parts(self, piece: Any) -> Iterator[object] | None:
        """A long piece that was appended as shorter ones, in a row; None where it is short."""
        return None

    def tape(self, piece: Any, media: Any, live: bool) -> Tape | None:
        """What keeps a stream that begins with this piece; None keeps the pieces."""
        return None

    def joined(self, pieces: Any) -> object:
        """All pieces as one value."""
        return pieces[-1]

    def warm(self, value: Any) -> None:
        """Work out now, in the function's thread, what the loop will ask of a new value."""

    def with_props(self: N, props: Mapping[str, object]) -> N:
        """A copy with other properties, for one session. Raises ValueError for an unknown one."""
        raise DeclarationError(f"{self.where}: its properties cannot be changed.")

    def turned(self, before: Any) -> tuple[str, ...]:
        """The ports that fire because a function gave it other properties than it had before."""
        return ()

    def acted(self: N, act: str, data: Mapping[str, object] | None) -> N | None:
        """A copy as an act leaves it, for one session, where that is no value."""
        return None

    def given(self) -> Mapping[str, object]:
        """The constructor's arguments that were really written."""
        return {}

    def placed(self, graph: Graph) -> None:
        """Called once, when a graph first meets the node; may declare listeners."""

    def heard(self, port: str) -> None:
        """Called when somebody listens to a port, while the node's own graph is written."""

    def period(self, value: Any) -> float | None:
        """Seconds between ticks of its `tick` port while it has this value; None: no ticks."""
        return None

    def place(self: N) -> N:
        """Stand in the open container. Raises DeclarationError outside a `with` block."""
        graph = building.get()
        if graph is None:
            raise DeclarationError(f"{self.where}: render() works only inside `with Blocks():`.")
        graph.place(self)
        return self


@dataclass(slots=True)
class Place:
    """One node in the layout tree."""

    node: Node
    children: list[Place] = field(default_factory=list["Place"])


class Hook:
    """What a listener hangs on. The kinds are in `sources`; the graph only keeps them."""

    port: str = ""
    """The event's name, from which defaults follow."""
    derived: bool = False
    """What comes out of operators, whenever they give it."""

    @property
    def where(self) -> str:
        """How errors call it."""
        return self.port


@dataclass(slots=True, eq=False)
class Declared:
    """A listener as it was written; `Plan` resolves it."""

    id: int
    name: str
    fn: Callable[..., Any] | None
    inputs: tuple[Node, ...]
    keyed: bool
    outputs: tuple[Node, ...]
    sources: tuple[Hook, ...]
    cancels: tuple[Declared, ...]
    options: Options


class Root(Node):
    """The page itself: `load` and `unload` are its ports."""

    type = "root"
    ports = ("load", "unload")

    @property
    def where(self) -> str:
        return "Blocks"


class Graph:
    """Nodes, their places and their listeners. `Blocks` is the public one."""

    def __init__(self, root: Node | None = None) -> None:
        self.root = root or Root()
        self.nodes: list[Node] = []
        self.listeners: list[Declared] = []
        self.edges: list[tuple[Hook, Node]] = []
        """Streams of sound that go straight into a node: no function stands between."""
        self.budgets: list[tuple[Node, object]] = []
        """How late sound may be where it comes out."""
        self._names: dict[str, int] = {}
        self.layout = Place(self.root)
        self._places: dict[int, Place] = {}
        self._open: list[Place] = [self.layout]
        self._tokens: list[contextvars.Token[Graph | None]] = []
        self._taken = False
        self.adopt(self.root)
        self._places[self.root.id] = self.layout

    # -- what belongs here ---------------------------------------------------------------------

    def sees(self, other: Graph) -> bool:
        """Whether listeners here may name nodes and listeners of that graph."""
        return other is self

    def knows(self, declared: Declared) -> bool:
        """Whether a listener stands here, or where this graph sees it."""
        return declared in self.listeners

    def _next_id(self) -> int:
        return len(self.nodes)

    # -- building ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Components made from now on are placed here."""
        self._tokens.append(building.set(self))

    def end(self) -> None:
        building.reset(self._tokens.pop())

    def adopt(self, node: N) -> N:
        """Know a node, placed or not. Raises DeclarationError if it is another graph's."""
        if node.graph is None:
            node.graph, node.id = self, self._next_id()
            self.nodes.append(node)
            node.placed(self)
        elif not self.sees(node.graph):
            raise DeclarationError(
                f"{node.where}: belongs to another Blocks; make a new one for this app."
            )
        return node

    def place(self, node: Node) -> Place:
        """Put a node at the end of the open container."""
        self.adopt(node)
        if node.id in self._places:
            raise DeclarationError(f"{node.where}: is placed already; a node stands in one place.")
        place = self._places[node.id] = Place(node)
        self._open[-1].children.append(place)
        return place

    def move(self, node: Node) -> None:
        """Put a node that stands here already, and all in it, at the end of the open container."""
        found = self._places[node.id]
        if found in self._open:
            raise DeclarationError(f"{node.where}: cannot stand inside itself.")
        for place in self._places.values():
            place.children = [child for child in place.children if child is not found]
        self._open[-1].children.append(found)

    def inside(self, node: Node) -> tuple[Node, ...]:
        """What stands right inside of a node, in order."""
        place = self._places.get(node.id)
        return tuple(each.node for each in place.children) if place else ()

    @property
    def around(self) -> Place:
        """The open container: what is placed now stands in it."""
        return self._open[-1]

    def stands(self, node: Node) -> bool:
        """Whether a node has its place here."""
        return node.graph is self and node.id in self._places

    def absorb(self, other: Graph) -> None:
        """Take over another graph: nodes, listeners, and its layout into the open container.

        Its page events are this page's. Nothing more can be declared on the other. Raises
        DeclarationError for a graph that is still being written, is this one, or is taken already.
        """
        if other is self or other._tokens or other._taken:
            raise DeclarationError("render(): this Blocks is being written, or stands elsewhere.")
        other._taken = True
        # what hangs on its load hangs on ours
        other.root.graph, other.root.id = self.root.graph, self.root.id
        for node in other.nodes[1:]:
            node.graph, node.id = self, self._next_id()
            self.nodes.append(node)
        for declared in other.listeners:
            declared.id = len(self.listeners)
            declared.name = self._unique(declared.name)
            self.listeners.append(declared)
        self.edges += other.edges
        self.budgets += other.budgets
        for place in other.layout.children:
            self._take(place)
        self._open[-1].children += other.layout.children

    def _take(self, place: Place) -> None:
        self._places[place.node.id] = place
        for child in place.children:
            self._take(child)

    def enter(self, node: Node) -> None:
        """What is placed from now on stands inside `node`."""
        found = self._places.get(node.id)
        if found is None:
            raise DeclarationError(f"{node.where}: is not placed in this Blocks.")
        self._open.append(found)

    def leave(self) -> None:
        self._open.pop()

    # -- listening -----------------------------------------------------------------------------

    def listen(
        self,
        sources: tuple[Hook, ...],
        fn: Callable[..., Any] | None,
        inputs: Node | Iterable[Node] | None,
        outputs: Node | Iterable[Node] | None,
        cancels: tuple[Declared, ...],
        options: Options,
        where: str,
    ) -> Declared:
        """Declare a listener. Raises DeclarationError naming `where` and what cannot work."""
        if self._taken:
            raise DeclarationError(
                f"{where}: its Blocks was rendered into another; declare this listener before that."
            )
        taken = self._named(where, "inputs", inputs)
        keyed = isinstance(inputs, set | frozenset)
        given = self._named(where, "outputs", outputs)
        for node in taken:
            if not node.holds_value:
                raise DeclarationError(f"{where}: inputs: {node.where} has no value to read.")
        for node in given:
            if given.count(node) > 1:
                raise DeclarationError(f"{where}: outputs: {node.where} is named twice.")
        ports = {source.port for source in sources}
        direct = {source.port for source in sources if not source.derived}
        check_triggers(where, ports, direct, options)
        if fn is None:
            check_empty(where, [node.where for node in given], options)
        else:
            check_interrupt(where, fn, options)
            found = check_inputs(where, fn, len(taken), keyed)
            if options.batch and given and not taken and not found.given:
                raise DeclarationError(
                    f"{where}: batch=True needs inputs; without any list {name_of(fn)}() could not"
                    " know for how many it is called."
                )
        for other in cancels:
            if not self.knows(other):
                raise DeclarationError(
                    f"{where}: cancels: {other.name} stands in another Blocks; name a listener of"
                    " this one."
                )
            if other.options.queue is False:
                raise DeclarationError(
                    f"{where}: cancels: {other.name} has queue=False; only queued listeners can"
                    " be cancelled. Leave queue=False out there."
                )
        declared = Declared(
            id=len(self.listeners),
            name=self._name(fn, options),
            fn=fn,
            inputs=taken,
            keyed=keyed,
            outputs=given,
            sources=sources,
            cancels=cancels,
            options=options,
        )
        self.listeners.append(declared)
        remark_on(where, ports, bool(given), options)
        return declared

    def _named(self, where: str, what: str, given: object) -> tuple[Node, ...]:
        """Components that a listener names, adopted. Raises DeclarationError for another's."""
        found = nodes_of(where, what, given)
        for node in found:
            if node.graph is not None and not self.sees(node.graph):
                raise DeclarationError(
                    f"{where}: {what}: {node.where} belongs to another Blocks; name a component of"
                    " this one."
                )
            self.adopt(node)
        if isinstance(given, set | frozenset):  # it has no order of its own; the graph's is the
            found = tuple(sorted(found, key=lambda n: n.id))  # same in every run
        return found

    def _name(self, fn: Callable[..., Any] | None, options: Options) -> str:
        """The listener's name, unique in the graph, from api_name or the function."""
        if isinstance(options.api_name, str) and options.api_name:
            wanted = options.api_name
        elif fn is not None:
            wanted = name_of(fn)
        else:
            wanted = "js" if options.js else "cancel"
        return self._unique(wanted.replace("<lambda>", "lambda"))

    def _unique(self, wanted: str) -> str:
        name = wanted
        while name in self._names:
            self._names[wanted] += 1
            name = f"{wanted}_{self._names[wanted]}"
        self._names[name] = 0
        return name


def nodes_of(where: str, what: str, given: object) -> tuple[Node, ...]:
    """Components as they were written: one, or several. Raises DeclarationError."""
    if given is None:
        return ()
    if isinstance(given, Node):
        return (given,)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Collection):
        kind = type(cast("object", given)).__name__
        raise DeclarationError(f"{where}: {what} must be components, not {kind} {given!r}.")
    listed = cast("Collection[object]", given)
    found = list[Node]()
    for each in listed:
        if not isinstance(each, Node):
            raise DeclarationError(
                f"{where}: {what} must be components, not {type(each).__name__} {each!r}."
            )
        found.append(each)
    return tuple(found)
