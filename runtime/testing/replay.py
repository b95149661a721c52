"""Replay: what users did in a trace, done again to an app in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from ...flow.audio import Clip
from ...flow.calls import Call
from ...flow.documents import Document, Documents
from ...flow.said import Act, Close, Disconnect, Frames, Open, Reconnect, Said, Withdraw
from ...flow.trace import Trace, TraceError
from ...flow.trace_sounds import Copied, exchanged
from ...flow.units import Seconds
from ..app import Blocks
from .lab import Lab
from .user import User


def replay(app: Blocks, trace: Trace | str | Path, **options: Any) -> Trace:
    """Do again what users did, at the same times, and return the new trace.

    As a test, in one line: `assert replay(demo, "bug.jsonl") == Trace.load("bug.jsonl")`, or
    `replay(demo, path).difference(Trace.load(path))` for where they part. Raises TraceError for an
    app that has other components where the trace has acts.

    Functions that are not async take as long as they took. options: those of `Lab`, which must be
    what they were. A trace of a lab replays exactly, one of a server as exactly as threads can be.
    """
    old = trace if isinstance(trace, Trace) else Trace.load(trace)
    with Lab(app, connect=False, **options) as lab:
        _check(lab, old)
        lab.rig.lasting = _Lasted(old)
        again = _Again(lab, old)
        again.all()
        lab.run_until(max(old.entries[-1].at if len(old) else 0.0, lab.seconds))
        return lab.trace


def _check(lab: Lab, old: Trace) -> None:
    """An app that has other components where the trace has acts was not meant."""
    known, here = old.names["nodes"], lab.trace.names["nodes"]
    for _, _, said in old.said:
        if not isinstance(said, Act | Frames) or said.node >= len(known):
            continue  # those of parts come with them
        there = known[said.node]
        now = here[said.node] if said.node < len(here) else "nothing"
        if there.split()[0] != now.split()[0]:
            raise TraceError(
                f"replay: the trace was made of another app: it has {there} where this one has"
                f" {now}."
            )


class _Again:
    """Says all again, each when as much had happened as had before, not only at its time."""

    def __init__(self, lab: Lab, old: Trace) -> None:
        self._lab, self._left = lab, deque(old.said)
        self._users = dict[str, User]()

    def all(self) -> None:
        loop, trace = self._lab.loop, self._lab.trace
        while self._left:
            first = self._left[0]
            place, at, _ = first
            while len(trace) < place and self._is_next(first) and loop.step(at):
                pass
            if not self._is_next(first):
                continue
            if loop.time() < at:  # before all else that is due then
                loop.call_first(at, self._due, first)
                while self._is_next(first) and loop.step(at):
                    pass
            else:
                self._lab.rig.between(partial(self._due, first))

    def _is_next(self, said: object) -> bool:
        return bool(self._left) and self._left[0] is said

    def _heard(self) -> None:
        """Sound was heard by a page, which may have said so in the midst of what made it."""
        if self._left:
            place, at, said = self._left[0]
            told = isinstance(said, Act) and said.act == "playback_finished"
            if told and at <= self._lab.loop.time() and place <= len(self._lab.trace):
                self._left.popleft()
                _say(self._lab, self._users, said, self._heard)

    def _due(self, first: object) -> None:
        """Say what is due, and what was said right after it with nothing in between."""
        while self._is_next(first):
            _, at, said = self._left.popleft()
            _say(self._lab, self._users, said, self._heard)
            if not self._left or self._left[0][1] > at or self._left[0][0] > len(self._lab.trace):
                return
            first = self._left[0]


def _say(lab: Lab, users: dict[str, User], said: Said, heard: Callable[[], None]) -> None:
    match said:
        case Open(session=name, client=client):
            users[name] = User(lab.rig, client)
            users[name].page.played_instead = heard
            users[name].connect()
        case Act(session=name, value=value):
            token = users[name].token
            own = exchanged(value, partial(_stored, lab.host.media(token)))
            lab.host.program.receive(replace(said, session=token, value=own))
        case Frames() | Withdraw():
            token = users[said.session].token
            lab.host.program.receive(replace(said, session=token))
        case Disconnect(session=name) if users[name].connected:
            users[name].disconnect()
        case Reconnect(session=name) if not users[name].connected:
            users[name].reconnect()
        case Close() | Disconnect() | Reconnect():
            pass  # follows by itself from what was done before


def _stored(media: Documents, brought: Clip | Document) -> object:
    """A file that came with the trace, as this session stores it; a sound is one already."""
    if not isinstance(brought, Copied):
        return brought
    return media.keep(brought.content, name=brought.name, picture=bool(brought.kind))


class _Lasted:
    """How long the calls of a trace took, by request; where it does not tell, by `takes`."""

    def __init__(self, trace: Trace) -> None:
        self._rows: list[list[Seconds]] = [
            each.get("takes", []) for each in trace.names["listeners"]
        ]
        self._times = dict[int, list[Seconds]]()
        for entry in trace.entries:
            kind = entry.facts.get("outcome")
            if kind in ("started", "yielded", "failed"):
                self._times.setdefault(entry.facts["request"], []).append(entry.at)

    def __call__(self, call: Call) -> Iterator[Seconds]:
        id = call.listener.id
        row = self._rows[id] if id < len(self._rows) else []
        for member in call.members:
            times = self._times.get(member.request.id, [])
            if len(times) > 1:
                steps = [b - a for a, b in zip(times, times[1:], strict=False)]
                # a step that was cut off by a cancel took as long as the others
                return chain(steps, row[len(steps) :], repeat((row or steps)[-1]))
        return chain(row, repeat(row[-1])) if row else iter(())
