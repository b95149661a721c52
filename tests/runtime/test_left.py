"""What a page may still be fetching is there, and no longer than it must be."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

import ossicle as oc
from ossicle.runtime.host import Host
from ossicle.runtime.sessions import LEFT

RATE = 8000


def tone(level: int) -> tuple[int, Any]:
    return RATE, np.full(400, level, np.int16)


def shade(level: int) -> Any:
    return np.full((2, 2), level, np.uint8)


class Page:
    """A page that acknowledges when it is told to."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.token = ""
        self.seq = 0
        self.told = list[dict[str, Any]]()
        """The values of sounds and files that it was told of."""
        self._heard = asyncio.Event()
        self.line = host.connect(None, 0, self.hear)

    def hear(self, message: Any) -> None:
        if message["type"] == "open":
            self.token = message["session"]
        elif message["type"] == "patches":
            self.seq = message["seq"]
            for patch in message["patches"]:
                shown = [patch, *patch.get("nodes", [])]
                values = [each["props"].get("value") for each in shown if "props" in each]
                self.told += [each for each in values if isinstance(each, dict)]
        self._heard.set()

    async def click(self, node: oc.Button, until: int) -> None:
        """Press it, and wait until so many values were told of in all."""
        self.line.receive({"type": "act", "node": node.id, "act": "click"})
        await self.hears(until)

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.told) < count:
                self._heard.clear()
                await self._heard.wait()
            while not self.host.program.idle:
                await asyncio.sleep(0)

    def acknowledge(self) -> None:
        self.line.receive({"type": "ack", "seq": self.seq})
        gc.collect()

    @property
    def handles(self) -> list[str]:
        return [each.get("clip") or each["file"] for each in self.told]

    def found(self) -> list[bool]:
        """Of all that it was told of, whether it is there."""
        return [self.there(handle) for handle in self.handles]

    def there(self, handle: str) -> bool:
        try:
            self.host.sound(handle)
        except KeyError:
            return False
        return True


@pytest_asyncio.fixture
async def open_page() -> AsyncIterator[Callable[[oc.Blocks], Page]]:
    """Runs apps on threads and the test's own loop."""
    hosts = list[Host]()

    def opened(app: oc.Blocks) -> Page:
        hosts.append(Host(app.plan(), page_code=True, reconnect_window=0))
        return Page(hosts[-1])

    yield opened
    for host in hosts:
        await host.close()


Opened = Callable[[oc.Blocks], Page]


def counting(kind: str = "sound") -> tuple[oc.Blocks, oc.Button]:
    """An app whose answers are sounds, or pictures, each another."""
    count = itertools.count(1)
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Audio() if kind == "sound" else oc.Image()
        make = tone if kind == "sound" else shade
        go.click(lambda: make(next(count)), None, out)
    return demo, go


@pytest.mark.parametrize("kind", ["sound", "picture"])
async def test_what_was_replaced_stays_until_the_page_has_the_next(
    open_page: Opened, kind: str
) -> None:
    """The page mounts a player for each answer, and fetches pictures of an app that draws five a
    second: what it asks for then is still there."""
    demo, go = counting(kind)
    page = open_page(demo)
    for count in (1, 2, 3):
        await page.click(go, count)
    assert page.found() == [True, True, True]
    page.acknowledge()
    assert page.found() == [False, False, True]
    await page.click(go, 4)
    page.acknowledge()
    assert page.found() == [False, False, False, True]
    page.line.close()
    async with asyncio.timeout(20):
        while page.host.lines:
            await asyncio.sleep(0)
    gc.collect()
    assert page.found() == [False] * 4


async def test_a_page_that_never_acknowledges_keeps_only_the_newest(open_page: Opened) -> None:
    """Policy: drop_oldest."""
    demo, go = counting()
    page = open_page(demo)
    for count in range(LEFT + 9):
        await page.click(go, count + 1)
    gc.collect()
    found = page.found()
    assert (len(found), sum(found)) == (LEFT + 9, LEFT + 1), "and the one that stands there"


async def test_an_equal_answer_leaves_the_handle_where_it_is(
    open_page: Opened, tmp_path: Path
) -> None:
    """E1: of sounds, files and pictures; what came the second time is let go of."""
    path = tmp_path / "note.txt"
    path.write_text("a note")
    picture = np.zeros((3, 4, 3), np.uint8)
    with oc.Blocks() as demo:
        go, outs = oc.Button(), [oc.Audio(), oc.File(), oc.Image()]
        go.click(lambda: (tone(5), str(path), picture), None, outs)
    page = open_page(demo)
    await page.click(go, 3)
    page.acknowledge()
    used = page.host.store.used
    await page.click(go, 6)
    await page.click(go, 9)
    page.acknowledge()
    assert page.handles == page.handles[:3] * 3
    assert page.host.store.used == used


@pytest.mark.parametrize(
    "second",
    [
        tone(2),
        (RATE, np.full(401, 1, np.int16)),
        (RATE + 1, np.full(400, 1, np.int16)),
        (RATE, np.full((400, 2), 1, np.int16)),
    ],
)
async def test_another_answer_gets_another_handle(open_page: Opened, second: Any) -> None:
    """A handle's content never changes: browsers keep it."""
    answers = [tone(1), second]
    with oc.Blocks() as demo:
        go = oc.Button()
        go.click(lambda: answers.pop(0), None, oc.Audio())
    page = open_page(demo)
    await page.click(go, 1)
    await page.click(go, 2)
    assert len(set(page.handles)) == 2


async def test_the_same_sound_in_another_file_is_another_answer(
    open_page: Opened, tmp_path: Path
) -> None:
    """A download gives the file that the function made, with its name."""
    paths = [tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "b.flac"]
    for path in paths:
        soundfile.write(path, tone(7)[1], RATE)
    names = [path.name for path in paths]
    with oc.Blocks() as demo:
        go = oc.Button()
        go.click(lambda: str(paths.pop(0)), None, oc.Audio())
    page = open_page(demo)
    for count in (1, 2, 3):
        await page.click(go, count)
    assert [each["name"] for each in page.told] == names


async def test_a_part_that_was_made_anew_leaves_its_sounds_until_the_page_has_the_new_one(
    open_page: Opened,
) -> None:
    """A page that only just shows the old part asks for its sounds."""
    with oc.Blocks() as demo:
        go, count = oc.Button(), oc.Number(1)
        go.click(lambda: 2, None, count)

        @oc.render(inputs=count)
        def part(n: float) -> None:
            oc.Audio(tone(int(n)))

        assert part
    page = open_page(demo)
    await page.hears(1)
    await page.click(go, 2)
    gc.collect()
    assert page.found() == [True, True]
    page.acknowledge()
    assert page.found() == [False, True]
