"""Frames that a page sends all day, handed over at once; all else is aiohttp's, as it came.

aiohttp puts each frame into a queue and wakes a task for it, which costs as much as all that the
session does with 20 ms of sound. So its bytes pass here first. A frame that is whole, final, masked
and short goes straight to its session; a ping, a close, a fragment, a long or a broken frame goes
to aiohttp, which alone knows what the protocol says about it. Order is kept: while a message is
with aiohttp, those behind it go the same way.

A loop that is behind finds several frames of sound in one read. Each is handed over with the word
that another follows, so that the session may work on all of them at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from ....flow.units import Seconds
from .door import Visitor

_TEXT, _SOUND, _CLOSE = 0x81, 0x82, 0x8  # first bytes: final, without extensions; an opcode
_MASKED = 0x80
MAX_TEXT: Final = 4096
"""Bytes of a text that is taken at once: unmasking it here is slower than in aiohttp."""
MAX_SOUND: Final = 0xFFFF
"""Bytes of a frame of sound that is taken at once, and so what may be held of one that is not
whole yet: what a length of two bytes can say."""
TURN: Final = 256
"""Frames that are taken in one turn of the loop; then the others have theirs, and the page waits.
One read may bring 9,000, which hold the loop for a tenth of a second; a page that was cut off for
five seconds has not that many to say."""
HOLD: Final = 0.05
"""Seconds of a turn, where frames take long because an operator does."""
_HEARD = b"\x8a\x80\0\0\0\0"
"""An unsolicited pong (RFC 6455 5.5.3): by it aiohttp's heartbeat learns that the page lives."""
_TELL: Final = 1.0
"""Seconds between two of them."""


