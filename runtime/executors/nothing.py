"""A listener without a function: it succeeds at once; its cancels and followers are its work."""

from __future__ import annotations

from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ...flow.calls import Call
from ...flow.cancel import CancelToken


def nothing(call: Call, cancel: CancelToken) -> Observable[Any]:
    def subscribe(
        observer: abc.ObserverBase[Any], _: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        observer.on_completed()
        return Disposable()

    return Observable(subscribe)
