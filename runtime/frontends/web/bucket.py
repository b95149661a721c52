"""A token bucket: so many at once, then so many a second. Reads no clock."""

from __future__ import annotations


class Bucket:
    """Starts full. Time is given by the caller, in seconds of any clock that never runs back."""

    def __init__(self, size: float, per_second: float, now: float) -> None:
        self.size = size
        self.per_second = per_second
        self._level = size
        self._at = now

    def wait(self, now: float) -> float:
        """Take one token; 0 if there was one, else the seconds until there will be (none taken)."""
        self._level = min(self.size, self._level + (now - self._at) * self.per_second)
        self._at = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self.per_second
