"""Live sound straight on: the pieces of a stream behind its first, from the program to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..flow.patches import Origin
from .sessions import Line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .streams.live import Live
    from .streams.outgoing import Outgoing


class Straight:
    """Where one stream leads, known since it began. pump: sends what is due of all of a line."""

    __slots__ = ("_line", "_live", "_stream", "_pump")

    def __init__(
        self, line: Line, live: Live, stream: Outgoing, pump: Callable[[Line], None]
    ) -> None:
        self._line, self._live, self._stream, self._pump = line, live, stream, pump

    def take(self, samples: NDArray[np.int16], origin: Origin | None) -> None:
        """Send a piece, or let it wait for its turn."""
        line, stream, captured, age = self._line, self._stream, None, 0.0
        if origin and (source := self._live.incoming.get(origin[0])):
            captured, age = source.captured(origin[1]), source.given[2]
        send = line.send
        if send and line.peer is None and not line.due:
            if data := stream.at_once(samples, captured, age):  # nearly always
                send(data)
                return
        stream.push(samples, captured, age)
        self._pump(line)
