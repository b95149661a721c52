"""A front end of files: values and sounds in, sounds and words out, as `ossicle render` has it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..components.base import Component
from ..flow.documents import Document
from ..flow.errors import OssicleError
from ..flow.graph import Node
from ..flow.listeners import Listener
from ..flow.plan import Plan
from .host import Connection, Host

FORMATS = {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg"}
"""What an output's suffix means."""

_PIECE = 1 << 20  # bytes read at once

Tell = Callable[[float | None, str], None]
"""Hears how far the work is: 0 to 1, or None where nobody knows, and in words."""


class RenderError(OssicleError):
    """It did not work; the text is for the terminal."""


def is_sound(node: Node) -> bool:
    """Does this component take files that are sounds?"""
    return isinstance(node, Component) and "upload" in node.acts and node.uploads == "sound"


@dataclass
class FileLine:
    """This front end's line to its session."""

    host: Host
    given: set[int] = field(default_factory=set[int])
    """The nodes whose values came from here."""

    @contextmanager
    def open(self) -> Generator[None]:
        """Open a session for as long as the block lasts."""
        connection = self.host.connect(None, 0, self._hear)
        self.connection: Connection = connection
        assert connection.session is not None
        self.token = connection.session
        try:
            yield
        finally:
            connection.close()

    def act(self, node: int, act: str, **more: Any) -> None:
        """Do what a user does. Raises ValueError if the component refuses it."""
        self.connection.receive({"type": "act", "node": node, "act": act, **more})

    async def upload(self, node: Node, path: Path, tell: Tell) -> None:
        """Put a file into a component, as the page does."""
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                writer = self.host.writer(self.token, path.name)
                try:
                    done = 0
                    while piece := await asyncio.to_thread(file.read, _PIECE):
                        await asyncio.to_thread(writer.write, piece)
                        done += len(piece)
                        tell(done / max(size, 1), f"reading {path.name}")
                    with _quiet_decoders():
                        described = await asyncio.to_thread(writer.finish)
                except BaseException:
                    writer.abort()
                    raise
        except OSError as error:
            raise RenderError(f"{path}: {said(error)}") from None
        self.given.add(node.id)
        self.act(node.id, "upload", value={"clip": described["clip"]})

    async def set(self, node: Node, name: str, text: str) -> None:
        """Give a component a value that was written on the command line."""
        if is_sound(node):
            await self.upload(node, Path(text), lambda done, words: None)
            return
        refused: ValueError | None = None
        for value in _readings(node, text):
            try:
                self.act(node.id, "input", value=value)
            except ValueError as error:
                refused = refused or error
            else:
                self.given.add(node.id)
                return
        raise RenderError(f"--set {name}={text}: {refused}")

    async def save(
        self, files: Iterable[tuple[Node, Path]], values: Mapping[int, object], tell: Tell
    ) -> None:
        """Sounds to their files. All must be there before the first is written."""
        found = [(path, cast(Any, values.get(node.id))) for node, path in files]
        for path, clip in found:
            if clip is None:
                raise RenderError(f"there is no sound to write to {path}: the function gave none")
        store = self.host.store.session(self.token)
        for path, clip in found:
            tell(None, f"writing {path.name}")
            made = await asyncio.to_thread(store.stored, clip, FORMATS[path.suffix.lower()])
            await asyncio.to_thread(replace, made, path)

    def words(self, plan: Plan, listener: Listener, values: Mapping[int, object]) -> list[str]:
        """Everything else, one line each."""
        session = self.host.program.sessions[self.token]
        media: Any = session.media
        lines: list[str] = []
        for i in listener.outputs:
            node = session.nodes.get(i) or plan.nodes[i]
            if i in values and isinstance(node, Component) and not is_sound(node):
                if node.server_only:
                    continue
                lines.append(f"{node.label or node.type}: {_worded(node, values[i], media)}")
        return lines

    def _hear(self, message: Mapping[str, Any] | bytes) -> None:
        """What is shown is read from the session at the end; here only js needs an answer."""
        if isinstance(message, bytes):
            return  # a piece of sound that is being made; the file gets all of it at the end
        for patch in cast("list[dict[str, Any]]", message.get("patches", [])):
            if patch["kind"] == "js":
                error = "this listener runs JavaScript in a page, and there is none here"
                reply = {"type": "js", "request": patch["request"], "error": error}
                # Not at once: the host is still in the middle of asking.
                asyncio.get_running_loop().call_soon(self.connection.receive, reply)


def _worded(node: Component, value: Any, media: Any) -> str:
    """A value as a line of text; files by name and size, for their handles end with the run."""
    listed = cast("Sequence[object]", value if isinstance(value, tuple) else (value,))
    files = [each for each in listed if isinstance(each, Document)]
    if files:
        return ", ".join(f"{each.name} ({each.size} bytes)" for each in files)
    shown = node.to_wire(value, media)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


@contextmanager
def _quiet_decoders() -> Generator[None]:
    """Some decoders (mpg123) print what they think of a file on standard error, past Python.

    Here that is one line too many: what is wrong with the file is said by the error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _readings(node: Node, text: str) -> Iterator[object]:
    """What a value on the command line may mean: JSON, or the very text."""
    if node.type != "textbox":
        with suppress(ValueError):
            yield json.loads(text)
    yield text


def replace(made: Path, path: Path) -> None:
    """Write beside the target, then rename: whoever looks sees the old file or the new one."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.absolute().parent, prefix=f".{path.name}.", delete=False
        ) as beside:
            try:
                with made.open("rb") as source:
                    shutil.copyfileobj(source, beside, _PIECE)
                beside.close()
                os.chmod(beside.name, 0o666 & ~_umask())
                os.replace(beside.name, path)
            except BaseException:
                os.unlink(beside.name)
                raise
    except OSError as error:
        raise RenderError(f"{path}: {said(error)}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
