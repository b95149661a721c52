"""The graph after all defaults: who listens where, in which line, under which limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

from .alone import Deeds, alone
from .budgets import Budget
from .errors import DeclarationError
from .graph import Declared, Graph, Hook, Node
from .listeners import Listener, TriggerMode
from .signature import Signature, signature
from .sources import After, Derived, Port
from .triggers import TRIGGERS
from .units import Seconds

BACKLOG: Seconds = 2.0
"""Of a live stream may wait for a function that is too slow; then its overload policy acts."""

BLOCKED: Seconds = 60.0
"""The same where the author would rather wait than lose ("block"): nobody can make a microphone
wait, so this is bounded, too."""

FRAME: Seconds = 0.02
"""Of a live stream in one frame, as front ends send them unless told otherwise."""

LATEST = ("change", "key_up")
"""Ports whose newest event makes the ones before it stale: `always_last` by default (rule T3)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `queue(...)` sets for the whole app."""

    default_concurrency_limit: int | None = 1
    max_size: int | None = None
    queue: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a program runs. Immutable; shared by all sessions.

    at_port, after: listeners by what triggers them, in the order of their declaration (rule H2).
    """

    graph: Graph
    settings: Settings
    nodes: tuple[Node, ...]
    listeners: tuple[Listener, ...]
    at_port: dict[tuple[int, str], tuple[Listener, ...]]
    after: dict[tuple[int, str], tuple[Listener, ...]]
    derived: tuple[tuple[Derived, Listener], ...]
    ticking: tuple[Node, ...]
    chunked: dict[int, dict[Seconds, tuple[Listener, ...]]]
    """By node: who listens to its stream, by the length of their chunks."""
    alone: dict[int, Deeds] = field(default_factory=dict[int, Deeds])
    """By listener: what starts it in the page, where it runs without the server (rule J1)."""
    edges: tuple[tuple[Derived, Node], ...] = ()
    """Streams of sound that go straight into a node."""

    @property
    def set_by_pages(self) -> frozenset[int]:
        """The nodes that JavaScript sets in the page."""
        alone = (each for each in self.listeners if each.id in self.alone)
        return frozenset(id for each in alone for id in each.outputs)

    def time_limit(self, node: int) -> Seconds | None:
        """The least that listeners to a node's stream set, through operators or not."""
        heard = [*chain.from_iterable(self.chunked.get(node, {}).values())]
        for source, each in self.derived:
            if source.port == "stream" and source.base.node.id == node:
                heard.append(each)
        limits = (each.options.time_limit for each in heard)
        return min((each for each in limits if each is not None), default=None)

    @property
    def followed(self) -> frozenset[int]:
        """The nodes whose values operators read while sound runs."""
        pipes = (*(each for each, _ in self.derived), *(each for each, _ in self.edges))
        return frozenset(node.id for each in pipes for node in each.follows)

    @property
    def budgets(self) -> dict[int, Budget]:
        """How late sound may be where it comes out, by node; the least where there are several."""
        found = dict[int, Budget]()
        for node, each in self.graph.budgets:
            assert isinstance(each, Budget)
            had = found.get(node.id)
            found[node.id] = each if had is None or each.limit < had.limit else had
        return found

    def without(self, listeners: Collection[Listener]) -> Plan:
        """The same plan in which nothing triggers these listeners."""

        left_out = {each.id for each in listeners}

        def kept(found: tuple[Listener, ...]) -> tuple[Listener, ...]:
            return tuple(each for each in found if each not in listeners)

        return replace(
            self,
            alone={id: each for id, each in self.alone.items() if id not in left_out},
            at_port={key: kept(each) for key, each in self.at_port.items()},
            after={key: kept(each) for key, each in self.after.items()},
            derived=tuple(each for each in self.derived if each[1] not in listeners),
            chunked={
                node: {every: kept(found) for every, found in sizes.items()}
                for node, sizes in self.chunked.items()
            },
        )

    @property
    def ports(self) -> dict[int, list[str]]:
        """The ports that somebody listens to, by node."""
        found = dict[int, list[str]]()
        for node, port in self.at_port:
            found.setdefault(node, []).append(port)
        for each, _ in self.derived:
            names = found.setdefault(each.base.node.id, [])
            if each.port not in names:
                names.append(each.port)
        return found


def compile_plan(
    graph: Graph,
    settings: Settings | None = None,
    *,
    part: str = "",
    lines: Mapping[str, int | None] | None = None,
) -> Plan:
    """Resolve every default (rules T1-T4, Q2, I2).

    part: whose page it is a part of; its listeners' own lines are that session's alone. lines: the
    limits of lines that stand already.
    """
    settings = settings or Settings()
    limits = {**_limits(graph.listeners, settings, part), **(lines or {})}
    listeners = tuple(_listener(each, limits, settings, part) for each in graph.listeners)
    at_port = dict[tuple[int, str], list[Listener]]()
    after = dict[tuple[int, str], list[Listener]]()
    derived = list[tuple[Derived, Listener]]()
    by_page = alone(graph.listeners)
    for declared, listener in zip(graph.listeners, listeners, strict=True):
        for source in declared.sources:
            match source:
                case Port() if declared.id in by_page:
                    continue
                case Port():
                    own = at_port.setdefault((source.node.id, source.port), [])
                    if listener not in own:
                        own.append(listener)
                case After():
                    key = source.dependency.declared.id, source.port
                    after.setdefault(key, []).append(listener)
                case Derived():
                    derived.append((source, listener))
                case _:
                    raise TypeError(f"{source!r} is no source that a plan knows")
    return Plan(
        graph=graph,
        settings=settings,
        nodes=tuple(graph.nodes),
        listeners=listeners,
        at_port={key: tuple(each) for key, each in at_port.items()},
        after={key: tuple(each) for key, each in after.items()},
        derived=tuple(derived),
        ticking=tuple(node for node in graph.nodes if "tick" in node.ports),
        chunked=_chunked(at_port),
        alone=by_page,
        edges=tuple((each, node) for each, node in graph.edges if isinstance(each, Derived)),
    )


