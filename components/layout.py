"""Where components stand: Row, Column, Group, Tabs, Tab, Accordion, Sidebar."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

from ..flow.errors import DeclarationError
from ..flow.graph import building
from ..flow.sources import event
from .base import Placed
from .dialect import CONTAINER

Variant = Literal["default", "panel", "compact"]
VARIANTS = ("default", "panel", "compact")


Length = int | str
"""Pixels, or a length of CSS like "50vh"."""


class Container(Placed):
    """Holds what is made inside its `with` block.

    height, max_height, min_height: pixels, or a length of CSS like "50vh"; what does not fit
    scrolls. Further arguments are those of everything placed.
    """

    foreign = CONTAINER
    shown = ("height", "max_height", "min_height")

    def __init__(
        self,
        *,
        height: Length | None = None,
        max_height: Length | None = None,
        min_height: Length | None = None,
        **kwargs: Any,
    ) -> None:
        self.height = height
        self.max_height = max_height
        self.min_height = min_height
        super().__init__(**kwargs)

    def __enter__(self) -> Self:
        graph = building.get()
        if graph is None:
            raise DeclarationError(f"{self.where}: stands only inside `with Blocks():`.")
        if self.graph is None:
            self.place()
        graph.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        graph = building.get()
        assert graph is not None
        graph.leave()


class Row(Container):
    """Beside each other; wraps where the width does not suffice.

    equal_height: all as high as the highest. variant: "panel" has a background, "compact" no gaps.
    """

    type = "row"
    shown = ("equal_height", "variant")

    def __init__(
        self, *, variant: Variant = "default", equal_height: bool = False, **kwargs: Any
    ) -> None:
        self.variant = _variant(self.where, variant)
        self.equal_height = equal_height
        super().__init__(**kwargs)


class Column(Container):
    """Below each other.

    scale: width beside others. min_width: pixels before the row wraps. variant: "panel" has a
    background, "compact" no gaps.
    """

    type = "column"
    shown = ("variant",)

    def __init__(
        self,
        *,
        scale: int = 1,
        min_width: int = 320,
        variant: Variant = "default",
        **kwargs: Any,
    ) -> None:
        self.variant = _variant(self.where, variant)
        super().__init__(scale=scale, min_width=min_width, **kwargs)


class Group(Container):
    """Close together, in one frame."""

    type = "group"


class Tabs(Container):
    """One of its Tab children at a time. selected: the id of the tab that shows first."""

    type = "tabs"
    shown = ("selected",)
    acts = {"select": ("select",)}
    implied = False
    """Nobody wrote it: it stands because a Tab needs one."""

    chosen: int | None = None
    """The node that the user chose, until a function chooses."""

    change = event("Another tab shows, whoever chose it.")
    select = event("The user chose a tab.")

    def __init__(self, *, selected: int | str | None = None, **kwargs: Any) -> None:
        self.selected = selected
        super().__init__(**kwargs)

    def with_props(self, props: Mapping[str, object]) -> Self:
        made = super().with_props(props)
        made.chosen = None if "selected" in props else self.chosen
        return made

    def acted(self, act: str, data: Mapping[str, object] | None) -> Self | None:
        told = data or {}
        index, tabs = told.get("index"), self._tabs()
        found = [tab for tab in tabs if tab.id == told.get("tab")]
        if not found and isinstance(index, int) and 0 <= index < len(tabs):
            found = [tabs[index]]
        if act != "select" or not found:
            return None
        made = copy.copy(self)
        made.chosen = found[0].id
        return made

    def turned(self, before: Tabs) -> tuple[str, ...]:
        return ("change",) if self._showing() != before._showing() else ()

    def _tabs(self) -> list[Tab]:
        inside = self.graph.inside(self) if self.graph else ()
        return [each for each in inside if isinstance(each, Tab)]

    def _showing(self) -> int | None:
        """The node of the tab that shows; of a name that no tab has, the first."""
        tabs = self._tabs()
        named = [tab.id for tab in tabs if tab.tab_id is not None and tab.tab_id == self.selected]
        found = [self.chosen] if self.chosen is not None else named or [tab.id for tab in tabs]
        return found[0] if found else None


class Tab(Container):
    """One page of Tabs; without Tabs around them, those that follow each other make one.

    label: on its button. id: what `Tabs(selected=)` names. interactive: False greys its button.
    """

    type = "tab"
    shown = ("label", "tab_id", "interactive")

    select = event("The user chose this tab.")

    def __init__(
        self,
        label: str | None = None,
        *,
        id: int | str | None = None,
        interactive: bool = True,
        **kwargs: Any,
    ) -> None:
        self.label = label
        self.tab_id = id
        self.interactive = interactive
        super().__init__(**kwargs)

    def place(self) -> Self:
        graph = building.get()
        if graph is None or isinstance(graph.around.node, Tabs):
            return super().place()
        before = graph.around.children[-1].node if graph.around.children else None
        tabs = before if isinstance(before, Tabs) and before.implied else Tabs()
        tabs.implied = True
        graph.enter(tabs)
        try:
            return super().place()
        finally:
            graph.leave()


class Accordion(Container):
    """Opens and closes. open: how it starts."""

    type = "accordion"
    shown = ("label", "open")

    expand = event("The user opened it.")
    collapse = event("The user closed it.")

    def __init__(self, label: str | None = None, *, open: bool = True, **kwargs: Any) -> None:
        self.label = label
        self.open = open
        super().__init__(**kwargs)


class Sidebar(Container):
    """Beside the page. position: "left" or "right". width: pixels."""

    type = "sidebar"
    shown = ("label", "open", "position", "width")

    expand = event("The user opened it.")
    collapse = event("The user closed it.")

    def __init__(
        self,
        label: str | None = None,
        *,
        open: bool = True,
        position: Literal["left", "right"] = "left",
        width: int = 320,
        **kwargs: Any,
    ) -> None:
        self.label = label
        self.open = open
        self.position = position
        self.width = width
        super().__init__(**kwargs)


def _variant(where: str, given: str) -> str:
    if given not in VARIANTS:
        raise DeclarationError(
            f"{where}: variant={given!r} is unknown; choose {', '.join(VARIANTS)}."
        )
    return given
