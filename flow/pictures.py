"""Pictures as bytes: which kind they are, how large, and arrays as PNG.

Only content decides: a name or a declared type is what somebody says, and a browser that is told
the wrong one may run what it should have shown.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD = 1 << 20
"""Bytes that `look` wants: a JPEG may carry that much about its camera before its size."""

PIXELS = 100_000_000
"""The largest picture: 400 MB once decoded; a tiny file can claim far more."""

TAKEN = "PNG, JPEG, GIF or WebP"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the head of a picture tells."""

    kind: str
    width: int
    height: int


def look(head: bytes) -> Picture | None:
    """The picture that begins with these bytes, or None. Never raises."""
    for read in (_png, _gif, _jpeg, _webp):
        try:
            found = read(head)
        except (struct.error, IndexError):  # its head is cut off
            continue
        if found is not None:
            return found if found.width > 0 and found.height > 0 else None
    return None


def is_svg(head: bytes) -> bool:
    """Whether it begins as an SVG drawing does."""
    text = head[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--")) and b"<svg" in text)


def png(array: NDArray[Any]) -> bytes:
    """A uint8 array, (height, width) grey or (height, width, 1 to 4 channels), as a PNG file.

    2 and 4 channels have alpha last. Source: PNG 1.2, filter 2 (up) throughout, which suits both
    photographs and spectrograms.
    """
    import numpy as np

    if array.ndim == 2:
        array = array[:, :, None]
    height, width, channels = array.shape
    rows = np.ascontiguousarray(array).reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]  # wraps at 256, as the filter wants
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)),
            _chunk(b"IEND", b""),
        ]
    )


def to_uint8(array: object) -> NDArray[Any]:
    """An array as 8-bit samples: uint8 as it is, float 0..1 scaled, bool black and white.

    Shapes (height, width) and (height, width, 1 to 4). Raises ValueError saying what would do.
    """
    import numpy as np

    if not isinstance(array, np.ndarray):
        raise ValueError(f"a {type(array).__name__} is no array")
    data = cast("NDArray[Any]", array)
    shape = "x".join(map(str, data.shape))
    if data.ndim == 3 and data.shape[0] in (1, 3, 4) and data.shape[2] not in (1, 2, 3, 4):
        raise ValueError(
            f"an array of shape {shape} came, which reads as (channels, height, width);"
            " pass array.transpose(1, 2, 0)"
        )
    if data.ndim not in (2, 3) or not data.size or (data.ndim == 3 and data.shape[2] > 4):
        raise ValueError(
            f"an array of shape {shape or '()'} came; pass (height, width) or (height, width,"
            " channels) with up to 4 channels"
        )
    if data.shape[0] * data.shape[1] > PIXELS:
        raise ValueError(f"a picture of shape {shape} is larger than {PIXELS} pixels")
    if data.dtype == np.uint8:
        return data
    if data.dtype == np.bool_:
        return data.astype(np.uint8) * 255
    if data.dtype.kind != "f":
        raise ValueError(f"pixels of type {data.dtype} came; pass uint8, or float from 0 to 1")
    low, high = float(data.min()), float(data.max())
    if not (low >= 0 and high <= 1):  # NaN fails both
        raise ValueError(
            f"float pixels from {low:.6g} to {high:.6g} came; scale them to 0..1, for example"
            " (x - x.min()) / (x.max() - x.min())"
        )
    return np.rint(data.astype(np.float64) * 255).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(head: bytes) -> Picture | None:
    if not head.startswith(b"\x89PNG\r\n\x1a\n") or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", head, 16)
    return Picture("png", width, height)


def _gif(head: bytes) -> Picture | None:
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    width, height = struct.unpack_from("<HH", head, 6)
    return Picture("gif", width, height)


def _jpeg(head: bytes) -> Picture | None:
    if not head.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:  # fill bytes may precede a marker
            at += 1
        elif marker in (0x01, *range(0xD0, 0xD9)):  # markers without a length
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame's header
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Picture("jpeg", width, height)
        else:
            (length,) = struct.unpack_from(">H", head, at + 2)
            at += 2 + length
    return None


def _webp(head: bytes) -> Picture | None:
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return Picture("webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return Picture("webp", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    if kind == b"VP8X":
        wide, high = head[24:27] + b"\0", head[27:30] + b"\0"
        (width,), (height,) = struct.unpack("<I", wide), struct.unpack("<I", high)
        return Picture("webp", width + 1, height + 1)
    return None
