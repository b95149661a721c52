"""Timers of a session's nodes: their `tick` events, as often as their properties say."""

from __future__ import annotations

from .events import Events
from .graph import Node
from .model import Cause
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

            def tick() -> None:
                self._events.happen(session, node.id, "tick", Cause.TIMER)

            def fire() -> None:
                if session.connected:
                    self._events.turn(tick)

            session.tickers["node", node.id] = Ticker(self._events.clock, period, fire)
