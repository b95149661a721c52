"""A listener without a function: it succeeds at once; its cancels and followers are its work."""

from __future__ import annotations

from typing import Any

from reactivex import Observable, abc

from ...flow.calls import Call
from ...flow.cancel import CancelToken
from ...flow.work import Work


def nothing(call: Call, cancel: CancelToken) -> Observable[Any]:
    def begin(observer: abc.ObserverBase[Any]) -> None:
        observer.on_completed()

    return Work(begin)
