"""From one stream to another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples, float32
from ..durations import Time
from .lanes import Combine, meeting, spread
from .operator import BlockOperator, Form
from .param import Glide, Number

_QUARTER = math.pi / 2


def crossfade(other: Observable[Block], position: Number, hold: Time = "200 ms") -> BlockOperator:
    """This stream at position 0, the other at 1, both between, at equal power.

    Give a Param and set it: it glides. Frames of the same index meet; hold and latency as for
    `mix`. Raises BlockError for streams of different rates or channels.
    """

    def make(form: Form) -> Combine:
        glide = Glide(position, form, lambda p: min(1.0, max(0.0, p)))

        def fade(parts: Sequence[Samples]) -> Samples:
            channels = max(part.shape[1] for part in parts)
            here, there = (spread(part, channels, "crossfade") for part in parts)
            at = glide.step(len(here))
            if not isinstance(at, np.ndarray) and at in (0.0, 1.0):
                return here if at == 0.0 else there
            angle = np.atleast_1d(at)[:, None] * _QUARTER
            near, far = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
            return float32(here * near + there * far)

        return fade

    return meeting("crossfade", (other,), make, hold, [position])
