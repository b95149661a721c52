"""Answers that come, come again and are replaced: the page never asks for what is gone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, expect

import ossicle as oc

from .conftest import Open, Serve

RATE = 8000
Sound = tuple[int, Any]


def tone(pitch: float = 440.0, seconds: float = 1.0) -> Sound:
    return RATE, (9000 * np.sin(np.arange(int(seconds * RATE)) * pitch / RATE)).astype(np.int16)


def held(until: asyncio.Event) -> Callable[[Route], Awaitable[None]]:
    """Requests come to the server only after that."""

    async def wait(route: Route) -> None:
        await until.wait()
        with suppress(PlaywrightError):  # the page no longer wants it
            await route.continue_()

    return wait


async def test_the_same_answer_twice_is_one_sound_on_the_page(visit: Open) -> None:
    """A double click: the second answer is equal, so the player that stands there stays."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Audio(label="Out", interactive=False)
        times, count = oc.Number(0, label="Times"), itertools.count(1)
        ran = go.click(tone, None, out, trigger_mode="multiple")
        ran.then(lambda: next(count), None, times, trigger_mode="multiple")
    seen = await visit(app)
    await seen.page.get_by_role("button", name="Go").dblclick()
    await expect(seen.page.get_by_label("Times")).to_have_value("2")
    await expect(seen.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    sounds = {url for url in seen.asked if "/files/" in url and "peaks" not in url}
    assert len(sounds) == 1, sounds


@pytest.mark.parametrize("late", [False, True])
async def test_a_sound_that_is_replaced_while_it_loads_is_no_error(visit: Open, late: bool) -> None:
    """As a generator replaces it; late: each request of the page comes after the next answer."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Audio(label="Out", interactive=False)

        def steps() -> Iterator[Sound]:
            for step in range(12):
                yield tone(200 + 50 * step)

        go.click(steps, None, out).then(lambda: "done", None, oc.Textbox(label="Said"))
    seen = await visit(app)
    answers = list[int]()
    seen.page.on("response", lambda answer: answers.append(answer.status))
    done = asyncio.Event()

    if late:
        await seen.page.route("**/files/**", held(done))
    await seen.page.get_by_role("button", name="Go").click()
    await expect(seen.page.get_by_label("Said")).to_have_value("done")
    done.set()
    await expect(seen.page.locator(".wave.drawn")).to_be_visible()
    assert answers and max(answers) < 400


async def test_a_sound_that_is_cleared_while_it_loads_is_no_error(
    visit: Open, serve: Serve
) -> None:
    """Its file is gone with the clear; nothing asks for it any more, and nothing is left."""
    with oc.Blocks() as app:
        go, out = oc.Button("Go"), oc.Audio(label="Out", interactive=True)
        go.click(tone, None, out)
        out.clear(lambda: "cleared", None, oc.Textbox(label="Said"))
    site = await serve(app)
    seen = await visit(site)
    answers = list[int]()
    seen.page.on("response", lambda answer: answers.append(answer.status))
    cleared = asyncio.Event()

    await seen.page.route("**/files/**", held(cleared))
    await seen.page.get_by_role("button", name="Go").click()
    await seen.page.get_by_role("button", name="Clear").click()
    await expect(seen.page.get_by_label("Said")).to_have_value("cleared")
    cleared.set()
    await seen.page.get_by_role("button", name="Go").click()
    await expect(seen.page.locator(".wave.drawn")).to_be_visible()
    assert max(answers) < 400


async def test_autoplay_plays_an_equal_answer_as_well(visit: Open) -> None:
    """Who asks again wants to hear it again."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        out = oc.Audio(label="Out", interactive=False, autoplay=True)
        ends, count = oc.Number(0, label="Ends"), itertools.count(1)
        go.click(lambda: tone(seconds=0.3), None, out)
        out.stop(lambda: next(count), None, ends, trigger_mode="multiple")
    seen = await visit(app)
    for heard in ("1", "2"):
        await seen.page.get_by_role("button", name="Go").click()
        await expect(seen.page.get_by_label("Ends")).to_have_value(heard)
