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
        self._still = 1.0
        self._by = np.array(1.0, np.float32)  # as an array: a number costs five times as much

    def process(self, samples: Samples) -> Samples:
        factor = self._factor.step(len(samples))
        if isinstance(factor, np.ndarray):
            return samples * factor.astype(np.float32)[:, None]
        if factor == 1.0:
            return samples
        if factor != self._still:
            self._still, self._by = factor, np.array(factor, np.float32)
        return samples * self._by


def gain(decibels: Number) -> BlockOperator:
    """Multiply by a gain in dB; -inf is silence. Nothing is cut at full scale. Latency 0."""
    return sound("gain", lambda form: _Gain(decibels, form), follows=[decibels])
