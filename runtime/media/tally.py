"""Bytes that are counted up under a lock, and down without one."""

from __future__ import annotations

from collections import deque


class Tally:
    """`free` may be called from anywhere, by the garbage collector under any lock, too; all else
    under the lock of whoever counts."""

    __slots__ = ("_returned", "_used")

    def __init__(self) -> None:
        self._used = 0
        self._returned = deque[int]()

    def count(self) -> int:
        """Bytes that are counted now; never below 0, because after `clear` some still come back."""
        while self._returned:
            self._used = max(0, self._used - self._returned.popleft())
        return self._used

    def add(self, size: int) -> None:
        self._used += size

    def free(self, size: int) -> None:
        """Take them back. Takes no lock."""
        self._returned.append(size)

    def clear(self) -> None:
        """Nothing is counted any more."""
        self._returned.clear()
        self._used = 0
