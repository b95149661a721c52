"""A trace: everything that a program heard, decided and showed, with its time and its parent.

`Program(..., tap=trace.tap)` fills it. Sessions are named s1, s2, … in the order of their opening,
so that traces of two runs can be compared (rule X1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from .calls import Write
from .clock import Clock
from .described import ATOMS, described
from .entries import Entry, Facts
from .errors import OssicleError
from .listeners import Listener
from .model import Cause, Event, Outcome, Request
from .patches import Command, Fault, Gone, Part, Run, Set, Sound, Toast
from .plan import Plan
from .results import UNSET
from .said import Act, Close, Disconnect, Frames, Open, Reconnect, Said, Withdraw
from .sources import After, Derived, Port
from .trace_file import read, write
from .trace_picture import marbles, row_names, svg
from .trace_sounds import Brought
from .units import Seconds
from .why import why

if TYPE_CHECKING:
    from .blocks import Block


class TraceError(OssicleError, ValueError):
    """A trace that cannot be read, or a question that it cannot answer."""


class Station(Protocol):
    """An outcome, and what somebody keeps with it."""

    @property
    def outcome(self) -> Outcome: ...


class Trace:
    """What happened, in order. Two traces are equal if all their entries are.

    plan: whose nodes and listeners are named. clock: that of the program.
    """

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.names = names(plan)
        self._clock = clock
        self._raw = list[object]()
        self._entries = list[Entry]()
        self._said = list[tuple[int, Seconds, Said]]()
        self._sessions = dict[str, str]()
        self._over = False
        self.stations = list[Any]()
        """A time, an outcome, a time …: of all requests. Who reads it may clear it."""
        self._brought = brought = Brought()
        self._keep: dict[type, Callable[[Any], object]]
        self._keep = _KEEP | {Act: partial(_bring, brought), Gone: partial(_hold, brought)}

    def __call__(self, what: object) -> None:
        """Take one record of a program. What may change later is described now, the rest when
        somebody looks: a live stream says fifty things a second."""
        # Flat: what a trace holds on to, Python's garbage collector goes through again and again,
        # which took a third of a lab's time. Of numbers, texts and samples it knows nothing.
        record: Any = what
        kind = type(what)
        if kind is Outcome:
            self.stations += (self._clock.seconds, record)
        if self._over:
            return
        if kind is Run:  # no more than its outcome, which is kept already
            self._raw += (self._clock.seconds, record.outcome, Run)
        elif kind is Event or kind is Outcome:  # half of all there is
            value = record.value
            kept = value if type(value) in _ATOMS else _kept(value)
            self._raw += (self._clock.seconds, record, kept)
        elif kind is Frames:
            self.frames(record.session, record.node, record.block, record.event)
        else:
            keep = self._keep.get(kind)
            self._raw += (self._clock.seconds, record, keep(record) if keep else None)

    tap = __call__

    def frames(self, session: str, node: int, block: Block, event: int) -> None:
        """Take what `Frames` say. Of a block only what is in it: see above."""
        if self._over:
            return
        self._raw += (
            self._clock.seconds,
            Frames,
            session,
            node,
            event,
            block.samples,
            block.rate,
            block.index,
            block.flags,
            block.epoch,
        )

    def end(self) -> None:
        """Whatever is still tapped is no part of it. What users put in may go."""
        self._over = True
        self._brought.hold()

    # -- looking -------------------------------------------------------------------------------

    @property
    def entries(self) -> list[Entry]:
        """Everything so far, in order."""
        raw, self._raw = self._raw, []
        for at, record, kept in _records(raw):
            if isinstance(record, SAID):
                if isinstance(record, Open):
                    self._sessions[record.session] = f"s{len(self._sessions) + 1}"
                self._said.append((len(self._entries), at, self._renamed(record)))
            self._entries.append(self._entry(at, record, kept))
        return self._entries

    @property
    def said(self) -> list[tuple[int, Seconds, Said]]:
        """What came from front ends: its place among the entries, its time, itself."""
        _ = self.entries
        return [(place, at, self._brought.said(each)) for place, at, each in self._said]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def lines(self) -> list[str]:
        """Each entry as a line of JSON."""
        return [entry.line() for entry in self.entries]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.lines() == other.lines()

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # it grows

    def __repr__(self) -> str:
        return f"<Trace of {len(self)} entries>"

    def difference(self, other: Trace) -> str:
        """Where two traces part, with what came before; "" if they are equal."""
        ours, theirs = self.lines(), other.lines()
        for n in range(max(len(ours), len(theirs))):
            one, two = (each[n] if n < len(each) else "(the end)" for each in (ours, theirs))
            if one != two:
                before = [f"  {line}" for line in ours[max(0, n - 3) : n]]
                return "\n".join([f"entry {n}:", *before, f"- {one}", f"+ {two}"])
        return ""

    def why(self, of: Outcome | Station | int) -> str:
        """The chain that led to an outcome, or to a request by its id, in words.

        of: also one of a lab's `outcomes`. Raises TraceError for a request that is not here.
        """
        of = getattr(of, "outcome", of)
        request = of.request.id if isinstance(of, Outcome) else of
        if not isinstance(request, int):
            raise TraceError(f"why: {of!r} is no outcome, and no request's id.")
        told = why(self.entries, self.names, request)
        if told is None:
            raise TraceError(f"the trace has no request {request}.")
        return told

    def to_marbles(
        self,
        *rows: str,
        waits: bool = True,
        steps: bool = True,
        frame: Seconds | None = None,
        until: Seconds | None = None,
    ) -> str:
        """A marble picture: a row for each port that somebody listens to, and for each listener.

        Events are letters; of requests `q` waits, `s` starts, `y` yields, `|` succeeded, `#`
        failed, `^` cancelled, `x` dropped, `r` rejected, `m` merged. rows: only those whose name
        contains one of these. waits, steps: whether `q` and `y` are drawn. Raises TraceError for a
        name that no row can have.
        """
        self._check_rows(rows)
        left_out = ("" if waits else "q") + ("" if steps else "y")
        return marbles(self.entries, self.names, rows, left_out, frame, until)

    def to_svg(self, *rows: str) -> str:
        """The same as an SVG image, for light and dark pages: it has the text's colour."""
        self._check_rows(rows)
        return svg(self.entries, self.names, rows)

    # -- files ---------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write it as lines of JSON, with the sounds and files that users put in, for a replay.

        Names and headers of users are left out.
        """
        write(Path(path), self.names, self.lines(), self.said)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what `save` wrote. Raises TraceError for anything else."""
        try:
            found, lines, said = read(Path(path))
        except (ValueError, KeyError, TypeError) as error:
            raise TraceError(
                f"{path}: is no trace that this version can read ({error})."
            ) from error
        made = cls.__new__(cls)
        made.names, made._said = found, said
        made._raw, made._sessions, made._over, made._brought = [], {}, True, Brought()
        made.stations = []
        made._entries = [
            Entry(f.pop("at"), f.pop("what"), f.pop("session"), f) for f in map(json.loads, lines)
        ]
        return made

    # -- inside --------------------------------------------------------------------------------

    def _check_rows(self, rows: tuple[str, ...]) -> None:
        known = row_names(self.entries, self.names)
        for each in rows:
            if not isinstance(each, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
                raise TraceError(f"a row is named by a text, a part of its name, not by {each!r}.")
            if not any(each in name for name in known):
                there = "\n  ".join(known) or "(none: nobody listens to anything)"
                raise TraceError(f"the picture has no row {each!r}; there are\n  {there}")

    def _renamed(self, said: Said) -> Said:
        name = self._sessions.get(said.session, said.session)
        match said:
            case Open():
                return Open(name, None, said.client)
            case Act():
                return Act(name, said.node, said.act, said.value, said.data, said.cause, said.echo)
            case Frames():
                return Frames(name, said.node, said.block)
            case Withdraw():
                return Withdraw(name, said.request)
            case Disconnect() | Reconnect() | Close():
                return type(said)(name)

    def _entry(self, at: Seconds, record: object, kept: object) -> Entry:
        session: str = getattr(record, "session", "")
        match record:
            case Event():
                return self._made(at, "event", session, _event(record, kept))
            case Request():
                facts = {
                    "request": record.id,
                    "listener": record.listener.id,
                    "event": record.event.id,
                    "inputs": described(kept),
                }
                if record.listener.part:
                    facts["part"] = _of_part(record.listener)
                return self._made(at, "request", session, facts)
            case Outcome():
                facts = {"outcome": str(record.kind), "request": record.request.id}
                if kept is not None:
                    facts["value"] = described(kept)
                return self._made(at, "outcome", record.request.session, facts)
            case Open() | Act() | Frames() | Withdraw() | Disconnect() | Reconnect() | Close():
                return self._made(at, "said", session, _said(record, kept))
            case _:
                return self._made(at, "patch", session, _patch(record, kept))

    def _made(self, at: Seconds, what: str, session: str, facts: Facts) -> Entry:
        return Entry(at, what, self._sessions.get(session, session), facts)


def names(plan: Plan) -> Facts:
    """What a trace must know of its app to speak of it."""
    return {
        "nodes": [node.where for node in plan.nodes],
        "listeners": [
            {
                "name": each.name,
                "mode": each.mode,
                "line": each.line,
                "limit": each.limit,
                "every": each.every,
                "cancels": sorted(each.cancels),
                "outputs": list(each.outputs),
                "triggers": list(map(_trigger, declared.sources)),
            }
            for each, declared in zip(plan.listeners, plan.graph.listeners, strict=True)
        ],
    }


def _of_part(listener: Listener) -> Facts:
    """What `names` would say of it, if the app had it."""
    return {
        "id": listener.id,
        "name": listener.name,
        "mode": listener.mode,
        "line": f"listener {listener.id}",
        "limit": listener.limit,
        "every": listener.every,
        "cancels": sorted(listener.cancels),
        "outputs": list(listener.outputs),
        "triggers": [],
    }


def _trigger(source: object) -> list[Any]:
    match source:
        case Port():
            return ["port", source.node.id, source.port]
        case Derived():
            return ["derived", source.base.node.id, source.port]
        case After():
            return ["after", source.dependency.declared.id, source.port]
        case _:
            return ["other"]


def _block(*sound: Any) -> Block:
    from .blocks import Block  # numpy is loaded by apps that stream, not by all

    return Block(*sound)


def _records(raw: list[object]) -> Iterator[tuple[Seconds, object, object]]:
    """What `tap` has kept: when, the record, and of it what might have changed since."""
    left = cast("Iterator[Any]", iter(raw))
    for at in left:
        record = next(left)
        if record is not Frames:
            kept = next(left)
            yield at, Run(record.request.session, record) if kept is Run else record, kept
            continue
        session, node, event = islice(left, 3)
        block = _block(*islice(left, 5))
        yield at, Frames(session, node, block, event), None
        if event:
            yield at, Event(event, session, node, "stream", Cause.STREAM, at, block), block


def _kept(value: object) -> object:
    """A value itself if it stays as it is, else what is to be said of it."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple:
        writes: Any = value
        for each in writes:
            if type(each) is not Write or type(each.value) not in _ATOMS or each.props is not None:
                return described(value)
        return value
    return value if isinstance(value, ATOMS) else described(value)


def _kept_inputs(request: Request) -> tuple[object, ...]:
    for each in request.inputs:
        if type(each) not in _ATOMS:
            return tuple([_kept(each) for each in request.inputs])
    return request.inputs


def _bring(brought: Brought, act: Act) -> object:
    if type(act.value) not in _ATOMS:
        brought.add(act.value)
    return _kept(act.value)


def _hold(brought: Brought, _: Gone) -> None:
    brought.hold()


def _kept_set(patch: Set) -> object:
    return _kept(patch.value), described(dict(patch.props)) if patch.props else None


_ATOMS = frozenset(ATOMS)
"""To look a type up takes a tenth of what isinstance() takes for it."""

_KEEP: dict[type, Callable[[Any], object]] = {Request: _kept_inputs, Set: _kept_set}

SAID = (Open, Act, Frames, Withdraw, Disconnect, Reconnect, Close)


def _event(event: Event, kept: object) -> Facts:
    facts: Facts = {
        "event": event.id,
        "node": event.node,
        "port": event.port,
        "cause": str(event.cause),
        "value": described(kept),
    }
    if event.parent is not None:
        facts["of_event" if event.derived else "of_request"] = event.parent
    if event.data:
        facts["data"] = described(dict(event.data))
    return facts


def _said(said: Said, kept: object) -> Facts:
    match said:
        case Act():
            facts: Facts = {"said": "act", "node": said.node, "act": said.act}
            if said.value is not UNSET:
                facts["value"] = described(kept)
            if said.data:
                facts["data"] = described(dict(said.data))
            return facts
        case Frames():
            return {"said": "frames", "node": said.node, "value": described(said.block)}
        case Withdraw():
            return {"said": "cancel", "request": said.request}
        case _:
            return {"said": type(said).__name__.lower()}


def _patch(patch: object, kept: object) -> Facts:
    match patch:
        case Set():
            value, props = kept if isinstance(kept, tuple) else (UNSET, None)  # pyright: ignore
            facts: Facts = {"patch": "set", "node": patch.node}
            if patch.value is not UNSET:
                facts["value"] = described(value)
            return facts | ({"props": props} if props else {})
        case Run():
            outcome = patch.outcome
            return {"patch": "run", "request": outcome.request.id, "state": str(outcome.kind)}
        case Toast():
            return {"patch": "toast", **described(patch.notice)}
        case Sound():
            return {"patch": "sound", "node": patch.node, "stage": patch.stage}
        case Fault():
            text = None if patch.error is None else f"{type(patch.error).__name__}: {patch.error}"
            return {"patch": "fault", "node": patch.node, "error": text, "count": patch.count}
        case Command():
            return {"patch": "command", "node": patch.node, "command": patch.command}
        case Part():
            nodes = {str(node.id): node.where for node in patch.plan.nodes}
            return {"patch": "part", "node": patch.node, "nodes": nodes}
        case Gone():
            return {"patch": "gone"}
        case _:
            return {"patch": type(patch).__name__.lower()}
