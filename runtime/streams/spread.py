"""How measurements spread, in bounded memory: a histogram by eighths of an octave."""

from __future__ import annotations

import math

STEPS_PER_OCTAVE = 8
LEAST = 0.5
"""What is less counts as this."""
STEPS = 17 * STEPS_PER_OCTAVE
"""Up to 65,536; what is more counts as that. In milliseconds: from half a one to a minute."""


class Spread:
    """Percentiles within 9 %, of as many measurements as there are."""

    __slots__ = ("counts", "seen")

    def __init__(self) -> None:
        self.counts: list[int] | None = None  # most never have one
        self.seen = 0

    def add(self, value: float) -> None:
        if self.counts is None:
            self.counts = [0] * STEPS
        step = math.ceil(STEPS_PER_OCTAVE * math.log2(max(value, LEAST) / LEAST))
        self.counts[min(step, STEPS - 1)] += 1
        self.seen += 1

    def percentile(self, percent: float) -> float:
        """What so many of 100 are not above: the upper edge of a step; 0 without any."""
        left = self.seen * percent / 100
        for step, count in enumerate(self.counts or ()):
            left -= count
            if count and left <= 1e-9:
                return LEAST * 2 ** (step / STEPS_PER_OCTAVE)
        return 0.0
