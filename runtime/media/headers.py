"""Reads what a sound file says of itself, before any decoder believes it.

libsndfile quietly takes the shorter of what a header promises and what is there. A truncated file
would then play as if it were whole, so promises are checked here. Sizes that a program writes when
it streams into a pipe and cannot know the length are no promise.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Protocol

from .limits import bytes_text
from .refusals import check_numbers, truncated

# What programs write for "unknown": 0xFFFFFFFF (FFmpeg), 0x7FFFF000 (SoX).
_UNKNOWN = {0xFFFFFFFF, 0x7FFFF000}
HEAD = 64
"""Bytes that `sniff` looks at."""
_TAG_HEAD = 10  # bytes of an ID3v2 tag before what is in it
_FIGURES = 64
"""Bytes of an mp3's first frame in which its figures begin: behind 4 of header, 2 of checksum and
at most 32 of side information."""
_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_LOW_BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
"""kbit/s of layer 3, of MPEG-1 and of the others (ISO 11172-3 2.4.2.3, ISO 13818-3 2.4.2.3)."""
_RATES = (44_100, 48_000, 32_000, 0)
_OGG_TAIL = 65_536  # longer than any Ogg page (65,307 bytes)
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class Readable(Protocol):
    """Of an open file what is needed to look into it."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


