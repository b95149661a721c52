"""Pushes real sound through an app's graph without a browser: `ossicle render`.

It is a front end like the page: the same host, the same acts, the same uploads; only the patches go
to files and to the terminal. So what comes out is what a user of the page would have heard.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..components.base import Component
from ..flow.calls import Write
from ..flow.errors import Error, OssicleError
from ..flow.graph import Node
from ..flow.listeners import Listener
from ..flow.model import ENDS, Kind, Outcome, Request
from ..flow.notices import Report
from ..flow.plan import Plan
from ..flow.results import UNSET
from .file_line import FORMATS, FileLine, RenderError, Tell, is_sound, replace
from .host import Host

if TYPE_CHECKING:
    from .app import Blocks

BY_VALUE = ("upload", "input", "change", "stop_recording")
"""Ports that fire by themselves when a value is given to their node."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    inputs: Sequence[Path] = ()
    outputs: Sequence[Path] = ()
    settings: Sequence[tuple[str, str]] = ()
    listener: str | None = None


async def render(app: Blocks, asked: Asked, tell: Tell) -> list[str]:
    """Run one listener of the app on files; what it says in words, one line per output.

    Raises RenderError, and OssicleError from the graph, each with a text for the terminal. On an
    error no output file is written or changed.
    """
    plan = app.plan()
    if asked.listener is None and is_live(plan, asked):
        return await asyncio.to_thread(_stream, app, asked)
    listener = choose(plan, asked.listener)
    sounds_in = [plan.nodes[i] for i in listener.inputs if is_sound(plan.nodes[i])]
    sounds_out = [plan.nodes[i] for i in listener.outputs if is_sound(plan.nodes[i])]
    _check_counts(listener, sounds_in, sounds_out, asked)
    settings = [(_find(plan, listener, name), name, text) for name, text in asked.settings]
    run = Run(listener)
    host = Host(plan, show_error=True, reconnect_window=0.0, tap=run.hear)
    try:
        line = FileLine(host)
        with line.open():
            for node, name, text in settings:
                await line.set(node, name, text)
            for node, path in zip(sounds_in, asked.inputs, strict=False):
                await line.upload(node, path, tell)
            await run.fire(plan, line)
            await run.wait(tell)
            run.check()
            await line.save(zip(sounds_out, asked.outputs, strict=True), run.values, tell)
            return line.words(plan, listener, run.values)
    finally:
        await host.close()


def is_live(plan: Plan, asked: Asked) -> bool:
    """Is it asked for what a microphone would hear live? One sound in, one out, none by a click."""
    from .live_file import live_outputs

    if len(asked.inputs) != 1 or len(asked.outputs) != 1 or not live_outputs(plan):
        return False
    clicked = [
        each
        for (_, port), own in plan.at_port.items()
        for each in own
        if port != "stream" and each.fn and any(is_sound(plan.nodes[i]) for i in each.outputs)
    ]
    return not clicked


def _stream(app: Blocks, asked: Asked) -> list[str]:
    """A file through the live graph; the output is replaced only by a whole one."""
    from .live_file import stream_file

    (source,), (sink,) = asked.inputs, asked.outputs
    _check_paths([source], [sink])
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"out{sink.suffix.lower()}"
        values = {name: _plainest(text) for name, text in asked.settings}
        stream_file(app, source, made, values=values)
        replace(made, sink)
    return []


