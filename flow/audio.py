"""A finished sound as an immutable value: `Clip`, its rules for samples, and what holds files.

The law of this file: a sound is never changed behind anybody's back. 16-bit samples stay
bit-identical, deeper ones are rounded (never wrapped, never truncated), float follows the rule
the caller named, and what had to be cut at full scale is counted in `Clip.clipped`.

int16 and float meet at 1.0 = 32768, as in libsndfile and every WAV reader: -1.0 is -32768, +1.0
is one step beyond the largest sample and becomes 32767. Only `normalize="peak"` differs: see
`Clip.of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from .documents import Documents
from .errors import OssicleError

Samples: TypeAlias = NDArray[Any]
Int16: TypeAlias = NDArray[np.int16]
Normalize: TypeAlias = Literal["peak", "clip", "never"]

MAX_RATE = 768_000  # the fastest PCM converters sold; above it a header is lying
MAX_CHANNELS = 32  # what WAV's speaker mask can name, with room; see the channels-first check
BLOCK = 65_536  # frames; the largest write that is safe for OGG (libsndfile #1095)

_INTEGERS = {"int8", "uint8", "int16", "uint16", "int32"}
_FLOATS = {"float16", "float32", "float64"}


class ClipError(OssicleError, ValueError):
    """A sound that cannot be taken; the text names what came and the way out."""


class Clip:
    """A finished sound: a rate, a length, and samples that never change.

    `rate` is in Hz, `frames` counts samples per channel. `format` is what holds the sound: "wav",
    "flac", "mp3" and so on for a file, "pcm" for memory. `clipped` counts the samples that had to
    be cut at full scale on their way in. Equality is identity; compare `id` to compare sounds.
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
        if normalize not in get_args(Normalize):
            raise ClipError(f"normalize={normalize!r} is unknown; choose peak, clip or never")
        if isinstance(rate, np.ndarray) and isinstance(array, int | np.integer):
            raise ClipError(
                "a sound is (rate, array), but (array, rate) came; swap the two in the tuple"
            )
        hertz = checked_rate(cast(object, rate))
        data = _checked_array(array)
        if data.dtype.kind == "f":
            samples, clipped = _from_float(data, normalize)
        else:
            samples, clipped = _from_integer(data), 0
        return MemoryClip(hertz, samples, name=name, clipped=clipped)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate

    @property
    def id(self) -> str:
        """The content: equal for two clips iff rate, channels, sample type and samples are."""
        if self._id is None:
            digest = content_hash(self.rate, self.channels, self.read(0, 1).dtype)
            for block in self.blocks():
                update_hash(digest, block)
            self._id = digest.hexdigest()
        return self._id

    @property
    def peak(self) -> float:
        """The largest |sample| of the 16-bit form, 1.0 = full scale."""
        if self._peak is None:
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
    if not (_is_int(start) and _is_int(end) and 0 <= start < end <= clip.frames):
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


class Media(Documents, Protocol):
    """What a component may ask of the shell: where sounds become files and files sounds.

    One for each session. May block (decoding, disk, network): call it from a worker thread where
    sounds are long.
    """

    def open(self, source: str | Path | bytes, *, name: str | None = None) -> Clip:
        """A sound file by path, http(s) URL or content. Only for values that app code gave."""
        ...

    def file(self, clip: Clip, format: str) -> Path:
        """The clip as a file in that format, there until the session ends."""
        ...

    def describe(self, clip: Clip, *, format: str | None = None) -> dict[str, object]:
        """The clip as JSON for the page, with a handle; `format` is what a download gives."""
        ...

    def clip(self, handle: str) -> Clip:
        """The clip of a handle. Raises KeyError unless this session made the handle."""
        ...


def checked_rate(rate: object) -> int:
    """A sample rate as int, or ClipError."""
    if not _is_int(rate):
        hint = f"; pass int({rate})" if isinstance(rate, float) else ""
        raise ClipError(
            f"the sample rate must be a whole number of Hz, but {_short(rate)} came{hint}"
        )
    hertz = int(cast(int, rate))
    if not 1 <= hertz <= MAX_RATE:
        raise ClipError(f"the sample rate {hertz} Hz is impossible; give one in 1..{MAX_RATE} Hz")
    return hertz


def to_int16(samples: Samples) -> Int16:
    """Native samples (int16, int32, float32) at 16 bit: rounded and cut at full scale."""
    if samples.dtype == np.int16:
        return samples
    if samples.dtype.kind == "f":
        return _scaled(samples)
    return _from_integer(samples)


def over_full_scale(samples: Samples) -> int:
    """How many native samples `to_int16` has to cut: only float can lie beyond -1..1."""
    if samples.dtype.kind != "f" or not samples.size:
        return 0
    if samples.max() <= 1 and samples.min() >= -1:  # nearly always, and three times as fast
        return 0
    return int(np.count_nonzero(np.abs(samples) > 1))


def peak16(samples: Int16) -> int:
    """The largest |sample|, 0..32768 (abs of -32768 would overflow int16)."""
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


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


