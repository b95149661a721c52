"""Components by name: "audio", "microphone", "text", … as Interface takes them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..flow.errors import DeclarationError
from .base import Component

SHORTCUTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "audio": ("audio", "Audio", {}),
    "microphone": ("microphone", "Microphone", {}),
    "text": ("textbox", "Textbox", {}),
    "textbox": ("textbox", "Textbox", {}),
    "number": ("number", "Number", {}),
    "slider": ("slider", "Slider", {}),
    "dropdown": ("dropdown", "Dropdown", {}),
    "radio": ("radio", "Radio", {}),
    "checkbox": ("checkbox", "Checkbox", {}),
    "checkboxgroup": ("checkboxgroup", "CheckboxGroup", {}),
    "label": ("label", "Label", {}),
    "button": ("button", "Button", {}),
    "markdown": ("markdown", "Markdown", {}),
    "html": ("html", "HTML", {}),
    "json": ("json", "JSON", {}),
    "dataframe": ("dataframe", "Dataframe", {}),
    "image": ("image", "Image", {}),
    "plot": ("plot", "Plot", {}),
    "file": ("file", "File", {}),
    "files": ("file", "File", {"file_count": "multiple"}),
    "downloadbutton": ("downloadbutton", "DownloadButton", {}),
    "state": ("state", "State", {}),
    "timer": ("timer", "Timer", {}),
}
"""name -> (module, class, arguments)"""


def component(written: str | Mapping[str, Any] | Component) -> Component:
    """The component that a shortcut means; a component is itself.

    A dict is {"name": shortcut, **arguments}. Raises DeclarationError listing the known names.
    """
    if isinstance(written, Component):
        return written
    if isinstance(written, Mapping):
        arguments = dict(written)
        name = str(arguments.pop("name", ""))
    else:
        name, arguments = written, {}
    found = SHORTCUTS.get(name)
    if found is None:
        raise DeclarationError(
            f"{written!r} is no component's name; the names are {', '.join(SHORTCUTS)}."
        )
    module, cls, defaults = found
    made = getattr(import_module(f".{module}", __package__), cls)
    return made(**{"render": False, **defaults, **arguments})
