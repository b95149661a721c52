"""What `Interface` keeps when users flag a result: one CSV file, and copies of sounds and files.

    <folder>/log.csv          one row for each flag: the components' values, flag, time (UTC)
    <folder>/files/           sounds as wav, other files as they came, by content: each once

A row holds what the components showed and nothing about who flagged it. Another set of columns
begins another file, log-2.csv and so on, so that an old log is never damaged.
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

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a program to spreadsheets; they take it as text after an apostrophe."""


class FlagLog:
    """The log in one folder, which is made with the first row. Thread-safe.

    names: of the columns for values.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._header = [*names, "flag", "time"]
        self._lock = threading.Lock()

    def append(self, values: Sequence[object], flag: str = "") -> None:
        """One row. `values` are stored values. Raises OSError if it cannot be written."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = [*(self._cell(value) for value in values), _text(flag), now]
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
            path = self._folder / ("log.csv" if number == 1 else f"log-{number}.csv")
            if not path.exists() or not path.stat().st_size:
                return path, True
            with path.open(newline="", encoding="utf-8") as file:
                if next(csv.reader(file), None) == self._header:
                    return path, False
            number += 1

    def _cell(self, value: object) -> str | int | float | bool:
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, Document):
            return self._document(value)
        if is_listing(value) and all(isinstance(each, Document) for each in value):
            return "; ".join(map(self._document, value))
        if is_dict(value) or is_listing(value):
            return _text(json.dumps(value, ensure_ascii=False, default=str))
        return self._sound(value)

    def _document(self, document: Document) -> str:
        def write(path: Path) -> None:
            shutil.copyfile(document.source, path)

        return self._copy(document.key, document.name, write)

    def _sound(self, value: object) -> str:
        from ..flow.audio import Clip
        from .media.encode import encode
        from .media.names import with_suffix

        if not isinstance(value, Clip):
            return _text(str(value))

        def write(path: Path) -> None:
            encode(value, path, "wav")

        return self._copy(value.id, with_suffix(value.name, "wav"), write)

    def _copy(self, key: str, name: str, write: Callable[[Path], None]) -> str:
        """The file of that content and name, whole or not at all; its path from the folder."""
        folder = self._folder / "files"
        target = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{name}"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            half = folder / f".{secrets.token_hex(8)}"
            try:
                write(half)
                os.replace(half, target)
            finally:
                half.unlink(missing_ok=True)
        return target.relative_to(self._folder).as_posix()


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