def _chunked(
    at_port: dict[tuple[int, str], list[Listener]],
) -> dict[int, dict[Seconds, tuple[Listener, ...]]]:
    found = dict[int, dict[Seconds, tuple[Listener, ...]]]()
    for (node, port), listeners in at_port.items():
        if port == "stream":
            sizes = found.setdefault(node, {})
            for each in listeners:
                every = each.options.stream_every
                sizes[every] = (*sizes.get(every, ()), each)
    return found


def default_mode(sources: Iterable[Hook]) -> TriggerMode:
    """The mode of a listener that names none, from what it hangs on."""
    ports = [each.port for each in sources if not isinstance(each, After)]
    if "stream" in ports:
        return "multiple"
    return "always_last" if any(port in LATEST for port in ports) else "once"


def default_progress(sources: Iterable[Hook]) -> Literal["full", "hidden"]:
    """Streams and ticks come too often to be announced."""
    ports = {each.port for each in sources}
    return "hidden" if ports and ports <= {"stream", "tick"} else "full"


def _line(declared: Declared, settings: Settings, part: str) -> str:
    own = f"{declared.id} of {part}" if part else str(declared.id)
    if not _queued(declared, settings):
        return f"unqueued {own}"
    wanted = declared.options.concurrency_id
    return f"id {wanted}" if wanted is not None else f"listener {own}"


def _queued(declared: Declared, settings: Settings) -> bool:
    return settings.queue if declared.options.queue is None else declared.options.queue


def _limits(listeners: Iterable[Declared], settings: Settings, part: str) -> dict[str, int | None]:
    """Rule Q2: per line the lowest limit that anyone in it set."""
    limits = dict[str, int | None]()
    for each in listeners:
        line, own = _line(each, settings, part), each.options.concurrency_limit
        if not _queued(each, settings):
            own = None
        elif own == "default":
            own = settings.default_concurrency_limit
        had = limits.get(line)
        limits[line] = min((n for n in (own, had) if n is not None), default=None)
    return limits


def _listener(
    declared: Declared, limits: Mapping[str, int | None], settings: Settings, part: str
) -> Listener:
    o = declared.options
    if o.every is not None and not _queued(declared, settings):
        raise DeclarationError(
            f"{declared.name}: every={o.every} needs the queue; give this listener queue=True, or"
            " leave queue(enabled=False) out."
        )
    for each in declared.cancels:
        if not _queued(each, settings):
            raise DeclarationError(
                f"{declared.name}: cancels: {each.name} skips the queue, as queue(enabled=False)"
                " says; only queued listeners can be cancelled. Give that one queue=True."
            )
    mode = o.trigger_mode or default_mode(declared.sources)
    line = _line(declared, settings, part)
    written = {n.id for n in declared.outputs if n.server_only}
    streams = any(each.port == "stream" for each in declared.sources)
    overload = o.on_overload or ("drop_oldest" if streams else "block")
    progress = o.show_progress or default_progress(declared.sources)
    return Listener(
        id=declared.id,
        name=declared.name,
        fn=declared.fn,
        inputs=tuple(n.id for n in declared.inputs),
        outputs=tuple(n.id for n in declared.outputs),
        keyed=declared.keyed,
        mode=mode,
        trigger=TRIGGERS[mode],
        line=line,
        limit=limits[line],
        queued=_queued(declared, settings),
        batch=o.max_batch_size if o.batch else 0,
        window=o.batch_window,
        locks=frozenset(n.id for n in declared.inputs if n.id in written),
        cancels=frozenset(each.id for each in declared.cancels),
        every=o.every,
        on_overload=overload,
        backlog=_backlog(overload, _every(declared)) if streams else None,
        interrupt=o.interrupt,
        on_disconnect=o.on_disconnect,
        show_progress=progress,
        signature=_signature(declared.fn),
        options=o,
        keys=declared.inputs if declared.keyed else (),
        part=bool(part),
    )


def _every(declared: Declared) -> Seconds:
    """How often a stream triggers: what operators give comes as often as frames do, at most."""
    derived = any(isinstance(each, Derived) for each in declared.sources)
    return FRAME if derived else declared.options.stream_every


def _backlog(overload: str, every: Seconds) -> int:
    """Most chunks that may wait; of "latest" never more than the newest."""
    if overload == "latest":
        return 1
    return max(2, math.ceil((BLOCKED if overload == "block" else BACKLOG) / every))


def _signature(fn: Callable[..., object] | None) -> Signature:
    return signature(fn) if fn is not None else Signature(0, None, (), ())
