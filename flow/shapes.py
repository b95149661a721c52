"""What a value of unknown type is, said so that type checkers believe it."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_listing(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """A list or tuple of anything."""
    return isinstance(value, list | tuple)


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    """A dict of anything."""
    return isinstance(value, dict)
