"""What the framework hands to a function beside its inputs: Request, EventData, Progress."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeVar

from .errors import DeclarationError, shown_for
from .notices import Bar, Notice, Report

T = TypeVar("T")

Tell = Callable[[Notice | Report], None]
"""How a running function reaches the people who asked. Safe from any thread."""

telling: contextvars.ContextVar[Tell | None] = contextvars.ContextVar("telling", default=None)
"""Set by the executor around a job's function; copied into its thread."""


class Address(str):
    """An address as text, which is also its own `host`: the peer's apps ask for that."""

    __slots__ = ()

    @property
    def host(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """Who asked: public as `ossicle.Request`. Annotate a parameter with it to receive it.

    session_hash: the session's name, which may be logged or shown: nobody gets into it with that.
    headers, query_params, cookies: of the request that opened the page's socket; without what opens
    the session. All are empty in tests and without a browser.
    client: the address that the request came from, a text that also has it as `client.host`.
    username: None, because nobody logs in here.
    """

    session_hash: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query_params: Mapping[str, str] = field(default_factory=dict[str, str])
    cookies: Mapping[str, str] = field(default_factory=dict[str, str])
    client: str = ""
    username: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", Address(self.client))


class EventData:
    """What happened: annotate a parameter with it. `target` is the component.

    Its other attributes are what the event tells: `index` and `gap`, in frames, of a chunk of live
    sound; `playback_position`, in seconds, of play, pause and stop; `heard` and `unheard`, in
    frames, and `interrupted` of playback_finished. Any other raises AttributeError, which names
    those that there are.
    """

    def __init__(self, target: object, data: Mapping[str, object] | None = None) -> None:
        self.target = target
        self._data = dict(data or {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_data"][name]
        except KeyError:
            known = ", ".join(sorted(self.__dict__.get("_data", {}))) or "none"
            raise AttributeError(f"this event carries no {name!r}; it has: {known}") from None


class SelectData(EventData):
    """What was selected: `index`, `value`, `selected`."""


class KeyUpData(EventData):
    """Which key was let go of: `key`, as browsers call it, and `input_value`, what stands there."""


class Progress:
    """Progress bars. Give a parameter the default `Progress()` to receive one.

    progress(0.3, "mixing") · progress((3, 10)) · for x in progress.tqdm(items, desc="reading").
    With `Progress(track_tqdm=True)` the bars that the function, or what it calls, makes with the
    tqdm package itself are shown too, as often as tqdm redraws them, and nested in the order in
    which they were begun.
    """

    def __init__(self, track_tqdm: bool = False) -> None:
        self.track_tqdm = track_tqdm
        self._bars = dict[int, Bar]()
        """Those that are under way, the outermost first, by the id of whose they are."""
        self._bound: Tell | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it begins anew."""
        return Progress, (self.track_tqdm,)

    def __call__(
        self,
        progress: float | tuple[float, float | None] | None,
        desc: str | None = None,
        total: float | None = None,
        unit: str = "steps",
    ) -> None:
        """Show how far the work is: a fraction of 1, or (done, total), or None for "working".

        Raises DeclarationError for what is no number.
        """
        done, most = progress if isinstance(progress, tuple) else (progress, total)
        if not isinstance(progress, tuple) and (done is None or most is None):
            most = 1.0
        text = None if desc is None else str(desc)
        self._tell((*self._all(), Bar(_count(done), _count(most), str(unit), text)))

    def tqdm(
        self,
        iterable: Iterable[T],
        desc: str | None = None,
        total: float | None = None,
        unit: str = "steps",
    ) -> Iterator[T]:
        """Iterate and show how far it is. Nests: an inner loop shows below its outer one."""
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        owner = object()
        try:
            self.show(owner, Bar(0, total, unit, desc))
            for done, item in enumerate(iterable, 1):
                yield item
                self.show(owner, Bar(done, total, unit, desc))
        finally:
            self.hide(owner)

    def show(self, owner: object, bar: Bar) -> None:
        """Show a bar, or how far it is now. From any thread; so is `hide`."""
        self._bars[id(owner)] = bar
        self._tell(self._all())

    def hide(self, owner: object) -> None:
        """Its work is over; the others stay."""
        self._bars.pop(id(owner), None)

    def _all(self) -> tuple[Bar, ...]:
        # a copy of a dict is one step to other threads, a walk through it is not
        return tuple(self._bars.copy().values())

    def bind(self) -> None:
        """Remember who asked, for threads that have no context of theirs."""
        self._bound = telling.get()

    def _tell(self, bars: tuple[Bar, ...]) -> None:
        tell = telling.get() or self._bound
        if tell:
            tell(Report(bars))


def _count(given: Any) -> float | None:
    """A number of steps as front ends can be told it; numpy's are numbers too."""
    plain = given.item() if hasattr(given, "item") else given
    if plain is None or (isinstance(plain, int | float) and isfinite(plain)):
        return plain
    raise DeclarationError(f"progress: {given!r} must be a number, (done, total), or None.")


def Info(
    message: object = "", duration: float | None = 10, visible: bool = True, title: str = "Info"
) -> None:
    """Show a note to the user who asked. duration in seconds; None stays until closed."""
    if visible:
        _notify("info", message, duration, title)


def Warning(
    message: object = "", duration: float | None = 10, visible: bool = True, title: str = "Warning"
) -> None:
    """Show a warning to the user who asked. duration in seconds; None stays until closed."""
    if visible:
        _notify("warning", message, duration, title)


def Success(
    message: object = "", duration: float | None = 10, visible: bool = True, title: str = "Success"
) -> None:
    """Show good news to the user who asked. duration in seconds; None stays until closed."""
    if visible:
        _notify("success", message, duration, title)


def _notify(level: str, message: object, duration: float | None, title: str) -> None:
    tell, duration = telling.get(), shown_for(title, duration)
    if tell is None:
        print(f"{title}: {message}")  # outside a listener there is nobody else to tell
        return
    tell(Notice(level, str(message), str(title), duration))
