"""A finished sound as an immutable value: `Clip`, its rules for samples, and what holds files.

The law of this file: a sound is never changed behind anybody's back. 16-bit samples stay
bit-identical, deeper ones are rounded (never wrapped, never truncated), float follows the rule
the caller named, and what had to be cut at full scale is counted in `Clip.clipped`.

How samples become others is in `samples`, which is loaded with the first sound: an app's page can
be there before numpy is.
"""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, get_args

from .bounds import BLOCK, ClipError, Normalize, checked_rate, is_whole
from .documents import Documents

if TYPE_CHECKING:
    from .samples import Int16, Samples

_NORMALIZE = get_args(Normalize)


class Clip:
    """A finished sound: a rate, a length, and samples that never change.

    `rate` is in Hz, `frames` counts samples per channel. `format` is what holds the sound: "wav",
    "flac", "mp3" and so on for a file, "pcm" for memory. `clipped` counts the samples that had to
    be cut at full scale on their way in; of whole numbers, those that were cut before: three or
    more in a row at full scale. Equality is identity; compare `id` to compare sounds.
    Made by `Clip.of` from an array and by `Media.open` from a file.
    """

    def __init__(
        self, rate: int, frames: int, channels: int, *, name: str, format: str, clipped: int = 0
    ) -> None:
        self.rate = rate
        self.frames = frames
        self.channels = channels
        self.name = name
        self.format = format
        self.clipped = clipped
        self.size: int | None = None
        """Bytes of the file behind it; None for memory."""
        self._id: str | None = None
        self._peak: float | None = None

    @classmethod
    def of(
        cls, rate: object, array: object, *, normalize: Normalize = "peak", name: str = "audio"
    ) -> Clip:
        """The seeds' tuple as a Clip of 16-bit samples; the array is copied.

        rate: a whole number of Hz, 1 to 768,000.
        array: (frames,) for mono or (frames, channels), 1 to 32 channels, at least one frame;
        - int16 stays as it is, int8 is multiplied by 256, uint8 and uint16 lose their offset
          (128, 32768) first, int32 is rounded to its upper 16 bits;
        - float16/32/64 follows `normalize`:
          "peak": divided by its peak |x| and multiplied by 32767, always, so quiet sound becomes
          as loud as 16 bit can hold (that is what the documented "normalized by its peak value"
          says); silence stays silence; nothing is ever cut, -1.0 at the peak is -32767;
          "clip": times 32768, rounded; what lies beyond -1..1 is cut and counted in `clipped`;
          "never": the same, but a sample beyond -1..1 raises.

        Raises ClipError for everything else, NaN and infinity included.
        """
        from .samples import sampled

        if normalize not in _NORMALIZE:
            raise ClipError(f"normalize={normalize!r} is unknown; choose peak, clip or never")
        if getattr(rate, "shape", ()) and isinstance(array, numbers.Integral):
            raise ClipError(
                "a sound is (rate, array), but (array, rate) came; swap the two in the tuple"
            )
        hertz = checked_rate(rate)
        samples, clipped = sampled(array, normalize)
        return MemoryClip(hertz, samples, name=name, clipped=clipped)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate

    @property
    def id(self) -> str:
        """The content: equal for two clips iff rate, channels, sample type and samples are."""
        if self._id is None:
            from .samples import content_hash, update_hash

            digest = content_hash(self.rate, self.channels, self.read(0, 1).dtype)
            for block in self.blocks():
                update_hash(digest, block)
            self._id = digest.hexdigest()
        return self._id

    @property
    def peak(self) -> float:
        """The largest |sample| of the 16-bit form, 1.0 = full scale."""
        if self._peak is None:
            from .samples import peak16, to_int16

            top = max(peak16(to_int16(block)) for block in self.blocks())
            self._peak = top / 32768
        return self._peak

    def read(self, start: int, end: int) -> Samples:
        """Frames start..end in their own type, (frames,) or (frames, channels).

        The array may be the clip's own and read-only: copy it before changing it.
        """
        raise NotImplementedError

    def samples(self) -> Samples:
        """All samples in their own type (int16, int32 or float32).

        (frames,) for mono, (frames, channels) otherwise; maybe read-only.
        """
        return self.read(0, self.frames)

    def int16(self) -> Int16:
        """All samples at 16 bit, same shape; deeper ones rounded, never wrapped."""
        from .samples import to_int16

        return to_int16(self.samples())

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        """The samples in their own type, `size` frames at a time: memory stays flat."""
        for start in range(0, self.frames, size):
            yield self.read(start, min(start + size, self.frames))

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.name!r} {self.format} {self.rate} Hz, "
            f"{self.frames} frames, {self.channels} channel{'s' * (self.channels != 1)}>"
        )


