"""What the web front end asks of the rest of the program, as protocols.

The server is written against these and nothing wider, so it can be read, tested and replaced
without knowing how sessions or the store of sounds work inside.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ....flow.injected import ClientRequest
from ...streams.metrics import LinkMetrics

Message = dict[str, object]
"""One JSON object of the wire."""


class Stored(Protocol):
    """What a handle leads to. Its methods may block and are called in a thread.

    A format is one by content, never by name: "wav", "png"; "" is opaque bytes.
    """

    @property
    def format(self) -> str:
        """What the app wants to be downloaded."""
        ...

    @property
    def plays(self) -> str:
        """What a browser is sent to play or show."""
        ...

    def file_name(self, format: str) -> str:
        """The name to save it under."""
        ...

    def file(self, format: str) -> Path:
        """It as a file in that format, there as long as its session."""
        ...

    @property
    def frames(self) -> int:
        """The length of a sound; 0 for what is none."""
        ...

    def peaks(self, width: int, start: int, end: int) -> tuple[int, int, bytes] | None:
        """Channels, width, and channel after channel `width` times (min, max, RMS) of int16.

        Of frames start..end, 0 <= start < end <= frames. None for what is no sound.
        """
        ...


class Sketch(Protocol):
    """The outline of a sound that is not whole yet."""

    @property
    def exact(self) -> int:
        """So many frames are looked through; of the others only some were looked at."""
        ...

    @property
    def frames(self) -> int:
        """So many it covers, from the beginning."""
        ...

    @property
    def of(self) -> int:
        """So many there will be, as the file says; never less than `frames`."""
        ...

    @property
    def channels(self) -> int:
        """Channels of the sound."""
        ...

    @property
    def width(self) -> int:
        """Parts of the outline."""
        ...

    @property
    def body(self) -> bytes:
        """Channel after channel `width` times (min, max, RMS) of int16."""
        ...


class Writer(Protocol):
    """A file on its way into the store. Its methods may block and are called in a thread."""

    def expect(self, total: int) -> None:
        """The sender says, before the first byte, how many will come."""
        ...

    def write(self, data: bytes) -> None:
        """The next bytes. Raises ClipError if the session has no room for them."""
        ...

    def sketch(self, width: int) -> Sketch | None:
        """The outline of a sound as far as it was looked through; in any thread, at any time.

        None before anything is known, and for what is no sound.
        """
        ...

    def finish(self) -> Message:
        """All bytes are there: a description with a handle. ClipError if it is not what it must."""
        ...

    def give_up(self) -> None:
        """Nobody wants it: a `finish` that runs in another thread shall end soon."""
        ...

    def abort(self) -> None:
        """Leave nothing behind, also after `finish`, while no page has claimed it."""
        ...


class Connection(Protocol):
    """One tab's line into its session; lives from the socket's opening to its loss."""

    @property
    def session(self) -> str | None:
        """The session's token, or None if the session asked for is over."""
        ...

    @property
    def link(self) -> LinkMetrics:
        """What its socket counts, over all sockets that the session had."""
        ...

    def receive(self, message: Message) -> None:
        """Take one message of the page. Raises ValueError with a text that may be shown."""
        ...

    def receive_sound(self, data: bytes, more: bool = False) -> None:
        """Take one frame of live sound. Raises ValueError with a text that may be shown.

        more: another frame is handed over next, before anything else; this one may wait for it.
        """
        ...

    def close(self) -> None:
        """The socket is lost: the session's grace period begins."""
        ...


class Host(Protocol):
    """The sessions of one app. Everything here runs on the event loop's thread."""

    def connect(
        self,
        token: str | None,
        seq: int,
        send: Callable[[Message | bytes], None],
        client: ClientRequest,
        /,
    ) -> Connection:
        """Open a session or take one up again after `seq`; what is due is sent at once.

        Raises OssicleError, with a text that may be shown, if it takes no more.
        """
        ...

    def knows(self, token: str, /) -> bool:
        """Is this the token of a living session?"""
        ...

    def takes_files(self, token: str, node: int, /) -> bool:
        """Is there such a component, and may a user put a file into it?"""
        ...

    def writer(self, token: str, name: str, node: int, /) -> Writer:
        """Begin an upload of what that node takes. Raises KeyError for no living session."""
        ...

    def sound(self, handle: str, /) -> Stored:
        """What a handle leads to. Raises KeyError for one that no living session made."""
        ...