class Digest(Protocol):
    """A running hash, as hashlib makes them."""

    def update(self, data: memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def content_hash(rate: int, channels: int, dtype: np.dtype[Any]) -> Digest:
    """The hash behind `Clip.id`, ready for blocks of samples: see `update_hash`.

    The type counts: silence at 32 bit must not equal twice as much silence at 16. SHA-256, because
    processors have instructions for it: twice as fast as blake2b, and an hour of sound shows that.
    """
    return hashlib.sha256(f"{rate}/{channels}/{dtype.name}/".encode())


def update_hash(digest: Digest, block: Samples) -> None:
    """Feed a block of any length; the bytes are little-endian on every machine."""
    little = block.dtype.newbyteorder("<")
    digest.update(np.ascontiguousarray(block, dtype=little).data.cast("B"))


def _checked_array(array: object) -> Samples:
    """The array, if it can be read as sound in one way only."""
    if not isinstance(array, np.ndarray):
        hint = (
            "; pass numpy.array(samples, dtype=numpy.int16) or float32"
            if isinstance(array, list | tuple)
            else "; pass a numpy array"
        )
        raise ClipError(
            f"samples must be a numpy array, but {_short(cast(object, array))} came{hint}"
        )
    data = cast(Samples, array)
    if isinstance(data, np.ma.MaskedArray):
        raise ClipError("a masked array came; pass array.filled(0) to say what the gaps sound like")
    kind = data.dtype.newbyteorder("=").name
    if kind not in _INTEGERS | _FLOATS:
        raise ClipError(
            f"samples of type {kind} came ({_way_out(kind)}); types taken: int8, uint8, int16, "
            "uint16, int32, float16, float32, float64"
        )
    shape = "x".join(str(n) for n in data.shape) or "()"
    if data.ndim not in (1, 2):
        raise ClipError(
            f"an array of shape {shape} came; pass (frames,) for mono or (frames, channels)"
        )
    if data.size == 0:
        raise ClipError(
            f"a sound of 0 samples came (shape {shape}); return None where there is nothing to hear"
        )
    if data.ndim == 2:
        frames, channels = data.shape
        if (frames <= 8 < channels) or (channels > MAX_CHANNELS and channels > frames):
            raise ClipError(
                f"an array of shape {shape} came, which reads as {channels} channels of {frames} "
                f"frames: it is (channels, frames); pass array.T for (frames, channels)"
            )
        if channels > MAX_CHANNELS:
            raise ClipError(
                f"an array of shape {shape} came: {channels} channels; pass at most {MAX_CHANNELS}"
            )
        if channels == 1:
            data = data[:, 0]
    return data


def _way_out(kind: str) -> str:
    if kind.startswith("complex"):
        return "pass array.real"
    if kind == "bool":
        return "pass array.astype(numpy.float32)"
    if kind.startswith(("int", "uint")):
        return "pass array.astype(numpy.int16) if the values are 16-bit samples"
    if kind.startswith("float"):
        return "pass array.astype(numpy.float64)"
    return "pass numbers: int16 or float32"


def _blockwise(data: Samples, convert: Callable[[Samples], Samples]) -> Int16:
    """Convert without a second full-size float copy: an hour of stereo float64 is 2.5 GB."""
    out: Int16 = np.empty(data.shape, np.int16)
    for start in range(0, data.shape[0], BLOCK):
        out[start : start + BLOCK] = convert(data[start : start + BLOCK])
    return out


def _from_integer(data: Samples) -> Int16:
    kind = data.dtype.newbyteorder("=").name
    if kind == "int16":
        return data.astype(np.int16)  # a copy: the caller may go on writing into its array
    if kind == "int32":
        # Half up, in 64 bit: the largest int32 rounds to 32768 and must stop at 32767.
        return _blockwise(data, lambda x: np.minimum((x.astype(np.int64) + 32768) >> 16, 32767))
    if kind == "uint16":
        return _blockwise(data, lambda x: x.astype(np.int32) - 32768)
    offset = 128 if kind == "uint8" else 0
    return _blockwise(data, lambda x: (x.astype(np.int16) - offset) * 256)


def _from_float(data: Samples, normalize: Normalize) -> tuple[Int16, int]:
    bad = over = 0
    first: int | None = None
    peak = 0.0
    for start in range(0, data.shape[0], BLOCK):
        block = data[start : start + BLOCK]
        size = np.abs(block.astype(np.float64))
        wrong = ~np.isfinite(size)
        if wrong.any():
            bad += int(np.count_nonzero(wrong))
            if first is None:
                first = start + int(np.argwhere(wrong)[0][0])
            continue
        peak = max(peak, float(size.max()))
        over += int(np.count_nonzero(size > 1))
    if bad:
        raise ClipError(
            f"{bad} of {data.size} samples are NaN or infinite, the first at frame {first}; "
            "numpy.nan_to_num(array) makes them silent, or look where they come from"
        )
    if normalize == "peak":
        return _blockwise(data, lambda x: _to_peak(x, peak)), 0
    if normalize == "never" and over:
        raise ClipError(
            f"{over} of {data.size} samples lie beyond -1..1 (peak {peak:.6g}) and "
            "normalize='never' forbids both scaling and cutting; scale the array, or choose "
            "normalize='peak' or 'clip'"
        )
    return _blockwise(data, _scaled), over


def _to_peak(block: Samples, peak: float) -> Samples:
    if peak == 0:
        return np.zeros(block.shape, np.int16)
    # Divide first: 32767 / peak overflows for the smallest floats.
    return np.rint(block.astype(np.float64) / peak * 32767)


def _scaled(block: Samples) -> Int16:
    """Float at 1.0 = 32768 to int16, rounded and cut at full scale; NaN is silence."""
    wide = np.float32 if block.dtype.itemsize <= 4 else np.float64
    scaled = np.multiply(block, wide(32768), dtype=wide)
    # In place: every array less is a tenth of what it takes to decode an mp3.
    np.clip(np.rint(scaled, out=scaled), -32768, 32767, out=scaled)
    missing = np.isnan(scaled)
    if missing.any():
        scaled[missing] = 0
    return scaled.astype(np.int16)


def _is_int(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(value).__name__})"
