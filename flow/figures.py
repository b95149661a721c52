"""What a chain of operators does and costs while sound runs through it.

Counts are exact. Costs are of one block in `EVERY`: for it, and only for it, a probe stands behind
each operator, so that the others cost nothing. A probe knows how long all that is behind it took;
an operator's own part is the difference of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .units import Frames, Seconds

EVERY = 64
"""Blocks, of which one is measured; at 20 ms each that is once in 1.28 s."""
FIRST = 8
"""The first block that is measured: those before it also pay for what is made but once."""

Cost = Callable[[], Seconds]
"""Seconds that the processor has worked for this thread; whoever runs the program lends it."""


class Stage(Protocol):
    """The moving part of an operator: what comes out goes to `observer`."""

    observer: Any


@dataclass(slots=True)
class Load:
    """Of one operator, or of all of a chain."""

    busy: Seconds = 0.0
    """Spent on the blocks that were measured."""
    sound: Seconds = 0.0
    """What these lasted."""
    longest: Seconds = 0.0

    @property
    def share(self) -> float:
        """Of real time; 0 where nothing was measured."""
        return self.busy / self.sound if self.sound else 0.0

    def spent(self, seconds: Seconds, duration: Seconds) -> None:
        self.busy += seconds
        self.sound += duration
        if seconds > self.longest:
            self.longest = seconds


class OperatorFigures:
    """One operator in one chain of one session."""

    __slots__ = ("name", "load", "stage", "_operator", "_late", "_stretches")

    def __init__(self, operator: object) -> None:
        self.name = name_of(operator)
        self.load = Load()
        self.stage: Any = None
        self._operator: Any = operator
        self._late = self._stretches = 0  # of the stages before this one

    def begins(self, stage: object) -> None:
        """Its moving part, made anew after a fault; what the one before counted is kept."""
        self._late, self._stretches = self.late, self._begun
        self.stage = stage

    def latency(self, rate: int) -> Frames:
        """Frames that it says it holds back, at the rate that comes in."""
        return self._operator.latency(rate) if hasattr(self._operator, "latency") else 0

    def rate(self, rate: int) -> int:
        """What goes out when `rate` comes in, as far as it says."""
        return self._operator.rate(rate) if hasattr(self._operator, "rate") else rate

    @property
    def held(self) -> Frames:
        """Frames that it holds back now, at the rate that comes in; 0 where that is not known."""
        return getattr(self.stage, "held", 0)

    @property
    def late(self) -> Frames:
        """Frames that came too late to be mixed, merged or faded with others, and were left out."""
        return self._late + getattr(self.stage, "late", 0)

    @property
    def discontinuities(self) -> int:
        """How often it began anew."""
        return max(0, self._begun - 1)

    @property
    def _begun(self) -> int:
        return self._stretches + getattr(self.stage, "stretches", 0)


class Chain:
    """What is known of one chain in one session."""

    __slots__ = (
        "where", "source", "target", "blocks", "out", "empty", "faults", "resting", "dropped",
        "seamless", "load", "operators",
    )  # fmt: skip

    def __init__(
        self, where: str, source: int, target: int | None, operators: Sequence[object]
    ) -> None:
        self.where = where
        self.source = source
        """Of which node's recording it is fed."""
        self.target = target
        """Where it is heard; None where it calls a listener."""
        self.blocks = 0
        """That came in; several that were put together count as one."""
        self.out = 0
        """What came out: blocks, readings."""
        self.empty = 0
        """Blocks that came out without a frame and without a flag."""
        self.faults = 0
        """Blocks that were left out: an error, or no sound that can be heard."""
        self.resting = False
        """It did nothing but fail, and is tried again with the next recording."""
        self.dropped = 0
        """Frames that its operators did not get, because the app was behind."""
        self.seamless = target is not None and all(
            getattr(each, "seamless", False) for each in operators
        )
        """What is heard at its end is the same however its sound is cut into blocks."""
        self.load = Load()
        self.operators = [OperatorFigures(each) for each in operators]

    @property
    def late(self) -> Frames:
        """Frames that came too late to meet others in it."""
        return sum(each.late for each in self.operators)

    def recording_begins(self) -> None:
        """Its source starts anew."""
        raise NotImplementedError

    def recording_ended(self) -> None:
        """Its source has stopped."""
        raise NotImplementedError


class Probe:
    """Stands behind one operator for one block, and takes the time of all that follows it."""

    __slots__ = ("observer", "spent", "_cost")

    def __init__(self, observer: Any, cost: Cost) -> None:
        self.observer, self._cost = observer, cost
        self.spent: Seconds = 0.0

    def on_next(self, value: object) -> None:
        begin = self._cost()
        try:
            self.observer.on_next(value)
        finally:
            self.spent += self._cost() - begin

    def on_error(self, error: Exception) -> None:
        self.observer.on_error(error)

    def on_completed(self) -> None:
        self.observer.on_completed()


class Passage:
    """A stage that only hands on: behind what has no moving part that could be seen.

    look: sees what comes first, and gives what goes on; what it raises ends the stream.
    """

    __slots__ = ("observer", "_look")

    def __init__(self, observer: Any, look: Callable[[object], object] | None = None) -> None:
        self.observer, self._look = observer, look

    def on_next(self, value: object) -> None:
        if self._look:
            try:
                value = self._look(value)
            except Exception as error:
                self.observer.on_error(error)
                return
        self.observer.on_next(value)

    def on_error(self, error: Exception) -> None:
        self.observer.on_error(error)

    def on_completed(self) -> None:
        self.observer.on_completed()


def measured(
    first: Callable[[Any], object],
    block: Any,
    operators: Sequence[OperatorFigures],
    whole: Load,
    cost: Cost,
) -> None:
    """Let one block through a chain, with a probe behind each operator."""
    stages: list[Stage] = [each.stage for each in operators]
    probes = [Probe(stage.observer, cost) for stage in stages]
    for stage, probe in zip(stages, probes, strict=True):
        stage.observer = probe
    begin = cost()
    try:
        first(block)
    finally:
        spent = [cost() - begin, *(probe.spent for probe in probes)]
        for stage, probe in zip(stages, probes, strict=True):
            stage.observer = probe.observer
        duration = getattr(block, "duration", 0.0)
        whole.spent(spent[0], duration)
        for each, here, behind in zip(operators, spent, spent[1:], strict=False):
            each.load.spent(max(0.0, here - behind), duration)


def name_of(operator: object) -> str:
    """What people call an operator: its own name, or of Rx and what it was given: "map(louder)"."""
    name = getattr(operator, "name", None)
    if isinstance(name, str):
        return name
    code, cells = getattr(operator, "__code__", None), getattr(operator, "__closure__", None)
    if code is not None and cells and "fun" in code.co_freevars:  # as reactivex makes its operators
        held = {n: c.cell_contents for n, c in zip(code.co_freevars, cells, strict=True)}
        given = getattr(next(iter(held.get("args", ())), None), "__name__", "")
        return f"{getattr(held['fun'], '__name__', 'operator').rstrip('_')}({given})"
    return str(getattr(operator, "__name__", type(operator).__name__))
