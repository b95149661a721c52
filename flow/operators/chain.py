"""Several operators as one."""

from __future__ import annotations

from typing import Any

from reactivex import Observable

from ..units import Frames
from .latency import latency_of
from .operator import Operator


class _Chain(Operator[Any, Any]):
    __slots__ = ("_parts",)

    def __init__(self, name: str, operators: tuple[Operator[Any, Any], ...]) -> None:
        follows = [node for each in operators for node in each.follows]
        super().__init__(name, self._run, follows=follows)
        self._parts = tuple(part for each in operators for part in each.parts)

    @property
    def parts(self) -> tuple[Operator[Any, Any], ...]:
        return self._parts

    def latency(self, rate: int) -> Frames:
        return latency_of(self._parts, rate)

    def rate(self, rate: int) -> int:
        for operator in self._parts:
            rate = operator.rate(rate)
        return rate

    def _run(self, source: Observable[Any]) -> Observable[Any]:
        for operator in self._parts:
            source = operator(source)
        return source


def chain(*operators: Operator[Any, Any], name: str = "chain") -> Operator[Any, Any]:
    """These operators in a row, as one: for what is used in several places, or switched to.

    Its latency is the sum of theirs, its rate what comes out of the last.
    """
    return _Chain(name, operators)
