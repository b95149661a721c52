"""What functions on live sound do: how many chunks wait for them, how long, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...flow.model import ENDS, Kind, Outcome
from ...flow.units import Seconds

Snapshot = dict[str, Any]


@dataclass(slots=True)
class CallMetrics:
    """One listener on a `stream`, in one session."""

    listener: str
    source: int
    targets: tuple[int, ...] = ()
    chunks: int = 0
    """That were handed over or dropped so far."""
    most_waiting: int = 0
    dropped: int = 0
    """By the policy of the edge, or because they came while it was busy (`trigger_mode`)."""
    merged: int = 0
    """That went with another one (`on_overload="coalesce"`)."""
    rejected: int = 0
    failed: int = 0
    late: int = 0
    """Calls that took longer than their chunk lasts."""
    busy: Seconds = 0.0
    longest: Seconds = 0.0
    sound: Seconds = 0.0
    """Of the chunks whose calls have ended."""
    delay: Seconds = 0.0
    """That the newest chunk waited for its call."""
    most_delay: Seconds = 0.0
    _came: dict[int, Seconds] = field(default_factory=dict[int, Seconds])
    _began: dict[int, Seconds] = field(default_factory=dict[int, Seconds])

    def take(self, outcome: Outcome, now: Seconds) -> None:
        """Another station of one of its requests."""
        kind, id = outcome.kind, outcome.request.id
        if kind is Kind.QUEUED:
            self._came.setdefault(id, now)
            self.most_waiting = max(self.most_waiting, len(self._came))
        elif kind is Kind.STARTED:
            self.delay = now - self._came.pop(id, now)
            self.most_delay = max(self.most_delay, self.delay)
            self._began[id] = now
        elif kind in ENDS:
            self._ended(outcome, now)

    def _ended(self, outcome: Outcome, now: Seconds) -> None:
        kind, id = outcome.kind, outcome.request.id
        self.chunks += 1
        self.dropped += kind is Kind.DROPPED
        self.merged += kind is Kind.MERGED
        self.rejected += kind is Kind.REJECTED
        self.failed += kind is Kind.FAILED
        self._came.pop(id, None)
        began = self._began.pop(id, None)
        if began is None:
            return
        spent = now - began
        lasts = getattr(outcome.request.event.value, "duration", 0.0)
        self.busy += spent
        self.sound += lasts
        self.longest = max(self.longest, spent)
        self.late += spent > lasts > 0

    @property
    def load(self) -> float:
        """Share of the sound's own time that calls took, waiting for the machine included."""
        return self.busy / self.sound if self.sound else 0.0

    def snapshot(self) -> Snapshot:
        return {
            "listener": self.listener,
            "source": self.source,
            "targets": list(self.targets),
            "chunks": self.chunks,
            "waiting": len(self._came),
            "most_waiting": self.most_waiting,
            "dropped": self.dropped,
            "merged": self.merged,
            "rejected": self.rejected,
            "failed": self.failed,
            "late": self.late,
            "load": round(self.load, 5),
            "longest_ms": _ms(self.longest),
            "delay_ms": _ms(self.delay),
            "most_delay_ms": _ms(self.most_delay),
        }


def _ms(seconds: Seconds) -> float:
    return round(1000 * seconds, 3)
