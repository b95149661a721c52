"""What every component has: a value, properties, acts, and how they look from outside."""

from __future__ import annotations

import copy
import inspect
import json
import re
import reprlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from ..flow.dialect import Foreign, constructor_arguments, understood
from ..flow.errors import DeclarationError, InputError
from ..flow.graph import Graph, Node, building, nodes_of
from ..flow.listeners import options
from ..flow.remarks import remark
from ..flow.results import UNSET
from ..flow.sources import Dependency, Port, Source, event, listen
from .dialect import COMPONENT, EVENTS, PLACED

if TYPE_CHECKING:
    from ..flow.audio import Media

Json = None | bool | int | float | str | list[Any] | dict[str, Any]
Visible = bool | Literal["hidden"]


@dataclass(frozen=True, slots=True)
class Received:
    """What an act from a front end means: the new stored value, and what the event carries.

    `echo` shows the value to the front end that sent the act, because it differs from what it sent.
    """

    value: object = UNSET
    data: Mapping[str, object] | None = None
    echo: bool = False
    component: Component | None = None
    """The component with other properties, which this session has from now on."""


class Placed(Node):
    """A node with a look: it stands somewhere on the page and has properties.

    scale: width beside others in a Row. min_width: pixels before it wraps. visible: False leaves it
    out, "hidden" only hides it. elem_id, elem_classes: for style sheets. key: its identity when a
    part of the page is made again.
    What the peer's apps may pass beyond this is in `dialect`.
    Raises DeclarationError for what cannot be meant.
    """

    shown: ClassVar[tuple[str, ...]] = (
        "scale",
        "min_width",
        "visible",
        "elem_id",
        "elem_classes",
    )
    """The attributes that front ends get as properties. A subclass names only its own more."""

    foreign: ClassVar[Mapping[str, Foreign]] = PLACED
    """Arguments that are not ours, and what becomes of them."""

    _call: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        made._call = (args, kwargs)  # kept for `given`: what was written, not what was defaulted
        return made

    def __init__(
        self,
        *,
        scale: int | None = None,
        min_width: int | None = 160,
        visible: Visible = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        min_width = 160 if min_width is None else min_width
        if kwargs:
            understood(self.where, kwargs, self.foreign, sorted(constructor_arguments(type(self))))
        if scale is not None and scale < 0:
            raise DeclarationError(f"{self.where}: scale={scale!r} must be 0 or more.")
        if min_width < 0:
            raise DeclarationError(f"{self.where}: min_width={min_width!r} must be 0 or more.")
        if visible not in (True, False, "hidden"):
            raise DeclarationError(
                f'{self.where}: visible={visible!r} is unknown; choose True, False or "hidden".'
            )
        self.scale = scale
        self.min_width = min_width
        self.visible = visible
        self.elem_id = elem_id
        self.elem_classes = [elem_classes] if isinstance(elem_classes, str) else elem_classes or []
        self.key = key
        if render and building.get() is not None:
            self.place()

    if not TYPE_CHECKING:  # to type checkers nothing is added, so that they find misspelt names

        def __getattr__(self, name):
            if instead := EVENTS.get(type(self).type, {}).get(name):
                raise AttributeError(f"{self.where}: there is no event {name!r} here: {instead}")
            # What is asked for while it is being made or copied may be what `where` itself reads.
            made = "scale" in self.__dict__ and name != "label"
            kind = self.where if made else type(self).__name__
            events = f"; its events are {', '.join(self.ports)}" if self.ports else ""
            raise AttributeError(f"{kind} has no attribute {name!r}{events}.")

    def render(self) -> Self:
        """Stand here, in the container that is open now."""
        return self.place()

    def given(self) -> Mapping[str, object]:
        args, kwargs = self._call
        bound = inspect.signature(type(self).__init__).bind_partial(self, *args, **kwargs)
        given = dict(bound.arguments)
        given.pop("self", None)
        return {**given.pop("kwargs", {}), **given}

    def default(self, **props: Any) -> None:
        """Set attributes whose arguments were left out; Interface names its outputs so."""
        for name, value in props.items():
            if self.given().get(name) is None:
                self.set(name, value)

    def set(self, name: str, value: object) -> None:
        """Set an attribute as if it had been written as an argument."""
        setattr(self, name, value)
        self._call = (self._call[0], {**self._call[1], name: value})

    def with_props(self, props: Mapping[str, object]) -> Self:
        known = constructor_arguments(type(self))
        for name in props:
            if name not in known and name not in self.foreign:
                raise ValueError(f"{self.where}: {name!r} is not one of its properties.")
        token = building.set(None)  # a changed copy stands where the original does
        try:
            arguments: dict[str, Any] = {**self.given(), **props}
            copy = type(self)(**arguments)
        finally:
            building.reset(token)
        copy.id, copy.graph = self.id, self.graph
        for name, value in copy.props().items():
            if name in props and not _sayable(value):
                told = reprlib.repr(value)
                raise ValueError(f"{self.where}: {name}={told} is nothing that a page can be told.")
        return copy

    def props(self) -> dict[str, Json]:
        """Properties for front ends, without the value."""
        return {name: getattr(self, name) for name in _shown(type(self))}


def _sayable(value: object) -> bool:
    """Whether it is JSON, which has no objects of ours and no infinite numbers."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


@cache
def _shown(cls: type[Placed]) -> tuple[str, ...]:
    """The names in `shown` of a class and of all that it extends."""
    return tuple(dict.fromkeys(n for c in cls.__mro__ for n in getattr(c, "shown", ())))


class Component(Placed):
    """A placed value. Subclasses say how it looks to functions and to front ends.

    value: the first value; a callable is called whenever a page loads, and every `every` seconds
        (or at each tick of a Timer), and when one of `inputs` changes (its listener is
        `load_event`).
    label: above the component. show_label: whether it shows. container: a frame around it.
    interactive: whether users may change it; None is inferred from where the component is used.
    rtl: written from right to left.
    render: False leaves placing it for later (`.render()`).
    """

    foreign = COMPONENT
    holds_value = True
    shown = ("label", "show_label", "container", "interactive", "info", "rtl")
    acts = {"input": ("input",), "clear": ("clear", "input")}
    passive: ClassVar[frozenset[str]] = frozenset({"change", "stream", "tick", "load"})
    """Ports that no act of a user fires by itself."""
    cleared: object = None
    """The value after the user's clear."""
    uploads: ClassVar[Literal["sound", "picture", "file"]] = "sound"
    """What a file must be to be uploaded into it, if it has that act."""

    change = event("The value's content moved, whatever the cause.")

    _before: Mapping[str, object] | None = None
    """Of a copy that a function sees: the properties it came with."""

    def __init__(
        self,
        value: object = None,
        *,
        label: str | None = None,
        info: str | None = None,
        every: float | Component | None = None,
        inputs: Component | Iterable[Component] | None = None,
        show_label: bool | None = None,
        container: bool = True,
        rtl: bool = False,
        scale: int | None = None,
        min_width: int | None = 160,
        interactive: bool | None = None,
        visible: Visible = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        self.label = label
        self.info = info
        self.rtl = rtl
        self.show_label = True if show_label is None else show_label
        self.container = container
        self.interactive = interactive
        self.source: Callable[[], object] | None = value if callable(value) else None
        self.value = None if callable(value) else value
        self.stored: object = UNSET
        self.every = every
        self.inputs = nodes_of(f"{self.where} value", "inputs", inputs)
        self.load_event: Dependency | None = None
        super().__init__(
            scale=scale,
            min_width=min_width,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            render=render,
            key=key,
            **kwargs,
        )

    def placed(self, graph: Graph) -> None:
        """A callable value is a listener on load (rule M1)."""
        where = f"{self.where} value"
        if self.source is None:
            for name, asked in (("every", self.every), ("inputs", self.inputs or None)):
                if asked is not None:
                    remark(
                        f"{where}: {name}={asked!r} does nothing here: it says when a function is"
                        f" called, and {self.value!r} is none; give one, or leave {name} out."
                    )
            return
        triggers: list[Source] = [Port(graph.root, "load")]
        triggers += [Port(node, "change") for node in self.inputs]
        given: dict[str, object] = {
            "trigger_mode": "always_last",
            "show_progress": "hidden",
            "api_name": False,
        }
        every = self.every
        if isinstance(every, Component):
            triggers.append(_tick(where, every))
        else:
            given["every"] = every
        made = options(where, given)
        token = building.set(graph)
        try:
            inputs = list(self.inputs)
            standing = listen(tuple(triggers), self.source, inputs, [self], None, made, where)
        finally:
            building.reset(token)
        assert isinstance(standing, Dependency)
        self.load_event = standing

    # -- what functions see --------------------------------------------------------------------

    def seen(self, value: object) -> object:
        """A copy with the session's properties, for a parameter annotated with the class.

        `value` is what the function would else have got. What it changes of the copy and returns
        changes the component.
        """
        made = copy.copy(self)
        made.value, made.graph, made.source, made.load_event = value, None, None, None
        made._before = {name: getattr(made, name) for name in ("value", *_shown(type(self)))}
        return made

    def given(self) -> Mapping[str, object]:
        if self._before is None:
            return super().given()
        return {n: now for n, was in self._before.items() if (now := getattr(self, n)) is not was}

    @classmethod
    def known_acts(cls) -> set[str]:
        """What a page may send: its own acts, and its ports that users fire by themselves."""
        own = {act for act in cls.acts if act not in Component.acts or act in cls.ports}
        return own | {port for port in cls.ports if port not in cls.passive}

    # -- values --------------------------------------------------------------------------------

    @property
    def wants_media(self) -> bool:
        """Whether `prepare` needs the shell's store, which loads the codecs."""
        return self.heavy and self.value is not None

    async def begin(self, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """Do what was promised for the start of the app; `run` runs a function in a thread."""

    def prepare(self, media: Media) -> None:
        """Turn the first value into its stored form, once, when the app starts."""
        if self.value is None:
            self.stored = self.cleared
        else:
            self.stored = self.postprocess(self.value, media)

    def initial(self) -> object:
        if self.stored is not UNSET:
            return self.stored
        return self.cleared if self.value is None else self.value

    def to_wire(self, value: Any, media: Media) -> Json:
        """The stored value as JSON for a front end."""
        return value

    def from_wire(self, payload: Any, media: Media) -> object:
        """A front end's JSON as a stored value. Raises InputError for what cannot be one."""
        return payload

    def check_upload(self, value: object) -> None:
        """Raise InputError for an upload that it cannot take, before any page owns it."""

    def receive(
        self, act: str, payload: Json, data: Mapping[str, object] | None, now: Any, media: Media
    ) -> Received:
        """What a user's act means; `now` is the stored value that it found.

        Raises InputError for an act that this component does not have, or a value it cannot take.
        """
        if act == "clear" and "clear" in self.ports:
            return Received(self.cleared, data)
        moves = act == "input" or (payload is not None and "input" in self.acts.get(act, ()))
        if moves and "input" in self.ports:
            value = self.from_wire(payload, media)
            return Received(value, data, echo=self.to_wire(value, media) != payload)
        known = sorted(self.known_acts())
        if act in known:
            return Received(data=data)
        acts = ", ".join(known) or "none"
        raise InputError(f"{self.where}: {act!r} is no act of it; it has {acts}.")


def _tick(where: str, node: Component) -> Port:
    if "tick" not in node.ports:
        raise DeclarationError(f"{where}: every={node!r}: give seconds, or a Timer.")
    return Port(node, "tick")


def number(where: str, name: str, value: object) -> float | int:
    """A finite JSON number. Raises InputError naming `where` and what came."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {name} must be a number, not {value!r}.")
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f"{where}: {name} must be a finite number, not {value!r}.")
    return value


def known_buttons(
    where: str, given: Sequence[str] | None, names: tuple[str, ...], single: Mapping[str, bool]
) -> list[str]:
    """The small buttons that are wanted: `buttons`, else the single arguments that came before it.

    Raises DeclarationError for one that is not among `names`.
    """
    if given is None:
        return [name for name in names if single.get(name)]
    for each in given:
        if each not in names:
            raise DeclarationError(
                f"{where}: buttons has {each!r}; choose from {', '.join(names)}."
            )
    return list(given)


def byte_size(where: str, given: object, name: str = "max_file_size") -> int | None:
    """What `max_file_size` says, in bytes: "1 MB" is 1024 kB, and 1 kB 1024 bytes.

    Raises DeclarationError naming `where` and the argument.
    """
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    if isinstance(given, str) and (match := _SIZE.fullmatch(given)):
        try:
            size = float(match[1]) * 1024.0 ** ("", "k", "m", "g", "t").index(match[2].lower())
        except ValueError:
            size = 0.0
        if size >= 1:
            return int(size)
    raise DeclarationError(f'{where}: {name}={given!r} must be bytes above 0, or text like "5 MB".')


_SIZE = re.compile(r"\s*([\d.]+)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
