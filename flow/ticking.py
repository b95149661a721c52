"""What comes again and again: the `tick` events of nodes, and listeners with `every`."""

from __future__ import annotations

from .events import Events
from .graph import Node
from .model import Cause, Request
from .session import Session
from .timers import Ticker


class Ticking:
    """No timer outlives its session (rule M3), and none ticks while its user is away."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def node(self, session: Session, node: Node) -> None:
        """(Re)start a node's own timer by its present properties."""
        session.stop_ticker("node", node.id)
        period = node.period(session.values[node.id])
        if period is not None:
            events = self._events

            def fire() -> None:
                if not session.connected:
                    return
                events.begin()
                try:
                    events.happen(session, node.id, "tick", Cause.TIMER)
                finally:
                    events.end()

            session.start_ticker("node", node.id, Ticker(self._events.clock, period, fire))

    def every(self, session: Session, trigger: Request) -> None:
        """A trigger was taken: its listener runs again at every multiple after it (rule M1)."""
        listener, event = trigger.listener, trigger.event
        session.stop_ticker("listener", listener.id)
        assert listener.every is not None

        def fire() -> None:
            if session.connected:
                cause, data = Cause.TIMER, event.data
                tick = self._events.event(session, event.node, event.port, cause, data=data)
                self._events.turn(lambda: self._events.ask(session, listener, tick))

        ticker = Ticker(self._events.clock, listener.every, fire, event.at)
        session.start_ticker("listener", listener.id, ticker)
