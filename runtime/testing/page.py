"""A page made of Python: it keeps what a browser would show, from the same messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ...flow.units import Seconds
from ..acts import SET
from ..streams.frame import Frame, unpack

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Toast:
    """A message that popped up. level: "info", "success", "warning" or "error".

    `message` is None for an error whose text is not meant for users.
    """

    level: str
    message: str | None
    title: str
    duration: Seconds | None


class Page:
    """Takes a session's messages. `reply` sends one back.

    run_js: answers for listeners' js: (listener, its name, values) -> values.
    """

    def __init__(self, run_js: Callable[[int, str, list[Any]], list[Any]]) -> None:
        self.reply: Callable[[Message], None] | None = None
        self.session: str | None = None
        self.seq = 0
        self.gone = False
        self.app: Message = {}
        self.props = dict[int, Message]()
        self.toasts = list[Toast]()
        self.runs = dict[int, Message]()
        """The newest station of each request that was shown, by request."""
        self.heard = dict[int, list[Frame]]()
        """By node: the frames of the newest stream that this page, which plays at once, heard."""
        self.commands = list[tuple[int, str]]()
        """What the page was asked to do in its user's place: (node, command)."""
        self.overload = dict[int, int]()
        """By node: milliseconds of sound that the page was told the app has left out."""
        self.played_instead: Callable[[], None] | None = None
        """Called in place of telling how much was heard: a replay tells that, as it was."""
        self._epochs = dict[int, int]()
        self._frames = dict[int, int]()
        self._run_js = run_js
        self._js = list[Message]()

    def receive(self, message: Message | bytes) -> None:
        if isinstance(message, bytes):
            self._hear(unpack(message))
            return
        match message["type"]:
            case "open":
                self.session, self.seq, self.app = (
                    message["session"],
                    message["seq"],
                    message["app"],
                )
                self.props = {n["id"]: dict(n["props"]) for n in self.app["nodes"]}
            case "resume":
                self.session = message["session"]
            case "got":
                pass  # nothing of what is said here can be lost on the way
            case "gone":
                self.gone = True
            case "patches":
                self.seq = message["seq"]
                for patch in message["patches"]:
                    self._patch(patch)
                self._send({"type": "ack", "seq": self.seq})
            case other:
                raise AssertionError(f"a page does not know messages of type {other!r}")

    def answer_js(self) -> None:
        """Reply to what was asked while no line was there to reply on."""
        asked, self._js = self._js, []
        for patch in asked:
            self._answer(patch)

    def run_alone(self, said: Message) -> list[Message]:
        """Run what an act starts here, where no server is asked; returns the acts that tell it."""
        node, act = said["node"], said["act"]
        held = self.props.get(node, {})
        moved = act == "clear" or ("value" in said and said["value"] != held.get("value"))
        if act in ("input", "select") and "value" in said:
            held["value"] = said["value"]
        told = list[Message]()
        for each in self.app["listeners"]:
            if not any(
                deed[:2] == [node, act] and (moved or not deed[2]) for deed in each["alone"]
            ):
                continue
            try:
                made = self._run_js(each["id"], each["name"], self._values(each))
            except AssertionError:
                raise  # a lab's, or a test's own
            except Exception as error:  # as in the page: said to its user
                words = {"message": str(error), "title": "Error", "duration": None}
                self._toast("error", words)
                continue
            for id, value in zip(each["outputs"], made, strict=False):
                self.props[id]["value"] = value
                told.append({"type": "act", "node": id, "act": SET, "value": value})
        return told

    def _values(self, listener: Message) -> list[Any]:
        nodes = [*listener["inputs"], *listener["outputs"]]
        return [self.props.get(node, {}).get("value") for node in nodes]

    def _patch(self, patch: Message) -> None:
        match patch["kind"]:
            case "set":
                self.props[patch["node"]].update(patch["props"])
            case "run":
                self.runs[patch["request"]] = patch
                error = patch.get("error")
                if error and error.get("visible", True):
                    self._toast("error", error)
            case "part":
                self._part(patch)
            case "toast":
                self._toast(patch["level"], patch)
            case "stream":
                self._stream(patch)
            case "overload":
                self.overload[patch["node"]] = patch["ms"]
            case "command":
                self.commands.append((patch["node"], patch["command"]))
            case "js":
                if self.reply:
                    self._answer(patch)
                else:
                    self._js.append(patch)
            case other:
                raise AssertionError(f"a page does not know patches of kind {other!r}")

    def _part(self, patch: Message) -> None:
        """Another part below a node: as if the page had opened with it."""
        for node in patch["gone"]:
            self.props.pop(node, None)
        self.props.update({n["id"]: dict(n["props"]) for n in patch["nodes"]})
        for outer in patch["outer"]:
            self.props[outer["id"]]["interactive"] = outer["interactive"]
        stay = [n for n in self.app["nodes"] if n["id"] not in {*patch["gone"], *_ids(patch)}]
        heard = [each for each in self.app["listeners"] if each["id"] not in patch["silent"]]
        self.app["layout"] = deepcopy(self.app["layout"])  # it is every page's until then
        place = _place(self.app["layout"], patch["node"])
        place["children"] = patch["layout"].get("children", [])
        self.app["nodes"] = [*stay, *patch["nodes"]]
        self.app["listeners"] = [*heard, *patch["listeners"]]

    def _stream(self, patch: Message) -> None:
        node, epoch = patch["node"], patch["epoch"]
        if patch["state"] == "start":
            self._epochs[node] = epoch
            self._frames[node] = 0
            self.heard[node] = []
        elif self._epochs.get(node) == epoch:
            self._played(node, flushed=patch["state"] == "flush")

    def _hear(self, frame: Frame) -> None:
        if frame.time == self._epochs.get(frame.node):
            self.heard[frame.node].append(frame)
            self._frames[frame.node] += len(frame.samples)
            self._played(frame.node)

    def _played(self, node: int, flushed: bool = False) -> None:
        if self.played_instead:
            self.played_instead()
            return
        said: Message = {"type": "played", "node": node, "epoch": self._epochs[node]}
        said |= {"frames": self._frames[node], "underruns": 0, "flushed": flushed}
        self._send(said)

    def _toast(self, level: str, said: Mapping[str, Any]) -> None:
        self.toasts.append(Toast(level, said["message"], said["title"], said["duration"]))

    def _answer(self, patch: Message) -> None:
        listener = next(each for each in self.app["listeners"] if each["id"] == patch["listener"])
        values = self._values(listener)
        said: Message = {"type": "js", "request": patch["request"]}
        try:
            said["values"] = self._run_js(patch["listener"], listener["name"], values)
        except Exception as error:  # as in the page: the request fails with the text
            said["error"] = str(error)
        self._send(said)

    def _send(self, message: Message) -> None:
        if self.reply:
            self.reply(message)


def _ids(patch: Message) -> list[int]:
    return [node["id"] for node in patch["nodes"]]


def _place(layout: Message, node: int) -> Message:
    """Where a node stands."""
    todo = [layout]
    while todo:
        here = todo.pop()
        if here["id"] == node:
            return here
        todo += here.get("children", [])
    raise AssertionError(f"a page has no node {node}")
