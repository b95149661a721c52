"""How long a waiting request will probably wait (rule Q6)."""

from __future__ import annotations

from .listeners import Listener
from .model import Place
from .units import Seconds

WEIGHT = 0.3
"""Of the newest duration in the running mean: follows a change within about five calls."""


class Estimator:
    """Mean duration per listener, of calls that succeeded."""

    def __init__(self) -> None:
        self._mean: dict[int, Seconds] = {}

    def learn(self, listener: Listener, took: Seconds) -> None:
        if listener.part:
            return  # another session's may have its id, and it is soon another one
        old = self._mean.get(listener.id)
        self._mean[listener.id] = took if old is None else old + WEIGHT * (took - old)

    def place(self, listener: Listener, place: Place) -> Place:
        """The same place with an ETA, if a duration is known."""
        mean = self._mean.get(listener.id)
        if mean is None:
            return place
        at_once = (listener.limit or place.size or 1) * (listener.batch or 1)
        turns = max(place.rank // at_once, place.behind) + 1
        return Place(place.rank, place.size, round(turns * mean, 3), place.behind)
