"""The values that travel: events, requests, jobs and outcomes. All frozen; times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .listeners import Listener
from .record import record
from .units import Seconds


class Cause(StrEnum):
    """Why an event happened."""

    USER = "user"
    PROGRAM = "program"
    STREAM = "stream"
    TIMER = "timer"
    LOAD = "load"


@record
class Event:
    """One thing that happened at one port of one node, for one session.

    `parent` is the id of the request it came from, or if it is `derived`, of the event that an
    operator made it of; `hops` how many program-made steps lie between it and the user's act, tick
    or load that began it, `path` the names along them.
    """

    id: int
    session: str
    node: int
    port: str
    cause: Cause
    at: Seconds
    value: object = None
    parent: int | None = None
    data: Mapping[str, object] | None = None
    hops: int = 0
    path: tuple[str, ...] = ()
    derived: bool = False


@record
class Request:
    """An event that wants a listener's function called, with the input values as of the event."""

    id: int
    session: str
    listener: Listener
    event: Event
    inputs: tuple[object, ...] = ()


@record
class Job:
    """One call of a function, on behalf of one request or of a batch of them.

    `more`: requests whose chunks go with the first one's; they have ended as merged.
    """

    id: int
    listener: Listener
    requests: tuple[Request, ...]
    more: tuple[Request, ...] = ()


class Kind(StrEnum):
    """The stations of a request. The last six are ends; each request reaches exactly one."""

    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"
    NOTICE = "notice"
    YIELDED = "yielded"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"
    REJECTED = "rejected"
    MERGED = "merged"


ENDS = frozenset(
    {Kind.SUCCEEDED, Kind.FAILED, Kind.CANCELLED, Kind.DROPPED, Kind.REJECTED, Kind.MERGED}
)


@record
class Outcome:
    """What became of a request so far.

    `value` belongs to the kind: a `Place` for queued, the result for yielded, the exception for
    failed and rejected, a `Report` for progress, a `Notice` for notice, and for merged the id of
    the request that its chunk is handed over with.
    """

    kind: Kind
    request: Request
    value: object = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands: `rank` others go first, `size` wait in its line, `eta` in seconds.

    `behind` so many of those that wait must end before it, one after the other, because they write
    the same State (rule I2).
    """

    rank: int
    size: int
    eta: Seconds | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """In place of a result: this member of the job failed, the others did not."""

    error: BaseException
