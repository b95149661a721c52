"""Files that are no sounds: never shown as what they claim to be, and never anybody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.flow.pictures import png

from .conftest import MAX_UPLOAD, Site, Tab, serving, sound
from .test_files import TRAVERSAL, left

PICTURE = png(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
HTML = b"<!doctype html><script>parent.postMessage(document.cookie, '*')</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
POLYGLOT = b"GIF89a\x01\x00\x01\x00=1;alert(1)//<script>alert(1)</script>"

HOSTILE = [
    (HTML, "page.html"),
    (HTML, "page.png"),
    (SVG, "drawing.svg"),
    (b"<?xml version='1.0'?>" + SVG, "drawing.xml"),
    (b"alert(1)", "code.js"),
    (b"body{}", "sheet.css"),
    (b"%PDF-1.7", "paper.pdf"),
    (b"MZ\x90", "tool.exe"),
    (POLYGLOT, "polyglot.html"),
    (PICTURE, "picture.html"),
    (sound(), "sound.wav"),
    (b"", "empty.txt"),
]


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    with oc.Blocks() as demo:
        files = oc.File(file_count="multiple")
        image = oc.Image(type="filepath")
        oc.Audio()
        oc.DownloadButton()
        drawn = oc.Plot()
        go = oc.Button("Go")

        def names(paths: list[str] | None) -> Any:
            return [] if paths is None else paths

        go.click(names, files, files)

        def draw(path: str) -> bytes:
            return SVG

        image.upload(draw, image, drawn)
    async with serving(demo) as site:
        yield site


async def send(site: Site, tab: Tab, kind: str, data: Any, name: str) -> aiohttp.ClientResponse:
    answer = await site.http.post(
        f"{site.url}upload",
        params={"node": str(tab.node(kind)), "name": name},
        data=data,
        headers={"Origin": site.origin, "X-Ossicle-Session": tab.token},
    )
    await answer.read()
    return answer


@pytest.mark.parametrize(("data", "name"), HOSTILE, ids=[name for _, name in HOSTILE])
async def test_a_file_is_only_ever_saved(site: Site, data: bytes, name: str) -> None:
    """Whatever it is and is called: opaque bytes, as an attachment, that no browser looks into."""
    tab = await site.open()
    answer = await send(site, tab, "file", data, name)
    assert answer.status == 200
    value = await answer.json()
    assert (value["name"], value["bytes"]) == (name, len(data))
    for path in (value["url"], value["url"] + "?download", f"files/{value['file']}/x.html"):
        async with site.http.get(site.url + path) as answer:
            assert (answer.status, await answer.read()) == (200, data)
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    async with site.http.get(f"{site.url}files/{value['file']}/peaks") as answer:
        assert answer.status == 404
    await tab.ws.close()


@pytest.mark.parametrize(
    ("data", "name"), [each for each in HOSTILE if each[0] not in (PICTURE, POLYGLOT)]
)
async def test_an_image_must_be_one(
    site: Site, data: bytes, name: str, own_temp_folder: Path
) -> None:
    """What is no picture by content is refused in words that hold no path; nothing is left."""
    tab = await site.open()
    answer = await send(site, tab, "image", data, name)
    assert answer.status == 422
    error = (await answer.json())["error"]
    assert "no picture" in error and str(own_temp_folder) not in error
    assert left(own_temp_folder) == [] and site.host.store.used == 0
    await tab.ws.close()


@pytest.mark.parametrize(
    ("data", "kind"), [(PICTURE, "image/png"), (POLYGLOT, "image/gif")], ids=["png", "polyglot"]
)
async def test_a_picture_is_shown_as_the_picture_it_is(site: Site, data: bytes, kind: str) -> None:
    """By content, not by name: what calls itself HTML is an image, and may do nothing."""
    tab = await site.open()
    value = await (await send(site, tab, "image", data, "page.html")).json()
    async with site.http.get(site.url + value["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, data)
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    await tab.ws.close()


async def test_a_drawing_of_the_app_is_no_page(site: Site) -> None:
    """SVG that a function returned: an <img> shows it, an address bar only saves it."""
    tab = await site.open()
    value = await (await send(site, tab, "image", PICTURE, "a.png")).json()
    act = {"type": "act", "node": tab.node("image"), "act": "upload"}
    await tab.ws.send_json({**act, "value": {"file": value["file"]}})
    drawn = None
    while not drawn:
        for patch in (await tab.until("patches"))["patches"]:
            if patch["kind"] == "set" and patch["node"] == tab.node("plot"):
                drawn = patch["props"]["value"]
    async with site.http.get(site.url + drawn["url"]) as answer:
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    await tab.ws.close()


@pytest.mark.parametrize("name", [*TRAVERSAL, "a\r\nX-Evil: 1.txt", 'a".txt', "ü\u202egpj.exe", ""])
async def test_any_name_is_only_a_name(site: Site, name: str, own_temp_folder: Path) -> None:
    """It writes nowhere, adds no header, and is a plain file name for functions, too."""
    tab = await site.open()
    value = await (await send(site, tab, "file", b"data", name)).json()
    assert not set(value["name"]) & set('/\\\r\n\x00:"') and value["name"] not in ("", ".", "..")
    node = tab.node("file")
    act = {"type": "act", "node": node, "act": "upload", "value": [{"file": value["file"]}]}
    await tab.ws.send_json(act)
    async with site.http.get(site.url + value["url"]) as answer:
        assert answer.status == 200 and "X-Evil" not in answer.headers
    await tab.ws.send_json({"type": "act", "node": tab.node("button"), "act": "click"})
    await tab.until("patches")
    files = [Path(path) for path in left(own_temp_folder)]
    root = own_temp_folder.resolve()
    assert files and all(root in path.resolve().parents for path in files)
    assert all(path.parents[1] != own_temp_folder for path in files)
    await tab.ws.close()


async def test_a_handle_is_one_sessions_and_ends_with_it(site: Site) -> None:
    """Another session cannot make the file its own; after the end nobody gets it."""
    mine, yours = await site.open(), await site.open()
    value = await (await send(site, mine, "file", b"secret", "a.txt")).json()
    message = {"type": "act", "act": "upload", "node": mine.node("file")}
    for payload in (
        [{"file": value["file"]}],
        [value["file"]],
        {"file": value["file"]},
        [{"file": "/etc/passwd"}],
        [{"path": "/etc/passwd"}],
        [],
    ):
        await yours.ws.send_json({**message, "value": payload})
        assert "passwd" not in (await yours.until("refused"))["message"]
    picture = {"type": "act", "act": "upload", "node": mine.node("image")}
    await mine.ws.send_json({**picture, "value": {"file": value["file"]}})
    assert "no picture" in (await mine.until("refused"))["message"]
    site.host.store.release(mine.token)
    async with site.http.get(site.url + value["url"]) as answer:
        assert answer.status == 404 and value["file"] not in await answer.text()
    assert site.host.store.used == 0
    await mine.ws.close()
    await yours.ws.close()


@pytest.mark.parametrize("kind", ["file", "image"])
async def test_the_same_bounds_as_for_sound(site: Site, kind: str, own_temp_folder: Path) -> None:
    """Too large is 413, whether told or not; what takes no file gets none; nothing is left."""
    tab = await site.open()
    assert (await send(site, tab, kind, b"x" * (MAX_UPLOAD + 1), "a")).status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    assert (await send(site, tab, kind, endless(), "a")).status == 413
    for other in ("plot", "downloadbutton", "button"):
        assert (await send(site, tab, other, PICTURE, "a.png")).status == 404
    assert left(own_temp_folder) == [] and site.host.store.used == 0
    await tab.ws.close()