def sniff(path: Path) -> str | None:
    """The container by its first bytes, never by its name: "wav", "m4a", "webm", ... or None."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "m4a"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head else "mkv"
    if head[:16] == _ASF:
        return "wma"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    starts = {b"fLaC": "flac", b"OggS": "ogg", b"caff": "caf", b".snd": "au", b"riff": "w64"}
    if head[:4] in starts:
        return starts[head[:4]]
    if head[:5] == b"#!AMR":
        return "amr"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    return None


def uncounted(file: Readable) -> int | None:
    """Sample frames of an mp3 that does not say how long it is; None for one that does.

    It does in a frame of figures before its sound. Without one libsndfile works the length out from
    the first frame's bitrate and the size of all, tags and pictures included: that is no promise,
    and where the bitrate grows later it reads no further. So the frames are counted here, by their
    heads, up to where there is none.
    """
    start = 0
    while True:
        file.seek(start)
        head = file.read(_TAG_HEAD)
        if len(head) < _TAG_HEAD or head[:3] != b"ID3":
            break
        size = 0
        for byte in head[6:10]:  # ID3v2 3.1: seven bits of each
            size = size << 7 | byte & 127
        start += _TAG_HEAD + size + (_TAG_HEAD if head[5] & 16 else 0)  # a footer
    file.seek(start)
    frame = file.read(_FIGURES)
    if any(magic in frame for magic in (b"Xing", b"Info", b"VBRI")):
        return None
    frames = 0
    while True:
        file.seek(start)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # in sync, layer 3
            return frames
        newest = head[1] & 0x18 == 0x18  # MPEG-1; else the lower rates of MPEG-2 and 2.5
        bitrate = (_BITRATES if newest else _LOW_BITRATES)[head[2] >> 4]
        rate = _RATES[head[2] >> 2 & 3] >> (not newest) >> (not head[1] & 0x10)
        if not bitrate or not rate:
            return frames
        frames += 1152 if newest else 576
        start += (144_000 if newest else 72_000) * bitrate // rate + (head[2] >> 1 & 1)


def check_promises(path: Path, container: str | None, name: str) -> None:
    """Raise ClipError where a header says what cannot be, or more than there is."""
    with path.open("rb") as file:
        if container == "wav":
            _check_wav(file, path.stat().st_size, name)
        elif container == "aiff":
            _check_aiff(file, path.stat().st_size, name)
        elif container == "ogg":
            _check_ogg(file, path.stat().st_size, name)
        elif container in ("webm", "mkv"):
            _check_matroska(file, path.stat().st_size, name)
        elif container == "au":
            _check_au(file, path.stat().st_size, name)


def data_end(path: Path, container: str) -> int | None:
    """Where the sound of a wav or aiff ends, in bytes; None where its header does not say.

    The file may still be arriving: only its first chunks need to be there.
    """
    with path.open("rb") as file:
        magic = file.read(12)[:4]
        order = ">" if magic in (b"RIFX", b"FORM") else "<"
        wanted = b"data" if container == "wav" else b"SSND"
        seen: set[bytes] = set()
        while len(head := file.read(8)) == 8:
            kind, length = head[:4], int(struct.unpack(f"{order}I", head[4:])[0])
            start = file.tell()
            if kind == wanted:
                # A format that stands behind the sound is legal, and rare.
                known = seen & {b"fmt ", b"COMM"}
                return start + length if known and length and length not in _UNKNOWN else None
            seen.add(kind)
            file.seek(start + length + length % 2)
    return None


def _check_wav(file: BinaryIO, size: int, name: str) -> None:
    """RIFF: four-letter chunks, each with a 32-bit length; RF64 keeps the long one in `ds64`."""
    magic = file.read(12)[:4]
    order = ">" if magic == b"RIFX" else "<"
    long_data: int | None = None
    while len(head := file.read(8)) == 8:
        kind, length = head[:4], int(struct.unpack(f"{order}I", head[4:])[0])
        start = file.tell()
        if kind == b"fmt ":
            body = file.read(8)
            if len(body) == 8:
                channels, rate = struct.unpack(f"{order}2xHI", body)
                check_numbers(rate, channels, name)
        elif kind == b"ds64":
            body = file.read(16)
            long_data = int(struct.unpack("<8xQ", body)[0]) if len(body) == 16 else None
        elif kind == b"data":
            promised = length
            if magic == b"RF64" and length == 0xFFFFFFFF and long_data is not None:
                promised = long_data
            elif length in _UNKNOWN:
                return
            _check_data(promised, size - start, name)
            return
        file.seek(start + length + length % 2)


def _check_aiff(file: BinaryIO, size: int, name: str) -> None:
    plain, promised = file.read(12)[8:] == b"AIFF", 0  # else AIFC, whose samples may be packed
    while len(head := file.read(8)) == 8:
        kind, length = head[:4], int(struct.unpack(">I", head[4:])[0])
        start = file.tell()
        if kind == b"COMM" and plain and len(form := file.read(8)) == 8:
            channels, frames, bits = struct.unpack(">HIH", form)
            promised = 8 + frames * channels * -(-bits // 8)  # with the two numbers before them
        if kind == b"SSND":
            if length not in _UNKNOWN:
                _check_data(length, size - start, name)
                _check_data(promised, length, name)
            return
        file.seek(start + length + length % 2)


def _check_au(file: BinaryIO, size: int, name: str) -> None:
    head = file.read(24)
    if len(head) == 24:
        offset, length, _, rate, channels = struct.unpack(">4x5I", head)
        check_numbers(rate, channels, name)
        if length not in _UNKNOWN:
            _check_data(length, size - offset, name)


def _check_ogg(file: BinaryIO, size: int, name: str) -> None:
    """The last page says how long it is; no page says how long the file is."""
    file.seek(max(0, size - _OGG_TAIL))
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 255
    length = 27 + segments + sum(page[27 : 27 + segments])
    if len(page) < length:
        raise truncated(name, f"a last page of {length} bytes", f"{len(page)}")


def _check_matroska(file: BinaryIO, size: int, name: str) -> None:
    """EBML: the file is one Segment after a short header; a live recording leaves its size open."""
    file.seek(4)
    header = _ebml_size(file)
    if header is None:
        return
    file.seek(header, 1)
    if file.read(4) != b"\x18\x53\x80\x67":
        return
    segment = _ebml_size(file)
    if segment is not None:
        _check_data(segment, size - file.tell(), name)


def _ebml_size(file: BinaryIO) -> int | None:
    """A number of 1 to 8 bytes, as many as the first has leading zeros; all ones mean unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    mask = (1 << (8 - more - 1)) - 1
    value = int.from_bytes(bytes([first[0] & mask]) + file.read(more), "big")
    return None if value == (1 << (7 * (more + 1))) - 1 else value


def _check_data(promised: int, actual: int, name: str) -> None:
    if promised > actual:
        raise truncated(name, f"{bytes_text(promised)} of sound", bytes_text(max(actual, 0)))
