"""A trace as a picture: marbles in text, and an SVG image."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from html import escape
from itertools import pairwise

from .entries import Entry, Facts, PartNodes, listener_facts, node_name, part_nodes, sessions
from .marbles import FRAME, draw_rows, fitting
from .units import Seconds

SIGNS = {
    "queued": "q",
    "started": "s",
    "yielded": "y",
    "succeeded": "|",
    "failed": "#",
    "cancelled": "^",
    "dropped": "x",
    "rejected": "r",
    "merged": "m",
}
ENDED = frozenset("|#^xrm")
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Rows = dict[str, list[tuple[Seconds, str]]]


def row_names(entries: list[Entry], names: Facts) -> list[str]:
    """What rows may be called: ports that somebody listens to, and listeners, also of parts."""
    parts, found = part_nodes(entries), dict[str, None]()
    for each in names["listeners"]:
        for kind, *of in each["triggers"]:
            if kind != "after" and of:
                found[f"{names['nodes'][of[0]]}.{of[1]}"] = None
    for entry in _asking(entries, names):
        found[_port(entry, names, parts)] = None
    found |= dict.fromkeys(_listeners(entries, names))
    who = sessions(entries)
    return [f"{each} {name}" for each in who for name in found] if len(who) > 1 else list(found)


def _listeners(entries: list[Entry], names: Facts) -> list[str]:
    asked = (entry.facts for entry in entries if entry.what == "request")
    own = [each["name"] for each in names["listeners"]]
    return [*own, *dict.fromkeys(listener_facts(names, each)["name"] for each in asked)]


def _asking(entries: list[Entry], names: Facts) -> list[Entry]:
    """Events of parts that a listener was asked for: more is not known of who listens there."""
    asked = {entry.facts["event"] for entry in entries if entry.what == "request"}
    known = len(names["nodes"])
    events = (entry for entry in entries if entry.what == "event" and entry.facts["node"] >= known)
    return [entry for entry in events if entry.facts["event"] in asked]


def _port(event: Entry, names: Facts, parts: PartNodes) -> str:
    node = node_name(names, parts, event.session, event.facts["node"])
    return f"{node}.{event.facts['port']}"


def rows_of(entries: list[Entry], names: Facts, only: tuple[str, ...], left_out: str) -> Rows:
    """A row of marks for each port that somebody listens to, then one for each listener."""
    several = len(sessions(entries)) > 1
    rows, parts = Rows(), part_nodes(entries)
    heard = {
        (t[1], t[2]) for each in names["listeners"] for t in each["triggers"] if t[0] != "after"
    }
    heard_in_parts = {each.facts["event"] for each in _asking(entries, names)}
    asked = {e.facts["request"]: e for e in entries if e.what == "request"}
    moved = set[int]()
    began = {
        e.facts["event"]: (e.facts["node"], e.facts["port"]) for e in entries if e.what == "event"
    }
    ended = set[int]()

    def repeats(facts: Facts) -> bool:
        """It did not happen again: `every` repeats its trigger, and the event of a follower is that
        which began what it follows."""
        if facts["cause"] == "timer" and facts["port"] != "tick":
            return True
        of = facts.get("of_request")
        if of not in ended or of not in asked:
            return False
        return began.get(asked[of].facts["event"]) == (facts["node"], facts["port"])

    def row(entry: Entry, name: str) -> list[tuple[Seconds, str]]:
        return rows.setdefault(f"{entry.session} {name}" if several else name, [])

    for entry in entries:
        facts = entry.facts
        if entry.what == "event":
            known = (facts["node"], facts["port"]) in heard or facts["event"] in heard_in_parts
            if known and not (facts.get("of_event") or repeats(facts)):
                marks = row(entry, _port(entry, names, parts))
                marks.append((entry.at, LETTERS[len(marks) % len(LETTERS)]))
        elif entry.what == "outcome" and (sign := SIGNS.get(facts["outcome"])):
            request = facts["request"]
            if sign in ENDED:
                ended.add(request)
            if sign == "q" and request in moved:
                continue  # told again, with another place
            moved.add(request)
            if sign not in left_out and request in asked:
                name = listener_facts(names, asked[request].facts)["name"]
                row(entry, name).append((entry.at, sign))
    if only:
        for each in only:
            if not any(each in name for name in rows):  # where nothing happened is told, too
                rows |= {name: [] for name in row_names(entries, names) if each in name}
        rows = {name: rows[name] for name in rows if any(each in name for each in only)}
    listeners = frozenset(_listeners(entries, names))
    return dict(sorted(rows.items(), key=lambda pair: _is_listener(pair[0], listeners)))


def _is_listener(row: str, listeners: Collection[str]) -> bool:
    return row in listeners or row.split(" ", 1)[-1] in listeners


def marbles(
    entries: list[Entry],
    names: Facts,
    only: tuple[str, ...],
    left_out: str,
    frame: Seconds | None,
    until: Seconds | None,
) -> str:
    """The rows as text; the frame is told if it is not the usual one."""
    rows = rows_of(entries, names, only, left_out)
    step = fitting(at for marks in rows.values() for at, _ in marks) if frame is None else frame
    text = draw_rows(rows, frame=step, until=until)
    return text if step == FRAME else f"{text}\n(a character is {step:g} s)"


# -- SVG ---------------------------------------------------------------------------------------

WIDTH, LEFT, RIGHT, TOP, ROW = 720, 12, 24, 30, 34
WIDEST = 4000
"""Pixels that a picture may grow to, so that marks which are close stand beside each other."""
BADGE = 9


def svg(entries: list[Entry], names: Facts, only: tuple[str, ...]) -> str:
    """The rows as an image; each request is a bar from its start to its end."""
    rows = rows_of(entries, names, only, "")
    listeners = frozenset(_listeners(entries, names))
    label = 7.2 * max((len(name) for name in rows), default=0) + LEFT + 14
    last = max((at for marks in rows.values() for at, _ in marks), default=0.0) or 1.0
    needed = max((_crowded(_instants(marks)) for marks in rows.values()), default=0.0)
    room = min(max(WIDTH - label - RIGHT, needed * last), WIDEST)
    scale, width = room / last, label + room + RIGHT
    height = TOP + ROW * len(rows) + 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}"'
        f' width="{width:g}" height="{height}" font-family="ui-monospace, monospace" font-size="12"'
        ' fill="currentColor" stroke="none" role="img">',
        *_axis(label, scale, last, height),
    ]
    for n, (name, marks) in enumerate(rows.items()):
        y = TOP + ROW * n + ROW / 2
        parts.append(f'<text x="{LEFT}" y="{y + 4:g}">{escape(name)}</text>')
        instants = _instants(marks)
        parts += _line(label, width - RIGHT, y, instants, scale)
        if _is_listener(name, listeners):
            parts += _bars(marks, label, scale, y)
        parts += _badges(instants, label, scale, y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axis(left: float, scale: float, last: Seconds, height: float) -> Iterable[str]:
    step = next(s for s in _steps() if last / s <= 10)
    n = 0
    while n * step <= last * 1.0001:
        x = left + n * step * scale
        text = f"{n * step:g} s"
        yield f'<text x="{x:g}" y="14" text-anchor="middle" opacity="0.6">{text}</text>'
        yield (
            f'<line x1="{x:g}" x2="{x:g}" y1="{TOP - 8}" y2="{height:g}" stroke="currentColor"'
            ' opacity="0.12"/>'
        )
        n += 1


def _steps() -> Iterable[float]:
    power = 1e-6
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _line(
    left: float, right: float, y: float, instants: dict[Seconds, str], scale: float
) -> Iterable[str]:
    """A row's line, which leaves out the badges: they have no colour to cover it with."""
    x = left
    edges = [(left + at * scale, _wide(signs) / 2) for at, signs in instants.items()]
    for begin, end in [*((at - half, at + half) for at, half in edges), (right, right)]:
        if begin > x:
            yield (
                f'<line x1="{x:g}" x2="{begin:g}" y1="{y:g}" y2="{y:g}" stroke="currentColor"'
                ' opacity="0.3"/>'
            )
        x = max(x, end)


