"""What happened to live sound, counted where it happened: plain numbers, always on.

Each counter is written by the one who knows, in the course of its work; nothing is computed until
`Metrics.snapshot` is asked. "frames" are sample frames, "pieces" are frames of the wire; seconds
and milliseconds say so in their names. Sessions have numbers here: their tokens are secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...flow.clipping import Clipping
from ...flow.figures import Chain
from ...flow.model import Outcome
from ...flow.units import Seconds
from .chains import chain_snapshot
from .chunked import CallMetrics
from .spread import Spread

Snapshot = dict[str, Any]
"""JSON: dicts, lists, numbers, texts."""

STALL: Seconds = 0.02
"""From here on a lag of the loop is called a stall: a frame of sound is late."""


@dataclass(slots=True)
class SourceMetrics:
    """One recording on its way in."""

    node: int = 0
    rate: int = 0
    channels: int = 0
    pieces: int = 0
    received: int = 0
    """Frames that were new."""
    lost: int = 0
    repeated: int = 0
    late: int = 0
    """Pieces that came later than live sound may: they are taken, what goes out of them is not."""
    refused: int = 0
    """Pieces that could not be taken; each was answered with its reason."""
    untaken: int = 0
    """Frames beyond what a take keeps."""
    dropped: int = 0
    """Frames that were left out because the app was too slow: of chunks that no function got (its
    `on_overload`), and those that operators on the way to a speaker did not get."""
    discontinuities: int = 0
    busy: Seconds = 0.0
    """Spent on the loop for this recording: operators, chunks, what goes straight to a speaker."""
    longest: Seconds = 0.0
    """Spent for one piece."""
    over: bool = False

    def spent(self, seconds: Seconds) -> None:
        """So long the loop worked on one piece."""
        self.busy += seconds
        if seconds > self.longest:
            self.longest = seconds

    @property
    def load(self) -> float:
        """Share of the sound's own duration that was spent on it; above 0.7 is too near to 1."""
        return self.busy * self.rate / self.received if self.received else 0.0

    def snapshot(self) -> Snapshot:
        return _fields(self) | {"load": round(self.load, 5)}


@dataclass(slots=True)
class SinkMetrics:
    """One stream on its way to a listener."""

    node: int = 0
    rate: int = 0
    channels: int = 0
    live: bool = False
    total: int = 0
    """Frames given so far."""
    sent: int = 0
    """Frames sent, and those left out before they were."""
    heard: int = 0
    dropped: int = 0
    """Frames that waited too long and were left out (policy: drop_oldest; live only)."""
    flushed: int = 0
    underruns: int = 0
    """How often the listener's player ran dry, as it says itself."""
    most_waiting: int = 0
    """Frames that waited at once to be sent."""
    resumed: int = 0
    skipped: int = 0
    """Frames that the player left out to catch up, or that never came to it, as it says itself."""
    fill_ms: float = 0.0
    """What waits in the player to be heard."""
    target_ms: float = 0.0
    """What should wait there."""
    latency_ms: float = 0.0
    """From the microphone to the speaker, the middle of those that the listener told of last."""
    worst_ms: float = 0.0
    latencies: Spread = field(default_factory=Spread)
    """All of `latency_ms`: ten a second."""
    budget_ms: float = 0.0
    """How late it may be; 0 is any."""
    over_budget: int = 0
    """How often the listener told of more."""
    over: bool = False
    clipping: Clipping = field(default_factory=Clipping)

    @property
    def clipped(self) -> int:
        """Samples of all channels that were beyond full scale, and were cut there."""
        return self.clipping.samples

    def late_by(self, middle: float, worst: float) -> bool:
        """The listener tells how late sound is; whether that is beyond the budget now first."""
        self.latency_ms, self.worst_ms = middle, max(self.worst_ms, worst)
        self.latencies.add(middle)
        beyond = 0 < self.budget_ms < middle
        self.over_budget += beyond
        return beyond and self.over_budget == 1

    @property
    def waiting(self) -> int:
        """Frames that wait to be sent."""
        return self.total - self.sent

    @property
    def under_way(self) -> int:
        """Frames that were sent and not heard yet."""
        return self.sent - self.heard

    def snapshot(self) -> Snapshot:
        made = _fields(self) | {"waiting": self.waiting, "under_way": self.under_way}
        made["clipped"] = self.clipped
        del made["latencies"], made["clipping"]
        for n in (50, 95, 99):  # the upper edges of steps, which nothing need have reached
            made[f"p{n}_ms"] = round(min(self.latencies.percentile(n), self.worst_ms), 1)
        return made


