"""What happens at one port of one session, as an observable that operators hang on (rule E8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from .model import Event

Hear = Callable[[object], object]


class Stream(Observable[Any]):
    """Hands what it is given to those who listen, in the order in which they came.

    Of a `stream` port that is the value itself, such as a block of sound, of any other the event.
    All is on one thread and nothing ever ends it, so it needs none of the locks and guards of Rx's
    Subject, which cost more for each block than an operator does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.newest: Event | int | None = None
        """The newest event, of which an operator's own are made; of blocks its number, and only
        while a tap hears of it: nobody else could tell."""
        self.given = 0
        """How much there was so far."""
        self._listeners = dict[int, Hear]()
        self._hear: tuple[Hear, ...] = ()  # the same, quicker to go through
        self._count = 0

    def give(self, value: object) -> None:
        """Hand on one more."""
        self.given += 1
        for hear in self._hear:
            hear(value)

    def subscribe(
        self,
        on_next: abc.ObserverBase[Any] | Callable[[Any], object] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_completed: Callable[[], None] | None = None,
        *,
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        """Listen from now on, until what is returned is disposed of."""
        if on_next is None:
            return Disposable()
        found: object = getattr(on_next, "on_next", on_next)
        hear = cast("Hear", found)
        self._count += 1
        key = self._count
        self._listeners[key] = hear
        self._hear = tuple(self._listeners.values())
        return Disposable(lambda: self._forget(key))

    def _forget(self, key: int) -> None:
        self._listeners.pop(key, None)
        self._hear = tuple(self._listeners.values())
