"""Arrays of samples: which are sound, and how they become 16 bit, and their hash.

int16 and float meet at 1.0 = 32768, as in libsndfile and every WAV reader: -1.0 is -32768, +1.0
is one step beyond the largest sample and becomes 32767. Only `normalize="peak"` differs: see
`Clip.of`.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .bounds import BLOCK, MAX_CHANNELS, ClipError, Normalize, short

Samples: TypeAlias = NDArray[Any]
Int16: TypeAlias = NDArray[np.int16]

_TAKEN = {"i1", "u1", "i2", "u2", "i4", "f2", "f4", "f8"}
"""As `dtype.str` says it behind the order of its bytes; the name takes ten times as long."""


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


class FlatTops:
    """Finds what was cut before it came here: three samples or more in a row at full scale.

    One or two alone are no sign of it: whatever was made as loud as 16 bit can hold has them.
    """

    def __init__(self, channels: int) -> None:
        self._before = np.zeros((3, channels), np.bool_)  # of the blocks so far, the last frames

    def feed(self, block: Int16) -> int:
        """How many samples stand in such rows, as far as the next frames show."""
        if not block.size or (block.max() < 32767 and block.min() > -32768):
            self._before[:] = False
            return 0
        full = block.reshape(block.shape[0], -1)
        full = np.concatenate([self._before, (full == 32767) | (full == -32768)])
        self._before = full[-3:].copy()
        third = full[1:-2] & full[2:-1] & full[3:]
        return int(np.count_nonzero(third) + 2 * np.count_nonzero(third & ~full[:-3]))


def peak16(samples: Int16) -> int:
    """The largest |sample|, 0..32768 (abs of -32768 would overflow int16)."""
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


class Digest(Protocol):
    """A running hash, as hashlib makes them."""

    def update(self, data: memoryview, /) -> None: ...
    def copy(self) -> Digest: ...
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


def sampled(array: object, normalize: Normalize) -> tuple[Int16, int]:
    """An array as the caller has it at 16 bit, copied, and how many samples were cut.

    The rules are those of `Clip.of`. Raises ClipError for what cannot be read as sound.
    """
    data = _checked_array(array)
    if data.dtype.kind == "f":
        return _from_float(data, normalize)
    samples = _from_integer(data)
    tops = FlatTops(samples.shape[1] if samples.ndim == 2 else 1)
    return samples, sum(
        tops.feed(samples[at : at + BLOCK]) for at in range(0, samples.shape[0], BLOCK)
    )


def _checked_array(array: object) -> Samples:
    """The array, if it can be read as sound in one way only."""
    if not isinstance(array, np.ndarray):
        hint = (
            "; pass numpy.array(samples, dtype=numpy.int16) or float32"
            if isinstance(array, list | tuple)
            else "; pass a numpy array"
        )
        raise ClipError(
            f"samples must be a numpy array, but {short(cast(object, array))} came{hint}"
        )
    data = cast(Samples, array)
    masked = sys.modules.get("numpy.ma")  # nobody holds one without it, and it takes time to load
    if masked is not None and isinstance(data, masked.MaskedArray):
        raise ClipError("a masked array came; pass array.filled(0) to say what the gaps sound like")
    if data.dtype.str[1:] not in _TAKEN:
        kind = data.dtype.newbyteorder("=").name
        raise ClipError(
            f"samples of type {kind} came ({_way_out(kind)}); types taken: int8, uint8, int16, "
            "uint16, int32, float16, float32, float64"
        )
    if data.ndim not in (1, 2):
        raise ClipError(
            f"an array of shape {_shape(data)} came; pass (frames,) for mono or (frames, channels)"
        )
    if data.size == 0:
        raise ClipError(
            f"a sound of 0 samples came (shape {_shape(data)}); return None where there is nothing "
            "to hear"
        )
    if data.ndim == 2:
        frames, channels = data.shape
        if (frames <= 8 < channels) or (channels > MAX_CHANNELS and channels > frames):
            raise ClipError(
                f"an array of shape {_shape(data)} came, which reads as {channels} channels of "
                f"{frames} frames: it is (channels, frames); pass array.T for (frames, channels)"
            )
        if channels > MAX_CHANNELS:
            raise ClipError(
                f"an array of shape {_shape(data)} came: {channels} channels; pass at most "
                f"{MAX_CHANNELS}"
            )
        if channels == 1:
            data = data[:, 0]
    return data


def _shape(data: Samples) -> str:
    return "x".join(str(n) for n in data.shape) or "()"


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
    kind = data.dtype.str[1:]
    if kind == "i2":
        return data.astype(np.int16)  # a copy: the caller may go on writing into its array
    if kind == "i4":
        # Half up, in 64 bit: the largest int32 rounds to 32768 and must stop at 32767.
        return _blockwise(data, lambda x: np.minimum((x.astype(np.int64) + 32768) >> 16, 32767))
    if kind == "u2":
        return _blockwise(data, lambda x: x.astype(np.int32) - 32768)
    offset = 128 if kind == "u1" else 0
    return _blockwise(data, lambda x: (x.astype(np.int16) - offset) * 256)


def _from_float(data: Samples, normalize: Normalize) -> tuple[Int16, int]:
    bad = over = 0
    first: int | None = None
    peak = 0.0
    for start in range(0, data.shape[0], BLOCK):
        block = data[start : start + BLOCK]
        high, low = float(block.max()), float(block.min())  # NaN if there is one
        if not (math.isfinite(high) and math.isfinite(low)):
            wrong = ~np.isfinite(block)
            bad += int(np.count_nonzero(wrong))
            if first is None:
                first = start + int(np.argwhere(wrong)[0][0])
            continue
        peak = max(peak, high, -low)
        if high > 1 or low < -1:
            over += int(np.count_nonzero(np.abs(block) > 1))
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
