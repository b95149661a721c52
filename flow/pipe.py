"""One chain of operators on the sound of one session: a subscription that outlives its faults.

A fault is an exception of an operator, or something that comes out and is no sound. The block is
left out, and the operators begin anew, because NaN stays in a filter for ever (rule R3). The first
of a recording is told at once, how many there were is told at its end, and all are counted. A chain
that does nothing but fail rests until the next recording, so that it takes no time from others.

Where other streams come into a chain (`mix`, `merge`, `crossfade`), it is made anew for each
recording: the others begin and end with it, and run by its sound: a clock of the take, which moves
with each block, so that none of them is early or late.

Where sound is heard as it comes, what the app is behind with (STALE) is left out before the
operators: it would not be heard any more, and to work on it makes all that follows later still.
Where they lead to a function more of it may wait, up to a bound (OVERDUE).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from .blocks import END, OVERDUE, STALE, START, Block, BlockError, checked
from .events import Events
from .figures import EVERY, FIRST, Chain, OperatorFigures, Passage, measured
from .follow import lending
from .patches import Fault
from .session import Session
from .streams import Stream
from .virtual_clock import VirtualClock

PATIENCE = 10
"""Faults in a row, nothing good between them, after which a chain rests."""


class Pipe(Chain):
    """hear: takes what comes out; what it raises is a fault too. where: names the chain."""

    __slots__ = (
        "hear", "in_a_row", "_parts", "_per_take", "_session", "_events", "_stream", "_first",
        "_out", "_subscription", "_here", "_told", "_gap", "_empty_here", "_nothing", "_late",
        "_take",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        events: Events,
        stream: Stream,
        operators: tuple[Callable[[Observable[Any]], Observable[Any]], ...],
        hear: Callable[[object], None],
        *,
        source: int,
        target: int | None,
        where: str,
    ) -> None:
        parts = [part for each in operators for part in getattr(each, "parts", (each,))]
        super().__init__(where, source, target, parts)
        self._parts = parts
        self._take: VirtualClock | None = None
        self._per_take = any(getattr(part, "per_take", False) for part in parts)
        self._session, self._events, self._stream = session, events, stream
        self.hear = hear
        self._late = OVERDUE if target is None else STALE
        self._first: Callable[[Any], object] = _nothing
        self._out = _Out(self, 0)
        self._subscription = SerialDisposable()
        self._here = 0  # faults of this recording
        self._told = 0  # how many of them were told of
        self.in_a_row = 0
        """Faults, with nothing good between them."""
        self._gap = False  # the newest block was left out
        self._empty_here = False
        self._nothing: Block | None = None  # the last one: it may be seen on its way and at its end
        session.pipes.append(self)

    def open(self) -> abc.DisposableBase:
        """Subscribe; disposing of what is returned ends it."""
        if self._per_take:
            self._wait()
        else:
            self._subscribe()
        return Disposable(self._close)

    def recording_begins(self) -> None:
        """What was is forgotten, but for the counts."""
        self._here = self._told = self.in_a_row = 0
        self._empty_here = False
        was, self.resting = self.resting, False
        if self._per_take:
            self._wait()
        elif was:
            self._subscribe()

    def recording_ended(self) -> None:
        """Say how many faults there were after the one that was told."""
        if self._here > self._told:
            self._tell(None)
        self._here = self._told = 0
        if self._per_take:
            self._wait()

    @property
    def given(self) -> int:
        """What its stream has given so far."""
        return self._stream.given

    def nothing_in(self, block: Block) -> None:
        """A block without frames came out. Some carry a flag; the others are told once."""
        if block.flags or block is self._nothing:
            return
        self._nothing = block
        self.empty += 1
        if not self._empty_here:
            self._empty_here = True
            self._tell(
                BlockError(
                    f"an empty block came out, {block!r}, of which nothing is heard; where an"
                    " operator holds sound back it gives nothing, and where sound is lost silence"
                )
            )

    # -- inside --------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        had = self._stream.given
        through: Observable[Any] = _Entry(self)
        for operator, figures in zip(self._parts, self.operators, strict=True):
            look = None if getattr(operator, "trusted", False) else self._look(figures.name)
            through = _staged(operator(through), figures, look)
        # Nothing may come out of the old ones while the new ones are made.
        self._subscription.disposable = Disposable()
        out = self._out = _Out(self, had)
        # Machines hand on to what they are given; around it Rx would put one more call.
        subscribe: Any = getattr(through, "into", None) or through.subscribe
        with lending(self._session.value):
            made = subscribe(out, scheduler=self._take or self._events.clock)
        if out.over:  # it has failed already, and what took its place is not to be disturbed
            made.dispose()
        else:
            self._subscription.disposable = made

    def _wait(self) -> None:
        """Until the next take's first block there are no operators, and no other streams."""
        self._subscription.disposable = self._stream.subscribe(self._wake)

    def _wake(self, block: Block) -> None:
        self._take = VirtualClock()
        self._subscribe()
        self._enter(block)

    def entered(self, first: Callable[[Any], object]) -> abc.DisposableBase:
        """The chain listens; `first` is its first operator."""
        self._first, self._gap = first, False
        return self._stream.subscribe(self._enter)

    def _enter(self, block: Block) -> None:
        self.blocks += 1
        flags = getattr(block, "flags", 0)  # in a test a stream may be of anything
        if flags & self._late:
            self._leave_out(block)
            return
        cost = self._events.cost
        if cost is None or self.blocks % EVERY != FIRST:
            self._first(block)
        else:
            measured(self._first, block, self.operators, self.load, cost)
        if self._take:
            self._together(block)

    def _together(self, block: Block) -> None:
        """Let the other streams come as far as the take has."""
        assert self._take
        self._take.run_until(block.end / block.rate)
        if block.flags & END:
            for each in self.operators:
                if cut := getattr(each.stage, "cut", None):
                    cut()
            self._wait()

    def _leave_out(self, block: Block) -> None:
        """The next one that comes in tells its operators of the gap."""
        self.dropped += block.frames
        if self._gap:
            return
        self._gap = True
        first = self._first

        def again(after: Block) -> None:
            self._first, self._gap = first, False
            first(after if after.flags & START else after.discontinuous())

        self._first = again

    def _look(self, name: str) -> Callable[[object], object]:
        """Behind an operator that is not the library's: sound is looked at, readings pass."""

        def look(value: object) -> object:
            if not isinstance(value, Block):
                return value
            try:
                block = checked(value)
            except Exception as error:
                error.add_note(f"behind {name!r}, at {value!r}")
                raise
            if not block.frames:
                self.nothing_in(block)
            return block

        return look

    def failed(self, error: Exception, again: bool = True) -> None:
        """A fault; the operators begin anew, if that is of any use."""
        self.faults += 1
        self._here += 1
        self.in_a_row += 1
        self.resting = not again or self.in_a_row >= PATIENCE
        if self._here == 1:
            self._tell(error)
        if self.resting:
            if self._here > self._told:
                self._tell(None)
            self._subscription.disposable = Disposable()
        else:
            self._subscribe()

    def _tell(self, error: Exception | None) -> None:
        self._told = self._here
        node = self.source if self.target is None else self.target
        fault = Fault(self._session.id, node, self.where, error, self._here, self.resting)
        self._events.show(fault)

    def _close(self) -> None:
        self._subscription.dispose()
        self.hear = self._first = _nothing  # these know this pipe, which so goes by itself; a
        self._out.end()  # collector finds it late, and with it come seconds of sound
        if not self._session.closed:  # else its figures are asked for once more
            self._session.pipes.remove(self)


