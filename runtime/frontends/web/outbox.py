"""What waits to be sent on one socket, bounded by count and bytes; patches joined in few frames.

Live sound does not wait where the socket takes it: an event and a task would cost as much as all
else that a frame takes. Messages do, for the end of their turn of the loop, to share one frame.

The overflow policy is `close`: a socket that cannot keep up is closed, never the session. What was
dropped here is still kept by the session, so the page takes it up again when it reconnects; a queue
that dropped single patches would instead leave a page that is wrong and does not know it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ...streams.metrics import LinkMetrics
from .needs import Message

log = logging.getLogger(__name__)

MAX_MESSAGES = 4096
MAX_BYTES = 8 << 20
MAX_FRAME = 256 << 10  # bytes joined into one frame: beyond it joining saves nothing


@dataclass(frozen=True)
class _Entry:
    text: str | bytes
    """The whole message, or for patches only the inside of their list; bytes are live sound."""
    seq: int | None
    """Of patches; None for every other message."""
    counted: bool
    got: int | None = None
    """Beside patches: the number of the page's last message that came."""


class Outbox:
    """The queue between a session, which must never wait, and a socket, which may be slow."""

    __slots__ = (
        "on_overflow", "link", "max_messages", "max_bytes", "overflowed", "replaying", "_at_once",
        "_entries", "_messages", "_bytes", "_closed", "_ready",
    )  # fmt: skip

    def __init__(
        self,
        on_overflow: Callable[[], None],
        at_once: Callable[[bytes], bool] | None = None,
        *,
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """on_overflow: called once, at the message that does not fit; it must not wait.

        at_once: writes sound if that needs no waiting, else does nothing and returns False.
        """
        self.on_overflow = on_overflow
        self.link = LinkMetrics()
        self._at_once = at_once
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self.overflowed = False
        self.replaying = True
        """What is put now was missed earlier and is the session's own bounded store: not counted.

        Otherwise a page that came back to a full store would be closed again at once, for ever.
        """
        self._entries: deque[_Entry] = deque()
        self._messages = 0
        self._bytes = 0
        self._closed = False
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, message: Message | bytes) -> None:
        """Take one message; never waits, never raises."""
        if self._closed or self.overflowed:
            return
        link = self.link
        if isinstance(message, bytes):
            link.pieces_out += 1
            link.bytes_out += len(message)
            if not self._entries and self._at_once and self._at_once(message):
                return  # nearly always
            link.delayed += 1
        entry = self._encode(message)
        link.queued += 1
        if entry.counted:
            # One message is always taken, however large: else it could never be sent at all.
            full = self._messages > 0 and (
                self._messages >= self.max_messages
                or self._bytes + len(entry.text) > self.max_bytes
            )
            if full:
                self.overflowed = True
                link.overflowed += 1
                self._entries.clear()
                link.depth = 0
                self._ready.set()
                self.on_overflow()
                return
            self._messages += 1
            self._bytes += len(entry.text)
        self._entries.append(entry)
        link.depth = len(self._entries)
        link.most_depth = max(link.most_depth, link.depth)
        self._ready.set()

    def close(self) -> None:
        """Nothing more comes: what is waiting may still be taken."""
        self._closed = True
        self._ready.set()

    async def wait(self) -> bool:
        """Until there is something to send (True) or nothing will ever be (False)."""
        while not self._entries:
            if self._closed or self.overflowed:
                return False
            self._ready.clear()
            await self._ready.wait()
        return not self.overflowed

    @property
    def sounds(self) -> bool:
        """The next frame is live sound."""
        return bool(self._entries) and isinstance(self._entries[0].text, bytes)

    def take(self) -> str | bytes:
        """The next frame: one message, or as many patches in a row as fit."""
        first = self._pop()
        if first.seq is None or isinstance(first.text, bytes):
            return first.text
        parts, size, seq, got = [first.text], len(first.text), first.seq, first.got
        while self._entries and self._entries[0].seq is not None and size < MAX_FRAME:
            entry = self._pop()
            seq, got = entry.seq or seq, entry.got or got
            size += len(entry.text)
            if isinstance(entry.text, str):  # always, where there is a number
                parts.append(entry.text)
        return _joined(seq, got, ",".join(part for part in parts if part))

    def _pop(self) -> _Entry:
        entry = self._entries.popleft()
        self.link.depth = len(self._entries)
        if entry.counted:
            self._messages -= 1
            self._bytes -= len(entry.text)
        return entry

    def _encode(self, message: Message | bytes) -> _Entry:
        if isinstance(message, bytes):
            return _Entry(message, None, not self.replaying)
        seq = message.get("seq")
        patches = message.get("patches")
        joinable = message.get("type") == "patches" and isinstance(seq, int)
        try:
            text = _dumps(patches)[1:-1] if joinable else _dumps(message)
        except (TypeError, ValueError, RecursionError):
            # A value no JSON can carry is a mistake in the app, not in the socket: say so where the
            # user looks and go on, the rest of the page is right.
            log.exception("a message to the page cannot be written as JSON: %.200r", message)
            text = _dumps(_UNSENDABLE)
            if not joinable:
                text = _dumps({"type": "patches", "seq": seq or 0, "patches": [_UNSENDABLE]})
        if not joinable or not isinstance(seq, int):
            return _Entry(text, None, not self.replaying)
        got = message.get("got")
        return _Entry(text, seq, not self.replaying, got if isinstance(got, int) else None)


def _joined(seq: int, got: int | None, inside: str) -> str:
    came = "" if got is None else f'"got":{got},'
    return f'{{"type":"patches","seq":{seq},{came}"patches":[{inside}]}}'


_UNSENDABLE: Message = {
    "kind": "toast",
    "level": "error",
    "title": "Error",
    "message": "A value could not be sent to the page; the server's log says which.",
    "duration": 10,
}


# ASCII on purpose: a lone surrogate typed by a user is legal in JSON but not in UTF-8.
# Made once: json.dumps with options would make an encoder for every message.
_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