@dataclass(slots=True)
class LinkMetrics:
    """The line to one front end, over all its sockets."""

    pieces_in: int = 0
    bytes_in: int = 0
    pieces_out: int = 0
    bytes_out: int = 0
    delayed: int = 0
    """Pieces that could not be written at once."""
    queued: int = 0
    """Those that had to wait for the socket or their turn."""
    depth: int = 0
    """How many wait now."""
    most_depth: int = 0
    overflowed: int = 0
    reconnects: int = 0
    refused: int = 0
    trip_ms: float = 0.0
    """To the server and back, as the page measured it last while there was sound."""

    @property
    def at_once(self) -> int:
        """Pieces written without waiting."""
        return self.pieces_out - self.delayed

    def snapshot(self) -> Snapshot:
        return _fields(self) | {"at_once": self.at_once}


class Sums:
    """Of many recordings and streams that are over."""

    __slots__ = ("recorded", "played", "made", "called")

    RECORDED = (
        "received", "lost", "repeated", "late", "refused", "dropped", "discontinuities", "busy",
    )  # fmt: skip
    PLAYED = ("total", "heard", "dropped", "flushed", "underruns", "clipped")

    MADE = ("faults", "empty", "dropped", "late")
    CALLED = ("chunks", "dropped", "merged", "rejected", "failed", "late")

    def __init__(self) -> None:
        self.recorded: dict[str, float] = dict.fromkeys(self.RECORDED, 0)
        self.played: dict[str, float] = dict.fromkeys(self.PLAYED, 0)
        self.made: dict[str, float] = dict.fromkeys(self.MADE, 0)
        self.called: dict[str, float] = dict.fromkeys(self.CALLED, 0)

    def add_source(self, source: SourceMetrics) -> None:
        for name in self.RECORDED:
            self.recorded[name] += getattr(source, name)

    def add_sink(self, sink: SinkMetrics) -> None:
        for name in self.PLAYED:
            self.played[name] += getattr(sink, name)

    def add_chain(self, chain: Chain) -> None:
        for name in self.MADE:
            self.made[name] += getattr(chain, name)

    def add_calls(self, calls: CallMetrics) -> None:
        for name in self.CALLED:
            self.called[name] += getattr(calls, name)

    def add(self, other: Sums) -> None:
        for here, there in zip(self._all(), other._all(), strict=True):
            for name, value in there.items():
                here[name] += value

    def _all(self) -> tuple[dict[str, float], ...]:
        return self.recorded, self.played, self.made, self.called

    def snapshot(self) -> Snapshot:
        names = ("in", "out", "operators", "functions")
        return {name: dict(each) for name, each in zip(names, self._all(), strict=True)}


@dataclass(slots=True)
class SessionMetrics:
    """All of one session. A node's newest recording, and the newest stream to it, are kept."""

    number: int = 0
    link: LinkMetrics = field(default_factory=LinkMetrics)
    sources: dict[int, SourceMetrics] = field(default_factory=dict[int, SourceMetrics])
    sinks: dict[int, SinkMetrics] = field(default_factory=dict[int, SinkMetrics])
    past: Sums = field(default_factory=Sums)
    chains: Sequence[Chain] = ()
    """Of operators, that the session's program has."""
    calls: dict[tuple[int, int], CallMetrics] = field(
        default_factory=dict[tuple[int, int], CallMetrics]
    )
    """Of functions on streams, by node and listener."""

    def called(self, outcome: Outcome, now: Seconds) -> None:
        """A request of a function that gets chunks reached another station."""
        request = outcome.request
        key = request.event.node, request.listener.id
        made = self.calls.get(key)
        if made is None:
            listener = request.listener
            made = self.calls[key] = CallMetrics(listener.name, key[0], tuple(listener.outputs))
        made.take(outcome, now)

    def nodes(self, node: int | None = None) -> Snapshot:
        """What operators and functions do; only those at one node, if that is given."""

        def rate(source: int) -> int:
            return self.sources[source].rate if source in self.sources else 0

        return {
            "chains": [
                chain_snapshot(each, rate(each.source))
                for each in self.chains
                if node in (None, each.source, each.target)
            ],
            "calls": [
                each.snapshot()
                for each in self.calls.values()
                if node in (None, each.source, *each.targets)
            ],
        }

    def at(self, node: int) -> Snapshot:
        """What there is to tell of one node to who looks at it."""
        sink = self.sinks.get(node)
        return {**self.nodes(node), "clipped": sink.clipped if sink else 0}

    def source(self, node: int, rate: int, channels: int) -> SourceMetrics:
        """A recording of a node begins; of the one before only the sums are kept."""
        if old := self.sources.get(node):
            self.past.add_source(old)
        made = self.sources[node] = SourceMetrics(node, rate, channels)
        return made

    def sink(self, node: int, rate: int, channels: int, live: bool) -> SinkMetrics:
        """A stream to a node begins."""
        if old := self.sinks.get(node):
            self.past.add_sink(old)
        made = self.sinks[node] = SinkMetrics(node, rate, channels, live)
        return made

    def sums(self) -> Sums:
        """All there was so far."""
        made = Sums()
        made.add(self.past)
        for source in self.sources.values():
            made.add_source(source)
        for sink in self.sinks.values():
            made.add_sink(sink)
        for chain in self.chains:
            made.add_chain(chain)
        for calls in self.calls.values():
            made.add_calls(calls)
        return made

    def snapshot(self) -> Snapshot:
        return {
            "session": self.number,
            "link": self.link.snapshot(),
            "sources": [each.snapshot() for each in self.sources.values()],
            "sinks": [each.snapshot() for each in self.sinks.values()],
            **self.nodes(),
        }


