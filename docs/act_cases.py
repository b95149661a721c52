"""Each component, and each thing that can happen to it: a row here for whatever is added there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import ossicle as oc
from ossicle.components.base import Component
from ossicle.testing import Lab

RATE = 8000


@dataclass
class Bench:
    """An app around one component: a function that writes it, a sample for it, what empties it."""

    node: Any
    value: Any
    returns: Any = None

    def __post_init__(self) -> None:
        with oc.Blocks() as self.app:
            self.node = self.node()
            self.button = oc.Button()
            ports = self.node.ports if self.node else {"load": "", "unload": ""}
            for port in ports:
                if port == "stream" and not self.node.streaming:
                    continue  # to listen would make it streaming
                heard = getattr(self.node or self.app, port)
                heard(lambda: None, trigger_mode="multiple", queue=False)
            if any(isinstance(self.node, kind) for kind in (Component, oc.Tabs)):
                self.button.click(lambda: self.returns, None, self.node)
            if isinstance(self.node, Component):
                self.empty = oc.ClearButton(self.node)
                if "input" in ports:  # what only functions write, users cannot
                    self.node.default(interactive=True)
            if "input" in ports and self.value is not None:
                self.sample = oc.Examples([[self.value]], [self.node])
        self.node = self.node or self.app.root
        self.kind: type[Any] = type(self.node)


Do = Callable[[Lab, Bench], object]


@dataclass(frozen=True)
class Case:
    """What happens to a component; `ready` comes before what is told, as does the opening unless
    that is what is told."""

    component: str
    what: str
    make: Callable[[], Any]
    value: Any = None
    do: Do | None = None
    ready: Do | None = None


def sound(seconds: float = 1.0, level: int = 1) -> tuple[int, Any]:
    return RATE, np.full(round(seconds * RATE), level, np.int16)


def picture(grey: int = 0) -> bytes:
    """The smallest PNG: one pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes([0, grey]))
    start = b"\x89PNG\r\n\x1a\n"
    return start + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


# -- what can happen ---------------------------------------------------------------------------


def act(name: str, **data: Any) -> Do:
    """An act without a value, as the page sends it."""
    return lambda lab, bench: lab.act(bench.node, name, data=data or None)


def enter(value: Any) -> Do:
    return lambda lab, bench: lab.input(bench.node, value)


def upload(value: Any) -> Do:
    return lambda lab, bench: lab.upload(bench.node, value)


def record(seconds: float, level: int = 1) -> Do:
    return lambda lab, bench: lab.record(bench.node, sound(seconds, level))


def record_with_pause(lab: Lab, bench: Bench) -> None:
    lab.clock.at(lab.seconds + 0.5, lambda: lab.act(bench.node, "pause_recording"))
    record(1)(lab, bench)


def speech() -> Iterator[tuple[int, Any]]:
    """Half a second, in two pieces."""
    yield sound(0.25)
    yield sound(0.25, 2)


def speak(lab: Lab, bench: Bench) -> None:
    write(speech())(lab, bench)
    lab.run(3)


def choose(lab: Lab, bench: Bench) -> None:
    lab.select(bench.node, 1)


def trim(start: float, end: float) -> Do:
    return lambda lab, bench: lab.trim(bench.node, start, end)


def write(value: Any) -> Do:
    """A function returns it."""

    def do(lab: Lab, bench: Bench) -> None:
        bench.returns = value
        lab.click(bench.button)

    return do


def fill(lab: Lab, bench: Bench) -> None:
    lab.select(bench.sample, 0)


def empty(lab: Lab, bench: Bench) -> None:
    lab.click(bench.empty)


def play(lab: Lab, bench: Bench) -> None:
    lab.play(bench.node)


def pause(lab: Lab, bench: Bench) -> None:
    lab.pause(bench.node)


def wait(seconds: float) -> Do:
    return lambda lab, bench: lab.run(seconds)


def leave(lab: Lab, bench: Bench) -> None:
    lab.disconnect()
    lab.run(100)


def each(*done: Do) -> Do:
    """One after the other."""

    def do(lab: Lab, bench: Bench) -> None:
        for one in done:
            one(lab, bench)

    return do


# -- to whom -----------------------------------------------------------------------------------


def valued(name: str, make: Callable[..., Any], one: Any, other: Any) -> Iterator[Case]:
    """What can happen to whatever has a value; `one` and `other` are two of its values."""

    def case(what: str, do: Do | None, **options: Any) -> Case:
        return Case(name, what, lambda: make(value=one, **options), other, do)

    yield case("the page opens", None)
    yield Case(
        name, "the page opens, its value is a function", lambda: make(value=lambda: other), other
    )
    yield case("a function returns another value", write(other))
    yield case("a function returns an equal value", write(one))
    yield case("a function returns skip()", write(oc.skip()))
    if not make().server_only:
        yield case("a function returns another label", write(oc.update(label="Other")))
    if "input" in make().ports:
        yield case("the user clicks a sample of Examples", fill)
    cleared = partial(make, value=one)
    yield Case(name, "the user clicks a ClearButton for it", cleared, None, empty, write(other))


