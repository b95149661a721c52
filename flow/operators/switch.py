"""One chain in place of another while sound runs, without a click."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from reactivex import Observable, Subject

from ..blocks import END, FLUSH, Block, BlockError, Samples, float32
from ..durations import Time, seconds_of
from ..follow import lending
from ..units import Frames
from .latency import latency_of
from .operator import BlockOperator, Form, Operator, check, machine

Chain = tuple[BlockOperator, ...]


class Choice:
    """Which operators `switch` uses. `use` may be called at any time.

    `changes` says in advance from which index on which chain is used; `use` counts from the next
    block on. A change that falls into a fade begins with the next block after it.
    """

    def __init__(
        self,
        *operators: BlockOperator,
        fade: Time = "20 ms",
        changes: Sequence[tuple[Frames, Sequence[BlockOperator]]] = (),
    ) -> None:
        self.chain: Chain = operators
        self.fade = seconds_of(fade)
        self.changes: list[tuple[Frames, Chain]] = [
            (index, tuple(chain)) for index, chain in sorted(changes, key=lambda c: c[0])
        ]

    def use(self, *operators: BlockOperator) -> None:
        """Fade over to these operators, from the next block on; none lets sound through."""
        self.chain = operators


class _Branch:
    """A chain that runs inside, and what came out of it."""

    __slots__ = ("chain", "into", "parts", "end", "error")

    def __init__(self, chain: Chain, form: Form) -> None:
        self.chain = chain
        self.into = Subject[Block]()
        self.parts: deque[tuple[Frames, Samples]] = deque()
        self.end = form.index
        self.error: Exception | None = None
        out: Observable[Block] = self.into
        for operator in chain:
            out = operator(out)
        with lending(form.values):
            out.subscribe(self._took, self._failed)

    def _took(self, block: Block) -> None:
        if len(block.samples):
            if block.index != self.end:
                raise BlockError(
                    f"switch: a chain gave frame {block.index} where {self.end} was due; it must "
                    "keep rate and length"
                )
            self.parts.append((block.index, block.samples))
            self.end = block.end

    def _failed(self, error: Exception) -> None:
        self.error = error

    def feed(self, block: Block) -> None:
        self.into.on_next(block)
        if self.error is not None:
            raise self.error

    def take(self, stop: Frames) -> Samples | None:
        """What came out before `stop`."""
        out: list[Samples] = []
        while self.parts and self.parts[0][0] < stop:
            index, samples = self.parts.popleft()
            if index + len(samples) > stop:
                self.parts.appendleft((stop, samples[stop - index :]))
                samples = samples[: stop - index]
            out.append(samples)
        return np.concatenate(out) if out else None


class _Switch:
    def __init__(self, choice: Choice, form: Form) -> None:
        self._choice = choice
        self._form = form
        fade = max(2, round(choice.fade * form.rate))
        self._rise = fade // 2  # frames over which a new chain hears the sound come up
        self._fade = fade - self._rise
        self._changes = deque(choice.changes)
        chain = choice.chain
        while self._changes and self._changes[0][0] <= form.index:
            chain = self._changes.popleft()[1]
        self._wanted = choice.chain
        self._now = _Branch(chain, form)
        self._next: _Branch | None = None
        self._from = 0  # where the old chain begins to fade out
        self._index = form.index  # of the next frame in
        self._out = form.index
        self._flags = form.flags

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        chain = self._choice.chain
        if chain is not self._wanted and self._next is None:
            self._wanted = chain
            self._begin(chain)
        parts: list[Samples] = []
        while True:
            count = len(samples)
            due = self._changes[0][0] - self._index if self._changes else count
            if due > 0 or self._next is None:
                count = max(0, min(count, due))
            final = count == len(samples)
            self._run(samples[:count], last and final, parts)
            if final:
                break
            samples = samples[count:]
            if self._next is None:
                self._begin(self._changes.popleft()[1])
        return self._given(parts, last)

    def finish(self) -> Sequence[Block]:
        parts: list[Samples] = []
        self._run(np.zeros((0, self._form.channels), np.float32), True, parts)
        return self._given(parts, False)

    def _begin(self, chain: Chain) -> None:
        form = Form(self._form.rate, self._form.channels, self._index, values=self._form.values)
        self._next, self._from = _Branch(chain, form), self._index + self._rise

    def _run(self, samples: Samples, last: bool, parts: list[Samples]) -> None:
        form = self._form
        block = Block(samples, form.rate, self._index, END if last else 0, form.epoch)
        self._index += len(samples)
        self._now.feed(block)
        if self._next is None:
            self._keep(self._now.take(self._now.end), parts)
            return
        self._next.feed(self._rising(block))
        self._keep(self._now.take(self._from), parts)
        self._next.take(self._from)
        stop = min(self._now.end, self._next.end, self._from + self._fade)
        old, new = self._now.take(stop), self._next.take(stop)
        if old is not None and new is not None:
            passed = np.arange(self._out - self._from, stop - self._from) + 1
            share = (passed / self._fade).astype(np.float32)[:, None]
            self._keep(float32(old * (1 - share) + new * share), parts)
        if stop == self._from + self._fade or last:
            self._now, self._next = self._next, None
            self._keep(self._now.take(self._now.end), parts)

    def _rising(self, block: Block) -> Block:
        """Louder and louder up to where the fade begins."""
        if block.index >= self._from:
            return block
        here = np.arange(block.index, block.end) + 1 - (self._from - self._rise)
        share = np.minimum(here / self._rise, 1.0).astype(np.float32)
        return block.with_samples(block.samples * share[:, None])

    def _keep(self, samples: Samples | None, parts: list[Samples]) -> None:
        if samples is not None:
            parts.append(samples)
            self._out += len(samples)

    def _given(self, parts: list[Samples], last: bool) -> Sequence[Block]:
        form = self._form
        if not (parts or last or self._flags & FLUSH):
            return ()
        samples = np.concatenate(parts) if parts else np.zeros((0, form.channels), np.float32)
        flags = self._flags | (END if last else 0)
        self._flags = 0
        return (Block(samples, form.rate, self._out - len(samples), flags, form.epoch),)


def switch(choice: Choice) -> BlockOperator:
    """Run the chain that `choice` names; when it names another, fade over.

    Both run during the fade, aligned by index, so chains of different latency meet exactly; going
    to a longer one waits for it once. In the first half of the fade the new chain hears the sound
    come up from silence, and is not heard: an echo in it would repeat a hard beginning as a click.
    Chains must keep rate, channels and length.
    Latency: of the longest chain that is known when it is asked for.
    """

    def latency(rate: int) -> Frames:
        chains: list[Sequence[Operator[Any, Any]]] = [choice.chain, *(c for _, c in choice.changes)]
        return max(latency_of(chain, rate) for chain in chains)

    check(choice.fade > 0, "a fade needs some time; Choice(fade=...) is above 0")
    return machine("switch", lambda form: _Switch(choice, form), latency=latency)
