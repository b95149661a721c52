"""The line between one session and its front end: what was shown, what was missed, what is due."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..flow.errors import InputError
from .missed import Missed, bulk
from .streams.failures import Failures
from .streams.metrics import SessionMetrics

if TYPE_CHECKING:
    from .streams.live import Live
    from .streams.peer import Peer

Message = dict[str, Any]
Send = Callable[[Message | bytes], None]
"""Takes a message, or a frame of sound, to a front end. Must not block."""

DUE = 1024
"""Patches that may wait for one flush; beyond it older values of a node are left out (policy:
coalesce), which a generator that yields in a tight loop can reach."""

HELD = 4096
"""Messages of one session that may wait while its recording is being stored (policy: refuse)."""

HELD_BULK = 32 << 20
"""Bytes and characters of them, likewise: minutes of live sound."""

LEFT = 16
"""Replaced sounds and files that are kept for a front end which may still be fetching them (policy:
drop_oldest: the page tells that what it fetches is gone, and has a newer one to show)."""

TELL_AFTER = 32
"""Messages of a front end that nothing was sent back for, after which it is told that they came."""


def new_token() -> str:
    """A session's name, which nobody can guess: 192 bits."""
    return secrets.token_urlsafe(24)


def session_hash(token: str) -> str:
    """What functions know a session by, and may log or show: the token cannot be had from it."""
    return hashlib.blake2b(token.encode(), digest_size=16).hexdigest()


@dataclass(slots=True, eq=False)
class Line:
    """One session's messages, in order, with numbers to resume by."""

    token: str
    send: Send | None = None
    seq: int = 0
    missed: Missed = field(default_factory=Missed)
    due: list[Message] = field(default_factory=list[Message])
    left: deque[tuple[int, object]] = field(
        default_factory=lambda: deque[tuple[int, object]](maxlen=LEFT)
    )
    """Replaced values, each with the message whose acknowledgement says that nobody fetches it."""
    live: dict[int, Message] = field(default_factory=dict[int, Message])
    """The newest station of each request that has not ended, by request."""
    coalesced: int = 0
    metrics: SessionMetrics = field(default_factory=SessionMetrics)
    failures: Failures = field(default_factory=Failures)
    live_sound: Live | None = None
    """Its live sound, once there was some: numpy comes with it."""
    peer: Peer | None = None
    """Its WebRTC connection, while it has one."""
    held: deque[Message | bytes] | None = None
    """What came while a recording is being finished; taken after it, in order."""
    got: int = 0
    """The number of the front end's last message that came; it keeps what is beyond."""
    repeated: int = 0
    _untold: int = 0
    _most_due: int = DUE
    _held_bulk: int = 0

    def put(self, patch: Message) -> None:
        """Let a patch wait for the next flush."""
        self.due.append(patch)
        if len(self.due) >= self._most_due:
            kept = _newest(self.due)
            self.coalesced += len(self.due) - len(kept)
            self.due = kept
            self._most_due = max(DUE, 2 * len(kept))  # not all can be left out: look again later

    def flush(self) -> None:
        """Show what waits."""
        if self.due:
            due, self.due = self.due, []
            self._most_due = DUE
            self.show(due)

    def hold(self, message: Message | bytes) -> None:
        """Let a front end's message wait for its recording. Raises InputError if too many do."""
        assert self.held is not None
        size = len(message) if isinstance(message, bytes) else bulk(message)
        if len(self.held) >= HELD or self._held_bulk + size > HELD_BULK:
            raise InputError("too much waits for a recording to be stored.")
        self.held.append(message)
        self._held_bulk += size

    def release(self) -> deque[Message | bytes]:
        """The recording is stored: what has waited for it, in order."""
        held, self.held, self._held_bulk = self.held or deque(), None, 0
        return held

    def show(self, patches: list[Message]) -> None:
        """Send patches as one message and keep it until the front end has it."""
        self.seq += 1
        message: Message = {"type": "patches", "seq": self.seq, "patches": patches}
        if self._untold:
            message["got"] = self.got
            self._untold = 0
        self.missed.add(self.seq, message)
        if self.send:
            self.send(message)

    def leave(self, value: object) -> None:
        """Keep a value until the front end has what is due now, which takes its place."""
        self.left.append((self.seq + 1, value))

    def is_new(self, number: int) -> bool:
        """Take a front end's message, by its number, once.

        One that comes again was sent again after a lost line, or was still under way on the old.
        """
        if number <= self.got:
            self.repeated += 1
            return False
        self.got = number
        self._untold += 1
        if self._untold >= TELL_AFTER and self.send:
            self._untold = 0
            self.send({"type": "got", "n": number})
        return True

    def acknowledge(self, seq: int) -> None:
        """The front end has all up to this message."""
        self.missed.acknowledge(seq)
        while self.left and self.left[0][0] <= seq:
            self.left.popleft()

    def since(self, seq: int) -> list[Message] | None:
        """What a front end that has seen `seq` has missed; None if it is no longer known."""
        return self.missed.since(seq, self.seq)


def _newest(due: list[Message]) -> list[Message]:
    """Without values that a later patch for the same node replaces."""
    kept, seen = list[Message](), set[tuple[int, str]]()
    for message in reversed(due):
        if message["kind"] == "set":
            props = {n: v for n, v in message["props"].items() if (message["node"], n) not in seen}
            seen.update((message["node"], n) for n in props)
            if not props:
                continue
            message = {**message, "props": props}
        kept.append(message)
    return kept[::-1]
