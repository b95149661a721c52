"""Says which extra to install where an optional library is missing."""

from __future__ import annotations

from ..errors import OssicleError


class MissingExtra(OssicleError, ImportError):
    """An optional library is not installed; the text says what to install."""


def missing(operator: str, library: str, extra: str) -> MissingExtra:
    """The error for an operator that cannot work without a library."""
    return MissingExtra(f"{operator} needs {library}: pip install 'ossicle[{extra}]'")
