"""A whole app in virtual time, and its story as marbles: one character is a tenth of a second.

    s started   | succeeded   # failed   ^ cancelled   x dropped   r rejected

and where asked for `q` waits, `y` yielded.

Marbles of one instant stand in parentheses; `-` is a tenth of a second in which nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ossicle.flow.calls import Call
from ossicle.flow.graph import Node
from ossicle.flow.model import ENDS, Cause, Event, Kind, Outcome, Request
from ossicle.flow.patches import Gone, Patch, Set, Toast
from ossicle.flow.plan import compile_plan
from ossicle.flow.program import Program
from ossicle.flow.results import UNSET
from ossicle.flow.said import Act, Close, Disconnect, Open, Reconnect, Said, Withdraw
from ossicle.flow.testing import VirtualClock, inline
from ossicle.runtime.app import Blocks

FRAME = 0.1
SIGNS = {
    Kind.STARTED: "s",
    Kind.SUCCEEDED: "|",
    Kind.FAILED: "#",
    Kind.CANCELLED: "^",
    Kind.DROPPED: "x",
    Kind.REJECTED: "r",
}
WAITS = {**SIGNS, Kind.QUEUED: "q"}
STEPS = {**SIGNS, Kind.YIELDED: "y"}


class Lab:
    """Runs an app on a virtual clock.

    takes: how long a call of each listener lasts, or a step of its generator; by name, or for all.
    Sessions open at 0 s; the first is the one that acts when none is named.
    """

    def __init__(
        self,
        app: Blocks,
        takes: float | Mapping[str, float] = 0.0,
        *,
        sessions: tuple[str, ...] = ("a",),
        reconnect_window: float = 60.0,
        emit: Callable[[Patch], None] | None = None,
    ) -> None:
        def lasts(call: Call) -> float:
            return takes.get(call.listener.name, 0.0) if isinstance(takes, Mapping) else takes

        self.clock = VirtualClock()
        self.log: list[tuple[float, object]] = []
        self.errors: list[Exception] = []
        self.session = sessions[0] if sessions else ""
        self.program = Program(
            compile_plan(app, app.settings),
            inline(self.clock, lasts),
            self.clock,
            emit or (lambda _: None),
            reconnect_window=reconnect_window,
            on_error=self.errors.append,
            tap=lambda seen: self.log.append((round(self.clock.seconds, 6), seen)),
        )
        for session in sessions:
            self.say(Open(session))

    # -- what people do ------------------------------------------------------------------------

    def say(self, said: Said) -> None:
        self.program.receive(said)

    def act(
        self,
        node: Node,
        act: str,
        value: object = UNSET,
        *,
        session: str | None = None,
        cause: Cause = Cause.USER,
        data: Mapping[str, object] | None = None,
    ) -> None:
        self.say(Act(session or self.session, node.id, act, value, data, cause))

    def click(self, node: Node, session: str | None = None) -> None:
        self.act(node, "click", session=session)

    def type(self, node: Node, text: object, session: str | None = None) -> None:
        self.act(node, "input", text, session=session)

    def withdraw(self, request: int) -> None:
        self.say(Withdraw(self.session, request))

    def disconnect(self, session: str | None = None) -> None:
        self.say(Disconnect(session or self.session))

    def reconnect(self, session: str | None = None) -> None:
        self.say(Reconnect(session or self.session))

    def close(self, session: str | None = None) -> None:
        self.say(Close(session or self.session))

    def run(self, until: float) -> None:
        self.clock.run_until(until)

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        self.clock.at(seconds, action)

    def play(self, marbles: str, **acts: Callable[[], object]) -> None:
        """Do what each marble stands for at its time, and stand at the end of the picture."""
        begin, frame, inside = self.clock.seconds, 0, False
        for sign in marbles:
            if sign in acts:
                self.at(begin + frame * FRAME, acts[sign])
            inside = sign == "(" or (inside and sign != ")")
            frame += not inside
        self.run(begin + frame * FRAME)

    # -- what became of it ---------------------------------------------------------------------

    def seen(self, kind: type[Any]) -> list[tuple[float, Any]]:
        return [(at, each) for at, each in self.log if isinstance(each, kind)]

    def marbles(
        self,
        name: str,
        *,
        session: str | None = None,
        signs: Mapping[Kind, str] = SIGNS,
        until: float | None = None,
    ) -> str:
        """The story of all requests of a listener; `until` cuts it."""
        frames = dict[int, str]()
        for at, outcome in self.seen(Outcome):
            request: Request = outcome.request
            if request.listener.name != name or session not in (None, request.session):
                continue
            frame = round(at / FRAME)
            frames[frame] = frames.get(frame, "") + signs.get(outcome.kind, "")
        drawn = [frames.get(i, "") for i in range(max(frames, default=-1) + 1)]
        text = "".join(f"({f})" if len(f) > 1 else f or "-" for f in drawn)
        return text if until is None else text[: round(until / FRAME)]

    def events(self, *, after: float = 0.0) -> list[str]:
        """Names of the ports that fired, in order; not the load."""
        return [e.port for at, e in self.seen(Event) if at >= after and e.port != "load"]

    def story(self, *kinds: Kind) -> list[str]:
        """Outcomes in order: "0.3 started f"."""
        wanted = kinds or (Kind.STARTED, *ENDS)
        return [
            f"{at:g} {o.kind} {o.request.listener.name}"
            for at, o in self.seen(Outcome)
            if o.kind in wanted
        ]

    def ends(self, name: str | None = None) -> list[Outcome]:
        return [
            o
            for _, o in self.seen(Outcome)
            if o.kind in ENDS and name in (None, o.request.listener.name)
        ]

    def error(self, name: str) -> str:
        """What the last failed request of a listener failed with."""
        return str([o.value for o in self.ends(name) if o.value is not None][-1])

    def requests(self, name: str) -> list[Request]:
        return [r for _, r in self.seen(Request) if r.listener.name == name]

    def value(self, node: Node, session: str | None = None) -> Any:
        return self.program.sessions[session or self.session].values[node.id]

    def shown(self, node: Node) -> list[Any]:
        return [s.value for _, s in self.seen(Set) if s.node == node.id]

    def toasts(self) -> list[tuple[str, str]]:
        return [(t.session, t.notice.message) for _, t in self.seen(Toast)]

    def gone(self) -> list[tuple[float, str]]:
        return [(at, g.session) for at, g in self.seen(Gone)]
