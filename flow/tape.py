"""A sound that grows while it is made: a few seconds in memory, the rest wherever there is room."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from .audio import Clip, MemoryClip, Spill
from .blocks import Block, int16
from .clipping import Clipping
from .samples import Int16
from .units import Frames, Seconds

PART: Seconds = 2.0
"""Seconds of sound that are put away at once: a block of memory is used again for the next. The
first time it is half of that to one and a half: a hundred recordings that begin together would
else all be put away together, every two seconds, and sound would wait for that."""
MOST: Seconds = 3600.0
"""Seconds that are kept; beyond it the sound goes on and the tape does not grow (policy: keep
first), which is counted."""

_GOLDEN = (5**0.5 - 1) / 2
"""Of its multiples the parts behind the point are spread evenly, however many there are."""
_tapes = count()


class Tape:
    """The 16-bit samples of one stream, in order.

    spill: makes what long sounds are put away into; asked for once, when the first part is full.
    Without one all stays in memory. phase: 0 to 1, when that is: after 0.5 to 1.5 of a part's
    length; None is another one for each tape.
    """

    __slots__ = (
        "rate", "channels", "untaken", "clipping", "_make", "_spill", "_most", "_size", "_parts",
        "_part", "_at", "_until", "_away", "_room",
    )  # fmt: skip

    def __init__(
        self,
        rate: int,
        channels: int,
        spill: Callable[[], Spill] | None = None,
        most: Seconds = MOST,
        phase: float | None = None,
    ) -> None:
        self.rate, self.channels = rate, channels
        self.untaken: Frames = 0
        """Frames beyond what is kept, or for which there was no room."""
        self.clipping = Clipping()
        """What was cut at full scale of the pieces that it took."""
        self._make = spill
        self._spill: Spill | None = None
        self._most = int(most * rate)
        self._size = max(1, int(PART * rate))
        self._room = self._size  # of the part that is filled now
        if spill is not None:
            phase = next(_tapes) * _GOLDEN % 1 if phase is None else phase
            self._room = max(1, int(PART * rate * (0.5 + phase)))
        self._parts = list[Int16]()
        self._part = self._none()
        self._at: Frames = 0  # how far that is filled
        self._until: Frames = 0  # up to there it may be filled without a look at anything else
        self._away: Frames = 0  # put away

    @property
    def frames(self) -> Frames:
        """How long what is kept is."""
        return self._away + self._at

    def append(self, samples: Int16) -> None:
        """The next (frames, channels)."""
        # Copied at once, not kept: memory that every piece has anew is in no cache.
        at = self._at
        end = at + len(samples)
        if end < self._until:  # nearly always
            self._part[at:end] = samples
            self._at = end
        else:
            self._append(samples)

    def _append(self, samples: Int16) -> None:
        """The same where a part begins or ends, or all there may be."""
        count = len(samples)
        room = self._most - self.frames
        if count > room:
            self.untaken += count - max(room, 0)
            if room <= 0:
                return
            samples, count = samples[:room], room
        done = 0
        while done < count:
            if not self._until:
                self._part = np.empty((self._room, self.channels), np.int16)
                self._until = min(self._room, self._most - self._away)
            here = min(count - done, self._room - self._at)
            self._part[self._at : self._at + here] = samples[done : done + here]
            self._at += here
            done += here
            if self._at < self._room:
                continue
            full, self._part, self._at, self._until = self._part, self._none(), 0, 0
            if not self._put_away(full):
                # No room once is no room for the rest: a tape has no holes.
                self.untaken += len(full) + count - done
                self._most = self.frames
                return

    def fits(self, piece: Block | Clip) -> bool:
        """Whether it can go on with this."""
        return piece.rate == self.rate and piece.channels == self.channels

    def take(self, piece: Block | Clip) -> Int16:
        """Append a piece, and return what was appended: (frames, channels) at 16 bit, and never
        changed any more. Raises BlockError for NaN and infinity, and appends nothing then."""
        if isinstance(piece, Block):
            sound = piece.samples
            at = self._at
            end = at + sound.shape[0]
            if end < self._until:  # nearly always
                samples = int16(sound, self.clipping, self._part[at:end])
                self._at = end
                return samples
            samples = int16(sound, self.clipping)
        else:
            self.clipping.samples += piece.clipped
            samples = piece.int16().reshape(-1, self.channels)
        self.append(samples)
        return samples

    def silence(self, frames: Frames) -> None:
        """So many frames were lost."""
        whole: Int16 | None = None  # a part, over and over: a minute must not take memory for each
        while frames > 0 and self.frames < self._most:
            if not self._at and self._room == self._size <= min(frames, self._most - self._away):
                if whole is None:
                    whole = np.zeros((self._size, self.channels), np.int16)
                    whole.flags.writeable = False
                here = self._size
                if not self._put_away(whole):
                    self._most = self._away
                    break
            else:
                here = min(frames, self._room - self._at)
                self.append(np.zeros((here, self.channels), np.int16))
            frames -= here
        self.untaken += frames

    def read(self, start: Frames, end: Frames) -> Int16:
        """Frames start..end of what is kept, (frames, channels); fewer where there are no more."""
        end = min(end, self.frames)
        found = list[Int16]()
        away = self._away
        while start < end:
            if start >= away:
                found.append(self._part[start - away : end - away])
                break
            if self._spill:
                here = min(end, away) - start
                found.append(self._spill.read(start, start + here))
            else:
                number, offset = divmod(start, self._size)
                here = min(end - start, self._size - offset)
                found.append(self._parts[number][offset : offset + here])
            start += here
        if len(found) == 1:
            return found[0]
        return np.concatenate([self._none(), *found])

    def clip(self, name: str) -> Clip:
        """The whole as a value; nothing may be appended any more. At least one frame must be
        there."""
        rest = self._part[: self._at]
        if self._spill:
            return self._spill.clip(rest, name)
        whole = np.concatenate([*self._parts, rest])
        return MemoryClip(self.rate, whole if self.channels > 1 else whole[:, 0], name=name)

    def _none(self) -> Int16:
        return np.empty((0, self.channels), np.int16)

    def _put_away(self, part: Int16) -> bool:
        if self._make is None:
            self._parts.append(part)
        else:
            if self._spill is None:
                self._spill = self._make()
            if not self._spill.write(part):
                return False
        self._away += len(part)
        self._room = self._size
        return True
