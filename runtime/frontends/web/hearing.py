"""What one page says: handed to its session message by message, or refused in words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .bucket import Bucket
from .incoming import decode
from .needs import Connection
from .outbox import Outbox

log = logging.getLogger(__name__)

REFUSALS = 100  # at once; then one a second: a page with a bug lives, a flood does not
PINGS = 100  # likewise; a browser sends none at all, other programs one in a quarter of a minute
_MOST_WORDS = 500
"""Characters of a refusal: it may repeat what was sent, and that may be long."""


class Hearing:
    """Takes what a socket brings, in order. Never raises, never waits."""

    __slots__ = (
        "_connection", "_outbox", "_refused", "_flooded", "_now", "_refusals", "_pings", "_over",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        refused: Callable[[], None],
        flooded: Callable[[], None],
    ) -> None:
        """refused: called for each message that is. flooded: once, when there were too many: the
        socket is to be closed, and nothing more is taken."""
        self._connection, self._outbox = connection, outbox
        self._refused, self._flooded = refused, flooded
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._refusals = Bucket(REFUSALS, per_second=1, now=self._now())
        self._pings = Bucket(PINGS, per_second=1, now=self._now())
        self._over = False

    def text(self, text: str) -> None:
        """Hand one message to the session."""
        if self._over:
            return
        try:
            self._connection.receive(decode(text))
        except ValueError as error:
            self._refuse(str(error) or "the message is invalid")
        except Exception:
            # Ours, not the page's: the log has it all, the page learns that nothing happened.
            log.exception("a message of a page made the server fail: %.200r", text)
            self._refuse("the server failed on this message; its log says why")

    def sound(self, data: bytes, more: bool = False) -> None:
        """Hand one frame of live sound to the session. more: another is handed over next."""
        if self._over:
            return
        link = self._outbox.link
        link.pieces_in += 1
        link.bytes_in += len(data)
        try:
            self._connection.receive_sound(data, more)
        except ValueError as error:
            self._refuse(str(error))
        except Exception:
            log.exception("a frame of live sound made the server fail: %r", data[:32])
            self._refuse("the server failed on this frame; its log says why")

    def ping(self) -> bool:
        """Whether a ping (RFC 6455 5.5.2) is to be answered."""
        if not self._over and self._pings.wait(self._now()) > 0:
            self._end(f"{PINGS} pings")
        return not self._over

    def _refuse(self, text: str) -> None:
        self._refused()
        self._outbox.link.refused += 1
        if self._refusals.wait(self._now()) > 0:
            self._end(f"{REFUSALS} refused messages")
            return
        short = text if len(text) <= _MOST_WORDS else text[:_MOST_WORDS] + "…"
        self._outbox.put({"type": "refused", "message": short})

    def _end(self, what: str) -> None:
        self._over = True
        log.warning("a page was closed after %s", what)
        self._flooded()
