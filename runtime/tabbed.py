"""`TabbedInterface`: several interfaces as the tabs of one app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..components.layout import Tab, Tabs
from ..components.markdown import Markdown
from ..flow.errors import DeclarationError
from .app import Blocks


class TabbedInterface(Blocks):
    """One tab for each of `interface_list`, any Blocks among them.

    tab_names: on the tabs; None numbers them. title: above. Other arguments as in Blocks; those of
    the single interfaces' pages (theme, css, js, head) and their queues do not count.
    """

    def __init__(
        self,
        interface_list: Sequence[Blocks],
        tab_names: Sequence[str] | None = None,
        *,
        title: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(title=title or "ossicle", **kwargs)
        names = list(tab_names or (f"Tab {n}" for n in range(1, len(interface_list) + 1)))
        if len(names) != len(interface_list):
            raise DeclarationError(
                f"TabbedInterface: {len(names)} tab_names for {len(interface_list)} interfaces."
            )
        with self:
            if title:
                Markdown(f"# {title}")
            with Tabs():
                for name, each in zip(names, interface_list, strict=True):
                    with Tab(name):
                        each.render()
