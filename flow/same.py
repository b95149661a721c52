"""Whether two values are the same: what `change` asks of plain values (rule E1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

PLAIN = (str, int, float, bool, type(None))
"""Most values, and the quickest to compare."""


def same(a: Any, b: Any) -> bool:
    """Equality that never raises: arrays by all their elements, containers by what they hold.

    NaN is the same as NaN: a function that returns it again moved nothing. What cannot be compared
    is not the same.
    """
    if a is b:
        return True
    if type(a) in PLAIN and type(b) in PLAIN:
        return a == b or (a != a and b != b)
    left, right = cast("object", a), cast("object", b)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        one, other = cast("Mapping[Any, Any]", a), cast("Mapping[Any, Any]", b)
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(left, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, cast("Sequence[Any]", a), b))
    try:
        if getattr(a, "shape", None) != getattr(b, "shape", None):
            return False
        equal = (a == b) | ((a != a) & (b != b))
        return bool(equal.all().all() if hasattr(equal, "all") else equal)
    except Exception:  # what raises when compared, like a data frame with other columns
        return False
