"""Fixtures of the tests of the core."""

from __future__ import annotations

import pytest

from ossicle.testing import Lab

from .traced import App, story


@pytest.fixture(scope="session")
def told() -> tuple[App, Lab]:
    """An app, and the lab in which its story was told: only to be looked at."""
    app = App()
    with Lab(app.blocks) as lab:
        story(app, lab)
    return app, lab
