"""Parts of a page that are made anew: what their functions built takes the old one's place."""

from __future__ import annotations

from collections.abc import Callable

from .events import Events
from .fragments import Fragment, Overlay, Standing
from .graph import Node
from .model import Cause, Request
from .patches import Part
from .piping import Piping
from .plan import Plan, compile_plan
from .queue import Cancel
from .session import Session, Wanted
from .sounding import Sounds
from .ticking import Ticking


class Parts:
    """Swaps parts of a session's page.

    refine: what the front end has done to the plan, for the plans of parts.
    """

    def __init__(
        self,
        plan: Plan,
        wanted: Wanted,
        events: Events,
        sounds: Sounds,
        piping: Piping,
        ticking: Ticking,
        refine: Callable[[Plan], Plan] | None,
    ) -> None:
        self._plan, self._wanted, self._refine = plan, wanted, refine
        self._events, self._sounds = events, sounds
        self._piping, self._ticking = piping, ticking

    def swap(
        self, session: Session, placeholder: int, fragment: Fragment, request: Request | None
    ) -> None:
        """Put a part in the place of the one before, and tell it that it is there.

        What can fail comes first: then the old part stands on.
        """
        if session.closed:
            return
        overlay = session.overlay
        if overlay is None:
            first = max(len(self._plan.nodes), len(self._plan.listeners))
            overlay = session.overlay = Overlay(first)
        standing = overlay.parts.get(placeholder)
        had = standing.fragment.keys() if standing else overlay.keyed.get(placeholder, {})
        kept = {
            key: had[key]
            for key, node in fragment.keys().items()
            if key in had and type(had[key]) is type(node)
        }
        overlay.next = fragment.number(overlay.next, kept)
        lines = {each.line: each.limit for each in self._plan.listeners}
        plan = compile_plan(fragment, self._plan.settings, part=session.id, lines=lines)
        if self._refine:
            plan = self._refine(plan)
        values = {node.id: node.initial() for node in plan.nodes if node.holds_value}
        for node in kept.values():
            if node.holds_value:
                values[node.id] = session.values[node.id]
        before = {id: value for id, value in session.values.items() if _heavy(session.find(id))}
        old = self._drop(session, overlay, placeholder, {node.id for node in kept.values()})
        left = tuple([value for id, value in before.items() if id not in session.values])
        self._unkey(session, overlay, placeholder, {node.id for node in kept.values()})
        part = overlay.parts[placeholder] = Standing(fragment, plan)
        overlay.refresh()
        session.values.update(values)
        session.nodes.update({node.id: node for node in plan.nodes})
        self._look_out(session, overlay)
        self._piping.listeners(session, plan, part.subscriptions)
        for edge in plan.edges:
            part.edges.append(-1 - overlay.next)
            overlay.next += 1
            self._piping.edge(session, part.edges[-1], *edge, part.subscriptions)
        session.subscriptions.add(part.subscriptions)
        for node in plan.ticking:
            self._ticking.node(session, node)
        self._events.show(Part(session.id, placeholder, plan, old, left))
        self._events.happen(session, placeholder, "load", Cause.LOAD, after=request)

    def _drop(
        self, session: Session, overlay: Overlay, placeholder: int, kept: set[int]
    ) -> tuple[Plan, ...]:
        """End a part and those inside of it: what runs for it, what ticks, what it holds."""
        dropped = list[Plan]()
        listeners, edges, nodes = set[int](), set[int](), set[int]()
        for id in overlay.below(placeholder):
            standing = overlay.parts.pop(id, None)
            if standing is None:
                continue
            dropped.append(standing.plan)
            listeners.update(each.id for each in standing.plan.listeners)
            edges.update(standing.edges)
            nodes.update(node.id for node in standing.plan.nodes)
            session.subscriptions.remove(standing.subscriptions)
            if id != placeholder and id in kept:  # it is made again, and what has a key in it too
                overlay.keyed[id] = standing.fragment.keys()
                kept |= {node.id for node in overlay.keyed[id].values()}
        if listeners:
            self._events.due.append(Cancel(session.id, frozenset(listeners)))
        for id in listeners:
            session.stop_every(id)
            session.spoken.pop(id, None)
        for id in listeners | edges:
            self._sounds.listener_gone(session, id, "flush")
        for id in nodes:
            self._forget_node(session, id)
            if id not in kept:
                if limit := session.limits.pop(id, None):
                    limit.dispose()
                session.values.pop(id, None)
                self._unkey(session, overlay, id, kept)
        return tuple(dropped)

    def _unkey(self, session: Session, overlay: Overlay, placeholder: int, kept: set[int]) -> None:
        """What had a key here was not made again: its value can go."""
        for node in overlay.keyed.pop(placeholder, {}).values():
            if node.id not in kept:
                session.values.pop(node.id, None)
                if limit := session.limits.pop(node.id, None):
                    limit.dispose()
                self._unkey(session, overlay, node.id, kept)

    def _forget_node(self, session: Session, id: int) -> None:
        """All about a node of a part but its value, and how long it may still record."""
        session.stop_ticker("node", id)
        session.nodes.pop(id, None)
        session.contents.pop(id, None)
        self._sounds.node_gone(session, id)
        for key in [key for key in session.streams if key[0] == id]:
            del session.streams[key]
        session.inlets.clear()

    def _look_out(self, session: Session, overlay: Overlay) -> None:
        """Watch, tick and chunk what the parts that stand now ask for."""
        everything = self._events.tap is not None
        session.wanted = self._wanted.also(Wanted.of(plan, everything) for plan in overlay.plans)
        for id in session.wanted.watched & session.values.keys():
            if id not in session.contents:
                session.contents[id] = session.node(id).content(session.values[id])
        for id in session.contents.keys() - session.wanted.watched:
            del session.contents[id]
        for id, every in list(session.chunkers):
            if every not in session.chunked(id):
                del session.chunkers[id, every]
        session.inlets.clear()


def _heavy(node: Node | None) -> bool:
    return node is not None and node.heavy
