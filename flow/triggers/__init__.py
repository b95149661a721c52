"""Trigger modes by name. A new mode is a new file here and a line below."""

from __future__ import annotations

from ..verdict import Trigger
from .always_last import always_last
from .multiple import multiple
from .once import once
from .restart import restart

TRIGGERS: dict[str, Trigger] = {
    "once": once,
    "multiple": multiple,
    "always_last": always_last,
    "restart": restart,
}
