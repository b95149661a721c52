"""Testing event semantics: virtual time, marbles, and a lab for whole apps.

Each name is loaded when it is first used, as in `ossicle` itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ossicle.flow.marble_streams import Marbles as Marbles
    from ossicle.flow.marbles import MarbleError as MarbleError
    from ossicle.flow.marbles import Mark as Mark
    from ossicle.flow.marbles import Picture as Picture
    from ossicle.flow.marbles import draw as draw
    from ossicle.flow.marbles import draw_rows as draw_rows
    from ossicle.flow.marbles import parse as parse
    from ossicle.flow.model import Kind as Kind
    from ossicle.flow.testing import VirtualClock as VirtualClock
    from ossicle.flow.trace import Trace as Trace
    from ossicle.flow.trace import TraceError as TraceError
    from ossicle.runtime.testing.autojump import AutojumpLoop as AutojumpLoop
    from ossicle.runtime.testing.autojump import StuckError as StuckError
    from ossicle.runtime.testing.lab import Lab as Lab
    from ossicle.runtime.testing.page import Toast as Toast
    from ossicle.runtime.testing.replay import replay as replay
    from ossicle.runtime.testing.rig import LabError as LabError
    from ossicle.runtime.testing.rig import Seen as Seen
    from ossicle.runtime.testing.user import User as User

_WHERE = {
    "flow.marble_streams": ("Marbles",),
    "flow.marbles": ("MarbleError", "Mark", "Picture", "draw", "draw_rows", "parse"),
    "flow.model": ("Kind",),
    "flow.testing": ("VirtualClock",),
    "flow.trace": ("Trace", "TraceError"),
    "runtime.testing.autojump": ("AutojumpLoop", "StuckError"),
    "runtime.testing.lab": ("Lab",),
    "runtime.testing.page": ("Toast",),
    "runtime.testing.replay": ("replay",),
    "runtime.testing.rig": ("LabError", "Seen"),
    "runtime.testing.user": ("User",),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ossicle.testing' has no attribute {name!r}")
    found = getattr(import_module(f"ossicle.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
