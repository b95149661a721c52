"""What cannot work of a listener as it was written, beyond each option by itself (rule T6)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence

from .errors import DeclarationError
from .listeners import DEFAULTS, Options, name_of


def check_triggers(
    where: str, ports: Collection[str], direct: Collection[str], options: Options
) -> None:
    """Options that ask for other events than these. Raises DeclarationError.

    direct: those of `ports` that come without operators between.
    """
    if (
        options.stream_every != DEFAULTS.stream_every
        and "stream" in ports
        and "stream" not in direct
    ):
        raise DeclarationError(
            f"{where}: stream_every={options.stream_every!r} cuts a `stream` itself, and this one"
            " comes as its operators give it; end them with ossicle.sound.frame(...)."
        )
    if options.on_overload and "stream" not in ports:
        raise DeclarationError(
            f"{where}: on_overload={options.on_overload!r} is for a live `stream`; requests of"
            " other events wait in line, as queue(max_size=...) and trigger_mode say."
        )
    if options.every is not None and "stream" in ports:
        raise DeclarationError(
            f"{where}: every={options.every!r} and a live `stream` are two clocks for one function;"
            " say how long chunks are with stream_every."
        )
    if options.every is not None and "unload" in ports:
        raise DeclarationError(
            f"{where}: every={options.every!r} runs while a session lasts, and `unload` is its end;"
            " hang it on load."
        )


def check_empty(where: str, outputs: Sequence[str], options: Options) -> None:
    """What a listener without a function cannot do. Raises DeclarationError."""
    for name in ("batch", "interrupt"):
        if getattr(options, name):
            raise DeclarationError(f"{where}: {name}=True needs a function, and fn is None.")
    if outputs and options.js is None:
        raise DeclarationError(
            f"{where}: fn is None, so nothing is ever written to {', '.join(outputs)}; give the"
            " function itself (`fn`, not the call `fn()`), or js."
        )


def check_interrupt(where: str, fn: Callable[..., object], options: Options) -> None:
    """Only what awaits or runs in a process can be stopped (rule C3). Raises DeclarationError."""
    if options.interrupt and not (_awaits(fn) or getattr(fn, "killable", False)):
        raise DeclarationError(
            f"{where}: interrupt=True cannot stop {name_of(fn)}(), because it runs in a thread;"
            " make it async, or mark it with in_process."
        )


def _awaits(fn: Callable[..., object]) -> bool:
    """Whether it is async; an instance is what its __call__ is, a partial what its function is."""
    plain = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004
    inner: object = getattr(fn, "func", plain)
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in (fn, plain, inner)
    )
