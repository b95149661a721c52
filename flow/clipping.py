"""How much of a stream was cut at full scale. No sound is worked on here: it loads no numpy."""

from __future__ import annotations


class Clipping:
    """Shared by who makes 16 bit of a stream and who tells how the stream is doing."""

    __slots__ = ("samples",)

    def __init__(self) -> None:
        self.samples = 0
        """Samples, of all channels, that were beyond full scale."""
