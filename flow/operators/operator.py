"""What an operator is, and the one law by which all of them treat the flags of blocks.

The law:
- A stretch is sound without a gap. Each has fresh state: one `Machine`, made when it begins.
- A stretch begins with the first block, with START, DISCONTINUITY, FLUSH, a later epoch, another
  rate or channel count, and where the index jumps without a flag (marked DISCONTINUITY then).
- At DISCONTINUITY and START, what the old stretch still holds comes out first: nothing is lost.
- At FLUSH and a later epoch it is void: it never comes out. FLUSH itself passes at once.
- Blocks of an earlier epoch are void too: they arrive late and are dropped.
- At END, and when the source completes, what is held comes out; the last block has END.
- An exception ends the stream with that exception, and a note that names operator and frame.

A block that leaves an operator carries the index of the sound in it: look-ahead makes sound come
out later, never at another index. So a chain keeps length and place, and streams that took
different ways can be put side by side by index. `latency` counts the frames held back.

All of it is synchronous Rx: no queue, no thread, no clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from reactivex import Observable, abc

from ..blocks import DISCONTINUITY, END, FLUSH, START, Block, Samples, checked, why_not
from ..errors import DeclarationError
from ..follow import Values, lent
from ..graph import Node
from ..units import Frames
from .ours import is_ours

A = TypeVar("A")
B = TypeVar("B")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)

Latency = Callable[[int], Frames]
"""Rate in Hz → frames at that rate: how many more have to come in before a frame goes out."""

_BREAKS = START | DISCONTINUITY | FLUSH


class Operator(Generic[A, B]):
    """A function from one stream to another, with a name and a declared latency.

    Use it in `pipe`: `source.pipe(gain(-6.0), lowpass(800.0))`. It keeps no state of its own, so
    one object may stand in many chains.
    """

    __slots__ = ("name", "follows", "seamless", "_attach", "_latency", "_rate")

    def __init__(
        self,
        name: str,
        attach: Callable[[Observable[A]], Observable[B]],
        latency: Latency | None = None,
        rate: int | None = None,
        follows: Iterable[object] = (),
        seamless: bool = False,
    ) -> None:
        self.name = name
        self.seamless = seamless
        """It gives the same samples however the sound is cut, and shows its blocks to nobody: so a
        server that is behind may give it several as one."""
        self.follows = tuple(each for each in follows if isinstance(each, Node))
        """Components whose values it reads while it runs."""
        self._attach = attach
        self._latency = latency
        self._rate = rate

    def __call__(self, source: Observable[A]) -> Observable[B]:
        return self._attach(source)

    def latency(self, rate: int) -> Frames:
        """Frames held back, at the rate that comes in."""
        return self._latency(rate) if self._latency else 0

    def rate(self, rate: int) -> int:
        """The rate that goes out when `rate` comes in."""
        return rate if self._rate is None else self._rate

    @property
    def parts(self) -> tuple[Operator[Any, Any], ...]:
        """What it is made of, in a row; itself where it is one."""
        return (self,)

    @property
    def trusted(self) -> bool:
        """What comes out need not be looked at: it is the library's, or does so itself."""
        return is_ours(self._attach)

    def __repr__(self) -> str:
        return f"<operator {self.name}>"


BlockOperator = Operator[Block, Block]


# -- the moving parts --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """What a stretch of sound is made of, known when it begins."""

    rate: int
    channels: int
    index: Frames = 0
    """Of its first frame."""
    flags: int = 0
    """START, DISCONTINUITY, FLUSH: to be put on the first block that goes out."""
    epoch: int = 0
    values: Values = field(default_factory=lent)
    """Of components that stand in place of numbers."""


class Machine(Protocol[T_co]):
    """The state of an operator over one stretch."""

    def feed(self, samples: Samples, last: bool) -> Sequence[T_co]:
        """What the next samples bring; `last` for END: then all that is held must come out too."""
        ...

    def finish(self) -> Sequence[T_co]:
        """What is held where the stretch breaks off without END."""
        ...


class Kernel:
    """Sound in, sound out: what most operators are. Frames held back are not in the answer yet."""

    __slots__ = ()

    def process(self, samples: Samples) -> Samples:
        """The next samples (frames, channels), read-only; a new array, or the same unchanged."""
        raise NotImplementedError

    def finish(self) -> Samples | None:
        """What is still held at the end of the stretch."""
        return None


