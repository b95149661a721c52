"""A stream in an `async for` loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, Generic, Literal, TypeVar, get_args

from reactivex import Observable

from ..flow.blocks import DISCONTINUITY, Block
from ..flow.errors import Overload
from ..flow.operators.operator import Operator, check
from .clock import LoopClock

T = TypeVar("T")

OnOverload = Literal["drop_oldest", "latest", "error"]


async def iterate(
    source: Observable[Any],
    *chain: Operator[Any, Any],
    on_overload: OnOverload = "drop_oldest",
    waiting: int = 50,
) -> AsyncGenerator[Any, None]:
    """What comes out of a chain, on the running loop's clock: `async for block in iterate(...)`.

    At most `waiting` values wait while the loop's body works; then "drop_oldest" drops the oldest
    and marks the next block DISCONTINUITY, "error" raises Overload. "latest" keeps only the newest.
    Leaving the loop ends the subscription (at once with `contextlib.aclosing`).
    """
    check(on_overload in get_args(OnOverload), f"on_overload={on_overload!r} is unknown")
    check(waiting >= 1, "at least one value must be able to wait")
    clock = LoopClock(asyncio.get_running_loop())
    line = _Line[Any](on_overload, waiting)
    stream = source
    for operator in chain:
        stream = operator(stream)
    running = stream.subscribe(line.push, line.fail, line.end, scheduler=clock)
    try:
        while True:
            while line.values:
                yield line.values.popleft()
            if line.error is not None:
                raise line.error
            if line.done:
                return
            line.news.clear()
            await line.news.wait()
    finally:
        running.dispose()


class _Line(Generic[T]):
    """Values between the stream and the loop."""

    def __init__(self, on_overload: OnOverload, waiting: int) -> None:
        self.values = deque[T]()
        self.error: Exception | None = None
        self.done = False
        self.news = asyncio.Event()
        self._on_overload, self._waiting = on_overload, waiting

    def push(self, value: T) -> None:
        if self.error is not None:
            return
        if len(self.values) >= (1 if self._on_overload == "latest" else self._waiting):
            if self._on_overload == "error":
                self.fail(Overload(f"{self._waiting} values wait and another one came"))
                return
            self.values.popleft()
            if self.values:
                self.values[0] = _marked(self.values[0])
            else:
                value = _marked(value)
        self.values.append(value)
        self.news.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.news.set()

    def end(self) -> None:
        self.done = True
        self.news.set()


def _marked(value: T) -> T:
    if not isinstance(value, Block):
        return value
    flags = value.flags | DISCONTINUITY
    return Block(value.samples, value.rate, value.index, flags, value.epoch)  # pyright: ignore[reportReturnType]
