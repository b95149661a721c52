"""The pytest plugin: fixtures `clock`, `lab`, `marbles`. Nothing is loaded before it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ...flow.marble_streams import Marbles
    from ...flow.testing import VirtualClock
    from ..app import Blocks
    from .lab import Lab


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Two traces that differ are shown where they part, not as a whole."""
    if op == "==" and "ossicle.flow.trace" in sys.modules:
        from ...flow.trace import Trace

        if isinstance(left, Trace) and isinstance(right, Trace):
            return ["the traces part at", *left.difference(right).splitlines()]
    return None


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at 0.0 and moves when told: `clock.run_until(2.5)`."""
    from ...flow.testing import VirtualClock

    return VirtualClock()


@pytest.fixture
def marbles(clock: VirtualClock) -> Marbles:
    """Streams from pictures and pictures from streams, on the test's `clock`."""
    from ...flow.marble_streams import Marbles

    return Marbles(clock)


@pytest.fixture
def lab() -> Iterator[Callable[..., Lab]]:
    """Runs apps in virtual time: `user = lab(demo)`. The arguments are those of `Lab`.

    Each is closed at the end of the test.
    """
    from .lab import Lab

    with ExitStack() as open_labs:

        def make(app: Blocks, **options: Any) -> Lab:
            return open_labs.enter_context(Lab(app, **options))

        yield make
