"""Louder or softer."""

from __future__ import annotations

import numpy as np

from ..blocks import Samples
from .decibels import factor_of
from .operator import BlockOperator, Form, Kernel, sound
from .param import Glide, Number


class _Gain(Kernel):
    def __init__(self, decibels: Number, form: Form) -> None:
        self._factor = Glide(decibels, form, factor_of)

    def process(self, samples: Samples) -> Samples:
        factor = self._factor.step(len(samples))
        if isinstance(factor, np.ndarray):
            return samples * factor.astype(np.float32)[:, None]
        return samples if factor == 1.0 else samples * np.float32(factor)


def gain(decibels: Number) -> BlockOperator:
    """Multiply by a gain in dB; -inf is silence. Nothing is cut at full scale. Latency 0."""
    return sound("gain", lambda form: _Gain(decibels, form), follows=[decibels])
