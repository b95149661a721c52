"""One user of the app: the values, and the components as this user has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reactivex.abc import DisposableBase
from reactivex.disposable import CompositeDisposable

from .figures import Chain
from .fragments import Overlay
from .graph import Node
from .injected import ClientRequest
from .listeners import Listener
from .model import Request
from .patches import Onward
from .plan import Plan
from .same import same
from .streams import Stream
from .timers import Ticker
from .units import Seconds

if TYPE_CHECKING:
    from .blocks import Block
    from .chunks import Chunker
    from .tape import Tape

NO_CHUNKS: Mapping[Seconds, tuple[Listener, ...]] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be known of the nodes of a plan, or of a session's parts beside it."""

    watched: frozenset[int]
    """Those of whose values must be known whether they moved: for `change` and `input`."""
    ticking: frozenset[int]
    states: frozenset[int]

    @staticmethod
    def of(plan: Plan, everything: bool) -> Wanted:
        """everything: watch all values, whoever listens."""
        watched = {n for n, ports in plan.ports.items() if "change" in ports or "input" in ports}
        if everything:
            watched.update(node.id for node in plan.nodes)
        ticking = frozenset(node.id for node in plan.ticking)
        states = frozenset(node.id for node in plan.nodes if node.server_only)
        return Wanted(frozenset(watched), ticking, states)

    def also(self, others: Iterable[Wanted]) -> Wanted:
        """What all of them want."""
        each = (self, *others)
        return Wanted(
            frozenset[int]().union(*(one.watched for one in each)),
            frozenset[int]().union(*(one.ticking for one in each)),
            frozenset[int]().union(*(one.states for one in each)),
        )


class Inlet(Protocol):
    """Where the blocks of one node go."""

    def take(self, block: Block, /) -> None: ...
    def flush(self) -> None: ...