class _Blocks:
    """A kernel as a machine: it labels samples with flags, rate and index."""

    __slots__ = ("kernel", "rate", "index", "flags", "epoch")

    def __init__(self, kernel: Kernel, form: Form, rate: int) -> None:
        self.kernel = kernel
        self.rate = rate
        self.index = form.index if rate == form.rate else round(form.index * rate / form.rate)
        self.flags = form.flags
        self.epoch = form.epoch

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        out = self.kernel.process(samples)
        flags = self.flags
        if last:
            tail = self.kernel.finish()
            if tail is not None and len(tail):
                out = np.concatenate((out, tail)) if len(out) else tail
            flags |= END
        elif not (len(out) or flags & FLUSH):
            return ()
        self.flags = 0
        index = self.index
        self.index = index + len(out)
        return (Block(out, self.rate, index, flags, self.epoch),)

    def finish(self) -> Sequence[Block]:
        tail = self.kernel.finish()
        if tail is None or not len(tail):
            return ()
        return (Block(tail, self.rate, self.index, self.flags, self.epoch),)


class _Foreign(_Blocks):
    """The same for a kernel that is not the library's: what it gives is looked at.

    Here, and not only where the sound comes out: a limiter behind it would make of infinity what
    nobody could tell from sound.
    """

    __slots__ = ()

    def feed(self, samples: Samples, last: bool) -> Sequence[Block]:
        return [checked(block) for block in super().feed(samples, last)]

    def finish(self) -> Sequence[Block]:
        return [checked(block) for block in super().finish()]


def sound(
    name: str,
    make: Callable[[Form], Kernel],
    latency: Latency | None = None,
    rate: int | None = None,
    follows: Iterable[object] = (),
) -> BlockOperator:
    """An operator from a kernel for each stretch; `rate` if it goes out at another one.

    follows: its parameters that may be components; whatever else stands there does not count.
    """

    def begin(form: Form) -> _Blocks:
        kernel = make(form)
        kind = _Blocks if is_ours(kernel) else _Foreign
        return kind(kernel, form, rate or form.rate)

    def run(observer: Heard[Block]) -> _SoundRun:
        return _SoundRun(name, begin, False, observer)

    return Operator(
        name, lambda source: _Through(run, source), latency, rate, follows, is_ours(make)
    )


def machine(
    name: str,
    make: Callable[[Form], Machine[B]],
    *,
    latency: Latency | None = None,
    rate: int | None = None,
    framed: bool = False,
    follows: Iterable[object] = (),
) -> Operator[Block, B]:
    """An operator from a machine for each stretch.

    `framed`: it takes overlapping frames, whose index moves by less (or more) than their length.
    """

    def begin(observer: Heard[B]) -> _Run[B]:
        return _Run(name, make, framed, observer)

    return Operator(name, lambda source: _Through(begin, source), latency, rate, follows)


def step(name: str, begin: Callable[[Heard[B]], Step[B]]) -> Operator[Block, B]:
    """An operator that is more than a state a stretch, as one that mends gaps: it keeps the law
    itself. `begin` makes the moving part of one subscription, which hands on to what it is given.
    """
    return Operator(name, lambda source: _Through(begin, source), seamless=is_ours(begin))


class Heard(Protocol[T_contra]):
    """An Rx observer, or the next machine in a row."""

    def on_next(self, value: T_contra, /) -> None: ...
    def on_error(self, error: Exception, /) -> None: ...
    def on_completed(self) -> None: ...


