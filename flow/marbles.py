"""Marbles: one grammar for pictures in time, read by `parse` and written by `draw`.

    -        a frame passes; a frame is 0.1 s unless `frame=` says otherwise
    a        a mark: any other character; a frame passes with it
    (ab)     marks of one instant, in this order; one frame passes for all of them
    |  #  ^  marks that say end, error and cancel
    5s 20ms  between spaces: so much time passes (units: us ms s m h; 1.5s too)
    space    nothing; it aligns pictures below each other

>>> [(mark.at, mark.name) for mark in parse("-a--(bc) 5s d|")]
[(0.1, 'a'), (0.4, 'b'), (0.4, 'c'), (5.5, 'd'), (5.6, '|')]
>>> draw([(0.1, "a"), (0.4, "b"), (0.4, "c"), (5.5, "d"), (5.6, "|")])
'-a--(bc) 5s d|'

The same instants give the same picture, so pictures can be compared as text; `parse(x) == parse(y)`
compares two that are spaced differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .errors import OssicleError
from .model import Seconds

FRAME: Seconds = 0.1
END, ERROR, CANCEL = "|", "#", "^"
SECOND = 1_000_000_000
"""Pictures are counted in whole nanoseconds: sums of 0.1 would drift."""
UNITS = {"us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
MOST_DASHES = 19
"""A longer gap is drawn as time: nobody counts twenty dashes."""

_TIME = re.compile(r"(\d+)(?:\.(\d+))?(us|ms|s|m|h)")
_FRAMES: tuple[Seconds, ...] = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-4, 1e-5, 1e-6)


class MarbleError(OssicleError, ValueError):
    """A picture that cannot be read, or marks that cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing in a picture: when, its character, and what that stands for."""

    at: Seconds
    name: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks in the order of time. `seconds`: how long the picture is, its last frame included."""

    marks: tuple[Mark, ...]
    seconds: Seconds

    def __iter__(self) -> Iterator[Mark]:
        return iter(self.marks)

    def __len__(self) -> int:
        return len(self.marks)


def parse(
    text: str, values: Mapping[str, object] | None = None, *, frame: Seconds = FRAME
) -> Picture:
    """Read a picture. `values`: what a character stands for; it stands for itself if left out.

    Raises MarbleError with the place of what cannot be read.

    >>> parse("a-b", {"a": 1}).marks
    (Mark(at=0.0, name='a', value=1), Mark(at=0.2, name='b', value='b'))
    """
    step = _step(frame)
    known = values or {}
    marks, now, group = list[Mark](), 0, -1

    def mark(name: str) -> None:
        marks.append(Mark(now / SECOND, name, known.get(name, name)))

    for token in re.finditer(r"\S+", text):
        passed = _TIME.fullmatch(token[0])
        if passed and group < 0:
            now += _passed(passed)
            continue
        for place, name in enumerate(token[0], token.start()):
            if name == "(":
                if group >= 0:
                    raise MarbleError(f"{text!r}: a group begins inside a group, at {place}.")
                group = place
            elif name == ")":
                if group < 0:
                    raise MarbleError(f"{text!r}: ')' at {place} ends a group that never began.")
                group = -1
                now += step
            elif group >= 0:
                if name == "-":
                    raise MarbleError(f"{text!r}: no time passes inside a group: '-' at {place}.")
                mark(name)
            else:
                if name != "-":
                    mark(name)
                now += step
    if group >= 0:
        raise MarbleError(f"{text!r}: the group that begins at {group} never ends.")
    return Picture(tuple(marks), now / SECOND)


def draw(
    marks: Iterable[Mark | tuple[Seconds, str]],
    *,
    frame: Seconds = FRAME,
    until: Seconds | None = None,
) -> str:
    """The picture of marks, in the order of time. `until`: seconds that it lasts at least.

    Raises MarbleError if two instants are closer than a frame; `fitting` finds a frame.
    """
    return _rows([_plain(marks)], frame, until)[0].strip(" ")


