"""Channels as streams of their own."""

from __future__ import annotations

import reactivex.operators as rx
from reactivex import Observable
from reactivex.observable.connectableobservable import ConnectableObservable

from ..blocks import Block, BlockError, Samples
from .operator import BlockOperator, Form, Kernel, check, sound


class _Channel(Kernel):
    def __init__(self, number: int, form: Form) -> None:
        if number >= form.channels:
            raise BlockError(f"channel {number} was asked for, and {form.channels} came")
        self._number = number

    def process(self, samples: Samples) -> Samples:
        return samples[:, self._number : self._number + 1]


def channel(number: int) -> BlockOperator:
    """One channel, counted from 0, as mono. Latency 0. Raises BlockError where there is none."""
    check(number >= 0, f"channel {number} does not exist; channels count from 0")
    return sound("channel", lambda form: _Channel(number, form))


def split(source: Observable[Block], channels: int) -> tuple[Observable[Block], ...]:
    """Each channel as a mono stream; the source is subscribed to once, when all of them are."""
    shared: ConnectableObservable[Block] = source.pipe(rx.publish())  # pyright: ignore[reportAssignmentType]
    once = shared.auto_connect(channels)
    return tuple(once.pipe(channel(number)) for number in range(channels))