@dataclass(slots=True, eq=False)
class Session:
    """What one user has, and all that goes on for them."""

    id: str
    plan: Plan
    values: dict[int, object]
    media: Any
    client: ClientRequest
    wanted: Wanted
    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    """Those that are other than in the plan, or only here."""
    overlay: Overlay | None = None
    """The parts of the page that were made for this session, once there was one."""
    connected: bool = True
    closed: bool = False
    pending: int = 0
    contents: dict[int, object] = field(default_factory=dict[int, object])
    """What the values of watched nodes were when `change` last compared them."""
    arming: dict[int, int] = field(default_factory=dict[int, int])
    """Requests that begin a timer when they are taken, and of which listener."""
    tickers: dict[tuple[str, int], Ticker] = field(default_factory=dict[tuple[str, int], Ticker])
    streams: dict[tuple[int, str], Stream] = field(default_factory=dict[tuple[int, str], Stream])
    pipes: list[Chain] = field(default_factory=list[Chain])
    """The chains of operators on its sound."""
    subscriptions: CompositeDisposable = field(default_factory=CompositeDisposable)
    chunkers: dict[tuple[int, Seconds], Chunker] = field(
        default_factory=dict[tuple[int, Seconds], "Chunker"]
    )
    inlets: dict[int, Inlet] = field(default_factory=dict[int, Inlet])
    """By node: where its blocks go. Made of `streams`, `chunkers` and the listeners, and made anew
    when any of them changes."""
    limits: dict[int, DisposableBase] = field(default_factory=dict[int, DisposableBase])
    """By node: what will stop a recording that has a time limit."""
    sounding: dict[int, Sounding] = field(default_factory=dict[int, "Sounding"])
    passing: dict[int, Passing] = field(default_factory=dict[int, "Passing"])
    """By listener: the recording whose chunks it turns into sound."""
    chunk_of: dict[int, Passing] = field(default_factory=dict[int, "Passing"])
    """The same by request."""
    spoken: dict[int, dict[int, int]] = field(default_factory=dict[int, "dict[int, int]"])
    """By listener and node: the epoch of what it streamed last, which may still be heard."""
    epochs: int = 0
    sounded: dict[int, int] = field(default_factory=dict[int, int])
    """The epoch of each node's last stream, which may still be heard though it has ended."""
    grace: DisposableBase | None = None

    @staticmethod
    def of(id: str, plan: Plan, wanted: Wanted, media: Any, client: ClientRequest) -> Session:
        """A session that begins: every node has its first value, and nothing goes on."""
        values = {node.id: node.initial() for node in plan.nodes if node.holds_value}
        session = Session(id, plan, values, media, client, wanted)
        for node in wanted.watched & values.keys():
            session.contents[node] = plan.nodes[node].content(values[node])
        return session

    def close(self) -> None:
        """It is over: nothing ticks, comes in or is derived any more."""
        self.closed = True
        for ticker in self.tickers.values():
            ticker.dispose()
        self.tickers.clear()
        self.arming.clear()
        for limit in self.limits.values():
            limit.dispose()
        self.limits.clear()
        self.subscriptions.dispose()
        self.streams.clear()
        self.inlets.clear()
        if self.grace:
            self.grace.dispose()

    def connect(self, connected: bool) -> None:
        """Its front end went away or came back: who is away has no timers that cost anything."""
        self.connected = connected
        for ticker in self.tickers.values():
            if connected:
                ticker.resume()
            else:
                ticker.pause()

    # -- components ----------------------------------------------------------------------------

    def find(self, id: int) -> Node | None:
        """A node as this session has it; None if it has none of that id."""
        found = self.nodes.get(id)
        if found is None and 0 <= id < len(self.plan.nodes):
            found = self.plan.nodes[id]
        return found

    def node(self, id: int) -> Node:
        """A node that is there."""
        return self.nodes.get(id) or self.plan.nodes[id]

    def value(self, node: Node) -> object:
        """What a node holds now."""
        return self.values[node.id]

    def several(self, ids: tuple[int, ...]) -> tuple[Node, ...]:
        """Nodes that are there."""
        if not self.nodes:
            return tuple(map(self.plan.nodes.__getitem__, ids))
        return tuple([self.nodes.get(id) or self.plan.nodes[id] for id in ids])

    def set_by_page(self, id: int) -> bool:
        """Whether JavaScript of the app may set this node without a function (rule J1)."""
        if id in self.plan.set_by_pages:
            return True
        return self.overlay is not None and id in self.overlay.set_by_pages

    def gone(self, id: int) -> bool:
        """Whether this session had such a node once."""
        first = len(self.plan.nodes)
        return bool(self.overlay and first <= id < self.overlay.next and id not in self.nodes)

    # -- listeners -----------------------------------------------------------------------------

    def listeners(self, node: int, port: str) -> tuple[Listener, ...]:
        """Who listens at a port, in the order of their declaration (rule H2)."""
        found = self.plan.at_port.get((node, port), ())
        if self.overlay:
            found = (*found, *self.overlay.at_port.get((node, port), ()))
        return found

    def followers(self, listener: int, ports: tuple[str, ...]) -> list[Listener]:
        """Who follows the end of a listener, in the order of their declaration."""
        found = list[Listener]()
        for port in ports:
            found += self.plan.after.get((listener, port), ())
            if self.overlay:
                found += self.overlay.after.get((listener, port), ())
        if found:
            found.sort(key=lambda each: each.id)
        return found

    def stream(self, node: int, port: str) -> Stream:
        """What operators hang on; made with the first of them."""
        self.inlets.clear()
        return self.streams.setdefault((node, port), Stream())

    def chunked(self, node: int) -> Mapping[Seconds, tuple[Listener, ...]]:
        """Who gets chunks of a node's stream, by their length."""
        found = self.plan.chunked.get(node, NO_CHUNKS)
        if self.overlay is None or not (more := self.overlay.chunked.get(node)):
            return found
        return {n: (*found.get(n, ()), *more.get(n, ())) for n in {**found, **more}}

    def is_old(self, request: Request) -> bool:
        """Whether its listener stood in a part that is another one by now."""
        return self.overlay is None or request.listener.id not in self.overlay.listeners

    # -- values and timers ---------------------------------------------------------------------

    def store(self, node: Node, value: object) -> bool:
        """The only writer of values (rule E1). True if the content moved and somebody listens."""
        self.values[node.id] = value
        if node.id not in self.wanted.watched:
            return False
        old = self.contents[node.id]
        new = self.contents[node.id] = node.content(value)
        return not same(old, new)

    def start_ticker(self, kind: str, id: int, ticker: Ticker) -> None:
        """kind: as in `stop_ticker`. While the user is away nothing of it is due."""
        self.tickers[kind, id] = ticker
        if not self.connected:
            ticker.pause()

    def stop_every(self, listener: int) -> None:
        """End the timer of a listener, and all that would begin another."""
        self.stop_ticker("listener", listener)
        if self.arming:
            self.arming = {id: each for id, each in self.arming.items() if each != listener}

    def stop_ticker(self, kind: str, id: int) -> None:
        """kind: "node" for a timer of its own, "listener" for one with `every`."""
        if ticker := self.tickers.pop((kind, id), None):
            ticker.dispose()


@dataclass(slots=True, eq=False)
class Sounding:
    """What was streamed to one node so far: by one request, or by all chunks of one recording."""

    source: int | Passing
    epoch: int
    pieces: list[object]
    last: object = None
    tape: Tape | None = None
    """Live sound is kept here in place of its pieces: they are too many."""
    onward: Onward | None = None
    """Takes the pieces of a live stream behind its first."""


@dataclass(slots=True, eq=False)
class Passing:
    """One recording on its way through one listener that returns sound for it."""

    node: int
    listener: int
    outputs: tuple[int, ...]
    pending: int = 0
    over: bool = False
