"""Subtitles as SubRip, WebVTT, JSON or a list, read into one form: text with two times."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

from ..flow.errors import DeclarationError

# Hours are optional, the fraction has a comma in SubRip and a dot in WebVTT; people mix them.
_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_SPAN = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_TAG = re.compile(r"<[^>]*>")


def subtitles(where: str, given: object) -> list[dict[str, Any]] | None:
    """[{"text": str, "timestamp": [start, end]}], seconds. Raises DeclarationError naming the line.

    given: None, the path of a .srt, .vtt or .json file, or a list in the form that comes out.
    """
    if given is None:
        return None
    if isinstance(given, str | Path):
        path = Path(given)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DeclarationError(
                f"{where}: subtitles={str(given)!r} cannot be read: {error}"
            ) from error
        if path.suffix.lower() == ".json":
            try:
                given = json.loads(text)
            except ValueError as error:
                raise DeclarationError(
                    f"{where}: subtitles={str(path)!r} is not JSON: {error}"
                ) from error
        else:
            return _cues(where, path, text)
    if not isinstance(given, list):
        raise DeclarationError(
            f"{where}: subtitles must be a .srt, .vtt or .json path or a list of "
            f'{{"text": ..., "timestamp": [start, end]}}, not {type(given).__name__}.'
        )
    return [_line(where, i, item) for i, item in enumerate(cast("list[object]", given))]


def _cues(where: str, path: Path, text: str) -> list[dict[str, Any]]:
    found = list[dict[str, Any]]()
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        for i, line in enumerate(lines):
            if span := _SPAN.match(line):
                words = _TAG.sub("", "\n".join(lines[i + 1 :])).strip()
                times = [_seconds(*span.groups()[:4]), _seconds(*span.groups()[4:])]
                found.append(_line(where, len(found), {"text": words, "timestamp": times}))
                break
    if not found:
        raise DeclarationError(
            f"{where}: subtitles={str(path)!r} has no line like 00:00:01,000 --> 00:00:02,500."
        )
    return found


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _line(where: str, index: int, item: object) -> dict[str, Any]:
    if isinstance(item, dict):
        line = cast("dict[str, Any]", item)
        text, times = line.get("text"), line.get("timestamp")
        if isinstance(text, str) and isinstance(times, list | tuple):
            pair = [t for t in cast("list[Any]", times) if _is_time(t)]
            if len(pair) == 2 and len(times) == 2 and pair[0] <= pair[1]:  # pyright: ignore[reportUnknownArgumentType]
                return {"text": text, "timestamp": [float(t) for t in pair]}
    raise DeclarationError(
        f"{where}: subtitles[{index}] must be "
        f'{{"text": str, "timestamp": [start, end]}} with 0 <= start <= end, not {item!r}.'
    )


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
