"""What one pass over a sound finds out, from its blocks in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...flow.audio import ClipError
from ...flow.samples import Digest, FlatTops, Samples, content_hash, to_int16, update_hash
from .glimpse import Glimpse
from .limits import Limits
from .pyramid import Pyramid, PyramidScan
from .refusals import check_length, check_numbers


@dataclass(frozen=True)
class Facts:
    """What is known of a stored sound that was decoded to its end."""

    format: str
    subtype: str
    rate: int
    channels: int
    frames: int
    id: str
    clipped: int
    peak: float
    pyramid: Pyramid


class Gathering:
    """One pass. `glimpse` shows how far it is, and may call it off.

    promised: frames that its header says; more may come, up to the limits. Raises ClipError for
    numbers and lengths that are not taken.
    """

    def __init__(
        self,
        rate: int,
        channels: int,
        promised: int,
        *,
        name: str,
        limits: Limits,
        glimpse: Glimpse | None,
    ) -> None:
        check_numbers(rate, channels, name)
        check_length(promised, rate, name, limits)
        self.frames = 0
        self._rate, self._channels, self._name, self._limits = rate, channels, name, limits
        self._glimpse = glimpse
        self._waveform = PyramidScan(channels)
        self._tops = FlatTops(channels)
        self._digest: Digest | None = None
        self._clipped = self._top = self._bad = self._first_bad = 0
        self.promise(promised)

    def promise(self, frames: int) -> None:
        """So many there will be, as far as is known now."""
        if self._glimpse is not None:
            self._glimpse.begin(self._waveform, frames)

    def feed(self, block: Samples, cut: int) -> None:
        """The next samples as deep as they are; `cut`: how many of them were beyond full scale.

        Raises ClipError beyond the longest sound that is taken, and once nobody wants it any more.
        """
        if self._glimpse is not None:
            self._glimpse.check(self._name)
        if self._digest is None:
            self._digest = content_hash(self._rate, self._channels, block.dtype)
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            wrong = ~np.isfinite(block)
            if not self._bad:
                self._first_bad = self.frames + int(np.argwhere(wrong)[0][0])
            self._bad += int(np.count_nonzero(wrong))
        update_hash(self._digest, block)
        small = to_int16(block)
        # Of floats it is known exactly which were beyond full scale.
        self._clipped += cut if block.dtype.kind == "f" else self._tops.feed(small)
        self._waveform.feed(small)
        self._top = max(self._top, int(small.max()), -int(small.min()))
        self.frames += block.shape[0]
        check_length(self.frames, self._rate, self._name, self._limits)

    def facts(self, format: str, subtype: str) -> Facts:
        """All of it was seen. Raises ClipError where it holds what is no sound."""
        if self._bad:
            raise ClipError(
                f"{self._bad} samples of {self._name!r} are NaN or infinite, the first at frame"
                f" {self._first_bad}; export the file again without them"
            )
        assert self._digest is not None
        return Facts(
            format=format,
            subtype=subtype,
            rate=self._rate,
            channels=self._channels,
            frames=self.frames,
            id=self._digest.hexdigest(),
            clipped=self._clipped,
            peak=self._top / 32768,
            pyramid=self._waveform.result(),
        )
