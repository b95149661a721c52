"""Another sample rate, through FFmpeg's resampler or, without hurry, SoX's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..bounds import checked_rate
from ..units import Frames
from .needs import missing
from .operator import BlockOperator, Form, Kernel, check, sound

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame


Quality = Literal["live", "best"]


class _Engine(Protocol):
    def push(self, samples: Samples) -> Samples:
        """Take frames; returns those that are done."""
        ...

    def rest(self) -> Samples:
        """What is still held; there must have been some frames."""
        ...


class _Same(Kernel):
    def process(self, samples: Samples) -> Samples:
        return samples


class Resampler:
    """FFmpeg's resampler over (frames, channels): one mono one a channel.

    One each, because FFmpeg knows no layout for some numbers of channels.
    """

    def __init__(self, operator: str, came: int, goes: int, channels: int) -> None:
        try:
            from av import AudioFrame, AudioResampler
        except ImportError as error:
            raise missing(operator, "av", "codecs") from error
        self._frame = AudioFrame
        self._came = came
        self._lanes = [
            AudioResampler(format="flt", layout="mono", rate=goes) for _ in range(channels)
        ]

    def push(self, samples: Samples) -> Samples:
        """Take frames; returns those that are done."""
        if not len(samples):
            return samples
        lanes: list[NDArray[Any]] = []
        for n, lane in enumerate(self._lanes):
            data = np.ascontiguousarray(samples[:, n])[None, :]
            frame = self._frame.from_ndarray(data, format="flt", layout="mono")
            frame.sample_rate = self._came
            lanes.append(_samples(lane.resample(frame)))
        return np.stack(lanes, axis=1)

    def rest(self) -> Samples:
        """What is still held; there must have been some frames."""
        return np.stack([_samples(lane.resample(None)) for lane in self._lanes], axis=1)


class _Soxr:
    """The SoX resampler at its best, over (frames, channels)."""

    def __init__(self, came: int, goes: int, channels: int) -> None:
        self._channels = channels
        self._stream: Any = _soxr().ResampleStream(
            came, goes, channels, dtype="float32", quality="VHQ"
        )

    def push(self, samples: Samples) -> Samples:
        return self._chunk(samples, False) if len(samples) else samples

    def rest(self) -> Samples:
        return self._chunk(np.zeros((0, self._channels), np.float32), True)

    def _chunk(self, samples: Samples, last: bool) -> Samples:
        data = np.ascontiguousarray(samples if self._channels > 1 else samples[:, 0])
        out: Samples = self._stream.resample_chunk(data, last=last)
        return out.reshape(-1, self._channels)


def _soxr() -> Any:
    try:
        import soxr
    except ImportError as error:
        raise missing("resample(quality='best')", "soxr", "resample") from error
    return soxr


class _Resample(Kernel):
    def __init__(self, rate: int, quality: Quality, form: Form) -> None:
        self._resampler: _Engine
        if quality == "live":
            self._resampler = Resampler("resample", form.rate, rate, form.channels)
        else:
            self._resampler = _Soxr(form.rate, rate, form.channels)
        self._came, self._goes, self._channels = form.rate, rate, form.channels
        self._least = 2 * held_back(form.rate, rate) if quality == "live" else 0
        self._taken = self._given = 0

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        out = self._resampler.push(samples)
        self._given += len(out)
        return out

    def finish(self) -> Samples | None:
        if not self._taken:
            return None
        tail = self._short() if self._taken < self._least else self._resampler.rest()
        # As long as the sound was, to the nearest frame: FFmpeg's own count may be one off.
        wanted = round(self._taken * self._goes / self._came) - self._given
        if not 0 <= wanted <= len(tail) + 1:
            raise AssertionError(f"the resampler gave {len(tail)} frames at the end, not {wanted}")
        return np.pad(tail[:wanted], ((0, max(0, wanted - len(tail))), (0, 0)))

    def _short(self) -> Samples:
        """The end of sound shorter than the filter, of which FFmpeg gives too little or nothing."""
        silence = np.zeros((self._least, self._channels), np.float32)
        return np.concatenate((self._resampler.push(silence), self._resampler.rest()))


def held_back(came: int, goes: int) -> Frames:
    """Frames at the rate that came: half of 32 taps, counted at the lower rate, and one."""
    return 0 if came == goes else math.ceil(17 * max(1.0, came / goes))


def _samples(frames: Iterable[AudioFrame]) -> NDArray[Any]:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@lru_cache(64)
def _soxr_held_back(came: int, goes: int) -> Frames:
    """The same for SoX's, which says nothing of it: tried out, frame by frame.

    It works in portions, whose length depends on both rates and repeats long before two seconds.
    """
    engine, given, most = _Soxr(came, goes, 1), 0, 0
    silence = np.zeros((1, 1), np.float32)
    for taken in range(2 * came):
        most = max(most, taken - math.floor(given * came / goes))
        given += len(engine.push(silence))
    return most


def resample(rate: int, quality: Quality = "live") -> BlockOperator:
    """The same sound at `rate` Hz; indexes count at the new rate from here on.

    quality: "live" is good to 16 bit (noise and aliases below -100 dB, -3 dB at 0.97 of half the
    lower rate) and holds about 16 frames of the lower rate (1 ms at 16 kHz); needs the extra
    `codecs`. "best" is good to 24 bit and holds up to 80 ms: for files; needs the extra `resample`.
    Source: libswresample, polyphase FIR; the SoX Resampler, VHQ. Either is the same engine live and
    offline, so the same samples.
    """
    target = checked_rate(rate)
    check(quality in get_args(Quality), f"quality={quality!r}; choose 'live' or 'best'")

    def make(form: Form) -> Kernel:
        return _Same() if form.rate == target else _Resample(target, quality, form)

    def latency(came: int) -> Frames:
        if came == target:
            return 0
        return held_back(came, target) if quality == "live" else _soxr_held_back(came, target)

    return sound("resample", make, latency, target)
