"""A chain as fast as the machine goes: the same chain, by a clock that does not wait."""

from __future__ import annotations

import math
from typing import Any, Generic, TypeVar, cast

from reactivex import Observable

from .audio import Clip
from .blocks import END, START, Block, joined
from .errors import DeclarationError
from .generators.clip import clip_blocks
from .operators.operator import Operator
from .testing import VirtualClock
from .units import Seconds

T = TypeVar("T")


class _Results(Generic[T]):
    def __init__(self) -> None:
        self.values: list[T] = []
        self.error: Exception | None = None
        self.done = False

    def failed(self, error: Exception) -> None:
        self.error = error

    def completed(self) -> None:
        self.done = True


def run(
    source: Observable[Block] | Clip, *chain: Operator[Any, Any], seconds: Seconds | None = None
) -> list[Any]:
    """All that comes out of a chain, offline: blocks, readings, clips.

    seconds: how much of an endless source is taken. Raises what goes wrong in the chain, and
    DeclarationError if the source has not ended by itself.
    """
    given = cast("object", source)  # whatever the annotation says
    if not isinstance(given, Clip | Observable):
        raise DeclarationError(
            f"the source is a clip or a stream of blocks, and {type(given).__name__} came; "
            "Clip.of(rate, samples) makes a clip"
        )
    stream: Observable[Any] = clip_blocks(source) if isinstance(source, Clip) else source
    for operator in chain:
        stream = operator(stream)
    results = _Results[Any]()
    clock = VirtualClock()
    running = stream.subscribe(
        results.values.append, results.failed, results.completed, scheduler=clock
    )
    clock.run_until(math.inf if seconds is None else seconds)
    running.dispose()
    if results.error is not None:
        raise results.error
    if not results.done and seconds is None:
        raise DeclarationError(
            "the source did not end; render takes what is on its own clock (a clip, a file, a "
            "generator), or seconds=... of it"
        )
    return results.values


def render(
    source: Observable[Block] | Clip, *chain: Operator[Any, Any], seconds: Seconds | None = None
) -> Block:
    """The sound that comes out of a chain, offline, as one block; see `run`.

    Raises DeclarationError where readings come out, or nothing.
    """
    blocks = run(source, *chain, seconds=seconds)
    for value in blocks:
        if not isinstance(value, Block):
            raise DeclarationError(f"render gives sound, and {value!r} came out; use run()")
    if not blocks:
        raise DeclarationError("nothing came out of the chain")
    first: Block = blocks[0]
    return Block(joined(blocks), first.rate, first.index, START | END, first.epoch)
