"""All channels as one."""

from __future__ import annotations

import numpy as np

from ..blocks import Samples
from .operator import BlockOperator, Form, Kernel, sound


class _Mono(Kernel):
    def process(self, samples: Samples) -> Samples:
        channels = samples.shape[1]
        if channels == 1:
            return samples
        # Channel by channel: numpy's own mean may add in another order for other block sizes.
        total = samples[:, 0] + samples[:, 1]
        for channel in range(2, channels):
            total += samples[:, channel]
        return (total * np.float32(1 / channels))[:, None]


def mono() -> BlockOperator:
    """The mean of all channels as one channel. Latency 0."""

    def make(form: Form) -> Kernel:
        return _Mono()

    return sound("mono", make)
