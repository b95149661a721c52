"""Marble pictures as Rx streams, and Rx streams as marble pictures, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reactivex import Observable, Subject, abc
from reactivex.disposable import CompositeDisposable, Disposable

from .marbles import CANCEL, END, ERROR, FRAME, MarbleError, Mark, Picture, draw, draw_rows, parse
from .testing import VirtualClock
from .units import Seconds

Operator = Callable[["Observable[Any]"], "Observable[Any]"]

PATIENCE: Seconds = 60.0
"""Virtual seconds after a picture's end in which delayed values may still come."""


class MarbleFailure(Exception):
    """What `#` raises where nothing else is said."""


class Watched:
    """What came out of an observable, with the time at which each came since its subscription."""

    def __init__(self, marbles: Marbles) -> None:
        self._marbles = marbles
        self.came = list[tuple[Seconds, object]]()
        self.end: tuple[Seconds, str] | None = None
        self.error: Exception | None = None

    @property
    def marks(self) -> list[Mark]:
        """As in a picture. Raises MarbleError for a value that no character stands for."""
        marks = [Mark(at, self._marbles.letter(value), value) for at, value in self.came]
        return [*marks, Mark(*self.end)] if self.end else marks

    def __str__(self) -> str:
        return draw(self.marks, frame=self._marbles.frame)


class Marbles:
    """Makes and watches streams on a virtual clock.

    >>> import reactivex.operators as ops
    >>> marbles = Marbles()
    >>> marbles.through(ops.debounce(0.2), "-a-b---c-|")
    '-----b---(c|)'
    >>> marbles.through(ops.map(lambda x: x * 10), "-a-b-|", {"a": 1, "b": 2, "x": 10, "y": 20})
    '-x-y-|'

    clock: one that others use too, such as a Program; a new one if left out. frame: seconds of one
    character. values: what characters stand for, in all pictures.
    """

    def __init__(
        self,
        clock: VirtualClock | None = None,
        *,
        frame: Seconds = FRAME,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.frame = frame
        self.values = dict(values or {})

    def parse(self, text: str, values: Mapping[str, object] | None = None) -> Picture:
        """Read a picture as these marbles do. Raises MarbleError."""
        return parse(text, {**self.values, **(values or {})}, frame=self.frame)

    def cold(
        self,
        text: str,
        values: Mapping[str, object] | None = None,
        *,
        error: Exception | None = None,
    ) -> Observable[Any]:
        """An observable that plays the picture to each subscriber, from its subscription on.

        error: what `#` raises. Raises MarbleError for `^`, which only a subscriber can do.
        """
        picture = self._source(text, values)

        def subscribe(
            observer: abc.ObserverBase[Any], _: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            return self._play(picture, observer, error)

        return Observable(subscribe)

    def hot(
        self,
        text: str,
        values: Mapping[str, object] | None = None,
        *,
        error: Exception | None = None,
    ) -> Observable[Any]:
        """An observable that plays the picture from now on, whoever listens."""
        subject = Subject[Any]()
        self._play(self._source(text, values), subject, error)
        return subject

    def watch(self, stream: Observable[Any], *, dispose: str | None = None) -> Watched:
        """Subscribe now and note what comes. `dispose`: a picture whose `^` says when to leave."""
        if not isinstance(stream, Observable):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            raise MarbleError(
                f"{stream!r} is no stream that can be watched; an operator gives one when it was"
                " called, like ops.debounce(0.2)."
            )
        seen = Watched(self)
        begin = self.clock.seconds

        def now() -> Seconds:
            return self.clock.seconds - begin

        def ended(name: str, error: Exception | None = None) -> None:
            seen.end, seen.error = (now(), name), error

        held = stream.subscribe(
            lambda value: seen.came.append((now(), value)),
            lambda error: ended(ERROR, error),
            lambda: ended(END),
            scheduler=self.clock,
        )

        def leave() -> None:
            if not seen.end:
                held.dispose()
                ended(CANCEL)

        for mark in parse(dispose or "", frame=self.frame):
            if mark.name == CANCEL:
                self.clock.at(begin + mark.at, leave)
        return seen

    def through(
        self,
        operator: Operator,
        text: str,
        values: Mapping[str, object] | None = None,
        *,
        error: Exception | None = None,
    ) -> str:
        """The picture of what an operator makes of a picture.

        values: for both pictures. An error that no `#` stands for is raised.
        """
        self.values |= values or {}
        source = self._source(text, None)
        failure = error or MarbleFailure(text)
        seen = self.watch(self.cold(text, error=failure).pipe(operator))
        self.clock.run_until(self.clock.seconds + source.seconds + PATIENCE)
        if seen.error is not None and seen.error is not failure:
            raise seen.error
        return draw(seen.marks, frame=self.frame, until=None if seen.end else source.seconds)

    def expect(self, stream: Observable[Any], picture: str, *, dispose: str | None = None) -> None:
        """Watch a stream until the picture's end, and compare. Raises AssertionError with both."""
        wanted = parse(picture, frame=self.frame)
        seen = self.watch(stream, dispose=dispose)
        self.clock.run_until(self.clock.seconds + wanted.seconds)
        pairs = [[(mark.at, mark.name) for mark in marks] for marks in (wanted.marks, seen.marks)]
        if pairs[0] != pairs[1]:
            rows = {"expected": wanted.marks, "came": seen.marks}
            raise AssertionError(draw_rows(rows, frame=self.frame, until=wanted.seconds))

    def _source(self, text: str, values: Mapping[str, object] | None) -> Picture:
        picture = self.parse(text, values)
        for mark in picture.marks[:-1]:
            if mark.name in (END, ERROR):
                raise MarbleError(f"{text!r}: nothing can come after {mark.name!r}.")
        if any(mark.name == CANCEL for mark in picture):
            raise MarbleError(f"{text!r}: '^' is for subscribers; give it to watch(dispose=).")
        return picture

    def _play(
        self, picture: Picture, observer: abc.ObserverBase[Any], error: Exception | None
    ) -> abc.DisposableBase:
        begin = self.clock.seconds

        def say(mark: Mark) -> None:
            if mark.name == END:
                observer.on_completed()
            elif mark.name == ERROR:
                observer.on_error(error or MarbleFailure("# of a marble picture"))
            else:
                observer.on_next(mark.value)

        due = [
            self.clock.at(begin + mark.at, lambda mark=mark: say(mark)) for mark in picture.marks
        ]
        return CompositeDisposable(due) if due else Disposable()

    def letter(self, value: object) -> str:
        """The character that stands for a value. Raises MarbleError if none does."""
        for name, known in self.values.items():
            if known is value or (type(known) is type(value) and known == value):
                return name
        if isinstance(value, str) and len(value) == 1:
            return value
        raise MarbleError(
            f"{value!r} came, and no character stands for it; name it: values={{'x': {value!r}}}."
        )
