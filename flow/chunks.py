"""Blocks of a live stream cut into chunks of an exact length (rule E7)."""

from __future__ import annotations

from collections.abc import Sequence

from .blocks import DISCONTINUITY, START, Block, Samples, as_one
from .units import Frames, Seconds


class Chunk:
    """A piece of a stream, and how many frames were lost between it and the one before.

    parts: its samples, in arrays that follow each other. They become one when somebody looks at
    `block`: most only want it at 16 bit, and to touch it once costs half of touching it twice.
    """

    __slots__ = ("epoch", "gap", "index", "parts", "rate")

    def __init__(
        self,
        parts: tuple[Samples, ...],
        rate: int,
        index: Frames,
        epoch: int = 0,
        gap: Frames = 0,
    ) -> None:
        self.parts, self.rate, self.index, self.epoch = parts, rate, index, epoch
        self.gap = gap

    @property
    def block(self) -> Block:
        """All of it as one block."""
        samples = as_one(self.parts)
        self.parts = (samples,)
        return Block(samples, self.rate, self.index, 0, self.epoch)


class Chunker:
    """Blocks of any size in, chunks of `every` seconds out.

    Each chunk has round(every * rate) frames, at least one, and starts where the last one ended.
    Before a loss, at the end, and where the rate or the number of channels changes, a chunk is
    shorter: nothing is held back, nothing filled in.
    """

    def __init__(self, every: Seconds) -> None:
        self.every = every
        self._parts = list[Samples]()
        self._held: Frames = 0
        self._index: Frames = 0
        """Of the first frame that is held."""
        self._epoch = 0
        self._gap: Frames = 0
        self._next: Frames | None = None
        self._rate: int = 0
        self._channels: int = 0
        self._size: Frames = 1

    def push(self, block: Block) -> Sequence[Chunk]:
        """The chunks that this block completes."""
        before: Sequence[Chunk] = ()
        index, samples = block.index, block.samples
        frames, channels = samples.shape
        if block.rate != self._rate or channels != self._channels:
            before = self.flush()
            self._rate, self._channels = block.rate, channels
            self._size = max(1, round(self.every * block.rate))
        elif index != self._next or block.flags & (START | DISCONTINUITY):
            before = self._break(block)
        self._next = index + frames
        if frames:
            if not self._held:
                self._index, self._epoch = index, block.epoch
            self._parts.append(samples)
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
        """As many of that size as there are."""
        parts, held, first, epoch = self._parts, self._held, self._index, self._epoch
        self._parts, self._held = list[Samples](), held % size
        if held == size:
            chunks = [Chunk(tuple(parts), self._rate, first, epoch)]
        else:
            samples, whole = as_one(parts), held - self._held
            chunks = [
                Chunk((samples[at : at + size],), self._rate, first + at, epoch)
                for at in range(0, whole, size)
            ]
            if self._held:
                self._parts.append(samples[whole:])
                self._index = first + whole
        chunks[0].gap, self._gap = self._gap, 0
        return chunks
