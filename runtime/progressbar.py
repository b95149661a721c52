"""One line on a terminal that tells how far long work is, and nothing where no terminal is."""

from __future__ import annotations

import shutil
from typing import TextIO

_APPEARS = 0.5  # seconds of work; below it a bar would only flash
_EVERY = 0.1  # seconds between two drawings
_WIDTH = 30  # characters of the bar itself


class ProgressBar:
    """Time is given by the caller, in seconds of any clock that never runs back."""

    def __init__(self, stream: TextIO, now: float) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._began = now
        self._drawn: float | None = None
        self._length = 0

    def update(self, now: float, done: float | None, text: str) -> None:
        """Draw, if it is time to. `done` is 0 to 1, or None where nobody knows."""
        if not self._shown or now - self._began < _APPEARS:
            return
        if self._drawn is not None and now - self._drawn < _EVERY:
            return
        self._drawn = now
        self._draw(line(now - self._began, done, text))

    def close(self) -> None:
        """Take the line away, so that what follows stands alone."""
        if self._length:
            self._draw("")
            self._length = 0

    def _draw(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]
        self._stream.write("\r" + text.ljust(self._length) + ("" if text else "\r"))
        self._stream.flush()
        self._length = len(text)


def line(seconds: float, done: float | None, text: str) -> str:
    """`[######------]  50 %  0:12  mixing`; without `done` only the time and the text."""
    clock = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    if done is None:
        return f"{clock}  {text}".rstrip()
    full = round(min(1.0, max(0.0, done)) * _WIDTH)
    bar = "#" * full + "-" * (_WIDTH - full)
    return f"[{bar}] {min(1.0, max(0.0, done)):4.0%}  {clock}  {text}".rstrip()
