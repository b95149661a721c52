"""What `Interface` keeps when users flag a result: one CSV file, and copies of sounds and files.

    <folder>/dataset1.csv             one row for each flag: values, flag, timestamp (UTC)
    <folder>/<label>/<digest>/<name>  sounds as wav, other files as they came: each content once

A row holds what the components showed and nothing about who flagged it; a file is its path, from
where the app was started if `folder` is, several are a JSON list. Another set of columns begins
another file, dataset2.csv and so on, so that an old log is never damaged. So what reads the peer's
folders reads these. It differs in that times are UTC and say so, no user is named, equal content is
kept once, and a sound is a wav whatever it came as.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..flow.documents import Document
from ..flow.shapes import is_dict, is_listing
from .media.names import safe_name

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a program to spreadsheets; they take it as text after an apostrophe."""


class FlagLog:
    """The log in one folder, which is made with the first row. Thread-safe.

    names: of the columns for values.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._header = [*names, "flag", "timestamp"]
        self._places = [safe_name(name, fallback="component") for name in names]
        self._lock = threading.Lock()

    def append(self, values: Sequence[object], flag: str = "") -> None:
        """One row. `values` are stored values. Raises OSError if it cannot be written."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = [*map(self._cell, self._places, values), _text(flag), now]
        with self._lock:
            path, fresh = self._file()
            before = 0 if fresh else path.stat().st_size
            try:
                with path.open("a", newline="", encoding="utf-8") as file:
                    writer = csv.writer(file)
                    if fresh:
                        writer.writerow(self._header)
                    writer.writerow(row)
            except OSError:
                os.truncate(path, before)  # half a row would spoil the next one
                raise

    def _file(self) -> tuple[Path, bool]:
        """The log with these columns, and whether it is a new one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = self._folder / f"dataset{number}.csv"
            if not path.exists() or not path.stat().st_size:
                return path, True
            with path.open(newline="", encoding="utf-8") as file:
                if next(csv.reader(file), None) == self._header:
                    return path, False
            number += 1

    def _cell(self, place: str, value: object) -> str | int | float | bool:
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, Document):
            return self._document(place, value)
        if is_listing(value) and value and all(isinstance(each, Document) for each in value):
            paths = [self._document(place, each) for each in value]
            return json.dumps(paths, ensure_ascii=False)
        if is_dict(value) or is_listing(value):
            return _text(json.dumps(value, ensure_ascii=False, default=str))
        return self._sound(place, value)

    def _document(self, place: str, document: Document) -> str:
        def write(path: Path) -> None:
            shutil.copyfile(document.source, path)

        return self._copy(place, document.key, document.name, write)

    def _sound(self, place: str, value: object) -> str:
        from ..flow.audio import Clip
        from .media.encode import encode
        from .media.names import with_suffix

        if not isinstance(value, Clip):
            return _text(str(value))

        def write(path: Path) -> None:
            encode(value, path, "wav")

        return self._copy(place, value.id, with_suffix(value.name, "wav"), write)

    def _copy(self, place: str, key: str, name: str, write: Callable[[Path], None]) -> str:
        """The file of that content and name, whole or not at all; its path."""
        folder = self._folder / place / hashlib.sha256(key.encode()).hexdigest()[:16]
        target = folder / name
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            half = folder / f".{secrets.token_hex(8)}"
            try:
                write(half)
                os.replace(half, target)
            finally:
                half.unlink(missing_ok=True)
        return target.as_posix()


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
