"""How late sound may be from a microphone to a speaker: what is known of it before it sounds.

Known are the frame that the microphone fills before it sends it, the chunk that a function waits
for, and what operators hold back. The line, the function's own time and the player come on top:
those are measured while it sounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .durations import Time, seconds_of
from .graph import Node
from .units import Seconds

if TYPE_CHECKING:
    from .operators.operator import Operator

RATE = 48_000
"""Hz at which latencies are counted beforehand: what browsers use unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, and what is known to take some of it."""

    limit: Seconds
    shares: tuple[tuple[str, Seconds], ...]

    @property
    def known(self) -> Seconds:
        return sum(seconds for _, seconds in self.shares)

    def __str__(self) -> str:
        return ", ".join(f"{name} {1000 * seconds:.3g} ms" for name, seconds in self.shares)


def budgeted(
    where: str,
    limit: Time,
    source: Node,
    operators: Iterable[object] = (),
    every: Seconds = 0.0,
) -> Budget:
    """A budget that what is known fits into. Raises BudgetError, which names who takes how much.

    every: the chunk that a function gets; 0 where sound goes on frame by frame.
    """
    from .operators.latency import BudgetError, shares_of  # numpy comes with them

    chain = [each for each in operators if hasattr(each, "latency")]
    held = shares_of(cast("list[Operator[Any, Any]]", chain), RATE)
    frame = getattr(source, "frame_ms", 0.0) / 1000
    shares = [(f"frames of {source.where}", frame), *held]
    if every > frame:
        shares.append(("chunks", every - frame))
    made = Budget(seconds_of(limit), tuple(each for each in shares if each[1] > 0))
    if made.known > made.limit:
        raise BudgetError(
            f"{where}: sound is late by {1000 * made.known:.3g} ms before it is sent anywhere, and "
            f"its budget is {1000 * made.limit:.3g} ms: {made}"
        )
    return made
