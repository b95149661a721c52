"""What the page costs on a first visit: bytes, requests, hosts; in Chromium where there is one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol, cast
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession
from playwright.async_api import Browser, TimeoutError, async_playwright

from .environments import Side
from .measure import AT_ONCE, YIELDS, Figures, Measure, first_page
from .process import Server, until

CHROMIUM = "OSSICLE_CHROMIUM"
QUIET = 1.0
"""Seconds without network traffic after which a page counts as loaded."""

MEASURES = (
    Measure("page_kb", "page weight, compressed, first visit", "kB", goal=150),
    Measure("page_requests", "requests of a first visit", ""),
    Measure("page_others", "of these to other hosts", "", goal=0),
    Measure("page_ready", "opening the page to its button in sight", "ms"),
)


def how() -> str:
    """How the page is measured here, for the report."""
    if os.environ.get(CHROMIUM):
        return f"in Chromium, cold cache, until {QUIET:g} s without traffic; headers included"
    return (
        f"without a browser ({CHROMIUM} is not set): the HTML and the assets it names, bodies "
        "only; a lower bound, since what scripts ask for is not followed"
    )


@dataclass
class _Traffic:
    """What the page asked for, as Chromium's network log tells it.

    Without slots: Playwright notes its wrappers on the object whose methods it is given.
    """

    requests: dict[str, str] = field(default_factory=dict[str, str])
    received: int = 0
    last: float = field(default_factory=time.perf_counter)

    def asked(self, event: dict[str, Any]) -> None:
        url = str(event["request"]["url"])
        if urlsplit(url).scheme in ("http", "https"):
            self._note(str(event["requestId"]), url)

    def opened_socket(self, event: dict[str, Any]) -> None:
        self._note(str(event["requestId"]), str(event["url"]))

    def ended(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.requests:
            self.received += int(event["encodedDataLength"])
            self.last = time.perf_counter()

    def frame(self, event: dict[str, Any]) -> None:
        # The frame's size before any compression: an upper bound.
        self.received += len(str(event["response"]["payloadData"]).encode())
        self.last = time.perf_counter()

    def quiet(self) -> bool:
        return time.perf_counter() - self.last > QUIET

    def _note(self, request: str, url: str) -> None:
        self.requests[request] = url
        self.last = time.perf_counter()


class _DevTools(Protocol):
    """The part of a DevTools session that is used; its own types leave the messages unknown."""

    def on(self, event: str, f: Callable[[dict[str, Any]], None]) -> object: ...

    async def send(self, method: str) -> object: ...


async def visit(side: Side) -> Figures:
    """Start a side's server and open its page once, as somebody who has never been there."""
    async with ClientSession() as http, Server(side, YIELDS, AT_ONCE) as server:
        await first_page(http, server)
        path = os.environ.get(CHROMIUM)
        if not path:
            return await _follow(http, server.base)
        # Chromium's sandbox refuses to run as root, which is what containers are.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        async with async_playwright() as p:
            browser = await p.chromium.launch(executable_path=path, args=arguments)
            try:
                return await _watch(browser, server.base)
            finally:
                await browser.close()


async def _watch(browser: Browser, base: str) -> Figures:
    page = await browser.new_page()
    traffic = _Traffic()
    devtools = cast(_DevTools, await page.context.new_cdp_session(page))
    await devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSent", traffic.asked)
    devtools.on("Network.webSocketCreated", traffic.opened_socket)
    devtools.on("Network.loadingFinished", traffic.ended)
    devtools.on("Network.webSocketFrameReceived", traffic.frame)
    start = time.perf_counter()
    await page.goto(base, wait_until="commit")
    try:
        await page.get_by_role("button", name="echo", exact=True).wait_for(timeout=30_000)
    except TimeoutError:
        says = (await page.inner_text("body"))[:500]
        raise SystemExit(f"{base}: no button within 30 s; the page says: {says}") from None
    ready = time.perf_counter() - start
    await until(traffic.quiet, 15.0)
    return _figures(traffic.received, list(traffic.requests.values()), base) | {
        "page_ready": 1e3 * ready
    }


class _Assets(HTMLParser):
    """The addresses a page names in its HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        loaded = ("stylesheet", "modulepreload", "preload", "icon", "manifest")
        if tag == "script" and (source := named.get("src")):
            self.found.append(source)
        elif tag == "link" and named.get("rel") in loaded and (source := named.get("href")):
            self.found.append(source)


async def _follow(http: ClientSession, base: str) -> Figures:
    assets = _Assets()
    received = 0
    urls, others = [base], list[str]()
    for url in urls:
        async with http.get(
            url, headers={"Accept-Encoding": "gzip, br"}, auto_decompress=False
        ) as answer:
            received += len(await answer.read())
        if url == base:
            async with http.get(url) as answer:
                assets.feed(await answer.text())
            found = dict.fromkeys(urljoin(base, a) for a in assets.found)
            urls += [u for u in found if urlsplit(u).netloc == urlsplit(base).netloc]
            # data: addresses are in the HTML already
            others = [u for u in found if urlsplit(u).netloc and u not in urls]
    return _figures(received, urls + others, base)


def _figures(received: int, urls: list[str], base: str) -> Figures:
    here = urlsplit(base).netloc
    return {
        "page_kb": received / 1e3,
        "page_requests": len(urls),
        "page_others": sum(urlsplit(u).netloc != here for u in urls),
    }
