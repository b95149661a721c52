"""Bars of the user's tqdm, shown to the user who asked: `Progress(track_tqdm=True)`.

tqdm belongs to the app: it is hooked where it is installed, and needed nowhere. Its own bars stay
on the terminal as they are. A bar is followed from where it was made, so that the thread which tqdm
redraws slow bars from, and which has no context, finds its way too.
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from ...flow.injected import Progress
from ...flow.notices import Bar

tracking: contextvars.ContextVar[Progress | None] = contextvars.ContextVar("tracking", default=None)
"""Where bars go that are made here."""

_FOLLOWED = "_ossicle_progress"
_hooking = threading.Lock()


def follow(args: Iterable[object], kwargs: Mapping[str, object]) -> None:
    """Show the bars that are made from here on, in this context, if one of the arguments is a
    Progress that asks for it."""
    for given in (*args, *kwargs.values()):
        if isinstance(given, Progress) and given.track_tqdm:
            given.bind()
            tracking.set(given)
            _hook()
            return


def _hook() -> None:
    """Once for the whole process: look in when any bar is made, redrawn or closed.

    The methods of the class are replaced, and not the class, because others have imported it.
    """
    try:
        tqdm: Any = import_module("tqdm.std").tqdm
    except ImportError:
        return  # then nobody's function has bars
    with _hooking:
        if hasattr(tqdm, _FOLLOWED):
            return
        setattr(tqdm, _FOLLOWED, None)
        tqdm.__init__ = _begun(tqdm.__init__)
        tqdm.refresh = _drawn(tqdm.refresh)
        tqdm.close = _closed(tqdm.close)


Method = Callable[..., Any]


def _begun(init: Method) -> Method:
    @functools.wraps(init)
    def begun(self: Any, *args: Any, **kwargs: Any) -> None:
        if progress := tracking.get():
            setattr(self, _FOLLOWED, progress)
        init(self, *args, **kwargs)

    return begun


def _drawn(refresh: Method) -> Method:
    @functools.wraps(refresh)
    def drawn(self: Any, *args: Any, **kwargs: Any) -> Any:
        if progress := _of(self):
            progress.show(self, _bar(self))
        return refresh(self, *args, **kwargs)

    return drawn


def _closed(close: Method) -> Method:
    @functools.wraps(close)
    def closed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if progress := _of(self):
            progress.show(self, _bar(self))
            progress.hide(self)
        return close(self, *args, **kwargs)

    return closed


def _of(bar: Any) -> Progress | None:
    """Where a bar goes. One that is disabled, by its maker or because it is closed, is not shown;
    one whose making failed has not even the attribute."""
    return None if getattr(bar, "disable", True) else getattr(bar, _FOLLOWED)


def _bar(bar: Any) -> Bar:
    described = str(getattr(bar, "desc", "") or "").removesuffix(
        ": "
    )  # as set_description leaves it
    return Bar(bar.n, bar.total, bar.unit, described or None)