def _instants(marks: list[tuple[Seconds, str]]) -> dict[Seconds, str]:
    """What stands in one badge: the marks of one instant."""
    instants = dict[Seconds, str]()
    for at, sign in marks:
        instants[at] = instants.get(at, "") + sign
    return instants


def _wide(signs: str) -> float:
    return max(2 * BADGE, 8 * len(signs) + 6)


def _crowded(instants: dict[Seconds, str]) -> float:
    """Pixels to a second at which no badge of a row touches the next one."""
    return max(
        (
            ((_wide(one) + _wide(other)) / 2 + 3) / (after - before)
            for (before, one), (after, other) in pairwise(instants.items())
        ),
        default=0.0,
    )


def _bars(marks: list[tuple[Seconds, str]], left: float, scale: float, y: float) -> Iterable[str]:
    """From each start to the next end: where a listener works."""
    open_at = list[Seconds]()
    for at, sign in marks:
        if sign == "s":
            open_at.append(at)
        elif sign in "|#^" and open_at:
            begin = open_at.pop(0)
            yield (
                f'<rect x="{left + begin * scale:g}" y="{y - 5:g}" height="10"'
                f' width="{max((at - begin) * scale, 1):g}" rx="3" opacity="0.25"/>'
            )


def _badges(instants: dict[Seconds, str], left: float, scale: float, y: float) -> Iterable[str]:
    for at, signs in instants.items():
        x = left + at * scale
        width = _wide(signs)
        yield (
            f'<g><title>{at:g} s</title><rect x="{x - width / 2:g}" y="{y - BADGE:g}"'
            f' width="{width:g}" height="{2 * BADGE}" rx="{BADGE}" fill="none"'
            ' stroke="currentColor"/>'
            f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle">{escape(signs)}</text></g>'
        )
