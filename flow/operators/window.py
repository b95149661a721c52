"""Frames faded in and out."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import reactivex.operators as rx
from numpy.typing import NDArray
from reactivex import Observable

from ..blocks import Block, Samples
from ..units import Frames
from .operator import BlockOperator, Operator, check

Shape = Literal["hann", "hamming", "blackman", "sqrt_hann", "rectangle"]


def window_of(shape: Shape, size: Frames) -> NDArray[np.float64]:
    """The window, periodic (as spectra and overlap_add want it), (size,)."""
    check(shape in get_args(Shape), f"window {shape!r} is unknown; choose {get_args(Shape)}")
    turn = 2 * math.pi * np.arange(size) / size
    if shape == "rectangle":
        return np.ones(size)
    if shape == "hamming":
        return 0.54 - 0.46 * np.cos(turn)
    if shape == "blackman":
        return 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
    hann = 0.5 - 0.5 * np.cos(turn)
    return np.sqrt(hann) if shape == "sqrt_hann" else hann


@lru_cache(16)
def _column(shape: Shape, size: Frames) -> Samples:
    return window_of(shape, size).astype(np.float32)[:, None]


def window(shape: Shape = "hann") -> BlockOperator:
    """Multiply each block, as long as it is, by a window; put it behind `frame`. Latency 0."""
    window_of(shape, 1)

    def fade(block: Block) -> Block:
        return block.with_samples(block.samples * _column(shape, block.frames))

    def attach(source: Observable[Block]) -> Observable[Block]:
        return source.pipe(rx.map(fade))

    return Operator("window", attach)
