"""Another sample rate, through FFmpeg's resampler."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import Samples
from ..bounds import checked_rate
from ..units import Frames
from .needs import missing
from .operator import BlockOperator, Form, Kernel, sound

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame


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


class _Resample(Kernel):
    def __init__(self, rate: int, form: Form) -> None:
        self._resampler = Resampler("resample", form.rate, rate, form.channels)
        self._came, self._goes = form.rate, rate
        self._taken = self._given = 0

    def process(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        out = self._resampler.push(samples)
        self._given += len(out)
        return out

    def finish(self) -> Samples | None:
        if not self._taken:
            return None
        tail = self._resampler.rest()
        # As long as the sound was, to the nearest frame: FFmpeg's own count may be one off.
        wanted = round(self._taken * self._goes / self._came) - self._given
        if not 0 <= wanted <= len(tail) + 1:
            raise AssertionError(f"the resampler gave {len(tail)} frames at the end, not {wanted}")
        return np.pad(tail[:wanted], ((0, max(0, wanted - len(tail))), (0, 0)))


def held_back(came: int, goes: int) -> Frames:
    """Frames at the rate that came: half of 32 taps, counted at the lower rate, and one."""
    return 0 if came == goes else math.ceil(17 * max(1.0, came / goes))


def _samples(frames: Iterable[AudioFrame]) -> NDArray[Any]:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def resample(rate: int) -> BlockOperator:
    """The same sound at `rate` Hz; indexes count at the new rate from here on.

    Good to 16 bit: noise and aliases below -100 dB, -3 dB at 0.97 of half the lower rate.
    Latency about 16 frames of the lower rate (1 ms at 16 kHz). Needs the extra `codecs`.
    Source: libswresample, polyphase FIR; the same engine live and offline, so the same samples.
    """
    target = checked_rate(rate)

    def make(form: Form) -> Kernel:
        return _Same() if form.rate == target else _Resample(target, form)

    return sound("resample", make, lambda came: held_back(came, target), target)
