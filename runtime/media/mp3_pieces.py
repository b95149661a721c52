"""An mp3 file that comes piece by piece, cut anywhere: one decoder over all of its pieces.

Programs that pass on the bytes of a speech service, or of a file, yield them as they come. Each by
itself is no sound: a frame of an mp3 needs what stood in the frames before it. The first piece must
hold a whole frame, at most 1,441 bytes; later ones may be as short as they like.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.audio import Clip, MemoryClip
from ...flow.samples import to_int16

NAME = "a piece of an mp3"


class Mp3Piece(MemoryClip):
    """The sound of one piece, and the decoder that goes on with the next."""

    def __init__(self, rate: int, data: NDArray[np.int16], decoder: Mp3Pieces) -> None:
        super().__init__(rate, data, name=NAME)
        self.decoder = decoder


class Mp3Pieces:
    """Feed it the pieces in their order."""

    def __init__(self) -> None:
        from av import CodecContext

        self._codec: Any = CodecContext.create("mp3", "r")

    def push(self, data: bytes) -> Mp3Piece | None:
        """The sound that a piece completes; None where it completes none."""
        from av.error import FFmpegError

        parts: list[NDArray[Any]] = []
        rate = 0
        for packet in self._codec.parse(data):
            try:
                frames = self._codec.decode(packet)
            except FFmpegError:  # tags, and the first frame after a jump: a player passes over them
                continue
            for frame in frames:
                rate = frame.sample_rate
                samples = frame.to_ndarray()
                channels = frame.layout.nb_channels
                woven = samples.shape[0] != channels
                parts.append(samples.reshape(-1, channels) if woven else samples.T)
        if not parts:
            return None
        whole = to_int16(np.concatenate(parts))
        return Mp3Piece(rate, whole[:, 0] if whole.shape[1] == 1 else whole, self)


def looks_like_mp3(data: bytes) -> bool:
    """A tag, or the beginning of an MPEG frame of layer III."""
    return data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2)


def go_on(data: bytes, before: Clip | None) -> Mp3Piece | None:
    """The next piece after `before`, or the first one."""
    known = before.decoder if isinstance(before, Mp3Piece) else Mp3Pieces()
    return known.push(data)
