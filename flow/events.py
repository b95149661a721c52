"""Events: what happens at a port, and the requests that its listeners make of it.

The law of this file: all that one act asks for is asked together. Its events see the same values,
and none of its functions runs before the last of its requests is made (rules E4, I1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING

from .clock import Clock
from .figures import Cost
from .listeners import Listener
from .model import Cause, Event, Request
from .patches import Emit, Onward, Patch, Sound
from .queue import Ask, Cancel
from .results import UNSET
from .said import Frames
from .session import Session

if TYPE_CHECKING:
    from .blocks import Block

Tap = Callable[[object], None]
"""Hears every `Said`, `Event`, `Request`, `Outcome` and `Patch`, in order (rule X1). Blocks of live
sound are said and are events at once: it hears their `Frames`, with the number of the event; a tap
that has `frames(session, node, block, event)` hears them there, without an envelope."""

Hear = Callable[[str, int, "Block", int], None]
"""Hears of a block: session, node, itself, and the number of the event that it is, 0 for none."""

CHUNKS = (Cause.STREAM, Cause.USER)
"""Causes of `stream` events that carry a chunk; a follower's or a timer's does not."""


class Events:
    """What all parts of the program share: the clock, the present turn, and the ways out."""

    def __init__(
        self,
        clock: Clock,
        post: Callable[[Sequence[Ask | Cancel]], None],
        emit: Emit,
        on_error: Callable[[Exception], None],
        tap: Tap | None = None,
        cost: Cost | None = None,
    ) -> None:
        """post: takes what a turn asked for. emit: takes patches. cost: see `flow.figures`."""
        self.clock, self.on_error, self.cost = clock, on_error, cost
        self.hear = None if tap is None else _hear(tap)
        # an object's method is called in half the time that the object is
        self.tap = tap.__call__ if tap is not None and hasattr(tap, "frames") else tap
        self.due = list[Ask | Cancel]()
        """What this turn asks for."""
        self._post, self._emit = post, emit
        self._turns = 0
        self.number = count(1).__next__
        """That of the next event."""
        self._requests = 0

    def turn(self, action: Callable[[], object]) -> None:
        """Do something, and then post what it asked for."""
        self.begin()
        try:
            action()
        finally:
            self.end()

    def begin(self) -> None:
        """A turn begins, or one inside of another."""
        self._turns += 1

    def end(self) -> None:
        """It is over; after the outermost all that is due is posted."""
        self._turns -= 1
        if self.due and not self._turns:
            due, self.due = self.due, []
            self._post(due)

    def happen(
        self,
        session: Session,
        node: int,
        port: str,
        cause: Cause,
        value: object = UNSET,
        data: Mapping[str, object] | None = None,
        after: Request | Event | None = None,
    ) -> None:
        """One event: told to the tap, to derived streams, and to each listener in order."""
        listeners = session.listeners(node, port)
        stream = session.streams.get((node, port))
        if not (listeners or stream or self.tap):
            return
        event = self.event(session, node, port, cause, value, data, after)
        for listener in listeners:
            self.ask(session, listener, event)
        if stream:
            stream.newest = event
            stream.give(event.value if port == "stream" else event)

    def event(
        self,
        session: Session,
        node: int,
        port: str,
        cause: Cause,
        value: object = UNSET,
        data: Mapping[str, object] | None = None,
        after: Request | Event | int | None = None,
    ) -> Event:
        """`after`: the request whose work made it, or the event that an operator made it of, or
        its number."""
        id, at = self.number(), self.clock.seconds
        parent: int | None = None
        hops, path, derived = 0, (), False
        if after is None:
            pass  # mostly
        elif isinstance(after, Request):
            parent, was = after.id, after.event
            hops, path = was.hops + 1, (*was.path, after.listener.name)
        elif isinstance(after, Event):
            parent, hops, path, derived = after.id, after.hops, after.path, True
        else:
            parent, derived = after, True
        if value is UNSET:
            value = None
        event = Event(
            id, session.id, node, port, cause, at, value, parent, data, hops, path, derived
        )
        if self.tap:
            self.tap(event)
        return event

    def ask(self, session: Session, listener: Listener, event: Event) -> Request | None:
        """One event becomes a request; None if it would be cancelled at once (rule C5)."""
        if session.closed and event.port != "unload" and listener.on_disconnect == "cancel":
            return None
        if listener.cancels:
            self._silence(session, listener)
        values = session.values
        if event.port == "stream" and event.cause in CHUNKS:  # the node's own input is the chunk
            inputs = [event.value if n == event.node else values[n] for n in listener.inputs]
        else:
            inputs = [values[n] for n in listener.inputs]
        self._requests += 1
        request = Request(self._requests, session.id, listener, event, tuple(inputs))
        session.pending += 1
        if listener.every is not None and event.cause is not Cause.TIMER:
            session.arming[request.id] = listener.id
        if self.tap:
            self.tap(request)
        self.due.append(Ask(request))
        return request

    def _silence(self, session: Session, listener: Listener) -> None:
        """What a listener cancels ticks no more, and is heard no more."""
        for cancelled in sorted(listener.cancels):
            session.stop_every(cancelled)
            for node, epoch in session.spoken.pop(cancelled, {}).items():
                self.show(Sound(session.id, node, epoch, "flush"))  # made, and still to be heard

    def show(self, patch: Patch) -> Onward | None:
        """Hand a patch to the front end. What takes the rest of the stream that it begins, if the
        front end says so and nothing taps what is shown."""
        if self.tap:
            self.tap(patch)
        try:
            onward = self._emit(patch)
        except Exception as error:  # what cannot be shown must not end it for all (rule R3)
            self.on_error(error)
            return None
        return None if self.tap else onward


def _hear(tap: Tap) -> Hear:
    own: Hear | None = getattr(tap, "frames", None)
    if own:
        return own
    return lambda session, node, block, event: tap(Frames(session, node, block, event))
