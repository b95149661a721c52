"""The page, its assets, and how a server starts: over real connections."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket as sockets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from ossicle.runtime.frontends.web.needs import Host
from ossicle.runtime.frontends.web.ports import PORT, TRIES, PortTaken, free_port
from ossicle.runtime.frontends.web.server import Running, make_app, serve

NO_HOST = cast(Host, None)  # the page asks nothing of a host
SCRIPT = "console.log('a page');" * 100


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """What a build leaves: an index, hashed assets, a file of its own, a stamp."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "tiny-abc.js").write_text("1")
    (folder / "assets" / "style-abc.css").write_text("b{}")
    (folder / "assets" / "style-abc.css.br").write_bytes(b"br")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "BUNDLE").write_text("stamp")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest_asyncio.fixture
async def running(static: Path) -> AsyncIterator[Running]:
    server = await serve(make_app(NO_HOST, static=static), port=0)
    yield server
    await server.close()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


async def test_index(running: Running, http: aiohttp.ClientSession) -> None:
    """The page comes with a policy that lets nothing from elsewhere in, and is asked for anew."""
    async with http.get(running.url) as answer:
        assert answer.status == 200
        assert "<title>page" in await answer.text()
        headers = answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Server"] == "ossicle"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["media-src"] == "'self' blob:"
    assert policy["connect-src"].split()[0] == "'self'"
    assert f"ws://127.0.0.1:{running.port}" in policy["connect-src"]
    async with http.get(running.url, headers={"If-None-Match": headers["ETag"]}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""


async def test_a_worker_may_reach_this_server_and_nothing_else(
    static: Path, http: aiohttp.ClientSession
) -> None:
    """A worker obeys the policy of its own file, so scripts carry one that lets it connect."""
    server = await serve(make_app(NO_HOST, static=static), port=0)
    script = next(static.rglob("*.js")).relative_to(static).as_posix()
    async with http.get(server.url + script) as answer:
        policy = dict(
            part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
        )
    await server.close()
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"].split() == [
        "'self'",
        f"ws://127.0.0.1:{server.port}",
        f"wss://127.0.0.1:{server.port}",
    ]
    assert "sandbox" not in policy


