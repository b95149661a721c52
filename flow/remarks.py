"""What of a listener is accepted, as the peer accepts it, and does nothing: said where it stands.

What the peer takes must not stop an app whose import line alone was changed; but it must not look
as if it had been heard, either. An option that is ours alone is refused instead (`refusals`).
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection, Iterator

from .errors import OptionWarning
from .listeners import DEFAULTS, Options


def remark_on(where: str, ports: Collection[str], outputs: bool, options: Options) -> None:
    """Warn of each option that does nothing at events of these names.

    outputs: whether the listener has any.
    """
    for told in _without_effect(ports, outputs, options):
        remark(f"{where}: {told}")


def _without_effect(ports: Collection[str], outputs: bool, o: Options) -> Iterator[str]:
    if o.max_batch_size != DEFAULTS.max_batch_size and not o.batch:
        yield (
            f"max_batch_size={o.max_batch_size} does nothing without batch=True; write that too, or"
            " leave this out."
        )
    if o.stream_every != DEFAULTS.stream_every and "stream" not in ports:
        yield (
            f"stream_every={o.stream_every!r} does nothing here: only a live `stream` comes in"
            " chunks; leave it out, or use every=... for what shall run again and again."
        )
    if o.time_limit is not None and "stream" not in ports:
        yield (
            f"time_limit={o.time_limit!r} does nothing here: it ends the recording of a live"
            " `stream`; to bound the function itself, use asyncio.timeout in it, or let a listener"
            " with cancels=... end it."
        )
    if o.queue is False:
        vain: dict[str, object] = {"concurrency_id": o.concurrency_id}
        if o.concurrency_limit != "default":
            vain["concurrency_limit"] = o.concurrency_limit
        for name, value in vain.items():
            if value is not None:
                yield (
                    f"{name}={value!r} does nothing with queue=False, which skips the limit; leave"
                    " one of them out."
                )
    if o.scroll_to_output and not outputs:
        yield "scroll_to_output=True does nothing without outputs; name one, or leave it out."


def remark(text: str) -> None:
    """Warn with the line of the app that wrote it, not with one of ours."""
    depth, frame = 1, inspect.currentframe()
    while frame and _package(str(frame.f_globals.get("__name__"))) == _package(__name__):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, OptionWarning, stacklevel=depth)


def _package(module: str) -> str:
    return module.partition(".")[0]
