"""Overlapping frames as one stream again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..blocks import END, FLUSH, Block, BlockError, Samples
from ..durations import Length, frames_of
from .operator import BlockOperator, Form, machine


class _Sum:
    def __init__(self, hop: int, form: Form) -> None:
        self._hop = hop
        self._form = form
        self._index = form.index
        self._flags = form.flags
        self._size = 0
        self._short = False  # a frame was shorter: nothing may come after it
        self._sum = np.zeros((0, form.channels), np.float32)

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        out = self._add(samples, last) if len(samples) else samples
        if last:
            out = np.concatenate((out, self._sum))
        elif not len(out) and not self._flags & FLUSH:
            return ()
        return (self._block(out, END if last else 0),)

    def finish(self) -> Sequence[Block]:
        return (self._block(self._sum, 0),) if len(self._sum) else ()

    def _add(self, samples: Samples, last: bool) -> Samples:
        """Sum a frame; returns the frames that no later one reaches."""
        size = len(samples)
        if not self._size:
            if size < self._hop and not last:
                raise BlockError(f"a frame of {size} came, shorter than the hop of {self._hop}")
            self._size = size
        elif size > self._size or self._short:
            raise BlockError(
                f"a frame of {size} came after frames of {self._size}; overlap_add takes frames "
                "of one size, as frame() makes them, and a shorter one where sound breaks off"
            )
        self._short = size < self._size
        total = np.zeros((max(size, len(self._sum)), samples.shape[1]), np.float32)
        total[: len(self._sum)] = self._sum
        total[:size] += samples
        self._sum = total[self._hop :]
        return total[: self._hop]

    def _block(self, samples: Samples, flags: int) -> Block:
        form = self._form
        block = Block(samples, form.rate, self._index, self._flags | flags, form.epoch)
        self._index = block.end
        self._flags = 0
        return block


def overlap_add(hop: Length) -> BlockOperator:
    """Sum overlapping frames into one stream.

    In: frames of one size (only the last, and one before a gap, may be shorter), each beginning
    `hop` after the one before. Out: blocks of `hop` frames, and the tail of the last at END. With
    windows whose overlapping sum is 1 (hann at a hop of half its size), the stream comes back.
    Latency 0 behind `frame`, which has waited for the whole frame already: the sum only keeps
    what later frames still add to. Raises BlockError if the size changes.
    Source: Crochiere 1980, weighted overlap-add.
    """
    frames_of(hop, 48_000)
    return machine("overlap_add", lambda form: _Sum(frames_of(hop, form.rate), form), framed=True)
