"""What running work tells the people who asked: messages and progress."""

from __future__ import annotations

from dataclasses import dataclass

from .units import Seconds


@dataclass(frozen=True, slots=True)
class Notice:
    """A message: Info, Warning, Success."""

    level: str
    message: str
    title: str
    duration: Seconds | None = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One progress bar. `total` None: unknown; `value` counts `unit`s."""

    value: float | None
    total: float | None
    unit: str = "steps"
    desc: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How far a job is, outermost bar first."""

    bars: tuple[Bar, ...]
