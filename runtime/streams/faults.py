"""What goes wrong in operators fifty times a second, told once in a recording.

Each is counted where it happens (`launched.metrics()`); a log that had them all would be of no use.
"""

from __future__ import annotations

import logging
from typing import Any

from ...flow.blocks import BlockError
from ...flow.errors import WorldError, named
from ...flow.patches import Fault

log = logging.getLogger("ossicle")

Message = dict[str, Any]


def log_fault(fault: Fault) -> None:
    """The first of a recording with its reason, then how many there were."""
    error = fault.error
    if error is None:
        log.error(
            "%s: %d blocks of this recording were left out%s",
            fault.where,
            fault.count,
            "; it rests until the next one" if fault.resting else "",
        )
        return
    expected = isinstance(error, BlockError | WorldError)  # else from anywhere in the author's code
    log.error(
        "%s: %s. What it concerns is left out, and told once in a recording",
        fault.where,
        _text(error),
        exc_info=None if expected else error,
    )


def told(fault: Fault, show_error: bool) -> Message | None:
    """What the user of that session is told: once in a recording, in full where errors are shown.

    A message without a text is shown as a failure of the app.
    """
    if fault.error is None:
        return None
    shown = show_error or isinstance(fault.error, WorldError)
    text = f"{fault.where}: {_text(fault.error)}" if shown else None
    return {"kind": "toast", "level": "error", "title": "Error", "message": text, "duration": 10}


def _text(error: Exception) -> str:
    said = str(error) if isinstance(error, BlockError | WorldError) else named(error)
    return "; ".join([said, *getattr(error, "__notes__", ())])