async def test_page_code_and_frames(static: Path, http: aiohttp.ClientSession) -> None:
    """Only an app with `js` may evaluate code, and only named sites may frame the page."""
    app = make_app(NO_HOST, static=static, page_code=True, allowed_frames=["https://a.example"])
    server = await serve(app, port=0)
    async with http.get(server.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "frame-ancestors 'self' https://a.example" in policy
        assert "X-Frame-Options" not in answer.headers
    await server.close()


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0, br", None),
        ("gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
async def test_assets(
    running: Running, http: aiohttp.ClientSession, accept: str, coding: str | None
) -> None:
    """Hashed assets are kept for ever and come compressed to who can take it."""
    url = running.url + "assets/index-abc.js"
    async with http.get(url, headers={"Accept-Encoding": accept}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers.get("Content-Encoding") == coding
        body = await answer.read()
    assert (gzip.decompress(body) if coding else body).decode() == SCRIPT


async def test_ready_made_forms(running: Running, http: aiohttp.ClientSession) -> None:
    """What the build compressed is sent in place of the file, never under its own name."""
    url = running.url + "assets/style-abc.css"
    async with http.get(url, headers={"Accept-Encoding": "br"}) as answer:
        assert answer.headers["Content-Encoding"] == "br"
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert await answer.read() == b"br"
    async with http.get(url + ".br") as answer:
        assert answer.status == 404


async def test_plain_files(running: Running, http: aiohttp.ClientSession) -> None:
    """A file without a hash is asked for anew each time; the stamp is not served."""
    async with http.get(running.url + "icon.svg") as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert answer.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    async with http.head(running.url + "assets/tiny-abc.js") as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "1")
    async with http.get(running.url + "BUNDLE") as answer:
        assert answer.status == 404
        assert await answer.json() == {"error": "there is nothing at this address"}


async def test_a_new_build_shows(
    static: Path, running: Running, http: aiohttp.ClientSession
) -> None:
    """Whoever builds the page beside a running server only reloads."""
    async with http.get(running.url + "assets/new.js") as answer:
        assert answer.status == 404
    (static / "assets" / "new.js").write_text("new")
    index = static / "index.html"
    index.write_text("<title>new</title>")
    os.utime(index, ns=(1, 1))  # another time, whatever the file system's resolution
    async with http.get(running.url + "assets/new.js") as answer:
        assert await answer.text() == "new"


async def test_no_bundle(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Without a built page the server says so, and how to get one."""
    server = await serve(make_app(NO_HOST, static=tmp_path / "none"), port=0)
    async with http.get(server.url) as answer:
        assert answer.status == 503
        text = await answer.text()
        assert "not been built" in text and "pip install" in text
        assert str(tmp_path) not in text
    await server.close()


async def test_under_a_prefix(static: Path, http: aiohttp.ClientSession) -> None:
    """Under a prefix the page works as at the root; without its last slash it is sent there."""
    server = await serve(make_app(NO_HOST, static=static), port=0, root="/my/tool")
    assert server.url.endswith("/my/tool/")
    async with http.get(server.url + "assets/tiny-abc.js") as answer:
        assert await answer.text() == "1"
    async with http.get(server.url.rstrip("/"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/my/tool/")
    async with http.get(server.url) as answer:
        assert "Content-Security-Policy" in answer.headers
    await server.close()


@pytest.mark.parametrize("root", ["a//b", "../x", "a b", "a?b", "."])
async def test_bad_prefix(root: str) -> None:
    """A prefix is plain path segments."""
    with pytest.raises(ValueError, match="root"):
        await serve(web.Application(), port=0, root=root)


async def test_a_prefix_cannot_lead_away() -> None:
    """Slashes around a prefix mean nothing, so no redirect ever names another host."""
    server = await serve(web.Application(), port=0, root="//evil.example")
    assert server.url == f"http://127.0.0.1:{server.port}/evil.example/"
    await server.close()


async def test_mounted_in_another_application(static: Path, http: aiohttp.ClientSession) -> None:
    """The application is an ordinary aiohttp one: it can live in somebody else's."""
    outer = web.Application()
    outer.add_subapp("/sound/", make_app(NO_HOST, static=static))
    server = await serve(outer, port=0)
    async with http.get(server.url + "sound/") as answer:
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    await server.close()


async def test_a_taken_port() -> None:
    """A port that was asked for and is taken is an error that names it and the way out."""
    first = await serve(web.Application(), port=0)
    with pytest.raises(PortTaken, match=f"port {first.port} .* taken .* choose another"):
        await serve(web.Application(), port=first.port)
    await first.close()


async def test_the_next_free_port() -> None:
    """Without a wish the first free one from the usual port on is taken."""
    first = await serve(web.Application())
    second = await serve(web.Application())
    assert PORT <= first.port < second.port <= PORT + TRIES
    assert second.url == f"http://127.0.0.1:{second.port}/"
    await first.close()
    await second.close()


async def test_a_port_to_come() -> None:
    """A port can be chosen before anything listens, by the same rules."""
    first = await serve(web.Application())
    assert first.port < free_port("127.0.0.1", None) <= PORT + TRIES
    with pytest.raises(PortTaken, match="is taken"):
        free_port("127.0.0.1", first.port)
    await first.close()
    assert free_port("127.0.0.1", first.port) == first.port


async def test_an_impossible_address() -> None:
    """An address that is not this machine's is named in the error."""
    with pytest.raises(OSError, match="cannot listen on 192.0.2.1:0"):
        await serve(web.Application(), "192.0.2.1", port=0)


async def test_every_interface() -> None:
    """Bound to everything, the address shown is one that can be typed."""
    server = await serve(web.Application(), "0.0.0.0", port=0)
    assert server.url == f"http://127.0.0.1:{server.port}/"
    await server.close()
    if sockets.has_ipv6:
        server = await serve(web.Application(), "::1", port=0)
        assert server.url == f"http://[::1]:{server.port}/"
        await server.close()


async def test_a_failing_handler(http: aiohttp.ClientSession) -> None:
    """A mistake of ours is 500 in one plain sentence."""
    server = await serve(make_app(cast(Host, object())), port=0)
    async with http.get(server.url + "files/abc/a.wav") as answer:
        assert answer.status == 500
        assert await answer.json() == {
            "error": "the server failed on this request; its log says why"
        }
    await server.close()


async def test_closing_is_quick(static: Path, http: aiohttp.ClientSession) -> None:
    """A server stops at once although a client keeps its connection open."""
    server = await serve(make_app(NO_HOST, static=static), port=0)
    async with http.get(server.url) as answer:
        await answer.read()
    async with asyncio.timeout(2):
        await server.close()
