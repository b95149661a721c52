"""Several streams as one sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples
from ..durations import Time
from .decibels import factor_of
from .lanes import Combine, meeting, spread
from .operator import BlockOperator, Form, check
from .param import Glide, Number


def mix(
    *others: Observable[Block], gains: Sequence[Number] = (), hold: Time = "200 ms"
) -> BlockOperator:
    """Add other streams to this one; frames of the same index meet. Nothing is cut.

    gains: in dB, this stream's first; 0 where none is given. A mono stream goes to all channels.
    hold: how far one may fall behind before it is taken as silent. Latency 0 (it waits for whoever
    is behind). Raises BlockError for streams of different rates or channels.
    """
    check(len(gains) <= len(others) + 1, f"{len(gains)} gains for {len(others) + 1} streams")

    def make(form: Form) -> Combine:
        factors = [Glide(gain, form, factor_of) for gain in gains]

        def add(parts: Sequence[Samples]) -> Samples:
            channels = max(part.shape[1] for part in parts)
            total = np.zeros((len(parts[0]), channels), np.float32)
            for n, part in enumerate(parts):
                part = spread(part, channels, "mix")
                if n < len(factors):
                    factor = factors[n].step(len(part))
                    if isinstance(factor, np.ndarray):
                        part = part * factor.astype(np.float32)[:, None]
                    elif factor != 1.0:
                        part = part * np.float32(factor)
                total += part
            return total

        return add

    return meeting("mix", others, make, hold, gains)
