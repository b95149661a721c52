"""A branch beside the stream: meters, recorders, loggers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable, Subject, abc
from reactivex.disposable import CompositeDisposable

from ..blocks import Block
from .operator import BlockOperator, Operator


def tee(*operators: Operator[Any, Any], into: Callable[[Any], object]) -> BlockOperator:
    """Let sound pass, and give it to `into` too, through `operators` first.

    `tee(level(), into=show)`: the branch runs before the block goes on. What goes wrong in it ends
    the stream with that error. Latency 0, whatever the branch holds.
    """

    def attach(source: Observable[Block]) -> Observable[Block]:
        def subscribe(
            observer: abc.ObserverBase[Block], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            branch = Subject[Any]()
            out: Observable[Any] = branch
            for operator in operators:
                out = operator(out)

            def take(value: object) -> None:
                try:
                    into(value)
                except Exception as error:
                    error.add_note("in operator 'tee', in its `into`")
                    observer.on_error(error)

            epoch = 0

            def on_next(block: Block) -> None:
                nonlocal epoch
                if block.epoch < epoch:
                    return
                epoch = block.epoch
                branch.on_next(block)
                observer.on_next(block)

            def on_error(error: Exception) -> None:
                branch.on_error(error)
                observer.on_error(error)

            def on_completed() -> None:
                branch.on_completed()
                observer.on_completed()

            side = out.subscribe(take, observer.on_error, scheduler=scheduler)
            main = source.subscribe(on_next, on_error, on_completed, scheduler=scheduler)
            return CompositeDisposable(side, main)

        return Observable(subscribe)

    return Operator("tee", attach)
