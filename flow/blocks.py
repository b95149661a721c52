"""A piece of a stream of sound: `Block`.

The law of this file: `index` is truth. It counts frames on the source's own sample clock, never a
time of arrival, so a gap shows as a jump of the index and two streams of one source meet exactly.
Samples of a block are never changed once it is out: whoever wants other samples makes a new block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .bounds import MAX_CHANNELS, checked_rate
from .clipping import Clipping
from .errors import OssicleError
from .units import Frames, Seconds

Samples: TypeAlias = NDArray[np.float32]
"""(frames, channels), 1.0 = full scale; beyond it is allowed inside a chain."""

START: Final = 1
"""The first block of a take."""
END: Final = 2
"""The last block of a take; it may hold no frames."""
DISCONTINUITY: Final = 4
"""This block does not go on where the one before it ended: something was lost in between."""
FLUSH: Final = 8
"""What came before and was not heard yet is void; `epoch` has grown."""

STALE: Final = 16
"""The app is behind: what is heard as it comes leaves this block out, before its operators."""
OVERDUE: Final = 32
"""The app is seconds behind: operators that lead to functions leave this block out, too."""

_NAMES = {
    START: "START", END: "END", DISCONTINUITY: "DISCONTINUITY", FLUSH: "FLUSH", STALE: "STALE",
    OVERDUE: "OVERDUE",
}  # fmt: skip


class BlockError(OssicleError, ValueError):
    """Sound that cannot go on in a stream; the text names what came and the way out."""


class _Fields:
    """The slots of a Block, still open: see `Block.__new__`."""

    __slots__ = ("samples", "rate", "index", "flags", "epoch")

    samples: Samples
    rate: int
    index: Frames
    flags: int
    epoch: int


class Block(_Fields):
    """A piece of a stream; immutable, equal only to itself.

    samples: float32 (frames, channels), not to be written into; frames may be 0 for a block that
    only carries a flag. rate: Hz. index: of the first frame, on the source's own sample clock.
    flags: START, END, DISCONTINUITY, FLUSH, STALE, OVERDUE, added up. epoch: grows with every
    flush; blocks of an older one are void. Nothing is checked here, on the audio path: `Block.of`.
    """

    __slots__ = ()

    def __new__(
        cls, samples: Samples, rate: int, index: Frames = 0, flags: int = 0, epoch: int = 0
    ) -> Block:
        # A frozen dataclass takes 0.65 µs to make, this 0.28: filled while open, then closed.
        self: Any = _Fields()
        self.samples = samples
        self.rate = rate
        self.index = index
        self.flags = flags
        self.epoch = epoch
        self.__class__ = cls
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Block never changes; make another one instead of setting {name}")

    def __reduce__(self) -> tuple[type[Block], tuple[Samples, int, int, int, int]]:
        return Block, (self.samples, self.rate, self.index, self.flags, self.epoch)

    @classmethod
    def of(
        cls, rate: object, array: object, index: Frames = 0, flags: int = 0, epoch: int = 0
    ) -> Block:
        """Sound from outside as a block, checked.

        array: (frames,) or (frames, channels); float, or int16 with 32768 = 1.0. The block may
        share the memory of a float32 array. Raises BlockError for other types and shapes, for more
        than 32 channels, and for NaN or infinity, which would stay in every filter behind it.
        """
        hertz = checked_rate(rate)
        if not isinstance(array, np.ndarray):
            raise BlockError(f"samples must be a numpy array, but {type(array).__name__} came")
        data = cast("NDArray[Any]", array)
        if data.ndim == 1:
            data = data[:, None]
        if data.ndim != 2 or not 1 <= data.shape[1] <= MAX_CHANNELS:
            raise BlockError(
                f"an array of shape {data.shape} came; pass (frames,) or (frames, channels) with "
                f"1 to {MAX_CHANNELS} channels"
            )
        if data.dtype == np.int16:
            samples = from_int16(data)
        elif data.dtype.kind == "f":
            samples = data.astype(np.float32, copy=False)
            if not all_finite(samples):
                bad = int(np.count_nonzero(~np.isfinite(samples)))
                raise BlockError(
                    f"{bad} of {samples.size} samples are NaN or infinite; "
                    "numpy.nan_to_num(array) makes them silent, or look where they come from"
                )
        else:
            raise BlockError(f"samples of type {data.dtype} came; pass int16 or float32")
        return cls(samples, hertz, index, flags, epoch)

    @property
    def frames(self) -> Frames:
        """How long it is, in frames: the first axis of `samples`."""
        return self.samples.shape[0]

    @property
    def channels(self) -> int:
        """How many channels: the second axis of `samples`."""
        return self.samples.shape[1]

    @property
    def end(self) -> Frames:
        """The index of the frame after the last."""
        return self.index + self.samples.shape[0]

    @property
    def whole(self) -> bool:
        """It begins and ends here: a sound of its own, such as an utterance, not a piece."""
        return self.flags & (START | END) == START | END

    @property
    def duration(self) -> Seconds:
        """How long it is, in seconds."""
        return self.samples.shape[0] / self.rate

    def discontinuous(self) -> Block:
        """The same block, saying that something was lost before it."""
        flags = self.flags | DISCONTINUITY
        return Block(self.samples, self.rate, self.index, flags, self.epoch)

    def overdue(self) -> Block:
        """The same block, saying that the app is seconds behind; never the end, at which operators
        give what they hold."""
        if self.flags & END:
            return self
        return Block(self.samples, self.rate, self.index, self.flags | OVERDUE, self.epoch)

    def with_samples(self, samples: Samples) -> Block:
        """The same place in the stream, with other samples."""
        return Block(samples, self.rate, self.index, self.flags, self.epoch)

    def __repr__(self) -> str:
        flags = "".join(f" {name}" for bit, name in _NAMES.items() if self.flags & bit)
        epoch = f" epoch {self.epoch}" if self.epoch else ""
        shape: tuple[int, ...] = getattr(self.samples, "shape", ())
        if len(shape) != 2:  # nothing was checked: an error may be about this one
            return f"<Block {self.index}.. {self.rate} Hz, shape {shape}{flags}{epoch}>"
        return (
            f"<Block {self.index}..{self.end} {self.rate} Hz, {self.channels} "
            f"channel{'s' * (self.channels != 1)}{flags}{epoch}>"
        )


_FLOAT32 = np.dtype(np.float32)


def why_not(value: object) -> BlockError | None:
    """What is wrong with what an operator gave for sound, but for its numbers; None if nothing is.

    Whole numbers are refused: nobody knows what their full scale is.
    """
    if not isinstance(value, Block):
        return BlockError(
            f"{_short(value)} came in place of a Block; give block.with_samples(array), or nothing"
        )
    samples = cast(object, value.samples)  # whatever its author put there
    if not isinstance(samples, np.ndarray):
        return BlockError(f"the samples of a Block are {_short(samples)}, and not a numpy array")
    data = cast("NDArray[Any]", samples)
    if data.ndim != 2 or not 1 <= data.shape[1] <= MAX_CHANNELS:
        return BlockError(
            f"samples of shape {data.shape} came; give (frames, channels) with 1 to {MAX_CHANNELS}"
            " channels: array[:, None] makes one of (frames,)"
        )
    if data.dtype.kind != "f":
        return BlockError(
            f"samples of type {data.dtype} came; give float32 with full scale at 1.0: Block.of"
            " makes it of int16"
        )
    return None


def checked(value: object) -> Block:
    """What an operator gave, as sound that may be heard; float64 becomes float32.

    Raises BlockError for what is no sound of numbers: see `why_not`, and NaN and infinity, which
    would be silence or a bang.
    """
    block = formed(value)
    flat = block.samples.ravel()
    if not math.isfinite(flat.dot(flat)):  # as in `all_finite`; hardly ever
        _finite(block.samples)
    return block


def formed(value: object) -> Block:
    """The same, but for NaN and infinity: for sound that `int16` takes next, which finds them in
    passing."""
    if type(value) is Block:
        samples = value.samples
        if type(samples) is np.ndarray and samples.dtype is _FLOAT32 and samples.ndim == 2:
            return value  # nearly always
    if wrong := why_not(value):
        raise wrong
    block = cast(Block, value)
    return block.with_samples(float32(block.samples))


def _finite(samples: Samples) -> None:
    """Raise BlockError for NaN and infinity."""
    if not all_finite(samples):
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise BlockError(
            f"{bad} of {samples.size} samples are NaN or infinite; look which operator makes"
            " them, a division by a level of 0 is the usual one"
        )


def _short(value: object) -> str:
    return "nothing (None)" if value is None else f"one {type(value).__name__}"


def float32(samples: NDArray[Any]) -> Samples:
    """The array as samples; itself where it is float32 already."""
    return samples.astype(np.float32, copy=False)


def joined(blocks: Iterable[Block]) -> Samples:
    """The samples of consecutive blocks as one array; (0, 1) where there are none."""
    parts = [block.samples for block in blocks]
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)


def as_one(parts: Sequence[Samples]) -> Samples:
    """Arrays that follow each other as one, which is itself where there is one only."""
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


# Numbers that meet blocks. As 0-d arrays: a ufunc takes one in 0.4 µs, a numpy scalar in 0.6 to 4.
_STEP = np.array(1 / 32768, np.float32)
_MOST = 32767 / 32768
_UP = np.array(384, np.float32)
_INT16, _INT32 = np.dtype(np.int16), np.dtype(np.int32)


def int16(
    samples: Samples,
    clipping: Clipping | None = None,
    into: NDArray[np.int16] | None = None,
) -> NDArray[np.int16]:
    """At 16 bit: 1.0 is 32768, rounded, cut at full scale; what came from int16 is it again.

    clipping: counts what was cut. into: an array of that shape which it is written into, and which
    is what is returned. Raises BlockError for NaN and infinity.
    """
    whole = _rounded(samples, None, clipping)
    if into is None:
        return whole.astype(_INT16)
    into[:] = whole
    return into


def joined_int16(parts: Sequence[Samples]) -> NDArray[np.int16]:
    """Arrays that follow each other as a new one, at 16 bit: as `int16`, but (frames,) for mono.

    In place, because a second of sound is so much that a second array for it costs more, in memory
    that the system must find and clear, than all that is worked out here.
    """
    samples = np.concatenate(parts)
    if samples.shape[1] == 1:
        samples = samples[:, 0]
    return _rounded(samples, samples).astype(_INT16)


def _rounded(
    samples: Samples, out: Samples | None, clipping: Clipping | None = None
) -> NDArray[np.int32]:
    """Samples as whole numbers, of which the lower 16 bits count. out: what may be used up, a new
    array if nothing may."""
    # To look costs half of what it takes to cut, which is hardly ever due. NaN, where there is one,
    # is found by both and is within no bounds.
    if samples.size and not (
        samples.item(samples.argmax()) <= _MOST and samples.item(samples.argmin()) >= -1.0
    ):
        _finite(samples)
        if clipping:
            clipping.samples += int(np.count_nonzero((samples > 1.0) | (samples < -1.0)))
        samples = samples.clip(-1.0, _MOST, out=out)
    # From 256 to 512 a float32 has steps of 1 / 32768. So the addition itself rounds, half to even,
    # and the lowest 16 bits of the sum are the sample: half the time of multiply, rint and cast.
    return np.add(samples, _UP, out).view(_INT32)


def from_int16(samples: NDArray[np.int16]) -> Samples:
    """16 bit as samples, exactly."""
    # Two steps are three times as fast as one that converts while it multiplies.
    scaled = samples.astype(np.float32)
    return np.multiply(scaled, _STEP, out=scaled)


def all_finite(samples: NDArray[Any]) -> bool:
    """No NaN and no infinity among them."""
    # One of them makes any sum of squares not finite; a sixth of the time of looking at each.
    flat = samples.ravel()
    return math.isfinite(flat.dot(flat)) or bool(np.isfinite(samples).all())