def draw_rows(
    rows: Mapping[str, Iterable[Mark | tuple[Seconds, str]]],
    *,
    frame: Seconds | None = None,
    until: Seconds | None = None,
) -> str:
    """Named pictures below each other, instants aligned; each of them can be read by itself.

    frame: None takes the longest that fits.

    >>> print(draw_rows({"in": [(0.1, "a"), (0.1, "b")], "out": [(0.3, "x")]}))
    in   -(ab)--
    out  --   -x
    """
    plain = [_plain(marks) for marks in rows.values()]
    if frame is None:
        frame = fitting(at / SECOND for marks in plain for at, _ in marks)
    width = max(map(len, rows), default=0)
    drawn = _rows(plain, frame, until)
    return "\n".join(
        f"{name:{width}}  {text}".rstrip(" ") for name, text in zip(rows, drawn, strict=True)
    )


def fitting(instants: Iterable[Seconds]) -> Seconds:
    """The longest usual frame in which no two of these instants fall together."""
    found = sorted({_whole(at) for at in instants})
    least = min((b - a for a, b in zip(found, found[1:], strict=False)), default=SECOND)
    return next((each for each in _FRAMES if _whole(each) <= least), _FRAMES[-1])


def _plain(marks: Iterable[Mark | tuple[Seconds, str]]) -> list[tuple[int, str]]:
    pairs = [(m.at, m.name) if isinstance(m, Mark) else m for m in marks]
    for at, name in pairs:
        if len(name) != 1 or name in "-() \t\n":
            raise MarbleError(f"{name!r} at {at:g} s is not one character that a mark may be.")
    return sorted(((_whole(at), name) for at, name in pairs), key=lambda pair: pair[0])


def _rows(rows: list[list[tuple[int, str]]], frame: Seconds, until: Seconds | None) -> list[str]:
    step = _step(frame)
    drawn = _columns(rows, step, until, _cell)
    for row, text in zip(rows, drawn, strict=True):
        if [(_whole(m.at), m.name) for m in parse(text, frame=frame)] != row:
            # marks that stand like "5s" between spaces; a group says that they are marks
            return _columns(rows, step, until, _grouped)
    return drawn


def _columns(
    rows: list[list[tuple[int, str]]],
    step: int,
    until: Seconds | None,
    cell_of: Callable[[list[str]], str],
) -> list[str]:
    drawn = [""] * len(rows)
    now = 0

    def column(cells: list[str]) -> None:
        width = max(map(len, cells))
        for i, cell in enumerate(cells):
            # dashes would be time: what is narrower is filled with spaces, which are nothing
            drawn[i] += cell.ljust(width)

    def wait(gap: int) -> None:
        frames, rest = divmod(gap, step)
        if gap and (rest or frames > MOST_DASHES):
            column([f" {_said(gap)} "] * len(rows))
        elif frames:
            column(["-" * frames] * len(rows))

    for at in sorted({at for marks in rows for at, _ in marks}):
        if at < now:
            raise MarbleError(
                f"two instants are closer than a frame of {step / SECOND:g} s, near"
                f" {at / SECOND:g} s; draw with a shorter frame."
            )
        wait(at - now)
        column([cell_of([name for t, name in marks if t == at]) for marks in rows])
        now = at + step
    if until is not None and _whole(until) > now:
        wait(_whole(until) - now)
    return drawn


def _cell(names: list[str]) -> str:
    return _grouped(names) if len(names) > 1 else "".join(names) or "-"


def _grouped(names: list[str]) -> str:
    return f"({''.join(names)})" if names else "-"


def _step(frame: Seconds) -> int:
    if not (isinstance(frame, int | float) and frame >= 1e-9):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
        raise MarbleError(f"frame={frame!r} must be the seconds of one character, more than 0.")
    return _whole(frame)


def _whole(seconds: Seconds) -> int:
    return round(seconds * SECOND)


def _passed(token: re.Match[str]) -> int:
    whole, part, unit = token.groups()
    part = part or ""
    return int(whole + part) * UNITS[unit] // 10 ** len(part)


def _said(gap: int) -> str:
    unit = "s" if gap >= SECOND else "ms" if gap >= UNITS["ms"] else "us"
    whole, rest = divmod(gap, UNITS[unit])
    digits = str(rest).rjust(len(str(UNITS[unit])) - 1, "0").rstrip("0")
    return f"{whole}.{digits}{unit}" if digits else f"{whole}{unit}"
