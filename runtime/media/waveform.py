"""Answers for the waveform of any part of a clip: from its pyramid, or where that is too coarse,
from its samples.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np

from ...flow.audio import BLOCK, Clip, TrimmedClip, pieces, root_of
from ...flow.samples import Int16, Samples, to_int16
from .decode import FileClip
from .peaks import MAX_WIDTH, PeakScan, peaks_of
from .pyramid import Pyramid, PyramidScan

_SHORT = 1 << 20  # samples that are looked through in a few milliseconds: no pyramid is kept

_SEARCHED = 20_000_000
"""Samples of a trim that are searched for their peak."""

# A seek into the last pages of Vorbis misses; one to well before them does not.
_LEADS = (0, 1 << 18)


class Waveforms:
    """Waveforms of clips; keeps the pyramids of sounds in memory while these live. Thread-safe."""

    def __init__(self) -> None:
        self._pyramids: WeakKeyDictionary[Clip, Pyramid] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def part(self, clip: Clip, start: int, end: int, width: int) -> Int16:
        """(channels, width, 3) minimum, maximum and RMS of equal parts of frames start..end.

        0 <= start < end <= clip.frames. The width is lowered to MAX_WIDTH, to the frames there
        are, and in sounds that cannot be read exactly at any place to what is known of them.
        """
        width = min(width, end - start, MAX_WIDTH)
        root = root_of(clip)
        if isinstance(clip, TrimmedClip):
            start, end = start + clip.start, end + clip.start
        if (end - start) * root.channels <= _SHORT and not isinstance(root, FileClip):
            return peaks_of(_frames(root, start, end), end - start, root.channels, width)
        pyramid = self._pyramid(root)
        if pyramid.size * width <= end - start:
            return pyramid.columns(start, end, width)
        if isinstance(root, FileClip) and not root.exact:
            for lead in _LEADS:
                proved = _proved(root, pyramid, start, end, width, lead)
                if proved is not None:
                    return proved
            return pyramid.columns(start, end, max(1, (end - start) // pyramid.size))
        return peaks_of(_frames(root, start, end), end - start, root.channels, width)

    def peak(self, clip: Clip) -> float:
        """The largest |sample|, 1.0 = full scale; never slow, so of a trim it may be a bound.

        Of a file's that is the peak of the buckets that it touches: nothing is decoded for it. Of
        what is long and no file it is the original's.
        """
        if not isinstance(clip, TrimmedClip):
            return clip.peak
        root = root_of(clip)
        if isinstance(root, FileClip):
            part = root.facts.pyramid.columns(clip.start, clip.start + clip.frames, 1)
            return max(int(part[..., 1].max()), -int(part[..., 0].min())) / 32768
        return clip.peak if clip.frames * clip.channels < _SEARCHED else root.peak

    def _pyramid(self, root: Clip) -> Pyramid:
        if isinstance(root, FileClip):
            return root.facts.pyramid
        with self._lock:  # two pages that ask at once wait for one pass
            found = self._pyramids.get(root)
            if found is None:
                scan = PyramidScan(root.channels)
                for block in root.blocks():
                    scan.feed(to_int16(block))
                found = self._pyramids[root] = scan.result()
        return found


def _frames(root: Clip, start: int, end: int) -> Iterator[Samples]:
    if isinstance(root, FileClip):
        return root.near(start, end)
    return (root.read(at, min(at + BLOCK, end)) for at in range(start, end, BLOCK))


def _proved(
    root: FileClip, pyramid: Pyramid, start: int, end: int, width: int, lead: int
) -> Int16 | None:
    """The waveform from samples that a seek found, if they are those of the first decoding.

    The seek may miss, and to decode from the beginning takes minutes. But what minimum and maximum
    every bucket there has is known: a place that has them all is the right one.
    """
    size = pyramid.size
    first = start // size
    last = min(-(-end // size) * size, root.frames)
    proof = PyramidScan(root.channels, size=size, most=1 << 40)
    scan = PeakScan(end - start, root.channels, width)

    def seen() -> Iterator[Samples]:
        for block in root.near(first * size, last, lead=lead):
            proof.feed(to_int16(block))
            yield block

    for block in pieces(seen(), start - first * size, last - first * size):
        scan.feed(to_int16(block))
    if scan.at < end - start:
        return None
    found = proof.result().levels[0]
    known = pyramid.levels[0][:, first : first + found.shape[1]]
    # RMS is left out: a last bucket that two were joined into has it rounded.
    if found.shape == known.shape and np.array_equal(found[..., :2], known[..., :2]):
        return scan.result()
    return None
