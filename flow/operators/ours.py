"""Which operators are the library's own: what others give is looked at before it goes on."""

from __future__ import annotations

_PACKAGE = __name__.partition(".")[0] + "."


def is_ours(made: object) -> bool:
    """Whether a function, or the class of an object, stands in this package."""
    module = getattr(made, "__module__", None)
    return isinstance(module, str) and module.startswith(_PACKAGE)
