"""Who waits in one line, and in which order. Nothing is decided here."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, merge

from .listeners import Listener
from .model import Request
from .units import Seconds

Key = tuple[str, int]
"""A session and a State of it."""
Stood = tuple[int, Request]
"""A request that came to the head of its line and had to step aside, under its number there."""


class Aside:
    """Who stands aside for one State, in order of their numbers.

    They nearly always come in that order: a heap of 100,000 would be gone through from top to
    bottom for each that leaves. Only those who stand aside a second time may come late.
    """

    __slots__ = ("_late", "_row")

    def __init__(self) -> None:
        self._row = deque[Stood]()
        self._late: list[Stood] = []  # a heap

    def push(self, stood: Stood) -> None:
        if self._row and stood[0] < self._row[-1][0]:
            heappush(self._late, stood)
        else:
            self._row.append(stood)

    def pop(self) -> Stood:
        """Take out the first."""
        if self._late and not (self._row and self._row[0][0] < self._late[0][0]):
            return heappop(self._late)
        return self._row.popleft()

    def __bool__(self) -> bool:
        return bool(self._row or self._late)

    def __iter__(self) -> Iterator[Stood]:
        return merge(self._row, sorted(self._late))


class Line:
    """One concurrency id: who waits, in order, and how many jobs run.

    `order` holds those that never came to the head. Who came there and found its State being
    written steps aside into `held`, and later comes back into `back`: before all in `order`.
    """

    __slots__ = ("back", "batches", "held", "limit", "name", "order", "running", "waiting", "wakes")

    def __init__(self, name: str, limit: int | None) -> None:
        self.name = name
        self.limit = limit
        self.running = 0
        self.waiting = 0
        self.order: OrderedDict[int, Request] = OrderedDict()
        self.batches: dict[int, OrderedDict[int, Request]] = {}
        """For batch listeners only: their own requests in the same order."""
        self.back: list[Stood] = []  # a heap
        self.held: dict[Key, Aside] = {}  # whoever was cancelled is found there late
        self.wakes: Seconds | None = None

    @property
    def idle(self) -> bool:
        return not (self.running or self.waiting or self.order or self.back or self.held)

    @property
    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    @property
    def head(self) -> Request | None:
        return self.back[0][1] if self.back else next(iter(self.order.values()), None)

    def push(self, request: Request) -> None:
        self.waiting += 1
        self.order[request.id] = request
        if request.listener.batch:
            own = self.batches.setdefault(request.listener.id, OrderedDict())
            own[request.id] = request

    def drop(self, request: Request) -> None:
        """Out of `order`."""
        del self.order[request.id]
        if request.listener.batch:
            own = self.batches[request.listener.id]
            del own[request.id]
            if not own:
                del self.batches[request.listener.id]

    def drop_back(self, stood: Stood) -> None:
        """Out of `back`."""
        if self.back[0][0] == stood[0]:
            heappop(self.back)
        else:
            self.back.remove(stood)
            heapify(self.back)

    def of(self, listener: Listener) -> Iterator[Request]:
        """Who could be in a batch of this listener, in order."""
        if self.back:
            yield from (each for _, each in sorted(self.back) if each.listener is listener)
        if listener.id in self.batches:
            yield from self.batches[listener.id].values()
