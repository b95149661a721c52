"""Ports through operators: as triggers of listeners, and as sound straight into a node.

One subscription per session and pipe, on the session's clock (rule E8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reactivex import Subject
from reactivex import operators as ops
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
        stream = session.streams.setdefault((node, port), Subject[Event]())
        subscription = SerialDisposable()
        into.add(subscription)
        last: Event | None = None
        sound = _block_type() if port == "stream" else None

        def given(event: Event) -> object:
            nonlocal last
            last = event
            return event.value if port == "stream" else event

        def fire(value: object) -> None:
            chunk = False
            if isinstance(value, Event):
                cause, data, inner, after = value.cause, value.data, value.value, value
            elif sound and isinstance(value, sound):
                if not value.frames:
                    return  # it only carries a flag, which is for operators
                cause, data, after = Cause.STREAM, {"value": value, "index": value.index}, last
                inner = session.node(node).chunk(value)
                chunk = not value.whole
            else:  # an operator's own: of the newest event that it got
                cause, data, inner, after = Cause.STREAM, {"value": value}, value, last
            made = self._events.event(session, node, port, cause, inner, data, after)
            self._events.begin()
            try:
                request = self._events.ask(session, listener, made)
                if chunk and request:
                    self._sounds.follow(session, request)
            finally:
                self._events.end()

        def failed(error: Exception) -> None:
            nonlocal last
            self._events.on_error(error)  # rule R3: an error in an operator ends no stream
            if last:  # else it fails at once, whatever comes
                last = None
                subscribe()

        def subscribe() -> None:
            through = stream.pipe(ops.map(given), *derived.operators)
            with lending(session.value):
                subscription.disposable = through.subscribe(
                    fire, failed, scheduler=self._events.clock
                )

        subscribe()

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
        stream = session.streams.setdefault((source, "stream"), Subject[Event]())
        subscription = SerialDisposable()
        into.add(subscription)

        def given(event: Event) -> object:
            return event.value

        def hear(value: object) -> None:
            block = cast("Block", value)
            if not block.frames:
                return
            passing = session.passing.get(key)
            if passing is None:
                passing = session.passing[key] = Passing(source, key, (target.id,))
            origin = source, block.index / block.rate
            self._sounds.piece(session, passing, target.id, block, origin)

        def failed(error: Exception) -> None:
            self._events.on_error(error)  # rule R3: an error in an operator ends no stream
            subscribe()

        def subscribe() -> None:
            sound = stream.pipe(ops.map(given), *derived.operators)
            with lending(session.value):
                subscription.disposable = sound.subscribe(
                    hear, failed, scheduler=self._events.clock
                )

        subscribe()


def _block_type() -> type[Block]:
    from .blocks import Block  # numpy is loaded by apps that stream, not by all

    return Block
