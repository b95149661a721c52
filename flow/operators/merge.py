"""Several streams as the channels of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from reactivex import Observable

from ..blocks import Block, Samples
from ..durations import Time
from .lanes import Combine, meeting
from .operator import BlockOperator, Form


def merge(*others: Observable[Block], hold: Time = "200 ms") -> BlockOperator:
    """Put the channels of other streams beside this one's; frames of the same index meet.

    The opposite of `split`. hold and latency: as for `mix`.
    """

    def make(form: Form) -> Combine:
        def beside(parts: Sequence[Samples]) -> Samples:
            return np.concatenate(parts, axis=1)

        return beside

    return meeting("merge", others, make, hold)
