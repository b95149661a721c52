"""Values that do not change, and are made quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """A dataclass with slots, compared by identity, and frozen to the type checker.

    Not frozen at run time: setting each field of a frozen one through `object.__setattr__` makes it
    three times as slow to make, and a request makes a dozen of them.
    """
    return dataclass(slots=True, eq=False)(cls)
