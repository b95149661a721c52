"""Ports through operators: as triggers of listeners, and as sound straight into a node.

One subscription per session and pipe, on the session's clock (rule E8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
        stream = session.stream(node, port)

        def ask(
            cause: Cause,
            value: object,
            data: Mapping[str, object] | None,
            after: Event | int | None,
            chunk: bool = False,
        ) -> None:
            made = self._events.event(session, node, port, cause, value, data, after)
            self._events.begin()
            try:
                request = self._events.ask(session, listener, made)
                if chunk and request:
                    self._sounds.follow(session, request)
            finally:
                self._events.end()

        if port != "stream":

            def fire(value: object) -> None:
                if isinstance(value, Event):
                    ask(value.cause, value.value, value.data, value)
                else:  # an operator's own: of the newest event that it got
                    ask(Cause.STREAM, value, {"value": value}, stream.newest)

            into.add(self._through(session, stream, derived, fire))
            return

        from .blocks import Block, checked  # numpy is loaded by apps that stream, not by all
        from .pipe import Pipe

        def hear(value: object) -> None:
            if not isinstance(value, Block):
                ask(Cause.STREAM, value, {"value": value}, stream.newest)
                return
            block = checked(value)
            if not block.frames:
                pipe.nothing_in(block)
                return
            data = {"value": block, "index": block.index}
            chunk = session.node(node).chunk(block)
            ask(Cause.STREAM, chunk, data, stream.newest, not block.whole)

        where = f"{derived.where} → {listener.name}"
        operators = derived.operators
        pipe = Pipe(
            session, self._events, stream, operators, hear, source=node, target=None, where=where
        )
        into.add(pipe.open())

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
        from .blocks import formed  # numpy is loaded by apps that stream, not by all
        from .pipe import Pipe

        source = derived.base.node.id

        def hear(value: object) -> None:
            block = formed(value)  # its numbers are looked at where they become 16 bit
            if not block.frames:
                pipe.nothing_in(block)
                return
            passing = session.passing.get(key)
            if passing is None:
                passing = session.passing[key] = Passing(source, key, (target.id,))
            origin = source, block.index / block.rate
            self._sounds.piece(session, passing, target.id, block, origin)

        stream = session.stream(source, "stream")
        pipe = Pipe(
            session,
            self._events,
            stream,
            derived.operators,
            hear,
            source=source,
            target=target.id,
            where=f"{derived.where}.to({target.where})",
        )
        into.add(pipe.open())

    def _through(
        self, session: Session, stream: Stream, derived: Derived, hear: Callable[[object], None]
    ) -> SerialDisposable:
        """Hang on events through operators, and again when one of them has failed (rule R3)."""
        subscription = SerialDisposable()
        had = 0

        def failed(error: Exception) -> None:
            error.add_note(derived.where)
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
