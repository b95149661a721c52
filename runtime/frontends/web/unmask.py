"""The mask of a browser's frames taken off (RFC 6455 5.3): four bytes, over and over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Word = np.dtype("<u4")
_Words = NDArray[np.uint32]


def unmasked(data: memoryview | bytes, at: int, length: int) -> bytes:
    """The payload that begins `at` a place of the data, right behind its mask."""
    key: _Words = np.ndarray((), _Word, data, at - 4)
    if length % 4:
        whole = bytes(data[at : at + length]) + b"\0\0\0"
        words: _Words = np.ndarray((length // 4 + 1,), _Word, whole)
        return np.bitwise_xor(words, key).tobytes()[:length]
    words = np.ndarray((length // 4,), _Word, data, at)
    return np.bitwise_xor(words, key).tobytes()
