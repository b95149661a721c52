"""`Lab`: a whole app in virtual time, with no browser, socket, thread or sleep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from ...flow.injected import ClientRequest
from ...flow.marbles import FRAME, parse
from ...flow.sources import Dependency
from ...flow.trace import Trace
from ...flow.units import Seconds
from ..app import Blocks
from ..clock import LoopClock
from ..host import Host
from .autojump import AutojumpLoop
from .rig import LabError, Rig, Seen, Takes
from .user import User


class Lab(User):
    """An app on a loop whose time jumps, and its first user.

        with Lab(demo) as lab:
            lab.takes(transcribe, 1.5)
            lab.upload(audio, (16_000, samples))
            lab.run(2)
            assert lab.value(text) == "hello"

    Without `with` it works too, and wants a `close()` at the end.

    It is the production host: only the clock, the front end and, for functions that are not
    async, the thread are others. Plain functions run in place and take no time, or what `takes`
    says; async ones that await asyncio.sleep take virtual time by themselves.

    takes: virtual durations by function or listener, as with `takes()`. js: what stands for
    listeners' js, by listener, or by its name where a part of the page makes it: called with the
    values of inputs and outputs as JSON, returns a list. threads=True: plain functions run in real
    threads, as in production; time stands meanwhile. connect=False: no session is opened yet.
    trace=False: `trace` is not kept, which saves a tenth of the time.
    """

    def __init__(
        self,
        app: Blocks,
        *,
        takes: Mapping[Callable[..., Any] | Dependency, Takes] | None = None,
        js: Mapping[Any, Callable[..., Any]] | None = None,
        threads: bool = False,
        connect: bool = True,
        show_error: bool = False,
        reconnect_window: Seconds = 60.0,
        trace: bool = True,
    ) -> None:
        rig = Rig(
            app,
            threads=threads,
            show_error=show_error,
            reconnect_window=reconnect_window,
            trace=trace,
        )
        super().__init__(rig)
        try:
            for what, fn in (js or {}).items():
                rig.stand_in(what, fn)
            for slow, seconds in (takes or {}).items():
                self.takes(slow, seconds)
            if connect:
                self.connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the app as its server would: all sessions, all work, all sounds."""
        self._rig.close()

    @property
    def rig(self) -> Rig:
        """What the lab is built on."""
        return self._rig

    @property
    def host(self) -> Host:
        """The production host."""
        return self._rig.host

    @property
    def loop(self) -> AutojumpLoop:
        """What all runs on."""
        return self._rig.loop

    @property
    def clock(self) -> LoopClock:
        """The loop's time as an Rx scheduler: `lab.clock.at(2.5, action)`."""
        return self._rig.clock

    @property
    def trace(self) -> Trace:
        """Everything that happened: `lab.trace.why(...)`, `.to_marbles()`, `.save(path)`."""
        if self._rig.trace is None:
            raise LabError("this lab keeps no trace; leave trace=False out.")
        return self._rig.trace

    # -- people --------------------------------------------------------------------------------

    def session(self, client: ClientRequest | None = None) -> User:
        """One more user. `client`: who it is, for functions that take an `ossicle.Request`."""
        user = User(self._rig, client)
        user.connect()
        return user

    # -- time ----------------------------------------------------------------------------------

    @property
    def seconds(self) -> Seconds:
        """Now; 0.0 when the lab was made."""
        return self._rig.seconds

    def run_until(self, seconds: Seconds) -> None:
        """Let time pass up to that second, and do what is due then. math.inf: until idle.

        Raises LabError for a second that is over.
        """
        self._rig.run_until(_time("run_until", seconds, self.seconds))

    def run(self, seconds: Seconds) -> None:
        """Let so much time pass. Raises LabError for less than none."""
        self._rig.run_until(self.seconds + _time("run", seconds, 0.0))

    def settle(self) -> None:
        """Do all that is ready; no time passes. Every verb ends with it."""
        self._rig.run_until(self.seconds)

    def takes(self, what: Callable[..., Any] | Dependency, seconds: Takes) -> None:
        """Give a function that is not async a virtual duration, in every listener or in this one.

        One number for every call, for a generator for every step; or one for each call (of a
        generator: for each step of a call) in turn, the last for all that follow.
        """
        self._rig.takes(what, seconds)

    def perform(
        self, picture: str, acts: Mapping[str, Callable[[], object]], *, frame: Seconds = FRAME
    ) -> None:
        """Do acts as a marble picture says, beginning now, and let the picture's time pass.

            lab.perform("a-(ab)--", {"a": lambda: lab.click(go), "b": lambda: lab.clear(text)})

        Acts of one group happen at one instant, before anything that follows from them.
        """
        drawn = parse(picture, acts, frame=frame)
        begin = self.seconds
        for mark in drawn:
            if mark.name not in acts:
                raise LabError(f"perform: {picture!r} has {mark.name!r}, but acts has none.")
            if not callable(acts[mark.name]):
                raise LabError(
                    f"perform: acts[{mark.name!r}] must be a function, like lambda: lab.click(go),"
                    f" not {acts[mark.name]!r}."
                )
            self._rig.clock.at(begin + mark.at, acts[mark.name])
        self.run_until(begin + drawn.seconds)

    # -- what happened -------------------------------------------------------------------------

    @property
    def outcomes(self) -> list[Seen]:
        """All stations of all users' requests, in order."""
        return list(self._rig.seen)


def _time(verb: str, seconds: object, least: Seconds) -> Seconds:
    if isinstance(seconds, int | float) and seconds >= least:
        return seconds
    raise LabError(f"{verb}: {seconds!r} must be seconds, {least:g} or more; time goes forward.")
