"""The plan in words: per listener what triggers it, by which rules, in which line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .explain_picture import Box, Edge, layered_svg, mermaid
from .graph import Declared
from .listeners import Listener
from .plan import Plan
from .sources import After, Derived, Port
from .units import Seconds


@dataclass(frozen=True, slots=True)
class Explained:
    """One listener after all defaults. Names are those that errors use.

    line: the queue it stands in; "" skips the queue. limit: how many of that line run at once;
    None is no bound. batch: the most requests in one call; 0 is no batch. notes: what else was
    asked for.
    """

    name: str
    triggers: tuple[str, ...]
    mode: str
    line: str
    limit: int | None
    batch: int
    window: Seconds
    every: Seconds | None
    cancels: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]


class Explanation:
    """What an app will do. `str()` is a table; `to_mermaid()` and `to_svg()` draw the graph."""

    def __init__(self, plan: Plan, title: str = "") -> None:
        self.title = title
        self.listeners = tuple(
            _explained(plan, listener, declared)
            for listener, declared in zip(plan.listeners, plan.graph.listeners, strict=True)
        )
        self.timers = tuple(_timers(plan))
        self.streams = tuple(_edges(plan))
        self._settings = plan.settings
        self._lines = len({each.line for each in plan.listeners if each.queued})
        self._boxes, self._edges = _graph(plan, self.listeners)

    def __str__(self) -> str:
        return "\n".join([*self._head(), "", *_table(_HEADS, [_cells(e) for e in self.listeners])])

    def __repr__(self) -> str:
        return f"<Explanation of {_count(len(self.listeners), 'listener')}>"

    def to_mermaid(self) -> str:
        """The graph as a Mermaid flowchart: components, listeners, and what leads where."""
        return mermaid(self._boxes, self._edges)

    def to_svg(self) -> str:
        """The graph as an SVG image, left to right, in the colour of the text around it."""
        return layered_svg(self._boxes, self._edges)

    def _head(self) -> list[str]:
        lines = self._lines
        head = [
            f"{self.title or 'app'}: {_count(len(self.listeners), 'listener')}"
            f" in {_count(lines, 'line')}"
        ]
        limit, size = self._settings.default_concurrency_limit, self._settings.max_size
        head.append(
            f"queue: {_limit(limit)} where a listener names no limit,"
            f" {'any number' if size is None else f'at most {size}'} may wait"
        )
        head += [f"timer: {each}" for each in self.timers]
        return head + [f"live: {each}" for each in self.streams]


def explain(plan: Plan, title: str = "") -> Explanation:
    """Explain a plan."""
    return Explanation(plan, title)


def _explained(plan: Plan, listener: Listener, declared: Declared) -> Explained:
    def where(ids: Iterable[int]) -> tuple[str, ...]:
        return tuple(plan.nodes[id].where for id in ids)

    return Explained(
        name=listener.name,
        triggers=tuple(source.where for source in declared.sources),
        mode=listener.mode,
        line=_line(plan, listener),
        limit=listener.limit,
        batch=listener.batch,
        window=listener.window,
        every=listener.every,
        cancels=tuple(plan.listeners[id].name for id in sorted(listener.cancels)),
        inputs=where(listener.inputs),
        outputs=where(listener.outputs),
        notes=tuple(_notes(plan, listener, declared)),
    )


def _line(plan: Plan, listener: Listener) -> str:
    if not listener.queued:
        return ""
    wanted = listener.options.concurrency_id
    if wanted is None:
        return "its own"
    return wanted


def _notes(plan: Plan, listener: Listener, declared: Declared) -> Iterable[str]:
    options = listener.options
    if listener.fn is None:
        if options.js is None:
            yield "no function"
        else:
            yield "in the page alone" if listener.id in plan.alone else "page code only"
    elif options.js is not None:
        yield "page code first"
    streams = [each for each in declared.sources if each.port == "stream"]
    if any(isinstance(each, Port) for each in streams):
        yield f"chunks of {options.stream_every:g} s"
    if any(isinstance(each, Derived) for each in streams):
        yield "what operators give"
    if listener.backlog is not None:
        yield _overload(listener)
    if options.time_limit is not None:
        yield f"at most {options.time_limit:g} s"
    if listener.locks:
        names = ", ".join(plan.nodes[id].where for id in sorted(listener.locks))
        yield f"one at a time per session for {names}"
    if listener.interrupt:
        yield "interrupt"
    if listener.on_disconnect != "cancel":
        yield f"on_disconnect={listener.on_disconnect}"
    if listener.keyed:
        yield "inputs as a dict"
    if not options.preprocess:
        yield "inputs as stored"
    if not options.postprocess:
        yield "outputs as returned"


def _overload(listener: Listener) -> str:
    """What a session's chunks do when the function is too slow for them."""
    most = listener.backlog
    if listener.on_overload == "latest":
        return "only the newest waits"
    then = {
        "drop_oldest": "the oldest is dropped",
        "block": "the oldest is dropped; the delay grows with them",
        "coalesce": "the oldest is dropped; those that wait go as one",
        "error": "the new one is rejected",
    }.get(listener.on_overload, listener.on_overload)
    return f"{most} wait at most, then {then}"


