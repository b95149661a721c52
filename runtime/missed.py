"""What a front end may have missed: the last messages to it, bounded by number and by bulk."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..flow.shapes import is_dict, is_listing

KEPT = 512
"""Messages kept for a front end that lost its line; one that missed more gets the whole page again
(policy: resync), which is never wrong and only larger."""

BULK = 8 << 20
"""Characters of them, likewise: else a page that acknowledges nothing and sends its longest text
again and again would have half a gigabyte kept for it. The newest is kept, however long."""


class Missed:
    """Numbered messages, oldest first."""

    def __init__(self) -> None:
        self._kept = deque[tuple[int, dict[str, Any], int]]()
        self._bulk = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, seq: int, message: dict[str, Any]) -> None:
        """Keep one more message; its number is one above that of the last."""
        size = sum(map(_size, message["patches"]))
        self._kept.append((seq, message, size))
        self._bulk += size
        while len(self._kept) > KEPT or (self._bulk > BULK and len(self._kept) > 1):
            self._drop()

    def acknowledge(self, seq: int) -> None:
        """The front end has seen all up to this one."""
        while self._kept and self._kept[0][0] <= seq:
            self._drop()

    def clear(self) -> None:
        self._kept.clear()
        self._bulk = 0

    def since(self, seq: int, last: int) -> list[dict[str, Any]] | None:
        """What is newer than `seq`, where `last` is the newest; None if some is no longer known."""
        if not 0 <= seq <= last:
            return None
        first = self._kept[0][0] if self._kept else last + 1
        if seq + 1 < first:
            return None
        return [message for number, message, _ in self._kept if number > seq]

    def _drop(self) -> None:
        self._bulk -= self._kept.popleft()[2]


_NUMBERS = (float, int, bool, type(None))


def _size(patch: dict[str, Any]) -> int:
    """Stations of a request are many and short: they are not looked through."""
    match patch["kind"]:
        case "run":
            return 0
        case "set":
            total = 0
            for value in patch["props"].values():
                if isinstance(value, str):
                    total += len(value)
                elif type(value) not in _NUMBERS:
                    total += bulk(value)
            return total
        case _:
            return bulk(patch)


def bulk(value: object) -> int:
    """About how many characters a JSON value has: those of its texts, and a few for all else."""
    total, found = 0, [value]
    for each in found:  # it grows on the way
        if isinstance(each, str):
            total += len(each)
        elif is_dict(each):
            total += 8 * len(each)
            found.extend(each.values())
        elif is_listing(each):
            total += 8 * len(each)
            found.extend(each)
    return total