class Direct:
    """Stands between one connection and aiohttp from before the upgrade to the end."""

    __slots__ = (
        "taken", "_visitor", "_aiohttp", "_waits", "_most", "_text", "_sound", "_unmask", "_rest",
        "_skip", "_fragments", "_theirs", "_tell", "_now",
    )  # fmt: skip

    def __init__(
        self, visitor: Visitor, most: int, now: Callable[[], Seconds] = monotonic
    ) -> None:
        """most: bytes of a message; a longer one is aiohttp's to refuse."""
        self.taken = 0
        """Frames that aiohttp has not seen."""
        self._visitor = visitor
        self._now = now
        self._aiohttp = visitor.talk.data_received
        self._waits = False  # for the next turn; what comes meanwhile is kept
        self._most = {_TEXT: min(MAX_TEXT, most - 1), _SOUND: min(MAX_SOUND, most - 1)}
        self._text: Callable[[str], None] | None = None
        self._sound: Callable[[bytes, bool], None] | None = None
        self._unmask: Callable[[memoryview | bytes, int, int], bytes] | None = None
        self._rest = b""  # the beginning of a frame that is not whole
        self._skip = 0  # bytes of a frame that aiohttp has begun to read
        self._fragments = False  # aiohttp waits for the rest of a message
        self._theirs = 1  # messages that aiohttp has not given back; the first is the upgrade
        self._tell = 0.0
        visitor.hear = self._feed

    @classmethod
    def before(
        cls,
        transport: asyncio.BaseTransport | None,
        most: int,
        now: Callable[[], Seconds] = monotonic,
    ) -> Direct | None:
        """For a connection that is about to be upgraded; None where aiohttp must read it all.

        That is on another server than ours, and where the page has spoken before it was asked to:
        then it is unknown where its first frame begins.
        """
        visitor = transport.get_protocol() if transport else None
        if isinstance(visitor, Visitor) and visitor.asked:
            return cls(visitor, most, now)
        return None

    def begin(self, text: Callable[[str], None], sound: Callable[[bytes, bool], None]) -> None:
        """From now on hand over what comes; of sound also whether more of it is handed over next,
        at once and before all else. Both must not raise."""
        self._text, self._sound = text, sound
        self.returned()

    def returned(self) -> None:
        """aiohttp has given back one message."""
        self._theirs -= 1

    def end(self) -> None:
        """All that still comes is aiohttp's."""
        self._visitor.hear = None
        if self._rest:
            self._aiohttp(self._rest)
            self._rest = b""
        if self._waits:
            self._waits = False
            self._visitor.resume_reading()

    def _feed(self, data: memoryview | bytes) -> None:
        if self._rest:
            data, self._rest = self._rest + data, b""
        if self._waits:
            self._rest = bytes(data)
            return
        at, size, before, turn = 0, len(data), self.taken, 0
        now = self._now()
        until = now + HOLD
        while at < size:
            if turn >= TURN:
                self._wait()
                break
            turn += 1
            if turn > 1 and self._now() > until:
                turn = TURN  # this one is the last: who gets it is told so
            if self._skip:
                at = self._pass(data, at, at + self._skip)
                continue
            left = size - at
            if left < 2:
                break
            first, second = data[at], data[at + 1]
            length, begin = second & 127, at + 6
            if length == 126:
                if left < 4:
                    break
                length, begin = data[at + 2] << 8 | data[at + 3], at + 8
            elif length == 127:
                if left < 10:
                    break
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 14
            if (
                second & _MASKED
                and not self._theirs
                and not self._fragments
                and length <= self._most.get(first, -1)
            ):
                end = begin + length
                if end > size:
                    break
                if first == _SOUND and self._unmask:  # nearly always
                    self.taken += 1
                    assert self._sound
                    more = end < size and turn < TURN and self._sound_at(data, end)
                    self._sound(self._unmask(data, begin, length), more)
                    at = end
                    continue
                if self._take(first, data, begin, length):
                    at = end
                    continue
            self._note(first)
            at = self._pass(data, at, begin + length - (0 if second & _MASKED else 4))
        if at < size:
            self._rest = bytes(data[at:])
        if now >= self._tell and self.taken > before and not self._skip:
            self._tell = now + _TELL
            self._aiohttp(_HEARD)

    def _sound_at(self, data: memoryview | bytes, at: int) -> bool:
        """Whether a frame of sound begins there that is whole, and is taken here."""
        size = len(data)
        if size - at < 4 or data[at] != _SOUND or not data[at + 1] & _MASKED:
            return False
        length, begin = data[at + 1] & 127, at + 6
        if length == 126:
            length, begin = data[at + 2] << 8 | data[at + 3], at + 8
        return length != 127 and length <= self._most[_SOUND] and begin + length <= size

    def _wait(self) -> None:
        """Go on in the next turn of the loop, and read nothing until then."""
        self._waits = True
        self._visitor.pause_reading()
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._waits:
            return  # it ended
        self._waits = False
        self._feed(b"")
        if not self._waits:
            self._visitor.resume_reading()

    def _take(self, first: int, data: memoryview | bytes, begin: int, length: int) -> bool:
        """Hand over one frame; False if aiohttp has to say what is wrong with it."""
        assert self._text and self._sound
        if first == _SOUND:
            if self._unmask is None:
                from .unmask import unmasked  # numpy is loaded by apps that stream, not by all

                self._unmask = unmasked
            self.taken += 1
            self._sound(self._unmask(data, begin, length), False)
            return True
        key = int.from_bytes(bytes(data[begin - 4 : begin]) * (length // 4 + 1), "little")
        masked = int.from_bytes(data[begin : begin + length], "little")
        plain = masked ^ key & ((1 << 8 * length) - 1)
        try:
            text = plain.to_bytes(length, "little").decode()
        except UnicodeDecodeError:
            return False
        self.taken += 1
        self._text(text)
        return True

    def _note(self, first: int) -> None:
        """A frame begins that is aiohttp's."""
        code, final = first & 15, first & 0x80
        if code == _CLOSE:
            self._theirs += 1  # which never comes back: nothing follows a close
        elif code < _CLOSE:
            self._fragments = not final
            self._theirs += bool(final)

    def _pass(self, data: memoryview | bytes, at: int, end: int) -> int:
        """Give aiohttp its part of the data, up to the end of a frame; where the next begins."""
        stop = min(end, len(data))
        self._skip = end - stop
        self._aiohttp(bytes(data[at:stop]))
        return stop
