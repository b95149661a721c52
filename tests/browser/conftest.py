"""One real browser, apps served in the tests' own loop, a microphone that plays a known file."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from numpy.typing import NDArray
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from ossicle.runtime.app import Blocks
from ossicle.runtime.frontends.web.bundle import INDEX, STATIC
from ossicle.runtime.frontends.web.server import Running, make_app
from ossicle.runtime.frontends.web.server import serve as serve_web
from ossicle.runtime.host import Host
from ossicle.runtime.launching import Launching, serve_app

from .tap import Tap

RATE = 44_100  # of the fake device without voice processing: only then nothing is resampled
SECONDS = 20  # longer than any test records, because the file starts over at its end
HURRY = "window.dispatchEvent(new Event('online'))"  # a page that waits for its line tries at once
ELSEWHERE = "lan.test"
PATIENCE = 15_000  # milliseconds that anything on the page may take on a busy machine


def noise() -> NDArray[np.int16]:
    """What the microphone hears: noise, so that each place of it is like no other."""
    return np.random.default_rng(7).integers(-9000, 9000, RATE * SECONDS).astype(np.int16)


@dataclass
class Site:
    """A served app."""

    host: Host
    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    async def cut(self) -> None:
        """Take the line away; what runs goes on, and sessions wait for their pages."""
        await self.running.close()

    async def mend(self, static: Path = STATIC) -> None:
        """Give the line back, at the same address."""
        app = make_app(self.host, static=static)
        self.running = await serve_web(app, self.running.address, self.running.port)


IMPATIENT = """{
  const now = performance.now.bind(performance);
  performance.now = () => 5 * now();
  for (const name of ['setTimeout', 'setInterval']) {
    const real = self[name];
    self[name] = (then, ms, ...more) => real(then, ms / 5, ...more);
  }
}
"""
"""A worker's clock goes five times as fast. Its own code is what it is."""


@pytest.fixture(scope="session")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, but its line waits for everything a fifth as long: for tests of its patience."""
    copy = Path(shutil.copytree(STATIC, tmp_path_factory.mktemp("hurried") / "static"))
    (worker,) = (copy / "assets").glob("socket.worker-*.js")
    worker.write_text(IMPATIENT + worker.read_text(encoding="utf-8"), encoding="utf-8")
    for ready_made in (copy / "assets").glob("socket.worker-*.js.*"):
        ready_made.unlink()  # compressed, without the change
    return copy


@dataclass
class Visit:
    """One tab: its page, its complaints, the addresses that it asked."""

    page: Page
    errors: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])


Serve = Callable[..., Awaitable[Site]]
Open = Callable[..., Awaitable[Visit]]


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the fake microphone plays."""
    path = tmp_path_factory.mktemp("microphone") / "noise.wav"
    soundfile.write(path, noise(), RATE, subtype="PCM_16")
    return path


@pytest_asyncio.fixture(scope="session")
async def browser(microphone: Path) -> AsyncIterator[Browser]:
    """The Chromium that OSSICLE_CHROMIUM names."""
    path = os.environ.get("OSSICLE_CHROMIUM")
    if not path or not Path(path).exists():
        pytest.fail(
            f"OSSICLE_CHROMIUM={path!r} names no Chromium; `python _build/chromium.py` prints one"
        )
    if not (STATIC / INDEX).is_file():
        pytest.fail("the page is not built; `python _build/ossicle_page.py` builds it")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as driver:
        started = await driver.chromium.launch(
            executable_path=path,
            args=[
                "--use-fake-device-for-media-stream=device-count=2",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
                # A name of another machine, to the browser: what http pages of it may do is less.
                f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
            ],
        )
        yield started
        await started.close()


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves apps in this loop, so that a test can look into the host."""
    sites: list[Site] = []

    async def start(app: Blocks, root_path: str = "", **options: Any) -> Site:
        launching = Launching(
            server_port=0, quiet=True, show_error=False, root_path=root_path, **options
        )
        sites.append(Site(*await serve_app(app, launching)))
        return sites[-1]

    yield start
    for site in sites:
        await site.running.close()
        await site.host.close()


@pytest_asyncio.fixture
async def visit(serve: Serve, browser: Browser) -> AsyncIterator[Open]:
    """Opens an app in a fresh tab. At the end no page may have complained.

    It asks for `serve`, so that tabs are closed before their server is.
    """
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    async def open_page(
        site: Site | Blocks,
        *,
        dark: bool = False,
        width: int = 1200,
        context: bool = True,
        lossy: bool = False,
    ) -> Visit:
        """lossy: the test takes the line away, which browsers tell the console."""
        if isinstance(site, Blocks):
            site = await serve(site)
        if context or not contexts:
            contexts.append(
                await browser.new_context(
                    color_scheme="dark" if dark else "light",
                    viewport={"width": width, "height": 900},
                    permissions=["microphone"],
                    accept_downloads=True,
                )
            )
            contexts[-1].set_default_timeout(PATIENCE)
        made = Visit(await contexts[-1].new_page())
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on(
            "console",
            lambda said: (
                made.errors.append(said.text) if said.type == "error" and not lossy else None
            ),
        )
        made.page.on("request", lambda request: made.asked.append(request.url))
        made.page.on("websocket", lambda socket: made.asked.append(socket.url))
        visits.append(made)
        await made.page.goto(site.url)
        await made.page.locator("main > :not([data-type=sidebar])").first.wait_for()
        return made

    yield open_page
    for context in contexts:
        await context.close()
    complaints = [error for each in visits for error in each.errors]
    assert complaints == []


LINE = "WebSocket connection to"
"""What a browser says itself of a line that a test cuts."""


@dataclass
class Listening:
    """A tab whose sound is tapped."""

    page: Page
    tap: Tap
    site: Site
    errors: list[str] = field(default_factory=list[str])


Listen = Callable[[Blocks | Site], Awaitable[Listening]]


@pytest_asyncio.fixture
async def listen(serve: Serve, browser: Browser) -> AsyncIterator[Listen]:
    """Opens an app in a tab with a tap. At the end the page may not have complained."""
    contexts = list[BrowserContext]()
    opened = list[Listening]()

    async def start(site: Site | Blocks) -> Listening:
        if isinstance(site, Blocks):
            site = await serve(site)
        # The tap is code of the test, which the page's own policy rightly refuses.
        context = await browser.new_context(permissions=["microphone"], bypass_csp=True)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = await context.new_page()
        made = Listening(page, Tap(page), site)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on(
            "console",
            lambda said: made.errors.append(said.text) if said.type == "error" else None,
        )
        await made.tap.install()
        await page.goto(site.url)
        opened.append(made)
        return made

    yield start
    for context in contexts:
        await context.close()
    assert [error for each in opened for error in each.errors if LINE not in error] == []
