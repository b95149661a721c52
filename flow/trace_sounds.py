"""Sounds and files that users put in, as a trace keeps them: what they lie in goes before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio import Clip, MemoryClip
from .bounds import ClipError
from .documents import Document
from .said import Act, Said
from .shapes import is_dict, is_listing


class Recorded(MemoryClip):
    """A sound from a trace: its 16-bit samples, under the id that it had."""

    def __init__(self, rate: int, samples: NDArray[np.int16], name: str, id: str) -> None:
        super().__init__(rate, samples, name=name)
        self._recorded = id

    @property
    def id(self) -> str:
        return self._recorded


@dataclass(frozen=True, eq=False, kw_only=True)
class Copied(Document):
    """A file from a trace, which no session has stored."""

    content: bytes


class Brought:
    """What users put in, and the copies that were made of it."""

    def __init__(self) -> None:
        self._new = list[object]()
        self._copies = dict[str, Clip | Document]()

    def add(self, value: object) -> None:
        """Something that a user put in, which `hold` is to copy."""
        self._new.append(value)

    def hold(self) -> None:
        """Copy into memory what lies in files that will go."""
        for each in within(self._new):
            key = key_of(each)
            if key not in self._copies and not isinstance(each, MemoryClip):
                try:
                    self._copies[key] = copied(each)
                except (ClipError, OSError):
                    continue  # too long, or gone: who wants to save it is told
        self._new.clear()

    def said(self, said: Said) -> Said:
        """The same with what was copied in place of what may be gone."""
        if not isinstance(said, Act):
            return said
        return replace(said, value=exchanged(said.value, self._copy))

    def _copy(self, of: Clip | Document) -> object:
        return self._copies.get(key_of(of), of)


def copied(what: Clip | Document) -> Clip | Copied:
    """The same in memory. Raises ClipError or OSError if it cannot be read."""
    if isinstance(what, MemoryClip):
        return what
    if isinstance(what, Clip):
        return Recorded(what.rate, what.int16(), what.name, what.id)
    if isinstance(what, Copied):
        return what
    known = {name: getattr(what, name) for name in ("name", "size", "key", "kind")}
    return Copied(**known, content=what.source.read_bytes())


def key_of(what: Clip | Document) -> str:
    """By its content."""
    return what.id if isinstance(what, Clip) else what.key


def within(value: Any) -> Iterator[Clip | Document]:
    """The sounds and files of a value, however deep in lists and dicts."""
    if isinstance(value, Clip | Document):
        yield value
    elif is_listing(value):
        for each in value:
            yield from within(each)
    elif is_dict(value):
        for each in value.values():
            yield from within(each)


def exchanged(value: Any, other: Callable[[Clip | Document], object]) -> Any:
    """A value with each of its sounds and files replaced by what `other` gives for it."""
    if isinstance(value, Clip | Document):
        return other(value)
    if is_listing(value):
        return [exchanged(each, other) for each in value]
    if is_dict(value):
        return {name: exchanged(each, other) for name, each in value.items()}
    return value
