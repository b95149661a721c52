"""Tells those who wait where they stand, as often as a crowd allows (rule Q6)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

from .clock import Clock
from .model import Place, Request
from .queue import Queue
from .units import Seconds

REFRESH: Seconds = 0.25
"""Waiting people are told their new place four times a second: readable, and cheap."""
TOLD = 256
"""Places told in a second over all lines, at most: a crowd must not slow the requests down."""
HEAD = 4
"""So many at the head of a line that moved are told first: they look at it."""
SWEPT = TOLD // 2
"""Of those behind them so many in a second at least, each in turn. So no place that is shown is
older than REFRESH and one second for each SWEPT that wait: 40 s where 5,000 do."""


class Places:
    """Everybody who waits goes round in one ring, and is told when their turn comes.

    Only who has another place than they were told: where no line moves nothing is due.
    tell: shows a request its place.
    """

    def __init__(self, queue: Queue, clock: Clock, tell: Callable[[Request, Place], None]) -> None:
        self._queue, self._clock, self._tell = queue, clock, tell
        self._waiting = dict[int, _Waiting]()
        self._rows = dict[str, _Row]()
        self._ring = deque[_Waiting]()
        """Who has left is in it until its turn comes."""
        self._moved = dict[str, None]()
        """Lines that moved since the last turn, in order."""
        self._stale = 0
        """So many of the ring, from its head, may have been told another place than theirs."""
        self._armed = False

    @property
    def idle(self) -> bool:
        return not (self._waiting or self._rows or self._ring)

    def entered(self, request: Request) -> None:
        """It waits, and was told where."""
        line = request.listener.line
        row = self._rows.get(line)
        if row is None:
            row = self._rows[line] = _Row()
        each = self._waiting[request.id] = _Waiting(request, row)
        self._ring.append(each)

    def left(self, request: Request) -> None:
        """It waits no longer, if it did: those behind it have another place."""
        each = self._waiting.pop(request.id, None)
        if each is None:
            return
        row, line = each.row, request.listener.line
        row.leave(each.ticket)
        if not self._waiting:
            self._ring.clear()
        elif len(self._ring) > 2 * len(self._waiting) + TOLD:
            self._ring = deque(each for each in self._ring if each.request.id in self._waiting)
        if row.waiting:
            self._moved[line] = None
            self._stale = len(self._ring)
            self._arm()
        else:
            del self._rows[line]

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self._clock.at(self._clock.seconds + REFRESH, self._turn)

    def _turn(self) -> None:
        self._armed = False
        most = int(TOLD * REFRESH)
        left = most - self._tell_heads(most - int(SWEPT * REFRESH))
        looks = 4 * most  # who has the place they were told costs little, but not nothing
        self._stale = min(self._stale, len(self._ring))
        while self._stale and left and looks:
            each = self._ring.popleft()
            self._stale -= 1
            looks -= 1
            if each.request.id not in self._waiting:
                continue
            self._ring.append(each)
            if each.told != each.row.moves:
                self._show(each, each.row.rank(each.ticket))
                left -= 1
        if self._stale:
            self._arm()

    def _tell_heads(self, most: int) -> int:
        """Tell the first of each line that moved; how many were told."""
        moved, self._moved = self._moved, {}
        told = 0
        for line in moved:
            for rank, (request, _) in enumerate(tuple(self._queue.places(line, HEAD))):
                if told == most:
                    return told
                self._show(self._waiting[request.id], rank)
                told += 1
        return told

    def _show(self, each: _Waiting, rank: int) -> None:
        each.told = each.row.moves
        behind = self._queue.behind(each.request)
        self._tell(each.request, Place(rank, each.row.waiting, behind=behind))


class _Row:
    """One line: how many of those who came before somebody still wait."""

    __slots__ = ("first", "gone", "moves", "next", "waiting")

    def __init__(self) -> None:
        self.first = self.next = self.moves = self.waiting = 0
        self.gone = list[int]()
        """Tickets above the first one's that have left, in order: cancelled, or in a batch."""

    def leave(self, ticket: int) -> None:
        self.waiting -= 1
        self.moves += 1
        if ticket != self.first:
            insort(self.gone, ticket)
            return
        self.first += 1
        at = 0
        while at < len(self.gone) and self.gone[at] == self.first:
            self.first += 1
            at += 1
        del self.gone[:at]

    def rank(self, ticket: int) -> int:
        return ticket - self.first - bisect_left(self.gone, ticket)


class _Waiting:
    """A request that waits. told: how often its line had moved when it was told its place."""

    __slots__ = ("request", "row", "ticket", "told")

    def __init__(self, request: Request, row: _Row) -> None:
        self.request, self.row = request, row
        self.ticket, self.told = row.next, row.moves
        row.next += 1
        row.waiting += 1
