"""What tests of live streams in virtual time have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import Block
from ossicle.flow.calls import Call
from ossicle.flow.graph import Node
from ossicle.flow.model import Kind, Outcome
from ossicle.flow.patches import Patch
from ossicle.flow.program import Program
from ossicle.flow.said import Act, Frames, Open
from ossicle.flow.session import Session
from ossicle.flow.testing import VirtualClock, inline

RATE = 1000


def ramp(first: int, count: int) -> np.ndarray:
    """int16 samples that tell their own place."""
    return np.arange(first, first + count).astype(np.int16)


def block(first: int, count: int) -> Block:
    return Block.of(RATE, ramp(first, count), first)


Heard = tuple[int, np.ndarray]


def ignore(chunk: Heard) -> None:
    """A listener whose work does not matter here."""


class Stage:
    """One session of an app in virtual time, and what it was shown."""

    def __init__(self, demo: oc.Blocks, takes: float = 0.0) -> None:
        self.takes = takes
        self.clock = VirtualClock()
        self.patches = list[Patch]()
        self.outcomes = list[Outcome]()
        self.program = Program(
            demo.plan(),
            inline(self.clock, self.lasts),
            self.clock,
            self.patches.append,
            on_error=self._fail,
            tap=lambda said: self.outcomes.append(said) if isinstance(said, Outcome) else None,
        )
        self.program.receive(Open("s"))

    def _fail(self, error: Exception) -> None:
        raise error

    def lasts(self, call: Call) -> float:
        """Seconds that a function takes."""
        return self.takes

    @property
    def session(self) -> Session:
        return self.program.sessions["s"]

    def clip(self, node: Node) -> Clip:
        """The sound that is a node's value now."""
        value = self.session.values[node.id]
        assert isinstance(value, Clip)
        return value

    def act(self, node: Any, act: str, **more: Any) -> None:
        self.program.receive(Act("s", node.id, act, **more))

    def frames(self, node: Any, sound: Block) -> None:
        self.program.receive(Frames("s", node.id, sound))

    def kinds(self) -> list[Kind]:
        return [o.kind for o in self.outcomes]
