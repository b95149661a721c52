"""A long sound on its way in: what the page shows before all of it is known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from playwright.async_api import expect

import ossicle as oc
from ossicle.flow.samples import Digest, Samples
from ossicle.runtime.media import facts

from .conftest import Open, Visit

RATE = 44_100
SECONDS = 80
FULL = """canvas => {
  const { width, height } = canvas;
  const data = canvas.getContext('2d').getImageData(0, height / 4, width, 1).data;
  let last = 0;
  for (let x = 0; x < width; x++) if (data[x * 4 + 3]) last = x;
  return last / width;
}"""
"""How far to the right something is drawn."""


@pytest.fixture
def half_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The server stops looking after half of the sound, until the event is set."""
    go_on = threading.Event()
    true = facts.update_hash
    frames = 0

    def held(digest: Digest, block: Samples) -> None:
        nonlocal frames
        frames += block.shape[0]
        if frames > RATE * SECONDS / 2:
            go_on.wait(30)
        true(digest, block)

    monkeypatch.setattr(facts, "update_hash", held)
    yield go_on
    go_on.set()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound that becomes larger than what is not worth watching."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    t = np.arange(RATE * SECONDS) / RATE
    soundfile.write(path, np.sin(t)[:, None] * [0.8, 0.5], RATE)
    return path


@pytest_asyncio.fixture
async def tab(visit: Open, half_way: threading.Event, long: Path) -> Visit:
    """A page on which half of the sound is drawn, until `half_way` is set."""
    with oc.Blocks() as app:
        oc.Audio(label="Sound")
    tab = await visit(app)
    await send(tab, long)
    await expect(tab.page.get_by_text(re.compile(r"Drawing… 4\d %"))).to_be_visible()
    return tab


async def send(tab: Visit, path: Path) -> None:
    await tab.page.locator("input[type=file]").set_input_files(path)


async def test_a_partial_outline_is_seen_before_the_whole(
    tab: Visit, half_way: threading.Event
) -> None:
    """It is drawn as far as it is known, at its place in the whole, and says so; then it plays."""
    outline = tab.page.locator(".still canvas")
    await expect(tab.page.get_by_role("progressbar", name="Drawing long.wav")).to_be_visible()
    assert 0.4 < await outline.evaluate(FULL) < 0.6
    await expect(tab.page.locator(".wave")).to_have_count(0)

    half_way.set()
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
    await expect(outline).to_have_count(0)
    asked = [url for url in tab.asked if "upload/peaks" in url]
    await tab.page.get_by_role("button", name="Play", exact=True).click()
    await expect(tab.page.get_by_role("button", name="Pause")).to_be_visible()
    assert [url for url in tab.asked if "upload/peaks" in url] == asked  # nobody asks on


async def test_a_sound_given_up_while_it_is_drawn_leaves_nothing(
    tab: Visit, half_way: threading.Event, long: Path
) -> None:
    """Cancel ends drawing and asking; the place is empty and takes the next sound."""
    await tab.page.get_by_role("button", name="Cancel").click()
    await expect(tab.page.get_by_text("Drop a sound here")).to_be_visible()
    half_way.set()
    await send(tab, long)
    await expect(tab.page.locator(".wave.drawn")).to_be_visible()
