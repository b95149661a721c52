"""Real threads in a Lab: production's pool, and time that stands while one of them works."""

from __future__ import annotations

from collections.abc import Callable

from ...flow.injected import Tell
from ..executors.pool import MAX_THREADS, Pool
from .autojump import AutojumpLoop


class Held(Pool):
    """A pool whose work holds the loop's time."""

    def __init__(self, loop: AutojumpLoop, max_threads: int = MAX_THREADS) -> None:
        super().__init__(loop, max_threads)
        self._jumping = loop

    def submit(self, work: Callable[[], None], tell: Tell) -> None:
        release = self._jumping.hold()

        def held() -> None:
            try:
                work()
            finally:
                release()

        super().submit(held, tell)
