"""A session's sounds, made when first touched: most sessions of most apps have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...flow.audio import Media


class LazyMedia:
    """Stands for the Media of a session, because those load numpy and the codecs."""

    def __init__(self, open: Callable[[], Media]) -> None:
        self._open = open

    def __getattr__(self, name: str) -> Any:
        return getattr(self._open(), name)
