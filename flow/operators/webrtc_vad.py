"""The voice detector of WebRTC."""

from __future__ import annotations

from typing import Any

from ..blocks import BlockError, Samples, int16
from .needs import missing

RATES = (8_000, 16_000, 32_000, 48_000)
STRICT = 2
"""Of 0 to 3: how much rather noise is missed than taken for speech."""


class WebRtcVoice:
    """Is there speech in a hop: yes if more than half of its 10 ms pieces say so.

    Raises BlockError for a rate that the library does not know, and for a hop that is no multiple
    of 10 ms. Source: Gaussian mixtures over six bands, as in WebRTC (py-webrtcvad).
    """

    def __init__(self) -> None:
        self._detector: Any = _webrtcvad().Vad(STRICT)

    def __call__(self, samples: Samples, rate: int) -> bool:
        if rate not in RATES:
            raise BlockError(
                f"vad(method='webrtc') takes 8, 16, 32 or 48 kHz, and {rate} Hz came; put "
                "resample(16_000) before it"
            )
        piece = rate // 100
        if len(samples) % piece:
            raise BlockError(
                f"vad(method='webrtc') takes hops of whole 10 ms ({piece} frames), and one of "
                f"{len(samples)} frames came; choose hop='20 ms'"
            )
        data = int16(samples[:, 0])
        said = [
            bool(self._detector.is_speech(data[at : at + piece].tobytes(), rate))
            for at in range(0, len(data), piece)
        ]
        return 2 * sum(said) > len(said)


def _webrtcvad() -> Any:
    try:
        import webrtcvad  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    except ImportError as error:
        raise missing("vad(method='webrtc')", "webrtcvad", "vad") from error
    return webrtcvad  # pyright: ignore[reportUnknownVariableType]
