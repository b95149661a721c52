"""What one session has of the app's disk: a bound on it, and a wait for what is still unwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...flow.bounds import ClipError
from .limits import bytes_text
from .tally import Tally

BEHIND = 8_000_000
"""Bytes that one session's functions may have made and that are not written yet (policy: block the
function)."""


class Share:
    """The bytes that one session holds: uploads, answers, takes, copies that functions got.

    Equal files count once, and what arrives counts from its first byte. Thread-safe.
    """

    def __init__(self, most: int) -> None:
        self._tally = Tally()
        self._behind = 0
        self._most = most
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)

    @property
    def used(self) -> int:
        """Bytes that are counted now."""
        with self._lock:
            return self._tally.count()

    def take(self, size: int, always: bool = False) -> bool:
        """Count so many bytes more; False if they are beyond the bound, and must not be."""
        with self._lock:
            if self._tally.count() + size > self._most and not always:
                return False
            self._tally.add(size)
            return True

    def need(self, size: int, name: str) -> None:
        """The same, but what is beyond the bound is a ClipError that says what to do."""
        if not self.take(size):
            raise ClipError(
                f"{name!r} needs {bytes_text(size)}, but of the {bytes_text(self._most)} for one"
                f" page {bytes_text(self.used)} are in use; clear what is no longer needed, or"
                " reload the page and begin anew"
            )

    def free(self, size: int) -> None:
        """Take them back. Takes no lock, like `Disk.free`."""
        self._tally.free(size)

    def wait(self, size: int) -> None:
        """So many bytes more are to be written; fewer where it is below 0."""
        with self._lock:
            self._behind += size
            self._written.notify_all()

    @property
    def behind(self) -> bool:
        """More than `BEHIND` bytes are to be written."""
        return self._behind > BEHIND

    def keep_up(self, waits: Callable[[], None]) -> None:
        """Wait while more than `BEHIND` bytes are to be written, and say so; never on a loop."""
        with self._lock:
            if self._behind > BEHIND:
                waits()
                self._written.wait_for(lambda: self._behind <= BEHIND)
