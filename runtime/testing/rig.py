"""The rig of a Lab: the production host on a loop whose time jumps, and all that was seen of it."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, TypeGuard, TypeVar

from reactivex.abc import DisposableBase

from ...components.render import Part
from ...flow.calls import Call
from ...flow.errors import OssicleError
from ...flow.listeners import name_of
from ...flow.model import Kind, Outcome
from ...flow.record import record
from ...flow.shapes import is_listing
from ...flow.sources import Dependency
from ...flow.trace import Trace
from ...flow.units import Seconds
from ..app import Blocks
from ..clock import Due, LoopClock
from ..executors.choose import by_kind
from ..executors.pool import Pool
from ..host import Host
from .autojump import AutojumpLoop, StuckError
from .inplace import InPlace, in_place
from .threads import Held

T = TypeVar("T")
Takes = Seconds | Sequence[Seconds]
"""Virtual seconds: one number for every call (of a generator: for every step), or one for each call
(for each step of a call) in turn, the last for all that follow."""


class LabError(OssicleError, AssertionError):
    """A test does something that no user could do."""


@record
class Seen:
    """One station of a request, and when it was reached."""

    at: Seconds
    outcome: Outcome

    @property
    def kind(self) -> Kind:
        """Which station: `Kind.STARTED`, `Kind.YIELDED`, `Kind.SUCCEEDED`, ..."""
        return self.outcome.kind

    @property
    def listener(self) -> str:
        """The name of the listener that was asked."""
        return self.outcome.request.listener.name

    @property
    def request_id(self) -> int:
        """The request; all its stations have the same."""
        return self.outcome.request.id

    @property
    def value(self) -> object:
        """What came with it: the writes of a result, an error, a place in the queue."""
        return self.outcome.value

    def __repr__(self) -> str:
        return f"<{self.at:g} s {self.listener} {self.request_id} {self.kind}>"


class Rig:
    """An app's production host on virtual time. The arguments are those of `Lab`."""

    def __init__(
        self,
        app: Blocks,
        *,
        threads: bool,
        show_error: bool,
        reconnect_window: Seconds,
        trace: bool,
    ) -> None:
        _alone()
        if not isinstance(app, Blocks):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            raise LabError(f"a lab runs an app, a Blocks or an Interface, and not {app!r}.")
        if not (isinstance(reconnect_window, int | float) and reconnect_window >= 0):  # pyright: ignore[reportUnnecessaryIsInstance]  # the same
            raise LabError(f"reconnect_window={reconnect_window!r} must be seconds, 0 or more.")
        self.app = app
        self.loop = AutojumpLoop()
        self.clock = _Clock(self.loop)
        self._seen = list[Seen]()
        self.js = dict[int | str, Callable[..., Any]]()
        self._times = dict[object, list[Seconds]]()
        self._calls = dict[object, int]()
        self._broken = list[BaseException]()
        self._between = False
        self._threads = threads
        self.loop.set_exception_handler(self._remember)
        pool: Pool = Held(self.loop) if threads else InPlace(self.loop)
        plain = None if threads else in_place(self.clock, lambda call: self.lasting(call))
        plan = app.plan()
        self.trace = Trace(plan, self.clock) if trace else None
        self._ear = _Ear(self.clock) if self.trace is None else self.trace
        self.lasting = self._lasting
        """How long plain functions take."""

        async def make() -> Host:
            host = Host(
                plan,
                title=app.title,
                extra=app.page(),
                show_error=show_error,
                reconnect_window=reconnect_window,
                clock=self.clock,
                pool=pool,
                execute=by_kind(pool, plain),
                page_code=True,
                tap=self._ear,
            )
            await host.begin()
            return host

        try:
            self.host = self.loop.run_until_complete(make())
        except BaseException:
            self.loop.close()
            raise

    def close(self) -> None:
        """End the app as its server would: all sessions, all work, all sounds."""
        if self.loop.is_closed():
            return
        if self.trace is not None:
            self.trace.end()  # it tells what users did, not that a test was over
        try:
            self.loop.run_until_complete(self._end_all())
        finally:
            self.loop.close()
        self._raise_broken()

    async def _end_all(self) -> None:
        await self.host.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
        release = self.loop.hold()  # it waits for a thread that nobody else announces
        try:
            await self.loop.shutdown_default_executor()
        finally:
            release()

    # -- time ----------------------------------------------------------------------------------

    @property
    def seconds(self) -> Seconds:
        """Now; 0.0 when the lab was made."""
        return self.loop.time()

    def run_until(self, seconds: Seconds) -> None:
        """Let time pass up to that second, and do what is due then. math.inf: until idle."""
        self._outside()
        try:
            self.loop.run_until(seconds)
        except StuckError as error:
            working = ", ".join(dict.fromkeys(self.host.program.working)) or "no function"
            raise StuckError(f"{error} At work: {working}.") from None
        self._raise_broken()

    def takes(self, what: Callable[..., Any] | Dependency, seconds: Takes) -> None:
        """Give a function that is not async a virtual duration, in every listener or in this one.

        One number for every call, for a generator for every step; or one for each call (of a
        generator: for each step of a call) in turn, the last for all that follow.
        """
        if self._threads:
            raise LabError("takes: with threads=True functions take the time that they take.")
        fn = self._timed(what)
        if inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
            raise LabError(
                f"takes: {name_of(fn)}() is async; await asyncio.sleep(...) in it takes virtual"
                " time."
            )
        row = _durations(seconds)
        key = what.declared.id if isinstance(what, Dependency) else what
        self._times[key] = row
        if self.trace is not None:
            for listener in self.host.plan.listeners:
                if key in (listener.id, listener.fn):
                    self.trace.names["listeners"][listener.id]["takes"] = row

    def stand_in(self, what: object, fn: Callable[..., Any]) -> None:
        """Let a function stand for a listener's js. Raises LabError where there is none."""
        plan = self.host.plan
        scripted = {each.id: each.name for each in plan.listeners if each.options.js is not None}
        parts = any(isinstance(node, Part) for node in plan.nodes)
        if isinstance(what, Dependency) and plan.graph.knows(what.declared):
            key: int | str = what.declared.id
            known = key in scripted
        elif isinstance(what, str):
            key, known = what, what in scripted.values() or parts
        else:
            key, known = "", False
        if not known:
            names = ", ".join(scripted.values()) or "none"
            raise LabError(f"js: {what!r} is no listener of this app with js; there are {names}.")
        if not callable(fn):
            raise LabError(f"js: what stands for {what!r} must be a function, not {fn!r}.")
        self.js[key] = fn

    def _timed(self, what: Callable[..., Any] | Dependency) -> Callable[..., Any]:
        """The function that is meant. Raises LabError unless the app has it."""
        if isinstance(what, Dependency):
            if not self.host.plan.graph.knows(what.declared):
                raise LabError(f"takes: {what.name} is no listener of this app.")
            if what.declared.fn is None:
                raise LabError(f"takes: {what.name} has no function.")
            return what.declared.fn
        found = [each.fn for each in self.host.plan.listeners if each.fn is not None]
        parts = any(isinstance(node, Part) for node in self.host.plan.nodes)
        if what not in found and not (parts and callable(what)):  # parts bring their own
            called = f"{name_of(what)}()" if callable(what) else repr(what)
            known = ", ".join(dict.fromkeys(f"{name_of(each)}()" for each in found)) or "none"
            raise LabError(f"takes: no listener of this app calls {called}; they call {known}.")
        return what

    # -- for users -----------------------------------------------------------------------------

    @property
    def seen(self) -> list[Seen]:
        """All stations of all users' requests, in order."""
        if stations := self._ear.stations:
            each = iter(stations)
            self._seen += map(Seen, each, each)
            stations.clear()
        return self._seen

    def do(self, work: Callable[[], T]) -> T:
        """Run something on the loop, then all that is ready. Raises what it raises."""
        if self.loop.is_running() or self._between:
            return work()
        self._outside()
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except Exception as error:
                failed.append(error)

        self.loop.call_soon(run)
        self.run_until(self.seconds)
        if failed:
            raise failed[0]
        return done[0]

    def between(self, work: Callable[[], T]) -> T:
        """Run something on the loop before all that is ready, between two of its rounds."""
        self._outside()
        self._between = True
        asyncio._set_running_loop(self.loop)  # pyright: ignore
        try:
            return work()
        finally:
            asyncio._set_running_loop(None)  # pyright: ignore
            self._between = False

    def after(self, seconds: Seconds, work: Callable[[], object]) -> None:
        """Let time pass and then do it; inside the loop: have it done then."""
        if self.loop.is_running():
            self.clock.at(self.seconds + seconds, work)
        else:
            self.run_until(self.seconds + seconds)
            work()

    def run_js(self, listener: int, name: str, values: list[Any]) -> list[Any]:
        """Stands for the page's JavaScript."""
        fn = self.js.get(listener) or self.js.get(name)
        if fn is None:
            raise LabError(
                f"{name} has js, and a lab has no JavaScript; say what it does:"
                f" Lab(app, js={{dependency: function}}), or js={{{name!r}: function}}."
            )
        made = fn(*values)
        return list(made) if isinstance(made, list | tuple) else [made]  # pyright: ignore[reportUnknownArgumentType]

    # -- inside --------------------------------------------------------------------------------

    def _outside(self) -> None:
        if self.loop.is_closed():
            raise LabError("the lab is closed; use it inside `with Lab(app) as lab:`.")
        if self.loop.is_running():
            raise LabError("time cannot be moved from inside the lab's loop.")
        _alone()

    def _lasting(self, call: Call) -> Iterator[Seconds]:
        listener = call.listener
        key = listener.id if listener.id in self._times else listener.fn
        row = self._times.get(key)
        if row is None:
            return iter(())
        if inspect.isgeneratorfunction(listener.fn):
            return chain(row, repeat(row[-1]))
        turn = self._calls.get(key, 0)
        self._calls[key] = turn + 1
        return repeat(row[min(turn, len(row) - 1)])

    def _remember(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._broken.append(error or RuntimeError(str(context.get("message"))))

    def _raise_broken(self) -> None:
        if self._broken:
            first, self._broken = self._broken[0], []
            raise first


class _Clock(LoopClock):
    """A loop's time without three calls: a lab asks for it a hundred times in each second of it."""

    def __init__(self, loop: AutojumpLoop) -> None:
        super().__init__(loop)
        self._jumping = loop

    # as `return self._jumping.now`, but no call of Python's
    seconds = property(attrgetter("_jumping.now"))  # pyright: ignore[reportIncompatibleMethodOverride]

    def at(self, seconds: Seconds, action: Callable[[], object]) -> DisposableBase:
        loop = self._jumping
        return Due(loop.call_soon(action) if seconds <= loop.now else loop.call_at(seconds, action))


class _Ear:
    """What a lab without a trace hears of its program: the stations of requests."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.stations = list[Any]()

    def __call__(self, what: object) -> None:
        if type(what) is Outcome:
            self.stations += (self._clock.seconds, what)

    def frames(self, *_: object) -> None:
        """Blocks of live sound come here, as `Tap` says."""


def _durations(given: object) -> list[Seconds]:
    row = [each for each in (given if is_listing(given) else [given]) if _is_duration(each)]
    if not row or len(row) < (len(given) if is_listing(given) else 1):
        raise LabError(f"takes: {given!r} must be seconds, 0 or more, or a list of them.")
    return row


def _is_duration(given: object) -> TypeGuard[Seconds]:
    return isinstance(given, int | float) and 0 <= given < math.inf


def _alone() -> None:
    if asyncio._get_running_loop() is not None:  # pyright: ignore
        raise LabError(
            "a lab runs its own loop; use it in a plain `def` test, not in an async one."
        )
