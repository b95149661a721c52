"""Why a request ended as it did: the chain that led to it, in words."""

from __future__ import annotations

from typing import Any

from .entries import Entry, Facts, listener_facts, node_name, part_nodes
from .units import Seconds

ENDS = ("succeeded", "failed", "cancelled", "dropped", "rejected", "merged")


def why(entries: list[Entry], names: Facts, request: int) -> str | None:
    """Tell of a request: how it ended, what was to blame, and what it came from. None: unknown."""
    story = _Story(entries, names)
    if request not in story.requests:
        return None
    lines = [*story.end(request), *story.origin(request, "asked for by")]
    return "\n".join([lines[0], *("  " + line for line in lines[1:])])


class _Story:
    def __init__(self, entries: list[Entry], names: Facts) -> None:
        self.entries = entries
        self.names = names
        self.requests: dict[int, int] = {e.facts["request"]: n for n, e in self._all("request")}
        self.parts = part_nodes(entries)
        self.events: dict[int, int] = {e.facts["event"]: n for n, e in self._all("event")}

    def _all(self, what: str) -> list[tuple[int, Entry]]:
        return [(n, entry) for n, entry in enumerate(self.entries) if entry.what == what]

    def listener(self, request: int) -> dict[str, Any]:
        return self._declared(self.entries[self.requests[request]])

    def _declared(self, request: Entry) -> dict[str, Any]:
        return listener_facts(self.names, request.facts)

    def name(self, request: int) -> str:
        return f"{self.listener(request)['name']} (request {request})"

    # -- the end -------------------------------------------------------------------------------

    def end(self, request: int) -> list[str]:
        """How it ended, and what was to blame."""
        first = self.requests[request]
        asked, started, place = self.entries[first].at, None, first
        kind, value = "still pending", None
        for n in range(first, len(self.entries)):
            entry = self.entries[n]
            if entry.what != "outcome" or entry.facts["request"] != request:
                continue
            if entry.facts["outcome"] == "started":
                started = entry.at
            if entry.facts["outcome"] in ENDS:
                kind, value, place = entry.facts["outcome"], entry.facts.get("value"), n
                break
        at = self.entries[place].at
        said = f"{self.name(request)} {_was(kind)}"
        said += "" if kind == "still pending" else f" at {_s(at)}"
        if started is not None and kind in ENDS:
            said += f", {_s(at - started)} after its start"
        if started is not None and started > asked:
            said += f"; it had waited {_s(started - asked)} in line"
        lines = [said]
        if isinstance(value, dict) and "error" in value:
            lines.append(f"because of {value['error']}: {value['message']}")
        if kind == "dropped":
            lines.append(self._dropped(request))
        elif kind == "merged":
            lines.append(f"because its chunk was handed over with that of request {value}")
        elif kind == "cancelled":
            lines.append(self._cancelled(request, place))
        return lines

    def _dropped(self, request: int) -> str:
        listener, session = self.listener(request), self.entries[self.requests[request]].session
        pending = self._pending(self.requests[request], session, listener)
        of = " and ".join(f"request {other}" for other in pending) or "another"
        return (
            f"because {of} of {listener['name']} was pending, and its trigger mode is"
            f" {listener['mode']}"
        )

    def _pending(self, before: int, session: str, listener: Facts) -> list[int]:
        live = dict[int, None]()
        for entry in self.entries[:before]:
            if entry.session != session:
                continue
            facts = entry.facts
            if entry.what == "request" and self._declared(entry) == listener:
                live[facts["request"]] = None
            elif entry.what == "outcome" and facts["outcome"] in ENDS:
                live.pop(facts["request"], None)
        return list(live)

    def _cancelled(self, request: int, place: int) -> str:
        """The newest thing before it that cancels such a request."""
        own = self.entries[self.requests[request]]
        me, mine = self._declared(own), own.facts["listener"]
        for entry in reversed(self.entries[:place]):
            facts = entry.facts
            if entry.session != own.session:
                continue
            if entry.what == "said" and facts["said"] == "cancel" and facts["request"] == request:
                return f"because the user cancelled it at {_s(entry.at)}"
            if entry.what == "said" and facts["said"] == "close":
                return f"because its session ended at {_s(entry.at)}"
            if entry.what == "request" and facts["request"] > request:
                by = self._declared(entry)
                if mine in by["cancels"]:
                    what = f"{self.name(facts['request'])} cancels it"
                    return f"because {what}, since {self._source(facts['request'])}"
                if by is me and me["mode"] == "restart":
                    return f"because {self.name(facts['request'])} took its place (restart)"
        return "because the app was closed"

    # -- the origin ----------------------------------------------------------------------------

    def origin(self, request: int, how: str) -> list[str]:
        """What it came from, back to what a user, a timer or the opening began."""
        lines = list[str]()
        seen = set[int]()
        while request not in seen:
            seen.add(request)
            event = self._event(request)
            lines.append(f"{how} {self._about(event)}")
            while "of_event" in event.facts:
                event = self.entries[self.events[event.facts["of_event"]]]
                lines.append(f"made by operators of {self._about(event)}")
            parent: int = event.facts.get("of_request", 0)  # ids begin with 1
            if parent not in self.requests:
                lines[-1] += f", {_cause(event.facts['cause'])}"
                return lines
            follows = self._follows(request, parent)
            if follows:
                lines[-1] = f"{how} the end of {self.name(parent)} at {_s(event.at)} (.{follows})"
            else:
                lines[-1] += f", written by {self.name(parent)}"
            request, how = parent, "which was asked for by"
        return lines

    def _event(self, request: int) -> Entry:
        return self.entries[self.events[self.entries[self.requests[request]].facts["event"]]]

    def _about(self, event: Entry) -> str:
        node = node_name(self.names, self.parts, event.session, event.facts["node"])
        return f"{node}.{event.facts['port']} at {_s(event.at)}"

    def _source(self, request: int) -> str:
        return self._about(self._event(request))

    def _follows(self, request: int, parent: int) -> str | None:
        of = self.entries[self.requests[parent]].facts["listener"]
        found = [t[2] for t in self.listener(request)["triggers"] if t[:2] == ["after", of]]
        return " or .".join(found) or None


def _was(kind: str) -> str:
    return (
        f"was {kind}"
        if kind in ("cancelled", "dropped", "rejected", "merged")
        else (f"is {kind}" if kind == "still pending" else kind)
    )


def _cause(cause: str) -> str:
    return {
        "user": "by the user",
        "timer": "a tick of a timer",
        "load": "the opening of the page",
        "stream": "a live stream",
        "program": "by the app",
    }.get(cause, cause)


def _s(seconds: Seconds) -> str:
    return f"{round(seconds, 6):g} s"