def _edges(plan: Plan) -> Iterable[str]:
    """Sound that goes straight to where it is heard: no function, so no queue."""
    for derived, node in plan.edges:
        held = [each for each in derived.operators if hasattr(each, "latency")]
        names = ", ".join(getattr(each, "name", "operator") for each in held)
        through = f" through {names}" if names else ""
        yield (
            f"{derived.base.where}{through} is heard at {node.where}: no queue; what is more than"
            " 0.2 s late is dropped, and where the app stays behind it is left out"
            f"{' before them' if through else ''}"
        )


def _timers(plan: Plan) -> Iterable[str]:
    for node in plan.ticking:
        period = node.period(node.initial())
        pace = "stands still" if period is None else f"ticks every {period:g} s"
        yield f"{node.where} {pace} while its session is connected"


# -- the table ---------------------------------------------------------------------------------

_HEADS = ("listener", "triggers", "mode", "line", "at once", "batch", "every", "cancels", "inputs",
          "outputs", "notes")  # fmt: skip
_ALWAYS = 5
"""The first columns stand even if they are empty."""

Cells = tuple[tuple[str, ...], ...]


def _cells(each: Explained) -> Cells:
    batch = f"up to {each.batch}" if each.batch else ""
    if each.window:
        batch += f", waits {each.window:g} s"
    return (
        (each.name,),
        each.triggers,
        (each.mode,),
        (each.line or "(no queue)",),
        (_limit(each.limit),),
        (batch,) if batch else (),
        (f"{each.every:g} s",) if each.every is not None else (),
        each.cancels,
        each.inputs,
        each.outputs,
        each.notes,
    )


def _table(heads: Sequence[str], rows: Sequence[Cells]) -> list[str]:
    kept = [n for n in range(len(heads)) if n < _ALWAYS or any(row[n] for row in rows)]
    widths = [max([len(heads[n]), *(len(text) for row in rows for text in row[n])]) for n in kept]
    lines = ["  ".join(heads[n].ljust(w) for n, w in zip(kept, widths, strict=True))]
    lines.append("  ".join("-" * w for w in widths))
    for row in rows:
        for place in range(max(len(row[n]) for n in kept)):
            texts = (row[n][place] if place < len(row[n]) else "" for n in kept)
            lines.append("  ".join(t.ljust(w) for t, w in zip(texts, widths, strict=True)))
    return [line.rstrip() for line in lines]


def _limit(limit: int | None) -> str:
    return "no limit" if limit is None else str(limit)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# -- the graph ---------------------------------------------------------------------------------


def _graph(plan: Plan, rows: Sequence[Explained]) -> tuple[list[Box], list[Edge]]:
    boxes, edges = list[Box](), list[Edge]()
    used = set[int]()
    for listener, declared in zip(plan.listeners, plan.graph.listeners, strict=True):
        to = f"l{listener.id}"
        for source in declared.sources:
            match source:
                case Port():
                    edges.append(Edge(f"n{source.node.id}", to, source.port, "trigger"))
                    used.add(source.node.id)
                case Derived():
                    node = source.base.node.id
                    edges.append(Edge(f"n{node}", to, f"{source.port}.pipe", "trigger"))
                    used.add(node)
                case After():
                    of = f"l{source.dependency.declared.id}"
                    edges.append(Edge(of, to, source.port, "trigger"))
                case _:
                    pass
        triggers = {edge.begin for edge in edges if edge.end == to}
        for id in listener.inputs:
            used.add(id)
            if f"n{id}" not in triggers:
                edges.append(Edge(f"n{id}", to, "", "input"))
        for id in listener.outputs:
            used.add(id)
            edges.append(Edge(to, f"n{id}", "", "output"))
        edges += [Edge(to, f"l{id}", "cancels", "cancel") for id in sorted(listener.cancels)]
    boxes += [Box(f"n{id}", (plan.nodes[id].where,), True) for id in sorted(used)]
    boxes += [
        Box(f"l{listener.id}", (row.name, _rules(row)), False)
        for listener, row in zip(plan.listeners, rows, strict=True)
    ]
    return boxes, edges


def _rules(row: Explained) -> str:
    parts = [row.mode]
    if not row.line:
        parts.append("no queue")
    elif row.limit != 1 or row.line != "its own":
        name = "" if row.line == "its own" else f"{row.line}: "
        parts.append(f"{name}{_limit(row.limit)}{' at once' if row.limit else ''}")
    if row.batch:
        parts.append(f"batch {row.batch}")
    if row.every is not None:
        parts.append(f"every {row.every:g} s")
    return " · ".join(parts)
