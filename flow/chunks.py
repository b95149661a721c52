"""Blocks of a live stream cut into chunks of an exact length (rule E7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .blocks import DISCONTINUITY, START, Block, joined
from .units import Frames, Seconds


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A piece of a stream, and how many frames were lost between it and the one before."""

    block: Block
    gap: Frames = 0


class Chunker:
    """Blocks of any size in, chunks of `every` seconds out.

    Each chunk has round(every * rate) frames, at least one, and starts where the last one ended.
    Before a loss, at the end, and where the rate or the number of channels changes, a chunk is
    shorter: nothing is held back, nothing filled in.
    """

    def __init__(self, every: Seconds) -> None:
        self.every = every
        self._parts = list[Block]()
        self._held: Frames = 0
        self._gap: Frames = 0
        self._next: Frames | None = None
        self._rate: int = 0
        self._channels: int = 0
        self._size: Frames = 1

    def push(self, block: Block) -> Sequence[Chunk]:
        """The chunks that this block completes."""
        before: Sequence[Chunk] = ()
        index = block.index
        frames, channels = block.samples.shape
        if block.rate != self._rate or channels != self._channels:
            before = self.flush()
            self._rate, self._channels = block.rate, channels
            self._size = max(1, round(self.every * block.rate))
        elif index != self._next or block.flags & (START | DISCONTINUITY):
            before = self._break(block)
        self._next = index + frames
        if frames:
            self._parts.append(block)
            self._held += frames
        if self._held < self._size:
            return before
        return (*before, *self._cut(self._size))

    def flush(self) -> list[Chunk]:
        """What is held, as one shorter chunk, if there is anything."""
        return self._cut(self._held) if self._held else []

    def _break(self, block: Block) -> Sequence[Chunk]:
        """The stream begins anew, or does not go on where it was; what is held comes first."""
        held = self.flush()
        if not block.flags & START:
            self._gap += max(0, block.index - (self._next or 0))
        return held

    def _cut(self, size: Frames) -> list[Chunk]:
        """As many of that size as there are; the parts are put together once for all of them."""
        first, samples = self._parts[0], joined(self._parts)
        whole = self._held - self._held % size
        chunks = list[Chunk]()
        for at in range(0, whole, size):
            piece = samples[at : at + size]
            chunks.append(Chunk(Block(piece, first.rate, first.index + at, 0, first.epoch)))
        if self._gap:
            chunks[0] = Chunk(chunks[0].block, self._gap)
            self._gap = 0
        self._parts, self._held = list[Block](), self._held - whole
        if self._held:
            rest = Block(samples[whole:], first.rate, first.index + whole, 0, first.epoch)
            self._parts.append(rest)
        return chunks
