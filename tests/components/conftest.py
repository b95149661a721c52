"""Where the sounds and files of components under test are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ossicle.runtime.media.session import Session
from ossicle.runtime.media.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


@pytest.fixture
def media(store: Store) -> Session:
    return store.session("a")
