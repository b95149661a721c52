"""What tests of live sound in a browser have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, expect

import ossicle as oc

from .conftest import PATIENCE, Listen, Listening, Site

Sound = tuple[int, NDArray[np.int16]]
OUT = 48_000


def voice(seconds: float) -> NDArray[np.int16]:
    """Noise in which no sample is zero, so that silence is no part of it."""
    made = np.random.default_rng(3).integers(1000, 9000, round(seconds * OUT)).astype(np.int16)
    return made * np.where(np.arange(len(made)) % 2, 1, -1).astype(np.int16)


async def until(condition: Callable[[], bool], patience: float = PATIENCE / 1000) -> None:
    """Wait for what happens in the app's own functions, which nobody tells the page of."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.01)


async def click(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def speaks(listen: Listen, app: oc.Blocks, button: str = "Speak") -> Listening:
    """A tab with the app, in which it was asked to speak."""
    tab = await listen(app)
    await click(tab.page, button)
    return tab


async def recording(listen: Listen, app: oc.Blocks | Site, seconds: float = 0) -> Listening:
    """A tab with the app that records, so long already."""
    tab = await listen(app)
    await click(tab.page, "Record")
    if seconds:
        await recorded(tab.page, seconds)
    return tab


async def drawn(page: Page, players: int = 1) -> None:
    """So many sounds are there as a whole."""
    await expect(page.locator(".wave.drawn")).to_have_count(players)


async def heard_all(tab: Listening, sound: NDArray[np.int16]) -> None:
    """It came to its end, and each sample of it was played."""
    await drawn(tab.page)
    np.testing.assert_array_equal(await tab.tap.heard(OUT), sound)


async def kept_all(tab: Listening, take: NDArray[np.int16]) -> None:
    """A take is what the page's microphone gave, sample by sample, from its first to its last."""
    spoken = np.rint((await tab.tap.sound()).spoken * 32768).astype(np.int16)
    begins = np.flatnonzero(spoken[: len(spoken) - len(take) + 1] == take[0])
    assert any(np.array_equal(spoken[at : at + len(take)], take) for at in begins)


RECORDED, HEARD = ".recorder .time b", ".streamed .time b"
"""Clocks: of a recorder, and of sound that is heard while it is made."""


async def shows(page: Page, clock: str, seconds: float) -> None:
    """A clock of the page shows so much, or more: a busy machine may not look in between."""
    async with asyncio.timeout(PATIENCE / 1000):
        while True:
            minutes, _, rest = (await page.locator(clock).inner_text()).partition(":")
            if 60 * int(minutes) + float(rest) >= seconds:
                return
            await asyncio.sleep(0.02)


async def recorded(page: Page, seconds: float) -> None:
    """The recorder's clock shows so much."""
    await shows(page, RECORDED, seconds)


@dataclass
class Heard:
    """What an app got of a recording."""

    chunks: list[NDArray[np.int16]] = field(default_factory=list[NDArray[np.int16]])
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    takes: list[NDArray[np.int16]] = field(default_factory=list[NDArray[np.int16]])

    @property
    def end(self) -> int:
        """The frame behind the last chunk."""
        return self.places[-1][0] + len(self.chunks[-1]) if self.places else 0


def listens(microphone: oc.Audio, heard: Heard, every: float = 0.1, **options: float) -> None:
    """The app notes all that it gets of a microphone."""

    def hear(chunk: Sound, event: oc.EventData) -> None:
        heard.chunks.append(chunk[1])
        heard.places.append((event.index, event.gap))

    def keep(take: Sound) -> None:
        heard.takes.append(take[1])

    microphone.stream(hear, microphone, None, stream_every=every, on_overload="block", **options)
    microphone.stop_recording(keep, microphone, None)


def hearing(every: float, **options: float) -> tuple[oc.Blocks, oc.Audio, Heard]:
    heard = Heard()
    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)
        listens(mic, heard, every, **options)
    return app, mic, heard
