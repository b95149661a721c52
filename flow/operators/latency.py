"""How long a chain of operators holds sound back, as declared, and whether a budget allows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..durations import Length, Time, frames_of, seconds_of
from ..errors import OssicleError
from ..units import Frames, Seconds
from .operator import Operator


class BudgetError(OssicleError, ValueError):
    """A chain holds sound back for longer than its budget allows."""


def latency_of(chain: Sequence[Operator[Any, Any]], rate: int) -> Frames:
    """Frames that a chain holds back, counted at the rate that comes in, rounded up."""
    return math.ceil(sum(held for _, held in _parts(chain, rate)) * rate)


def budget(
    limit: Time, *chain: Operator[Any, Any], rate: int, block: Length | None = None
) -> Seconds:
    """Check declared latencies against a limit; returns what is left of it, in seconds.

    `block` is the size in which sound comes: its first frame waits for its last. Raises
    BudgetError, which names what each operator takes. Capture, network and playback come on top.
    """
    most = seconds_of(limit)
    parts = list(_parts(chain, rate))
    if block is not None:
        parts.insert(0, ("blocks", Fraction(frames_of(block, rate), rate)))
    total = float(sum(held for _, held in parts))
    if total > most:
        named = ", ".join(f"{name} {float(held) * 1000:.3g} ms" for name, held in parts if held)
        raise BudgetError(
            f"the chain holds sound back for {total * 1000:.3g} ms, and the budget is "
            f"{most * 1000:.3g} ms: {named}"
        )
    return most - total


def shares_of(chain: Sequence[Operator[Any, Any]], rate: int) -> list[tuple[str, Seconds]]:
    """What each operator of a chain holds back, where it holds anything."""
    return [(name, float(held)) for name, held in _parts(chain, rate) if held]


def _parts(chain: Sequence[Operator[Any, Any]], rate: int) -> list[tuple[str, Fraction]]:
    parts: list[tuple[str, Fraction]] = []
    for operator in (part for each in chain for part in each.parts):
        parts.append((operator.name, Fraction(operator.latency(rate), rate)))
        rate = operator.rate(rate)
    return parts