class _Out:
    """The end of a chain, for as long as its operators stand: an Rx observer, without its guards.

    had: what its stream had given before it stood; one that fails before more came always will.
    """

    __slots__ = ("over", "_pipe", "_hear", "_had")

    def __init__(self, pipe: Pipe, had: int) -> None:
        self.over = False
        self._pipe, self._hear, self._had = pipe, pipe.hear, had

    def on_next(self, value: object) -> None:
        if self.over:
            return  # of a block in which it failed, or that was taken from it
        pipe = self._pipe
        try:
            self._hear(value)
        except Exception as error:
            self.over = True
            error.add_note(f"where the sound comes out, at {value!r}")
            pipe.failed(error)
            return
        pipe.out += 1
        pipe.in_a_row = 0

    def on_error(self, error: Exception) -> None:
        if not self.over:
            self.over = True
            self._pipe.failed(error, again=self._pipe.given > self._had)

    def on_completed(self) -> None:
        self.over = True

    def end(self) -> None:
        """Nothing comes any more: let go of the pipe."""
        self.over = True
        del self._pipe, self._hear


class _Entry(Observable[Any]):
    """The stream that a chain hangs on, as its pipe lets it in."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def subscribe(
        self,
        on_next: abc.ObserverBase[Any] | Callable[[Any], object] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_completed: Callable[[], None] | None = None,
        *,
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        """As of `Stream`: nothing ever ends it."""
        found: object = getattr(on_next, "on_next", on_next) or _nothing
        return self._pipe.entered(cast("Callable[[Any], object]", found))


def _staged(
    through: Observable[Any],
    figures: OperatorFigures,
    look: Callable[[object], object] | None,
) -> Observable[Any]:
    """The same stream, whose figures know its moving part, and which `look` has seen."""

    def keep(stage: object) -> None:
        figures.begins(stage)

    watched = getattr(through, "watched", None)
    if watched is not None and look is None:
        return watched(keep)

    def subscribe(
        observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        passage = Passage(observer, look)
        keep(passage)
        return through.subscribe(
            passage.on_next, passage.on_error, passage.on_completed, scheduler=scheduler
        )

    return Observable(subscribe)


def _nothing(_: object) -> None: ...
