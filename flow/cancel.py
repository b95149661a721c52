"""How running work is told that nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable


class CancelToken:
    """Asked once, heard by whoever does the work, which still says itself when it ended.

    Used from the clock's own thread only; `requested` may be read from any thread.
    """

    __slots__ = ("_listeners", "requested")

    def __init__(self) -> None:
        self.requested = False
        self._listeners: list[Callable[[], object]] = []

    def request(self) -> None:
        if self.requested:
            return
        self.requested = True
        listeners, self._listeners = self._listeners, []
        for each in listeners:
            each()

    def on_request(self, action: Callable[[], object]) -> None:
        """Call `action` when asked to stop; at once if that has happened."""
        if self.requested:
            action()
        else:
            self._listeners.append(action)
