"""What a front end says: the messages that go into the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .injected import ClientRequest
from .model import Cause
from .record import record
from .results import UNSET

if TYPE_CHECKING:
    from .blocks import Block
    from .graph import Node


@dataclass(frozen=True, slots=True)
class Open:
    """A session begins. `media` is handed to its components, `client` to functions that ask."""

    session: str
    media: Any = None
    client: ClientRequest = ClientRequest()


@dataclass(frozen=True, slots=True)
class Act:
    """A person (or a stream) did something at a node.

    `value`, in stored form, is the node's new value; `echo` also shows it to the one who acted.
    With the cause "stream" it is a chunk, which is no value of the node (rule E7).
    """

    session: str
    node: int
    act: str
    value: object = UNSET
    data: Mapping[str, object] | None = None
    cause: Cause = Cause.USER
    echo: bool = False
    component: Node | None = None
    """The node as this session has it from now on, where the act changed a property."""


@record
class Frames:
    """More of a live stream of a node: a block (rule E7).

    event: told to taps only: the number of the event that it is to operators; 0 where there are
    none.
    """

    session: str
    node: int
    block: Block
    event: int = 0


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The user no longer wants this request."""

    session: str
    request: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The front end went away; it may come back within the reconnect window (rule C5)."""

    session: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """It came back."""

    session: str


@dataclass(frozen=True, slots=True)
class Close:
    """The session is over, now."""

    session: str


Said = Open | Act | Frames | Withdraw | Disconnect | Reconnect | Close
