"""Whoever asks `help()` of a public name is told something."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

import ossicle
import ossicle.sound
import ossicle.testing


def silent(module: ModuleType) -> Iterator[str]:
    """Public classes, functions and methods that neither they nor what they extend explain."""
    for name in dir(module):
        each = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(each) or inspect.isfunction(each)):
            continue
        if not inspect.getdoc(each):
            yield name
        for member in vars(each) if inspect.isclass(each) else ():
            own = inspect.getattr_static(each, member)
            called = inspect.isroutine(own) or isinstance(
                own, property | staticmethod | classmethod
            )
            if called and not member.startswith("_") and not inspect.getdoc(getattr(each, member)):
                yield f"{name}.{member}"


@pytest.mark.parametrize(
    "module", [ossicle, ossicle.sound, ossicle.testing], ids=lambda m: m.__name__
)
def test_public_names_are_explained(module: ModuleType) -> None:
    """Each has a docstring, or what it extends has one."""
    assert list(silent(module)) == []
