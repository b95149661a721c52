"""Between left and right."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..blocks import BlockError, Samples
from .operator import BlockOperator, Form, Kernel, sound
from .param import Glide, Number

_TO_ANGLE = math.pi / 4


class _Pan(Kernel):
    def __init__(self, position: Number, form: Form) -> None:
        if form.channels > 2:
            raise BlockError(f"pan takes 1 or 2 channels, {form.channels} came; use mono() first")
        self._mono = form.channels == 1
        self._position = Glide(position, form, lambda p: min(1.0, max(-1.0, p)))

    def process(self, samples: Samples) -> Samples:
        position = np.atleast_1d(self._position.step(len(samples)))
        if self._mono:
            left: NDArray[np.float64] = np.cos((position + 1) * _TO_ANGLE)
            right: NDArray[np.float64] = np.sin((position + 1) * _TO_ANGLE)
        else:
            left, right = np.minimum(1.0, 1.0 - position), np.minimum(1.0, 1.0 + position)
        return samples * np.stack((left, right), axis=1).astype(np.float32)


def pan(position: Number) -> BlockOperator:
    """Place sound between -1 (left), 0 and 1 (right); stereo comes out. Latency 0.

    Mono: equal power, -3 dB in the middle. Stereo: balance, the other side becomes softer.
    Raises BlockError for more than two channels.
    """
    return sound("pan", lambda form: _Pan(position, form), follows=[position])
