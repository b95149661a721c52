"""What tests of live sound in a browser have in common."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, expect

import ossicle as oc

from .conftest import PATIENCE

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


async def recorded(page: Page, until: str) -> None:
    """The recorder's clock shows so much."""
    await expect(page.locator(".recorder .time b")).to_have_text(re.compile(until))


@dataclass
class Heard:
    """What an app got of a recording."""

    chunks: list[NDArray[np.int16]] = field(default_factory=list[NDArray[np.int16]])
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    takes: list[NDArray[np.int16]] = field(default_factory=list[NDArray[np.int16]])


def hearing(every: float, **options: float) -> tuple[oc.Blocks, oc.Audio, Heard]:
    heard = Heard()

    def hear(chunk: Sound, event: oc.EventData) -> None:
        heard.chunks.append(chunk[1])
        heard.places.append((event.index, event.gap))

    def keep(take: Sound) -> None:
        heard.takes.append(take[1])

    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)
        mic.stream(hear, mic, None, stream_every=every, on_overload="block", **options)
        mic.stop_recording(keep, mic, None)
    return app, mic, heard
