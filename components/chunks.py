"""Sound that comes in pieces: what a live recording gives, and what a generator yields."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..flow.audio import Clip, Media, MemoryClip
from ..flow.bounds import MAX_CHANNELS

if TYPE_CHECKING:
    from ..flow.blocks import Samples as Floats
    from ..flow.chunks import Chunk
    from ..flow.samples import Int16, Samples
    from ..flow.tape import Tape

NAME = "a chunk"
"""What a piece of a live recording is called; the bounds of a whole sound are not for it."""

PART = 500_000
"""Samples that the loop takes at once of what a function made: a megabyte, ten seconds of mono."""

SHORT = 10_000
"""Samples that are converted in 15 to 95 µs; a thread and the way back take 75 to 160."""

LONGEST = 12 * 3600.0
"""Seconds that a function may stream as one sound, as long as the longest file may be."""


class Piece(Clip):
    """A chunk of a live recording as it came: as floats, in blocks that never change.

    Each call of `int16` makes a new array, which is the caller's: a function that gets the chunk
    gets that one, and no other is made for it. Whoever reads in it has it kept at 16 bit.
    """

    def __init__(self, rate: int, parts: tuple[Floats, ...]) -> None:
        """parts: arrays of (frames, channels) that follow each other."""
        frames, channels = sum(map(len, parts)), parts[0].shape[1]
        super().__init__(rate, frames, channels, name=NAME, format="pcm")
        self._parts = parts
        self._data: Int16 | None = None

    def int16(self) -> Int16:
        parts = self._parts  # before the other, because a thread may be between the two below
        if self._data is not None:
            return self._data
        from ..flow.blocks import joined_int16

        return joined_int16(parts)

    def read(self, start: int, end: int) -> Samples:
        if self._data is None:
            data = self.int16()
            data.flags.writeable = False
            self._data, self._parts = data, ()
        return self._data[start:end]


def quick(value: object, kind: str) -> bool:
    """Whether to convert a value of a component of that `kind`, either way, takes less time than to
    hand it to a thread: no more than `SHORT` samples, and no file."""
    if isinstance(value, Piece):
        return kind == "numpy" and value.frames * value.channels <= SHORT
    if isinstance(value, tuple):
        pair = cast("tuple[Any, ...]", value)
        size = getattr(pair[-1], "size", None) if len(pair) == 2 else 0
        return isinstance(size, int) and size <= SHORT  # of what is no array it may be anything
    return value is None


def cut(chunk: Chunk) -> Clip:
    """A chunk of a live recording as a Clip, at 16 bit, bit for bit what was sent."""
    if chunk.parts[0].shape[1] > MAX_CHANNELS:
        return clip_of(chunk.block)  # which says so
    return Piece(chunk.rate, chunk.parts)


def clip_of(block: Any) -> Clip:
    """A Block of a live recording as a Clip, at 16 bit, bit for bit what was sent."""
    from ..flow.blocks import int16

    samples = int16(block.samples)
    return Clip.of(block.rate, samples if block.channels > 1 else samples[:, 0], name=NAME)


def given(value: Any) -> Any:
    """What was yielded, and None for an empty array: a chunk may be empty; a sound may not.

    An array is never normalised: that would make the level pump.
    """
    if not isinstance(value, tuple):
        return value
    pair = cast("tuple[Any, ...]", value)
    if len(pair) != 2:
        return pair
    return None if getattr(pair[1], "size", 1) == 0 else Clip.of(*pair, normalize="clip")


def parts(piece: Clip) -> Iterator[Clip] | None:
    """A clip as clips in memory of at most `PART` samples; None where it is no longer."""
    frames = max(1, PART // piece.channels)
    if piece.frames <= frames:
        return None
    from ..flow.samples import to_int16

    return (
        MemoryClip(piece.rate, to_int16(block), name=piece.name) for block in piece.blocks(frames)
    )


def tape(piece: Any, media: Media | None, live: bool) -> Tape:
    """What the rest of a stream that begins with `piece`, a Block or a Clip, is kept on.

    Live sound that a slow disk has no room for is lost; what a function made is waited for.
    """
    from ..flow.tape import MOST, Tape

    rate, channels = piece.rate, piece.channels
    if media is None:  # a front end without files
        return Tape(rate, channels, most=MOST if live else LONGEST)
    spill = partial(media.spill, rate, channels, patient=not live)
    return Tape(rate, channels, spill, MOST if live else LONGEST)


def joined(pieces: Any) -> Clip:
    """Clips that a function gave, or Blocks that came through operators alone, as one Clip."""
    import numpy as np

    from ..flow.blocks import int16, joined

    if isinstance(pieces[0], Clip):
        samples = np.concatenate([each.int16() for each in pieces])
    else:
        samples = int16(joined(pieces))
        samples = samples if samples.shape[1] > 1 else samples[:, 0]
    return Clip.of(pieces[0].rate, samples, name="stream")
