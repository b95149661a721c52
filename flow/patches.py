"""What a front end must show: values and properties, runs, notices, and the end of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import Outcome
from .notices import Notice
from .results import UNSET


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """A node has another value, other properties, or both. The value is in stored form."""

    session: str
    node: int
    value: object = UNSET
    props: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A request reached another station; shown on the outputs of its listener."""

    session: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Toast:
    """A message that has no place of its own."""

    session: str
    notice: Notice


@dataclass(frozen=True, slots=True, eq=False)
class Gone:
    """The session is over and none of its work runs any more; what it owned can go."""

    session: str


Patch = Set | Run | Toast | Gone
