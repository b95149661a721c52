"""Reactive audio graphs: the public names; the code stands in flow/, components/, runtime/.

Each name is loaded when it is first used, so that `import ossicle` costs next to nothing and an app
loads only what it has.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ossicle.components.aliases import Checkboxgroup as Checkboxgroup
    from ossicle.components.aliases import DataFrame as DataFrame
    from ossicle.components.aliases import Files as Files
    from ossicle.components.aliases import Json as Json
    from ossicle.components.aliases import Mic as Mic
    from ossicle.components.aliases import TabItem as TabItem
    from ossicle.components.aliases import Text as Text
    from ossicle.components.aliases import TextArea as TextArea
    from ossicle.components.audio import Audio as Audio
    from ossicle.components.audio import WaveformOptions as WaveformOptions
    from ossicle.components.button import Button as Button
    from ossicle.components.checkbox import Checkbox as Checkbox
    from ossicle.components.checkboxgroup import CheckboxGroup as CheckboxGroup
    from ossicle.components.clearbutton import ClearButton as ClearButton
    from ossicle.components.dataframe import Dataframe as Dataframe
    from ossicle.components.downloadbutton import DownloadButton as DownloadButton
    from ossicle.components.dropdown import Dropdown as Dropdown
    from ossicle.components.examples import Examples as Examples
    from ossicle.components.file import File as File
    from ossicle.components.html import HTML as HTML
    from ossicle.components.image import Image as Image
    from ossicle.components.json import JSON as JSON
    from ossicle.components.label import Label as Label
    from ossicle.components.layout import Accordion as Accordion
    from ossicle.components.layout import Column as Column
    from ossicle.components.layout import Group as Group
    from ossicle.components.layout import Row as Row
    from ossicle.components.layout import Sidebar as Sidebar
    from ossicle.components.layout import Tab as Tab
    from ossicle.components.layout import Tabs as Tabs
    from ossicle.components.markdown import Markdown as Markdown
    from ossicle.components.microphone import Microphone as Microphone
    from ossicle.components.number import Number as Number
    from ossicle.components.plot import Plot as Plot
    from ossicle.components.radio import Radio as Radio
    from ossicle.components.render import render as render
    from ossicle.components.slider import Slider as Slider
    from ossicle.components.state import State as State
    from ossicle.components.textbox import Textbox as Textbox
    from ossicle.components.timer import Timer as Timer
    from ossicle.components.webcam import WebcamOptions as WebcamOptions
    from ossicle.flow import injected
    from ossicle.flow.audio import Clip as Clip
    from ossicle.flow.errors import DeclarationError as DeclarationError
    from ossicle.flow.errors import Error as Error
    from ossicle.flow.errors import OptionWarning as OptionWarning
    from ossicle.flow.errors import OssicleError as OssicleError
    from ossicle.flow.injected import EventData as EventData
    from ossicle.flow.injected import Info as Info
    from ossicle.flow.injected import KeyUpData as KeyUpData
    from ossicle.flow.injected import Progress as Progress
    from ossicle.flow.injected import SelectData as SelectData
    from ossicle.flow.injected import Success as Success
    from ossicle.flow.injected import Warning as Warning
    from ossicle.flow.results import flush as flush
    from ossicle.flow.results import skip as skip
    from ossicle.flow.results import update as update
    from ossicle.flow.sources import Dependency as Dependency
    from ossicle.flow.sources import on as on
    from ossicle.runtime import themes as themes
    from ossicle.runtime.app import Blocks as Blocks
    from ossicle.runtime.executors.in_process import in_process as in_process
    from ossicle.runtime.interface import Interface as Interface
    from ossicle.runtime.tabbed import TabbedInterface as TabbedInterface

    Request = injected.ClientRequest

__version__ = "0.1.0"

_WHERE = {
    "components.aliases": (
        "Checkboxgroup",
        "DataFrame",
        "Files",
        "Json",
        "Mic",
        "TabItem",
        "Text",
        "TextArea",
    ),
    "components.audio": ("Audio", "WaveformOptions"),
    "components.webcam": ("WebcamOptions",),
    "components.button": ("Button",),
    "components.checkbox": ("Checkbox",),
    "components.checkboxgroup": ("CheckboxGroup",),
    "components.clearbutton": ("ClearButton",),
    "components.dataframe": ("Dataframe",),
    "components.downloadbutton": ("DownloadButton",),
    "components.examples": ("Examples",),
    "components.file": ("File",),
    "components.html": ("HTML",),
    "components.image": ("Image",),
    "components.json": ("JSON",),
    "components.radio": ("Radio",),
    "components.dropdown": ("Dropdown",),
    "components.label": ("Label",),
    "components.layout": ("Accordion", "Column", "Group", "Row", "Sidebar", "Tab", "Tabs"),
    "components.markdown": ("Markdown",),
    "components.microphone": ("Microphone",),
    "components.plot": ("Plot",),
    "components.number": ("Number",),
    "components.render": ("render",),
    "components.slider": ("Slider",),
    "components.state": ("State",),
    "components.textbox": ("Textbox",),
    "components.timer": ("Timer",),
    "flow.audio": ("Clip",),
    "flow.errors": ("DeclarationError", "Error", "OptionWarning", "OssicleError"),
    "flow.injected": (
        "EventData",
        "Info",
        "KeyUpData",
        "Progress",
        "SelectData",
        "Success",
        "Warning",
    ),
    "flow.results": ("flush", "skip", "update"),
    "flow.sources": ("Dependency", "on"),
    "runtime.app": ("Blocks",),
    "runtime.executors.in_process": ("in_process",),
    "runtime.interface": ("Interface",),
    "runtime.tabbed": ("TabbedInterface",),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}
_WHOLE = {"themes": "runtime.themes"}
_RENAMED = {"Request": ("flow.injected", "ClientRequest")}

__all__ = [*sorted({*_MODULES, *_RENAMED, *_WHOLE}), "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _WHOLE:
        found = import_module(f"{__name__}.{_WHOLE[name]}")
    else:
        module, inner = _RENAMED.get(name, (_MODULES.get(name), name))
        if module is None:
            raise AttributeError(f"module 'ossicle' has no attribute {name!r}{_instead(name)}")
        found = getattr(import_module(f"{__name__}.{module}"), inner)
    globals()[name] = found
    return found


def _instead(name: str) -> str:
    if name.startswith("_"):
        return ""
    from ossicle.components.aliases import ABSENT

    return f": {ABSENT[name]}" if name in ABSENT else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
