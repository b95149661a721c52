"""How a source gives its blocks: paced by the clock it is subscribed with, or all at once.

A block of frames a..b is there when its last frame has been heard: b / rate seconds after the
subscription, counted in frames, so that nothing drifts. The clock decides what that means: a live
one paces, a virtual one hurries from block to block (`flow.offline`), and several sources on one
clock come in the order of their frames.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ..blocks import DISCONTINUITY, END, FLUSH, START, Block
from ..clock import Clock
from ..errors import DeclarationError

Make = Callable[[], Iterator[Block]]
"""A fresh run of blocks for each subscription, one rate, without START and END."""


def source(make: Make) -> Observable[Block]:
    """A stream from blocks that can be made one after another; START and END are put on.

    Subscribed with a Clock (as the program and `render` do), each block comes when it is due;
    without one, all come at once. Raises DeclarationError for another kind of Rx scheduler.
    """

    def subscribe(
        observer: abc.ObserverBase[Block], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        if scheduler is not None and not isinstance(scheduler, Clock):
            raise DeclarationError(
                f"a source of sound runs by an ossicle Clock, not by {type(scheduler).__name__}"
            )
        run = _Run(_with_ends(make()), observer, scheduler)
        run.begin()
        return Disposable(run.stop)

    return Observable(subscribe)


class _Run:
    def __init__(
        self,
        blocks: Generator[Block, None, None],
        observer: abc.ObserverBase[Block],
        clock: Clock | None,
    ) -> None:
        self._blocks, self._observer, self._clock = blocks, observer, clock
        self._stopped = False
        self._due: abc.DisposableBase | None = None
        self._begun = clock.seconds if clock else 0.0
        self._frames = 0

    def stop(self) -> None:
        self._stopped = True
        if self._due:
            self._due.dispose()
        self._blocks.close()  # a file that is read must not wait for the garbage collector

    def begin(self) -> None:
        if self._clock is not None:
            self._next(self._clock)
            return
        while not self._stopped:
            block = self._take()
            if block is None:
                return
            self._observer.on_next(block)

    def _next(self, clock: Clock) -> None:
        block = self._take()
        if block is None:
            return
        self._frames += block.frames

        def give() -> None:
            self._observer.on_next(block)
            if not self._stopped:
                self._next(clock)

        self._due = clock.at(self._begun + self._frames / block.rate, give)

    def _take(self) -> Block | None:
        try:
            block = next(self._blocks, None)
        except Exception as error:
            self._observer.on_error(error)
            return None
        if block is None:
            self._observer.on_completed()
        return block


def _with_ends(blocks: Iterator[Block]) -> Generator[Block, None, None]:
    """START on the first block, END on the last: so each is held until the next one is known."""
    held: Block | None = None
    flags = START
    try:
        for block in blocks:
            if held is not None:
                yield _marked(held, flags)
                flags = 0
            held = block
        if held is not None:
            yield _marked(held, flags | END)
    finally:
        if isinstance(blocks, Generator):
            blocks.close()


def _marked(block: Block, flags: int) -> Block:
    kept = block.flags & (DISCONTINUITY | FLUSH)
    if block.flags == flags | kept:
        return block
    return Block(block.samples, block.rate, block.index, flags | kept, block.epoch)