class _Through(Observable[B]):
    """A stream through one machine. Machines in a row hand blocks to one another directly."""

    def __init__(
        self, begin: Callable[[Heard[B]], Heard[Block]], source: Observable[Block]
    ) -> None:
        super().__init__()
        self._begin, self._source = begin, source

    def _subscribe_core(
        self, observer: abc.ObserverBase[B], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        # Not given to `__init__`: what holds its own method only the garbage collector frees.
        return self.into(observer, scheduler)

    def watched(self, keep: Callable[[Heard[Block]], object]) -> _Through[B]:
        """The same, and each subscription's moving part is handed to `keep`: for its figures."""

        def begin(observer: Heard[B]) -> Heard[Block]:
            run = self._begin(observer)
            keep(run)
            return run

        return _Through(begin, self._source)

    def into(
        self, observer: Heard[B], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        """Let what comes out go to an observer.

        What Rx puts around each observer, to hold what comes after an end and to let go of the
        source, costs as much as the machine's own frame. It stands once, at the end of the row.
        """
        run, source = self._begin(observer), self._source
        if isinstance(source, _Through):
            return source.into(run, scheduler)
        return source.subscribe(run.on_next, run.on_error, run.on_completed, scheduler=scheduler)


class Step(Generic[B]):
    """The moving part of an operator made by `step`: blocks come in, values go to `observer`."""

    __slots__ = ("observer",)

    def __init__(self, observer: Heard[B]) -> None:
        self.observer = observer

    def on_next(self, block: Block) -> None:
        """The next block; what comes of it goes to `observer.on_next`."""
        raise NotImplementedError

    def on_error(self, error: Exception) -> None:
        self.observer.on_error(error)

    def on_completed(self) -> None:
        self.observer.on_completed()


class _Run(Generic[B]):
    """One subscription: keeps the law at the top of this file."""

    __slots__ = (
        "name", "make", "framed", "observer", "machine", "rate", "channels", "next", "epoch",
        "values", "ended", "stretches",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        make: Callable[[Form], Machine[B]],
        framed: bool,
        observer: Heard[B],
    ) -> None:
        self.name = name
        self.make = make
        self.framed = framed
        self.observer = observer
        self.values = lent()
        self.machine: Machine[B] | None = None
        self.rate = self.channels = self.next = self.epoch = self.stretches = 0
        self.ended = False

    @property
    def held(self) -> Frames:
        """Frames, at the rate that comes in, that came and did not go out yet; 0 for readings."""
        machine = self.machine
        if not isinstance(machine, _Blocks) or self.framed:
            return 0
        return max(0, self.next - round(machine.index * self.rate / machine.rate))

    def on_next(self, block: Block) -> None:
        held: Sequence[B] = ()
        try:
            samples = block.samples
            flags = block.flags
            if block.epoch < self.epoch or self.ended:
                return
            if (
                self.machine is None
                or flags & _BREAKS
                or (block.index != self.next and not self.framed)
                or block.epoch != self.epoch
                or block.rate != self.rate
                or samples.shape[1] != self.channels
            ):
                self.machine, held = self._begin(block)
            self.next = block.index + samples.shape[0]
            out = self.machine.feed(samples, bool(flags & END))
        except Exception as failure:
            self._failed(block, failure)
            return
        if flags & END:
            self.machine = None
        for value in held:
            self.observer.on_next(value)
        for value in out:
            self.observer.on_next(value)

    def _begin(self, block: Block) -> tuple[Machine[B], Sequence[B]]:
        """A new stretch, and what the old one held."""
        if wrong := why_not(block):
            raise wrong
        self.stretches += 1
        void = block.flags & FLUSH or block.epoch != self.epoch
        old = self.machine
        flags = block.flags & _BREAKS
        if old is not None and not flags:
            # A jump, another form or a new epoch that nobody marked.
            flags = FLUSH if block.epoch != self.epoch else DISCONTINUITY
        held = old.finish() if old is not None and not void else ()
        self.rate, self.channels, self.epoch = block.rate, block.samples.shape[1], block.epoch
        form = Form(block.rate, self.channels, block.index, flags, block.epoch, self.values)
        return self.make(form), held

    def _failed(self, block: Block, failure: Exception) -> None:
        error = why_not(block) or failure
        error.add_note(f"in operator {self.name!r}, at {block!r}")
        self.on_error(error)

    def on_error(self, error: Exception) -> None:
        self.ended, self.machine = True, None
        self.observer.on_error(error)

    def on_completed(self) -> None:
        if self.ended:
            return
        machine, self.machine = self.machine, None
        if machine is not None:
            try:
                out = machine.feed(np.zeros((0, self.channels), np.float32), True)
            except Exception as error:
                error.add_note(f"in operator {self.name!r}, at its end")
                self.on_error(error)
                return
            for value in out:
                self.observer.on_next(value)
        self.ended = True
        self.observer.on_completed()


class _SoundRun(_Run[Block]):
    """The same for a kernel, with a short way for nearly all blocks: those without a flag that go
    on where the last one ended."""

    __slots__ = ()

    def on_next(self, block: Block) -> None:
        machine = self.machine
        if (
            type(machine) is not _Blocks
            or type(block) is not Block
            or block.flags
            or block.index != self.next
            or block.rate != self.rate
            or block.epoch != self.epoch
            or machine.flags
        ):
            super().on_next(block)
            return
        samples = block.samples
        try:
            if samples.shape[1] != self.channels:
                super().on_next(block)
                return
            out = machine.kernel.process(samples)
            self.next += samples.shape[0]
            count = out.shape[0]
        except Exception as failure:
            self._failed(block, failure)
            return
        if count:
            index = machine.index
            machine.index = index + count
            if out is not samples or index != block.index or machine.rate != block.rate:
                block = Block(out, machine.rate, index, 0, machine.epoch)
            self.observer.on_next(block)


def check(condition: bool, text: str) -> None:
    """Raise DeclarationError with that text unless the condition holds."""
    if not condition:
        raise DeclarationError(text)
