"""Ports through operators: as triggers of listeners, and as sound straight into a node.

One subscription per session and pipe, on the session's clock (rule E8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from reactivex.disposable import CompositeDisposable, SerialDisposable

from .events import Events
from .follow import lending
from .graph import Node
from .listeners import Listener
from .model import Cause, Event
from .plan import Plan
from .session import Passing, Session
from .sounding import Sounds
from .sources import Derived
from .streams import Stream

if TYPE_CHECKING:
    from .blocks import Block


class Piping:
    """Subscribes a session to what its plan derives."""

    def __init__(self, events: Events, sounds: Sounds) -> None:
        self._events, self._sounds = events, sounds

    def listeners(self, session: Session, plan: Plan, into: CompositeDisposable) -> None:
        """Let derived triggers call their listeners."""
        for derived, listener in plan.derived:
            self._subscribe(session, derived, listener, into)

    def _subscribe(
        self, session: Session, derived: Derived, listener: Listener, into: CompositeDisposable
    ) -> None:
        node, port = derived.base.node.id, derived.port
        sound = _block_type() if port == "stream" else None
        stream = session.streams.setdefault((node, port), Stream())

        def fire(value: object) -> None:
            chunk = False
            if isinstance(value, Event):
                cause, data, inner, after = value.cause, value.data, value.value, value
            elif sound and isinstance(value, sound):
                if not value.frames:
                    return  # it only carries a flag, which is for operators
                cause, data, after = (
                    Cause.STREAM,
                    {"value": value, "index": value.index},
                    stream.newest,
                )
                inner = session.node(node).chunk(value)
                chunk = not value.whole
            else:  # an operator's own: of the newest event that it got
                cause, data, inner, after = Cause.STREAM, {"value": value}, value, stream.newest
            made = self._events.event(session, node, port, cause, inner, data, after)
            self._events.begin()
            try:
                request = self._events.ask(session, listener, made)
                if chunk and request:
                    self._sounds.follow(session, request)
            finally:
                self._events.end()

        into.add(self._through(session, stream, derived, fire))

    def edge(
        self,
        session: Session,
        key: int,
        derived: Derived,
        target: Node,
        into: CompositeDisposable,
    ) -> None:
        """Sound through operators straight into a node, synchronously.

        key: its own, negative, where listeners have their ids.
        """
        source = derived.base.node.id

        def hear(value: object) -> None:
            block = cast("Block", value)
            if not block.frames:
                return
            passing = session.passing.get(key)
            if passing is None:
                passing = session.passing[key] = Passing(source, key, (target.id,))
            origin = source, block.index / block.rate
            self._sounds.piece(session, passing, target.id, block, origin)

        stream = session.streams.setdefault((source, "stream"), Stream())
        into.add(self._through(session, stream, derived, hear))

    def _through(
        self, session: Session, stream: Stream, derived: Derived, hear: Callable[[object], None]
    ) -> SerialDisposable:
        """Hang on a stream through operators, and again when one of them has failed (rule R3)."""
        subscription = SerialDisposable()
        had = 0

        def failed(error: Exception) -> None:
            self._events.on_error(error)
            if stream.given > had:  # else it fails at once, whatever comes
                subscribe()

        def subscribe() -> None:
            nonlocal had
            had = stream.given
            through = stream.pipe(*derived.operators)
            clock = self._events.clock
            with lending(session.value):
                subscription.disposable = through.subscribe(hear, failed, scheduler=clock)

        subscribe()
        return subscription


def _block_type() -> type[Block]:
    from .blocks import Block  # numpy is loaded by apps that stream, not by all

    return Block