class Lag:
    """How late the loop comes to what is due, as a histogram in steps of a factor of two."""

    __slots__ = ("counts", "most", "stalls", "seen", "pauses")

    STEPS = 16
    LEAST: Seconds = 0.000125

    def __init__(self) -> None:
        self.counts = [0] * self.STEPS
        self.most: Seconds = 0.0
        self.stalls = 0
        self.seen = 0
        self.pauses = 0
        """How often it was held to let sound gather."""

    def add(self, seconds: Seconds) -> None:
        step, edge = 0, self.LEAST
        while seconds > edge and step < self.STEPS - 1:
            step, edge = step + 1, edge * 2
        self.counts[step] += 1
        self.seen += 1
        self.stalls += seconds > STALL
        self.most = max(self.most, seconds)

    def percentile(self, percent: float) -> Seconds:
        """An upper bound of it: the edge of its step, or the most there was; 0 without any."""
        left = self.seen * percent / 100
        for step, count in enumerate(self.counts):
            left -= count
            if count and left <= 0:
                return min(self.LEAST * 2**step, self.most)
        return self.most

    def snapshot(self) -> Snapshot:
        return {
            "p50_ms": _ms(self.percentile(50)),
            "p99_ms": _ms(self.percentile(99)),
            "most_ms": _ms(self.most),
            "stalls": self.stalls,
            "seen": self.seen,
            "pauses": self.pauses,
        }


class Metrics:
    """Of one host: its sessions that are open, and the sums over those that are over."""

    def __init__(self) -> None:
        self.lag = Lag()
        self.sessions = dict[int, SessionMetrics]()
        self.disk: Callable[[], Snapshot] = dict
        """How the disk follows, as the store of sounds says."""
        self._opened = 0
        self._past = Sums()

    def open(self) -> SessionMetrics:
        """A session begins."""
        self._opened += 1
        made = self.sessions[self._opened] = SessionMetrics(self._opened)
        return made

    def close(self, session: SessionMetrics) -> None:
        """It is over: only its sums are kept."""
        if self.sessions.pop(session.number, None):
            self._past.add(session.sums())

    def snapshot(self, most: int = 200) -> Snapshot:
        """All of it as JSON; of the sessions with sound, the newest `most` one by one."""
        totals = Sums()
        totals.add(self._past)
        sessions = list(self.sessions.values())
        for each in sessions:
            totals.add(each.sums())
        sounding = [each for each in sessions if each.sources or each.sinks or each.calls]
        return {
            "loop": self.lag.snapshot(),
            "disk": self.disk(),
            "opened": self._opened,
            "open": len(sessions),
            "live": len(sounding),
            "totals": totals.snapshot(),
            "sessions": [each.snapshot() for each in sounding[-most:]],
        }


def _fields(made: SourceMetrics | SinkMetrics | LinkMetrics) -> Snapshot:
    return {name: getattr(made, name) for name in made.__slots__}


def _ms(seconds: Seconds) -> float:
    return round(seconds * 1000, 3)