class MemoryClip(Clip):
    """A clip whose 16-bit samples are in memory."""

    def __init__(self, rate: int, data: Int16, *, name: str = "audio", clipped: int = 0) -> None:
        channels = 1 if data.ndim == 1 else data.shape[1]
        super().__init__(rate, data.shape[0], channels, name=name, format="pcm", clipped=clipped)
        data.flags.writeable = False
        self._data = data

    def read(self, start: int, end: int) -> Samples:
        return self._data[start:end]


class TrimmedClip(Clip):
    """Frames of `original`, which stays whole; `before` is what stood there before this trim.

    Cheap whatever the length: the id comes from the original's, and `clipped` is the original's
    too, an upper bound.
    """

    def __init__(self, before: Clip, start: int, end: int) -> None:
        super().__init__(
            before.rate,
            end - start,
            before.channels,
            name=before.name,
            format="pcm",
            clipped=before.clipped,
        )
        self.before = before
        # One step to the samples, however often a clip was trimmed.
        self.original: Clip = before.original if isinstance(before, TrimmedClip) else before
        self.start: int = start + (before.start if isinstance(before, TrimmedClip) else 0)

    @property
    def id(self) -> str:
        part = f"{self.original.id}[{self.start}:{self.start + self.frames}]"
        return hashlib.sha256(part.encode()).hexdigest()

    def read(self, start: int, end: int) -> Samples:
        return self.original.read(self.start + start, self.start + end)

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        # One open file and one pass for file-backed originals, not one seek for every block.
        return pieces(self.original.blocks(size), self.start, self.start + self.frames)


def trimmed(clip: Clip, start: int, end: int) -> Clip:
    """Frames start..end of a clip, counted in what it holds now; the whole is the clip itself.

    Raises ClipError unless 0 <= start < end <= frames.
    """
    if not (is_whole(start) and is_whole(end) and 0 <= start < end <= clip.frames):
        raise ClipError(
            f"cannot trim to frames {start!r}..{end!r}: a clip of {clip.frames} frames takes two "
            f"whole numbers with 0 <= start < end <= {clip.frames}"
        )
    return clip if (start, end) == (0, clip.frames) else TrimmedClip(clip, start, end)


def untrimmed(clip: Clip) -> Clip:
    """The clip as it was before its last trim, bit for bit: the very same object."""
    return clip.before if isinstance(clip, TrimmedClip) else clip


def root_of(clip: Clip) -> Clip:
    """The clip that holds the samples: the first original of a trimmed one."""
    return clip.original if isinstance(clip, TrimmedClip) else clip


class Spill(Protocol):
    """Takes what a tape puts away. Thread-safe, and never waits for a disk."""

    def write(self, samples: Int16) -> bool:
        """The next (frames, channels), which nobody changes any more; False if there is no room."""
        ...

    def read(self, start: int, end: int) -> Int16:
        """Frames start..end of what was written, (frames, channels)."""
        ...

    def clip(self, rest: Int16, name: str) -> Clip:
        """All that was written, with `rest` behind it."""
        ...


class Media(Documents, Protocol):
    """What a component may ask of the shell: where sounds become files and files sounds.

    One for each session. May block (decoding, disk, network): call it from a worker thread where
    sounds are long.
    """

    def open(self, source: str | Path | bytes, *, name: str | None = None) -> Clip:
        """A sound file by path, http(s) URL or content. Only for values that app code gave."""
        ...

    def piece(self, data: bytes, before: Clip | None) -> Clip | None:
        """A file that comes in pieces: the sound of one more, after `before`; None if it has none.

        A piece that is a whole file by itself is taken as one. Raises ClipError.
        """
        ...

    def file(self, clip: Clip, format: str) -> Path:
        """The clip as a file in that format, there until the session ends."""
        ...

    def spill(self, rate: int, channels: int, patient: bool = False) -> Spill:
        """Where a sound that is being made is put away when it gets long.

        patient: its maker asks `keep_up` before each piece, which waits where the disk is behind;
        without, what there is no room for is lost.
        """
        ...

    def keep_up(self) -> None:
        """Wait while much of what this session's functions made waits for the disk; in a thread."""
        ...

    @property
    def behind(self) -> bool:
        """`keep_up` would wait now."""
        ...

    def describe(self, clip: Clip, *, format: str | None = None) -> dict[str, object]:
        """The clip as JSON for the page, with a handle; `format` is what a download gives."""
        ...

    def clip(self, handle: str) -> Clip:
        """The clip of a handle. Raises KeyError unless this session made the handle."""
        ...


def pieces(blocks: Iterator[Samples], start: int, end: int) -> Iterator[Samples]:
    """Cut frames start..end out of consecutive blocks."""
    at = 0
    for block in blocks:
        low, high = max(start - at, 0), min(end - at, block.shape[0])
        if low < high:
            yield block[low:high]
        at += block.shape[0]
        if at >= end:
            return
