"""Parts of a page that are made anew: the graph of one, and what a session has of all of them.

The law of this file: the app's plan never changes. What one session has beyond it stands beside it,
under ids above the plan's, so that whoever looks something up asks the plan first and this second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reactivex.disposable import CompositeDisposable

from .alone import alone
from .errors import DeclarationError
from .graph import Declared, Graph, Node, Place
from .listeners import Listener
from .plan import Plan
from .sources import After
from .units import Seconds

Key = int | str


class Fragment(Graph):
    """What a builder makes below `root`, a placeholder of the graph `outer`.

    Nodes of `outer` may be listened to, read and written here, but not placed: they are shared by
    all sessions. Until `number` its own have negative ids, because a builder's thread cannot know
    which ids its session has given meanwhile.
    """

    def __init__(self, root: Node, outer: Graph) -> None:
        self.outer = outer
        super().__init__(root)

    def sees(self, other: Graph) -> bool:
        return other is self or self.outer.sees(other)

    def knows(self, declared: Declared) -> bool:
        return declared in self.listeners or self.outer.knows(declared)

    def check_followed(self) -> None:
        """Refuse to follow what pages run without the server, who would not hear of its end."""
        for each in (source for listener in self.listeners for source in listener.sources):
            if isinstance(each, After) and self._in_page(each.dependency.declared):
                raise DeclarationError(
                    f"{each.where}: pages run {each.dependency.name} by themselves, and this part"
                    " would not hear of it; declare beside it what follows, or give it a function."
                )

    def _in_page(self, declared: Declared) -> bool:
        """Whether it stands outside of this part, and runs in pages alone (rule J1)."""
        graph: Graph = self
        while isinstance(graph, Fragment) and declared not in graph.listeners:
            graph = graph.outer
        return graph is not self and declared.id in alone(graph.listeners)

    def place(self, node: Node) -> Place:
        if node.graph is not None and node.graph is not self:
            raise DeclarationError(
                f"{node.where}: stands outside of this part, for all users; make what the part"
                " shows inside of its function."
            )
        return super().place(node)

    def _next_id(self) -> int:
        return -2 - len(self.nodes)

    def keys(self) -> dict[Key, Node]:
        """The nodes that have a key. Raises DeclarationError if two share one."""
        found = dict[Key, Node]()
        for node in self.nodes:
            key: Key | None = getattr(node, "key", None)
            if key is None:
                continue
            if key in found:
                raise DeclarationError(
                    f"{node.where}: key={key!r} is {found[key].where}'s already; give each"
                    " component of a part a key of its own."
                )
            found[key] = node
        return found

    def number(self, first: int, kept: Mapping[Key, Node]) -> int:
        """Give all nodes and listeners their ids; the first id that is still free.

        kept: nodes that these ones are again, by key; they hand on their ids.
        """
        again = {node: kept[key].id for key, node in self.keys().items() if key in kept}
        for node in self.nodes:
            node.id = again.get(node, first)
            first += node not in again
        for declared in self.listeners:
            declared.id = first
            first += 1
        return first


@dataclass(slots=True, eq=False)
class Standing:
    """A part as it stands on a session's page."""

    fragment: Fragment
    plan: Plan
    subscriptions: CompositeDisposable = field(default_factory=CompositeDisposable)
    edges: list[int] = field(default_factory=list[int])
    """The keys of its streams that go straight into a node."""


class Overlay:
    """All parts of one session's page, looked up as one plan."""

    def __init__(self, first: int) -> None:
        self.first = self.next = first
        """From here on ids are a part's. The lowest that no node or listener of this session ever
        had."""
        self.set_by_pages = frozenset[int]()
        """The nodes that JavaScript of parts sets; of the app's own nodes also that of former
        parts, which may have run before its page heard of the new one."""
        self.parts = dict[int, Standing]()
        """By placeholder."""
        self.keyed = dict[int, dict[Key, Node]]()
        """By placeholder: what had a key there when it last stood."""
        self.refresh()

    def refresh(self) -> None:
        """Work out what is looked up; call it when `parts` has changed."""
        plans = self.plans
        self.listeners = {each.id for plan in plans for each in plan.listeners}
        former = (id for id in self.set_by_pages if id < self.first)
        self.set_by_pages = frozenset(former).union(*(plan.set_by_pages for plan in plans))
        self.at_port = _joined(plan.at_port for plan in plans)
        self.after = _joined(plan.after for plan in plans)
        self.ports = dict[int, list[str]]()
        self.chunked = dict[int, dict[Seconds, tuple[Listener, ...]]]()
        for plan in plans:
            for node, names in plan.ports.items():
                self.ports.setdefault(node, []).extend(names)
            for node, sizes in plan.chunked.items():
                here = self.chunked.setdefault(node, {})
                for every, found in sizes.items():
                    here[every] = (*here.get(every, ()), *found)

    @property
    def plans(self) -> list[Plan]:
        return [each.plan for each in self.parts.values()]

    def below(self, placeholder: int) -> list[int]:
        """This part and the parts inside of it, the outermost first."""
        found = [placeholder]
        for id in found:  # it grows meanwhile
            if part := self.parts.get(id):
                found += [node.id for node in part.plan.nodes if node.id in self.parts]
        return found


def _joined(
    tables: Iterable[Mapping[tuple[int, str], tuple[Listener, ...]]],
) -> dict[tuple[int, str], tuple[Listener, ...]]:
    made = dict[tuple[int, str], tuple[Listener, ...]]()
    for table in tables:
        for key, found in table.items():
            made[key] = (*made.get(key, ()), *found)
    return made
