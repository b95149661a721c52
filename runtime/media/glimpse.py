"""What is to be seen of a sound before all of it is known: its outline, as far as decoded.

And where that is only its beginning, but all bytes are there, a first look at the rest.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...flow.audio import ClipError
from ...flow.samples import Int16
from .peaks import MAX_WIDTH
from .pyramid import Pyramid, PyramidScan, joined
from .soundfiles import Unreadable
from .survey import Survey

_ENOUGH = 0.75
"""The part of a sound from which on, once it is known, the rest is worth no look."""


class Sketch(NamedTuple):
    """An outline that is not whole yet."""

    frames: int
    """So many it covers, from the beginning."""
    exact: int
    """So many of these are known to the last sample; of the others a part was looked at."""
    of: int
    """So many there will be, as the file says; never less than `frames`."""
    channels: int
    width: int
    body: bytes
    """int16 little-endian: channel after channel `width` times minimum, maximum and RMS."""


class Glimpse:
    """One sound on its way in. Who decodes it begins, everybody else may look, or call it off.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._now: tuple[PyramidScan, int] | None = None
        self._survey: Survey | None = None
        self._path: Path | None = None
        self._looking = threading.Lock()
        self._given_up = False

    # -- for who decodes it --------------------------------------------------------------------

    def begin(self, waveform: PyramidScan, promised: int) -> None:
        """It is decoded into `waveform` from now on, and its head promises so many frames."""
        self._now = waveform, promised  # one assignment: who looks sees both or neither

    def complete(self, path: Path) -> None:
        """All bytes are there, until `close`."""
        self._path = path

    def close(self) -> None:
        """All is known, or nobody wants to know: let go of the file."""
        self._path = None
        with self._looking:
            self._let_go()

    def _let_go(self) -> None:
        survey, self._survey = self._survey, None
        if survey is not None:
            survey.close()

    def check(self, name: str) -> None:
        """Raise ClipError once nobody wants it any more."""
        if self._given_up:
            raise ClipError(f"{name!r} was given up; send it again")

    # -- for everybody else --------------------------------------------------------------------

    def give_up(self) -> None:
        """Who decodes it shall stop."""
        self._given_up = True

    def sketch(self, width: int) -> Sketch | None:
        """What is known so far, in up to `width` equal parts; None before anything is.

        May take a look at the rest, which blocks for some 100 ms.
        """
        waveform, promised = self._now or (None, 0)
        known = waveform.snapshot() if waveform is not None else None
        exact = known.size * known.levels[0].shape[1] if known is not None else 0
        rest = self._rest(look=exact <= _ENOUGH * promised)
        if rest is not None:
            return _whole(known, exact, *rest, width)
        if known is None:
            return None
        found = known.columns(0, exact, min(width, known.levels[0].shape[1], MAX_WIDTH))
        return _sketch(exact, exact, max(promised, exact), found)

    def _rest(self, *, look: bool) -> tuple[Int16, int] | None:
        """An outline of the whole from a first look, a finer one each time; and its frames."""
        if not self._looking.acquire(blocking=False):
            return None  # who asks twice at once
        try:
            if self._survey is None:
                if self._path is None or not look:
                    return None
                self._survey = Survey(self._path)
            survey = self._survey
            if look:
                survey.look()
            return (survey.columns(), survey.frames) if survey.width else None
        except Unreadable:  # who decodes it says so; nobody looks again
            self._path = None
            self._let_go()
            return None
        finally:
            self._looking.release()


def _whole(known: Pyramid | None, exact: int, rest: Int16, frames: int, width: int) -> Sketch:
    """What was looked at, and in its place, as far as it goes, what is known exactly."""
    found = rest
    while found.shape[1] > max(1, width):
        found = joined(found, 2)
    frames = max(frames, exact)
    count = exact * found.shape[1] // frames  # columns of which every sample is known
    if known is not None and count:
        end = count * frames // found.shape[1]
        found = np.concatenate((known.columns(0, end, count), found[:, count:]), axis=1)
    return _sketch(frames, exact, frames, found)


def _sketch(frames: int, exact: int, of: int, found: Int16) -> Sketch:
    channels, width, _ = found.shape
    return Sketch(frames, exact, of, channels, width, found.astype("<i2").tobytes())
