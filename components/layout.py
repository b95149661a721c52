"""Where components stand: Row, Column, Group, Tabs, Tab, Accordion, Sidebar."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

from ..flow.errors import DeclarationError
from ..flow.graph import building
from ..flow.sources import event
from .base import Placed, Visible


class Container(Placed):
    """Holds what is made inside its `with` block."""

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

    equal_height: all as high as the highest.
    """

    type = "row"
    shown = ("equal_height",)

    def __init__(
        self,
        *,
        equal_height: bool = False,
        scale: int | None = None,
        visible: Visible = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        self.equal_height = equal_height
        super().__init__(
            scale=scale,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            render=render,
            key=key,
        )


class Column(Container):
    """Below each other.

    scale: width beside others. min_width: pixels before the row wraps.
    """

    type = "column"

    def __init__(
        self,
        *,
        scale: int = 1,
        min_width: int = 320,
        visible: Visible = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ) -> None:
        super().__init__(
            scale=scale,
            min_width=min_width,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            render=render,
            key=key,
        )


class Group(Container):
    """Close together, in one frame."""

    type = "group"


class Tabs(Container):
    """One of its Tab children at a time. selected: the id of the tab that shows first."""

    type = "tabs"
    shown = ("selected",)

    change = event("Another tab shows.")
    select = event("The user chose a tab.")

    def __init__(self, *, selected: int | str | None = None, visible: Visible = True) -> None:
        self.selected = selected
        super().__init__(visible=visible)


class Tab(Container):
    """One page of Tabs. label: on its button. tab_id: what `Tabs(selected=)` names."""

    type = "tab"
    shown = ("label", "tab_id")

    select = event("The user chose this tab.")

    def __init__(
        self, label: str | None = None, *, id: int | str | None = None, visible: Visible = True
    ) -> None:
        self.label = label
        self.tab_id = id
        super().__init__(visible=visible)


class Accordion(Container):
    """Opens and closes. open: how it starts."""

    type = "accordion"
    shown = ("label", "open")

    def __init__(
        self, label: str | None = None, *, open: bool = True, visible: Visible = True
    ) -> None:
        self.label = label
        self.open = open
        super().__init__(visible=visible)


class Sidebar(Container):
    """Beside the page. position: "left" or "right". width: pixels."""

    type = "sidebar"
    shown = ("label", "open", "position", "width")

    def __init__(
        self,
        label: str | None = None,
        *,
        open: bool = True,
        position: Literal["left", "right"] = "left",
        width: int = 320,
        visible: Visible = True,
    ) -> None:
        self.label = label
        self.open = open
        self.position = position
        self.width = width
        super().__init__(visible=visible)
