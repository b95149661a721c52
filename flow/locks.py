"""State and who may write it: two jobs of one session that write it never overlap (rule I2).

Of those that wait for one State in one line only the first comes back when it is free, so that the
cost does not grow with their number. Nobody overtakes the others meanwhile: as long as the State is
free, the first stands in `back`, before all who come.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from heapq import heappush

from .lines import Aside, Key, Line
from .model import Job, Request


class Locks:
    """Which States are being written, and who stands aside until they are free."""

    def __init__(self) -> None:
        self.stood: dict[int, int] = {}
        """Request id -> its number, if it had to step aside."""
        self._locks: dict[Key, Job] = {}  # who may write that State
        self._held: dict[int, Key] = {}  # request id -> the State that it stands aside for
        self._held_in: dict[Key, dict[str, Line]] = {}
        self._look_again: dict[Key, dict[int, Line]] = {}
        self._waiting: dict[Key, OrderedDict[int, None]] = {}  # who waits to write it, in order
        self._last_stood = 0

    @property
    def idle(self) -> bool:
        """Nothing is written, and every index is empty."""
        return not (
            self._locks
            or self.stood
            or self._held
            or self._held_in
            or self._look_again
            or self._waiting
        )

    # -- who waits -----------------------------------------------------------------------------

    def wait(self, request: Request) -> None:
        """It stands in line from now on."""
        for node in request.listener.locks:
            key = request.session, node
            waiting = self._waiting.get(key)
            if waiting is None:
                waiting = self._waiting[key] = OrderedDict()
            waiting[request.id] = None

    def before(self, request: Request, most: int) -> int:
        """How many that wait must end before it, one after the other: they write what it writes.

        Looks no further than `most`, but knows of the last.
        """
        found = 0
        for node in request.listener.locks:
            waiting = self._waiting[request.session, node]
            rank = len(waiting) - 1
            if request.id != next(reversed(waiting)):
                first = zip(range(most), waiting, strict=False)
                rank = next((n for n, id in first if id == request.id), most)
            found = max(found, rank)
        return found

    def leave(self, request: Request, line: Line) -> None:
        """Out of its line, wherever it stands there."""
        for node in request.listener.locks:
            key = request.session, node
            waiting = self._waiting[key]
            del waiting[request.id]
            if not waiting:
                del self._waiting[key]
        line.waiting -= 1
        number = self.stood.pop(request.id, None) if self.stood else None
        if number is None:
            line.drop(request)
        elif self._held.pop(request.id, None) is None:
            line.drop_back((number, request))

    def is_back(self, request: Request) -> bool:
        """Whether it stood aside and is the first again."""
        return request.id in self.stood and request.id not in self._held

    # -- who writes ----------------------------------------------------------------------------

    def blocker(self, request: Request) -> Key | None:
        """A State that it would write and that is being written."""
        if self._locks:
            for node in request.listener.locks:
                if (request.session, node) in self._locks:
                    return request.session, node
        return None

    def take(self, request: Request, job: Job) -> None:
        """What it writes is its job's now."""
        for node in request.listener.locks:
            self._locks[request.session, node] = job

    def look_again(self, key: Key, request: Request, line: Line) -> None:
        """A batch may be full as soon as that State is free."""
        self._look_again.setdefault(key, {})[request.id] = line

    def stand_aside(self, head: Request, line: Line) -> bool:
        """Let others pass if the head's State is being written."""
        key = self.blocker(head)
        if key is None:
            return False
        number = self.stood.get(head.id)
        if number is None:
            line.drop(head)
            self._last_stood += 1
            number = self.stood[head.id] = self._last_stood
        else:
            line.drop_back((number, head))
            self.next_back(head, line)
        self._held[head.id] = key
        aside = line.held.get(key)
        if aside is None:
            aside = line.held[key] = Aside()
        aside.push((number, head))
        self._held_in.setdefault(key, {})[line.name] = line
        return True

    def free(self, job: Job) -> Iterable[Line]:
        """What a job wrote is free. The lines that wait for it; who asked first goes first."""
        firsts = list[tuple[int, str, Line]]()
        for each in job.requests:
            for node in each.listener.locks:
                key = each.session, node
                del self._locks[key]
                if self._look_again:
                    again = self._look_again.pop(key, {})
                    firsts.extend((id, line.name, line) for id, line in again.items())
                for line in tuple(self._held_in.get(key, {}).values()):
                    if back := self._next_back(key, line):
                        firsts.append((back.id, line.name, line))
        return [line for _, _, line in sorted(firsts, key=lambda each: each[:2])]

    def next_back(self, gone: Request, line: Line) -> None:
        """Who was back leaves the head of the line: the next may come, for each of its States."""
        for node in gone.listener.locks:
            self._next_back((gone.session, node), line)

    def _next_back(self, key: Key, line: Line) -> Request | None:
        """Let the first that stands aside for this State come back, unless it is being written."""
        aside = line.held.get(key)
        if aside is None or key in self._locks:
            return None
        back: Request | None = None
        while aside and back is None:
            first = aside.pop()
            if self._held.pop(first[1].id, None) is not None:
                heappush(line.back, first)
                back = first[1]
        if not aside:
            del line.held[key]
            lines = self._held_in[key]
            del lines[line.name]
            if not lines:
                del self._held_in[key]
        return back
