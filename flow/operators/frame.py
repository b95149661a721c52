"""Blocks of exactly one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ..blocks import END, FLUSH, Block, Samples
from ..durations import Length, frames_of
from .gather import Gather
from .operator import BlockOperator, Form, check, machine

Remainder = Literal["keep", "pad", "drop"]


class _Frames:
    def __init__(self, size: int, hop: int, remainder: Remainder, form: Form) -> None:
        self._gather = Gather(size, hop)
        self._remainder = remainder
        self._form = form
        self._index = form.index
        self._flags = form.flags
        self._covered = form.index  # frames before it are in some frame already
        self._end = form.index

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        size, hop = self._gather.size, self._gather.hop
        data, count = self._gather.push(samples)
        self._end += len(samples)
        out = [self._block(data[n * hop : n * hop + size], hop) for n in range(count)]
        if last:
            out += self._tail()
            if out:
                final = out.pop()
            else:
                empty = np.zeros((0, self._form.channels), np.float32)
                final = self._block(empty, 0)
            out.append(
                Block(final.samples, final.rate, final.index, final.flags | END, final.epoch)
            )
        elif self._flags & FLUSH and not out:
            out.append(self._block(np.zeros((0, self._form.channels), np.float32), 0))
        return out

    def finish(self) -> Sequence[Block]:
        return self._tail()

    def _tail(self) -> list[Block]:
        rest = self._gather.rest()
        # With overlap, the rest may hold only frames that the last full frame had already.
        if rest is None or self._end <= self._covered or self._remainder == "drop":
            return []
        if self._remainder == "pad":
            full = np.zeros((self._gather.size, rest.shape[1]), np.float32)
            full[: len(rest)] = rest
            rest = full
        return [self._block(rest, self._gather.hop)]

    def _block(self, samples: Samples, step: int) -> Block:
        form = self._form
        block = Block(samples, form.rate, self._index, self._flags, form.epoch)
        self._covered = max(self._covered, block.end)
        self._index += step
        self._flags = 0
        return block


def frame(size: Length, hop: Length | None = None, remainder: Remainder = "keep") -> BlockOperator:
    """Blocks of exactly `size`, one every `hop` frames (default: `size`, no overlap).

    size, hop: frames, or text like "20 ms". A hop below the size gives overlapping frames, above
    it gaps; `index` tells where each begins. What is left at END, and where sound breaks off:
    "keep" gives a shorter last frame, "pad" fills it with silence, "drop" leaves it out.
    The last frame has END. Latency: size - 1, what a frame's first sample waits for its last.
    """
    check(remainder in get_args(Remainder), f"remainder={remainder!r}; choose keep, pad or drop")
    frames_of(size, 48_000)
    if hop is not None:
        frames_of(hop, 48_000)

    def make(form: Form) -> _Frames:
        length = frames_of(size, form.rate)
        step = length if hop is None else frames_of(hop, form.rate)
        return _Frames(length, step, remainder, form)

    return machine("frame", make, latency=lambda rate: frames_of(size, rate) - 1)
