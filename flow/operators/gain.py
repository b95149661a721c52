"""Louder or softer."""

from __future__ import annotations

from ..blocks import Samples
from .decibels import factor_of
from .operator import BlockOperator, Form, Kernel, sound
from .param import ONE, Number, Scale


class _Gain(Kernel):
    __slots__ = ("_factor",)

    def __init__(self, decibels: Number, form: Form) -> None:
        self._factor = Scale(decibels, form, factor_of)

    def process(self, samples: Samples) -> Samples:
        factor = self._factor.step(len(samples))
        return samples if factor is ONE else samples * factor


def gain(decibels: Number) -> BlockOperator:
    """Multiply by a gain in dB; -inf is silence. Nothing is cut at full scale. Latency 0."""
    return sound("gain", lambda form: _Gain(decibels, form), follows=[decibels])