def _plainest(text: str) -> object:
    """A value on the command line: JSON where it is some, else the very text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def choose(plan: Plan, name: str | None) -> Listener:
    """The listener of that name; without one, the only one worth asking for.

    Worth asking for is what has a function and takes or gives a sound.
    """
    able = [each for each in plan.listeners if each.fn and each.options.api_name is not False]
    if name is not None:
        found = [each for each in able if each.name == name]
        if not found:
            raise RenderError(f"there is no listener {name!r}; there are {_names(able)}")
        return found[0]
    sounds = [
        each
        for each in able
        if any(is_sound(plan.nodes[i]) for i in (*each.inputs, *each.outputs))
        and _fired(each, plan)
    ]
    # An Interface has its function and a Clear button: both write sounds, only one takes inputs.
    candidates = [each for each in sounds if each.inputs] or sounds
    functions = {each.fn: each for each in reversed(candidates)}
    if len(functions) == 1:
        return next(iter(functions.values()))
    if not candidates:
        raise RenderError("no listener of this app takes or gives a sound")
    raise RenderError(f"name one with --listener: {_names(candidates)}")


class Run:
    """Hears everything that happens in the program, and knows when the run is over.

    The run is every request of the listener, and what follows from it, however far.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._pending: set[int] = set()
        self._ours: set[int] = set()
        self._moved = asyncio.Event()
        self.values: dict[int, object] = {}
        """What the run wrote, by node: another listener may have written there since."""
        self._last: Outcome | None = None
        self._progress: tuple[float | None, str] = (None, listener.name)

    def hear(self, what: object) -> None:
        """The host's tap."""
        if isinstance(what, Request):
            root = what.listener.id == self._listener.id
            if root or what.event.parent in self._ours:
                self._ours.add(what.id)
                self._pending.add(what.id)
        elif isinstance(what, Outcome) and what.request.id in self._pending:
            self._hear_outcome(what)
            self._moved.set()

    def _hear_outcome(self, outcome: Outcome) -> None:
        if outcome.kind is Kind.YIELDED:
            writes = cast("tuple[object, ...]", outcome.value)
            for write in writes:
                if isinstance(write, Write) and write.value is not UNSET:
                    self.values[write.node] = write.value
        if isinstance(outcome.value, Report) and outcome.value.bars:
            bar = outcome.value.bars[0]
            share = bar.value / bar.total if bar.total and bar.value is not None else None
            self._progress = (share, bar.desc or self._listener.name)
        if outcome.kind in ENDS:
            self._pending.discard(outcome.request.id)
            mine = outcome.request.listener.id == self._listener.id
            # Values are given one by one: a listener on `change` may run before it has them all,
            # and what it drops or fails at then is overtaken by its last run.
            if mine and outcome.kind not in (Kind.DROPPED, Kind.MERGED):
                self._last = outcome

    async def fire(self, plan: Plan, line: FileLine) -> None:
        """Do what a user would do to start it; nothing where giving the values has done it."""
        for node, port in _triggers(self._listener, plan):
            if (node == 0 and port == "load") or (port in BY_VALUE and node in line.given):
                return
        for node, port in _triggers(self._listener, plan):
            if node and port not in BY_VALUE:
                line.act(node, port)
                return
        raise RenderError(
            f"{self._listener.name} cannot be started from here: nothing that it listens to can be"
            " done without a page"
        )

    async def wait(self, tell: Tell) -> None:
        """Until it is over; `tell` hears of each step, and of the passing time."""
        while self._pending:
            self._moved.clear()
            tell(*self._progress)
            with suppress(TimeoutError):  # nothing happened: only the time in the bar moves on
                await asyncio.wait_for(self._moved.wait(), 0.2)

    def check(self) -> None:
        """Raise RenderError unless the last run of the listener succeeded."""
        if self._last is None:
            raise RenderError(f"{self._listener.name} did not run")
        error = self._last.value
        match self._last.kind:
            case Kind.SUCCEEDED:
                return
            case Kind.FAILED | Kind.REJECTED if isinstance(error, Error):
                raise RenderError(f"{self._listener.name}: {error.message}")
            case Kind.FAILED | Kind.REJECTED if isinstance(error, OssicleError):
                raise RenderError(f"{self._listener.name}: {error}")
            case Kind.FAILED | Kind.REJECTED if isinstance(error, BaseException):
                raise RenderError(f"{self._listener.name}: {type(error).__name__}: {error}")
            case kind:
                raise RenderError(f"{self._listener.name} was {kind}")


def _check_counts(
    listener: Listener, sounds_in: Sequence[Node], sounds_out: Sequence[Node], asked: Asked
) -> None:
    """Everything that can be told before the work is told before it."""
    if len(asked.inputs) > len(sounds_in):
        raise RenderError(
            f"{listener.name} takes {_count(len(sounds_in), 'sound')}, but --input names"
            f" {len(asked.inputs)}"
        )
    if len(asked.outputs) != len(sounds_out):
        raise RenderError(
            f"{listener.name} gives {_count(len(sounds_out), 'sound')}, but --output names"
            f" {len(asked.outputs) or 'none'}"
        )
    _check_paths(asked.inputs, asked.outputs)


def _check_paths(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    for path in inputs:
        if path.is_dir():
            raise RenderError(f"{path} is a folder, not a sound file")
        if not path.exists():
            raise RenderError(f"{path} does not exist")
    for path in outputs:
        if path.suffix.lower() not in FORMATS:
            raise RenderError(f"{path}: its name must end with {', '.join(FORMATS)}")
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise RenderError(f"{path} cannot be written: its folder does not exist, or it is one")


def _find(plan: Plan, listener: Listener, name: str) -> Node:
    """The component of a --set: by label, by elem_id, or as the function calls it."""
    names: dict[str, Node] = {}
    parameters = dict(zip(listener.inputs, listener.signature.names, strict=False))
    for node in plan.nodes:
        if not isinstance(node, Component) or node.server_only:
            continue
        for known in (node.elem_id, node.label, parameters.get(node.id)):
            if known:
                names.setdefault(_plain(known), node)
    try:
        return names[_plain(name)]
    except KeyError:
        raise RenderError(
            f"--set {name}: there is no such component; there are {', '.join(sorted(names))}"
        ) from None


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", " ").replace("-", " ")


def _triggers(listener: Listener, plan: Plan) -> list[tuple[int, str]]:
    return [place for place, own in plan.at_port.items() if listener in own]


def _fired(listener: Listener, plan: Plan) -> bool:
    """Can a user start it at all? What only follows others cannot."""
    return bool(_triggers(listener, plan))


def _names(listeners: Sequence[Listener]) -> str:
    return ", ".join(sorted({each.name for each in listeners})) or "none"


def _count(number: int, what: str) -> str:
    return f"no {what}" if number == 0 else f"{number} {what}{'s' * (number > 1)}"