def plain(
    name: str, make: Callable[..., Any], other: Any, *, clear: bool = False
) -> Iterator[Case]:
    """What users enter."""
    yield Case(name, "the user enters another value", make, None, enter(other))
    yield Case(name, "the user enters what stands there", make, None, enter(other), enter(other))
    if clear:
        yield Case(name, "the user clears it", make, None, act("clear"), enter(other))
        yield Case(name, "the user clears it while it is empty", make, None, act("clear"))


def audio() -> Iterator[Case]:
    one, other = sound(), sound(level=2)
    for name, options in (
        ("Audio", {}),
        ("Audio, upload only", {"sources": "upload"}),
        ("Audio, microphone only", {"sources": "microphone"}),
        ("Audio, streaming", {"streaming": True}),
        ("Microphone", {}),
        ("Microphone, streaming", {"streaming": True}),
    ):
        cls = oc.Microphone if name.startswith("Microphone") else oc.Audio
        make = partial(cls, **options)

        def case(
            what: str, do: Do, ready: Do | None = None, name: str = name, make: Any = make
        ) -> Case:
            return Case(name, what, make, None, do, ready)

        first = record(1) if "microphone" in make().sources else upload(one)
        if "upload" in make().sources:
            yield case("the user uploads", upload(one))
            yield case("the user uploads the same sound again", upload(one), upload(one))
            yield case("the user uploads another sound", upload(other), upload(one))
        if "microphone" in make().sources and not make().streaming:
            yield case("the user records", record(1))
            yield case("the user records the same again", record(1), record(1))
            yield case("the user records, with a pause", record_with_pause)
        if make().streaming:
            yield case("the user records 1.2 s, in chunks of 0.5 s", record(1.2))
        yield case("the user trims", trim(0, 0.5), first)
        yield case("the user trims nothing away", trim(0, 1), first)
        yield case("the user takes a trim back", act("undo"), each(first, trim(0, 0.5)))
        yield case("the user takes back where nothing was trimmed", act("undo"), first)
        yield case("the user clears it", act("clear"), first)
        yield case("the user clears it while it is empty", act("clear"))
        yield case("the user moves the playhead", act("moved", playback_position=0.5), first)
        yield case("it plays to the end", each(play, wait(2)), first)
        yield case("it plays, the user pauses", each(play, pause, wait(2)), first)
        yield case(
            "it plays, the user pauses and plays on to the end",
            each(play, wait(0.5), pause, play, wait(2)),
            first,
        )
        yield from valued(name, make, one, other)
    for name, cls in (("Audio, streaming", oc.Audio), ("Microphone, streaming", oc.Microphone)):
        what = "a generator yields pieces, and the page plays them"
        yield Case(name, what, partial(cls, streaming=True), None, speak)
    uploaded = partial(oc.Microphone, sources=["microphone", "upload"])
    yield Case("Microphone, uploads too", "the user uploads", uploaded, None, upload(one))
    looping: Callable[[], Any] = lambda: oc.Audio(sound(), loop=True)  # noqa: E731
    yield Case("Audio, loop=True", "it plays round and round", looping, None, each(play, wait(9)))
    yield Case(
        "Audio, loop=True",
        "it plays round and round, and the user pauses",
        looping,
        None,
        pause,
        each(play, wait(9)),
    )


def entered() -> Iterator[Case]:
    """Components that users fill in."""
    choices = ["a", "b", "c"]
    dropdown: dict[str, Any] = {"choices": choices}
    several: dict[str, Any] = {"choices": choices, "multiselect": True}
    for name, make, one, other, clear in (
        ("Textbox", oc.Textbox, "a", "b", True),
        ("TextArea", oc.TextArea, "a", "b", True),
        ("Number", oc.Number, 1, 2, False),
        ("Slider", oc.Slider, 1, 2, False),
        ("Checkbox", oc.Checkbox, False, True, False),
        ("CheckboxGroup", partial(oc.CheckboxGroup, choices), ["a"], ["b"], False),
        ("Radio", partial(oc.Radio, choices), "a", "b", False),
        ("Dropdown", partial(oc.Dropdown, **dropdown), "a", "b", False),
        ("Dropdown, multiselect", partial(oc.Dropdown, **several), ["a"], ["b"], False),
    ):
        yield from plain(name, make, other, clear=clear)
        for port in ("submit", "focus", "blur", "key_up", "release", "copy", "stop"):
            if port in make().ports:
                yield Case(name, ACTS[port], make, None, act(port))
        if "input" in make().acts.get("select", ()):
            yield Case(name, "the user chooses one", make, None, choose)
            again = "chooses the same again" if name in SINGLE else "takes it back"
            yield Case(name, f"the user {again}", make, None, choose, choose)
        elif "select" in make().ports:
            yield Case(name, ACTS["select"], make, None, act("select", index=0, value="a"))
        yield from valued(name, make, one, other)


SINGLE = ("Radio", "Dropdown")
"""Of these one is chosen, and choosing it again does not take it back."""


