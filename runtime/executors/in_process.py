"""`in_process`: marks a function that is to run in a process of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ClassVar, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class InProcess(Generic[P, R]):
    """A function that listeners call in a process. Called directly, it runs here."""

    killable: ClassVar[bool] = True
    """`interrupt=True` can stop it."""

    def __init__(self, fn: Callable[P, R]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.fn(*args, **kwargs)

    @property
    def address(self) -> tuple[str, str]:
        """Module and qualified name: where another process finds it."""
        return self.fn.__module__, self.fn.__qualname__


def in_process(fn: Callable[P, R]) -> InProcess[P, R]:
    """Let listeners run `fn` in a process of its own: isolated, on another core, and killable.

    What it keeps in its module (a model) is loaded once per process and stays. With
    `interrupt=True` on the listener a cancel kills it at once. Arguments and results are pickled;
    the function must stand at the top of a module. State cannot be changed in place.

        @oc.in_process
        def separate(sound): ...

    Raises ValueError for a function that another process could not find.
    """
    if "<" in fn.__qualname__:
        raise ValueError(
            f"in_process: {fn.__qualname__} stands inside another function, where no other process"
            " can find it; move it to the top of its module."
        )
    return InProcess(fn)
