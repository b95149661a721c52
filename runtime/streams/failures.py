"""Failures of functions that get chunks of live sound, told seldom: fifty come in a second."""

from __future__ import annotations

from ...flow.model import Event


class Failures:
    """Of one session: the first of a recording is told, then the tenth, the hundredth and so on."""

    def __init__(self) -> None:
        self._counts = dict[int, int]()

    def count(self, listener: int, event: Event) -> int:
        """How many there are with this one in its recording; 0 for one that is not to be told."""
        if event.port != "stream":
            return 1
        first = (event.data or {}).get("index") == 0
        count = self._counts[listener] = 1 if first else self._counts.get(listener, 0) + 1
        return count if 10 ** (len(str(count)) - 1) == count else 0
