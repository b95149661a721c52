"""Blocks of a live stream cut into chunks of an exact length (rule E7)."""

from __future__ import annotations

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
    Before a loss, and at the end, a chunk is shorter: nothing is held back, nothing filled in.
    """

    def __init__(self, every: Seconds) -> None:
        self.every = every
        self._parts = list[Block]()
        self._held: Frames = 0
        self._gap: Frames = 0
        self._next: Frames | None = None

    def push(self, block: Block) -> list[Chunk]:
        """The chunks that this block completes."""
        found = list[Chunk]()
        jumped = self._next is not None and block.index != self._next
        if jumped or block.flags & (START | DISCONTINUITY):
            found += self.flush()
            if jumped and not block.flags & START:
                self._gap += max(0, block.index - (self._next or 0))
        self._next = block.end
        if block.frames:
            self._parts.append(block)
            self._held += block.frames
        size = max(1, round(self.every * block.rate))
        while self._held >= size:
            found.append(self._cut(size))
        return found

    def flush(self) -> list[Chunk]:
        """What is held, as one shorter chunk, if there is anything."""
        return [self._cut(self._held)] if self._held else []

    def _cut(self, size: Frames) -> Chunk:
        samples = joined(self._parts)
        first = self._parts[0]
        chunk = Chunk(Block(samples[:size], first.rate, first.index, 0, first.epoch), self._gap)
        self._gap = 0
        rest = samples[size:]
        self._held = len(rest)
        self._parts = list[Block]()
        if self._held:
            self._parts.append(Block(rest, first.rate, first.index + size, 0, first.epoch))
        return chunk
