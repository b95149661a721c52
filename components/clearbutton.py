"""ClearButton: empties other components."""

from __future__ import annotations

from typing import Any

from ..flow.errors import DeclarationError
from ..flow.graph import Graph, building
from .base import Component
from .button import Button
from .state import State


class ClearButton(Button):
    """A button that sets components to their empty value, and a State to its first one.

    components: what it empties; `add` names more. Emptying is a write by the program: it fires
    `change` where something moved, never `clear` (rule E5). So a field that no listener reads
    becomes one to read, as any output does; interactive=True keeps it for typing.
    Raises DeclarationError for what cannot be meant.
    """

    type = "clearbutton"

    def __init__(
        self,
        components: Component | list[Component] | None = None,
        *,
        value: Any = "Clear",
        **kwargs: Any,
    ) -> None:
        if isinstance(components, str):
            raise DeclarationError(
                f"{type(self).__name__}: {components!r} is no component; for the text on it write"
                f" value={components!r}."
            )
        listed = [components] if isinstance(components, Component) else list(components or ())
        self.emptied = listed
        super().__init__(value, **kwargs)

    def add(self, components: Component | list[Component]) -> ClearButton:
        """Empty these too. Call it while the app is built."""
        more = [components] if isinstance(components, Component) else components
        if self.graph is None:
            raise DeclarationError(f"{self.where}: place it before adding components.")
        self._listen(self.graph, more)
        return self

    def placed(self, graph: Graph) -> None:
        super().placed(graph)
        if self.emptied:
            self._listen(graph, self.emptied)

    def _listen(self, graph: Graph, emptied: list[Component]) -> None:
        token = building.set(graph)
        try:
            self.click(empty_values(emptied), None, list(emptied), **QUIETLY)
        finally:
            building.reset(token)


QUIETLY: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "api_name": False,
    "postprocess": False,
    "trigger_mode": "multiple",
}
"""A listener of the page's own housekeeping: at once, unannounced, not for programs."""


def empty_values(components: list[Component]) -> Any:
    """A function that returns the empty value of each, in stored form."""

    def cleared() -> object:
        values = [c.initial() if isinstance(c, State) else c.cleared for c in components]
        return values if len(values) > 1 else values[0]

    return cleared
