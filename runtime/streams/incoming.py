"""A recording that arrives while it is made: order kept, losses named, all of it at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...flow.blocks import int16
from ...flow.units import Seconds
from .frame import Flag, Frame, FrameError

MAX_TAKE = 3600.0
"""Seconds of a recording that are kept for `stop_recording`; beyond it the stream goes on and the
take does not grow (policy: keep first), which is counted."""


@dataclass(slots=True)
class Counters:
    """What happened to one recording on its way in. Frames are sample frames."""

    received: int = 0
    lost: int = 0
    repeated: int = 0
    late: int = 0
    untaken: int = 0


class Incoming:
    """One recording of one node. Feed it frames in any order that a socket may bring them."""

    def __init__(self, rate: int, channels: int, max_take: float = MAX_TAKE) -> None:
        self.rate = rate
        self.channels = channels
        self.counters = Counters()
        self.next = 0
        """The index that comes next."""
        self._captured = (0, 0.0)  # a frame's index and when it was captured, in ms
        self._take = list[NDArray[np.int16]]()
        self._taken = 0
        self._most = int(max_take * rate)

    def push(self, frame: Frame) -> tuple[Frame, int] | None:
        """The part of a frame that is new, and how many sample frames were lost before it.

        None if all of it came before. Raises FrameError if rate or channels change on the way.
        """
        if frame.rate != self.rate or frame.samples.shape[1] != self.channels:
            raise FrameError(
                f"{frame.rate} Hz with {frame.samples.shape[1]} channels came in a recording of"
                f" {self.rate} Hz with {self.channels}; stop it and start a new one."
            )
        count = len(frame.samples)
        if frame.index + count <= self.next:
            if count:
                self.counters.repeated += count
                return None
            return frame, 0  # an empty frame may still carry END
        if frame.index < self.next:
            repeated = self.next - frame.index
            self.counters.repeated += repeated
            frame = Frame(
                frame.node,
                frame.flags,
                frame.seq,
                frame.rate,
                self.next,
                frame.time,
                frame.samples[repeated:],
            )
        lost = frame.index - self.next
        if lost > self.rate * 3600:
            raise FrameError(f"sample {frame.index} came where {self.next} was next.")
        if lost:
            self.counters.lost += lost
            frame = Frame(
                frame.node,
                frame.flags | Flag.DISCONTINUITY,
                frame.seq,
                frame.rate,
                frame.index,
                frame.time,
                frame.samples,
            )
        self.counters.received += len(frame.samples)
        self._captured = frame.index, frame.time
        self.next = frame.index + len(frame.samples)
        self._keep(frame, lost)
        return frame, lost

    def captured(self, second: Seconds) -> float:
        """When a place of the recording was captured, in ms of the front end's clock."""
        index, time = self._captured
        return time + 1000 * (second - index / self.rate)

    def take(self) -> NDArray[np.int16]:
        """The whole recording so far, (frames, channels); what was lost is silence."""
        if not self._take:
            return np.zeros((0, self.channels), np.int16)
        whole = np.concatenate(self._take)
        self._take = [whole]
        return whole

    def _keep(self, frame: Frame, lost: int) -> None:
        room = self._most - self._taken
        parts = [np.zeros((lost, self.channels), np.int16)] if lost else []
        parts.append(to_int16(frame.samples))
        for part in parts:
            kept = part[: max(room, 0)]
            self.counters.untaken += len(part) - len(kept)
            if len(kept):
                self._take.append(kept)
                self._taken += len(kept)
                room -= len(kept)


def to_int16(samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int16]:
    """At 16 bit: int16 as it is, float rounded to the nearest step and clipped at full scale."""
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    return int16(samples.astype(np.float32, copy=False))