ACTS = {
    "submit": "the user presses Enter",
    "focus": "the user enters the field",
    "blur": "the user leaves the field",
    "key_up": "the user lets go of a key in it",
    "release": "the user lets go of it",
    "copy": "the user copies it",
    "stop": "the user presses its stop button",
    "select": "the user selects in it",
}


def filed() -> Iterator[Case]:
    """Components whose values are files."""
    one, other = picture(1), picture(2)
    for name, make, a, b in (
        ("Image", oc.Image, one, other),
        ("File", oc.File, b"one", b"other"),
        ("Files", oc.Files, [b"one"], [b"one", b"other"]),
        ("File, multiple", partial(oc.File, file_count="multiple"), [b"one"], [b"one", b"other"]),
    ):
        yield Case(name, "the user uploads", make, None, upload(a))
        yield Case(name, "the user uploads the same again", make, None, upload(a), upload(a))
        yield Case(name, "the user uploads another", make, None, upload(b), upload(a))
        yield Case(name, "the user clears it", make, None, act("clear"), upload(a))
        yield Case(name, "the user clears it while it is empty", make, None, act("clear"))
        yield Case(name, "the user clicks in it", make, None, act("select", index=0), upload(a))
        if "download" in make().ports:
            yield Case(name, "the user saves it", make, None, act("download"), upload(a))
        yield from valued(name, make, a, b)
    for name, make in (("Plot", oc.Plot), ("DownloadButton", partial(oc.DownloadButton, "Save"))):
        yield from valued(name, make, one, other)
    press = partial(oc.DownloadButton, "Save", value=b"one")
    yield Case("DownloadButton", "the user presses it", press, None, act("click"))


def shown() -> Iterator[Case]:
    """Components that users only look at, or press."""
    table = [[1]]
    for name, make, one, other in (
        ("Button", oc.Button, "a", "b"),
        ("Markdown", oc.Markdown, "a", "b"),
        ("HTML", oc.HTML, "a", "b"),
        ("JSON", oc.JSON, {"a": 1}, {"a": 2}),
        ("Label", oc.Label, {"a": 1.0}, {"b": 1.0}),
        ("Dataframe", oc.Dataframe, table, [[2]]),
        ("State", oc.State, 1, 2),
    ):
        if "click" in make().ports:
            yield Case(name, "the user presses it", make, None, act("click"))
        if "select" in make().ports:
            yield Case(name, ACTS["select"], make, None, act("select", index=0), write(one))
        yield from valued(name, make, one, other)
    yield Case("ClearButton", "the user presses it", oc.ClearButton, None, act("click"))
    yield Case("ClearButton", "a function returns another value", oc.ClearButton, None, write("b"))

    def samples() -> Any:
        return oc.Examples([["a"]], [oc.Textbox()])

    yield Case("Examples", "the user clicks a sample", samples, None, act("select", index=0))


def others() -> Iterator[Case]:
    """Timers, and what stands around components."""
    yield Case("Timer", "3.5 s pass; it is one of 1 s", oc.Timer, None, wait(3.5))
    yield Case("Timer", "a function returns 2 s for it", oc.Timer, None, write(2))
    yield Case("Timer", "a function returns active=False, 3 s pass", oc.Timer, None, stopped)
    yield Case("Timer", "it is made with active=False, 3 s pass", idle_timer, None, wait(3))
    yield Case("Timer", "the user is away for 3 s, and 1 s passes", oc.Timer, None, leave_shortly)
    for name, make in (("Accordion", oc.Accordion), ("Sidebar", oc.Sidebar)):
        yield Case(name, "the user opens it", partial(make, open=False), None, act("expand"))
        yield Case(name, "the user closes it", make, None, act("collapse"))
    yield Case("Tab", "the user chooses it", tab, None, act("select", index=0))
    yield Case("Tabs", "the user chooses another tab", tabs, None, act("select", index=1))
    yield Case("Tabs", "a function selects another tab", tabs, None, write(oc.update(selected="b")))
    yield Case(
        "Tabs", "a function selects the tab that shows", tabs, None, write(oc.update(selected="a"))
    )
    yield Case("Blocks", "the page opens", lambda: None)
    yield Case(
        "Blocks",
        "the user has gone for longer than the reconnect window",
        lambda: None,
        None,
        leave,
    )


def leave_shortly(lab: Lab, bench: Bench) -> None:
    lab.disconnect()
    lab.run(3)
    lab.reconnect()
    lab.run(1)


def stopped(lab: Lab, bench: Bench) -> None:
    write(oc.update(active=False))(lab, bench)
    lab.run(3)


def idle_timer() -> Any:
    return oc.Timer(active=False)


def tabs() -> Any:
    with oc.Tabs() as made:
        oc.Tab("One", id="a")
        oc.Tab("Two", id="b")
    return made


def tab() -> Any:
    with oc.Tabs():
        return oc.Tab("One")


def cases() -> list[Case]:
    """All, those of one component together."""
    made = [*audio(), *entered(), *filed(), *shown(), *others()]
    order = list(dict.fromkeys(each.component for each in made))
    return sorted(made, key=lambda each: order.index(each.component))
