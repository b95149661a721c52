"""Sounds and uploads: no path from outside, no handle of others, bounds, nothing left behind."""

from __future__ import annotations

import asyncio
import io
import itertools
import logging
import os
import socket
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import numpy as np
import pytest

from ossicle.flow.audio import Clip
from ossicle.runtime.frontends.web import files
from ossicle.runtime.frontends.web.server import DOOR, UPLOADS

from .conftest import MAX_UPLOAD, Site, Tab, sound

TRAVERSAL = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "..\\..\\windows\\win.ini",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "\\\\server\\share\\x",
    "file:///etc/passwd",
    "....//....//etc/passwd",
    "a\x00.wav",
    "con",
    "aux.wav",
]


def left(folder: Path) -> list[str]:
    """Every file but the one by which the store shows that it is in use."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and path.name != "alive"]


@pytest.mark.parametrize("path", TRAVERSAL)
@pytest.mark.parametrize("place", ["files/{}", "files/{}/a.wav", "files/x/{}", "assets/{}", "{}"])
async def test_no_path_in_an_address(site: Site, path: str, place: str) -> None:
    """No address leads to a file of this machine, however it is written."""
    raw = place.format(path if "%" in path else quote(path, safe="/\\:."))
    port = site.running.port

    def ask() -> bytes:  # by hand: clients tidy an address up before they send it
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            head = f"GET /{raw} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
            line.sendall(head.encode())
            return b"".join(iter(lambda: line.recv(65536), b""))

    answer = await asyncio.to_thread(ask)
    assert answer.split(b" ", 2)[1] in (b"404", b"400", b"403")
    assert b"root:" not in answer and b"for 16-bit" not in answer


@pytest.mark.parametrize("name", [*TRAVERSAL, "a\r\nX-Evil: 1.wav", 'a".wav', "ü\u202egpj.wav", ""])
async def test_any_name_is_only_a_name(
    site: Site, wav: bytes, name: str, own_temp_folder: Path
) -> None:
    """An upload's name writes nowhere, adds no header, and comes back as a plain file name."""
    tab = await site.open()
    answer = await site.upload(tab, wav, name)
    assert answer.status == 200
    value = await answer.json()
    assert not set(value["name"]) & set('/\\\r\n\x00:"')
    assert value["name"] not in ("", ".", "..")
    async with site.http.get(site.url + value["url"] + "?download") as answer:
        assert answer.status == 200
        assert "X-Evil" not in answer.headers
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
        assert await answer.read() == wav
    outside = [
        path
        for path in left(own_temp_folder)
        if not path.startswith(os.path.join(str(own_temp_folder), "ossicle-"))
    ]
    assert outside == []
    await tab.ws.close()


async def test_a_path_is_no_handle(site: Site, own_temp_folder: Path) -> None:
    """A page that sends a path where a handle belongs is refused; a text is only ever a text."""
    secret = own_temp_folder.parent / "secret.wav"
    secret.write_bytes(sound())
    tab = await site.open()
    values: list[object] = [
        str(secret),
        {"clip": str(secret)},
        {"path": str(secret)},
        {"clip": "../" * 8 + str(secret), "path": str(secret), "url": f"file://{secret}"},
        {"clip": f"http://127.0.0.1:{site.running.port}/files/x/y"},
        {"clip": 7},
        [str(secret)],
    ]
    for value in values:
        await tab.ws.send_json(
            {"type": "act", "node": tab.node("audio"), "act": "upload", "value": value}
        )
        assert (await tab.until("refused"))["message"]
        assert str(secret) not in tab.got[-1]["message"] or value == str(secret)
    assert site.host.store.used == 0
    await tab.ws.close()


async def test_a_handle_is_one_sessions(site: Site, wav: bytes) -> None:
    """Another session cannot make another's sound its own value."""
    mine, yours = await site.open(), await site.open()
    handle = (await (await site.upload(mine, wav)).json())["clip"]
    message = {
        "type": "act",
        "node": yours.node("audio"),
        "act": "upload",
        "value": {"clip": handle},
    }
    await yours.ws.send_json(message)
    assert "no longer here" in (await yours.until("refused"))["message"]
    await mine.ws.send_json(message)
    await mine.ws.send_json({"type": "act", "node": 999, "act": "click"})
    assert "999" in (await mine.until("refused"))["message"], "the handle itself was taken"
    await mine.ws.close()
    await yours.ws.close()


async def test_a_handle_ends_with_its_session(site: Site, wav: bytes) -> None:
    """After the session neither sound nor waveform nor token is known, and nothing is stored."""
    tab = await site.open()
    value = await (await site.upload(tab, wav)).json()
    async with site.http.get(site.url + value["url"]) as answer:
        assert answer.status == 200
    site.host.store.release(tab.token)
    for path in (value["url"], value["url"] + "?download", value["peaks"]):
        async with site.http.get(site.url + path) as answer:
            assert answer.status == 404
            assert value["clip"] not in await answer.text()
    assert site.host.store.used == 0
    await tab.ws.close()


async def test_a_file_deleted_under_us(site: Site, wav: bytes, own_temp_folder: Path) -> None:
    """As a tidy machine may do: the component says what is gone, by the sound's name alone."""
    tab = await site.open()
    value = await (await site.upload(tab, wav, "take.wav")).json()
    node = tab.node("audio")
    handle = {"clip": value["clip"]}
    await tab.ws.send_json({"type": "act", "node": node, "act": "upload", "value": handle})
    for path in own_temp_folder.rglob("blobs/*"):
        path.unlink()
    async with site.http.get(site.url + value["url"]) as answer:
        assert answer.status == 404
    async with site.http.get(f"{site.url}{value['peaks']}?width=100&start=0&end=100") as answer:
        assert answer.status == 503
        assert "the file of 'take.wav' is gone" in await answer.text()
    await tab.ws.send_json({"type": "act", "node": tab.node("button"), "act": "click"})
    async with asyncio.timeout(10):
        while not (failed := [p for p in await _patches(tab) if p.get("state") == "failed"]):
            pass
    assert "the file of 'take.wav' is gone; record or upload it again" in str(failed)
    assert str(own_temp_folder) not in str(tab.got)
    await tab.ws.close()


async def _patches(tab: Tab) -> list[dict[str, Any]]:
    return (await tab.until("patches"))["patches"]


async def test_a_file_cut_short_while_it_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch, own_temp_folder: Path
) -> None:
    """The line ends early, so that nobody takes the half for the whole; the server goes on."""
    tab = await site.open()
    clip = Clip.of(48_000, np.zeros(2_000_000, np.int16))
    url = site.host.store.session(tab.token).describe(clip)["url"]
    true = files._size  # pyright: ignore[reportPrivateUsage]

    def cut(file: Any) -> int:
        size = true(file)
        (blob,) = own_temp_folder.rglob("blobs/*")
        os.truncate(blob, 1_000_000)
        return size

    monkeypatch.setattr(files, "_size", cut)
    with pytest.raises(aiohttp.ClientPayloadError):
        async with site.http.get(site.url + str(url)) as answer:
            assert answer.content_length == 4_000_044
            await answer.read()
    monkeypatch.undo()
    assert (await site.upload(tab, sound())).status == 200
    await tab.ws.close()


async def test_handles_cannot_be_guessed(site: Site, wav: bytes) -> None:
    """Handles are long, random and all different; a changed one leads nowhere."""
    tab = await site.open()
    handles = {(await (await site.upload(tab, wav)).json())["clip"] for _ in range(20)}
    assert len(handles) == 20
    assert all(len(handle.partition("-")[2]) >= 22 for handle in handles)
    handle = handles.pop()
    last = "A" if handle[-1] != "A" else "B"
    for wrong in (handle[:-1] + last, handle[:-1], handle.upper() + "x", "", "1", "1-", "-"):
        async with site.http.get(f"{site.url}files/{wrong or '%20'}/a.wav") as answer:
            assert answer.status == 404
    await tab.ws.close()


@pytest.mark.parametrize("token", ["", "x", "a" * 300, "../x", "' OR 1=1 --"])
async def test_an_upload_needs_a_session(
    site: Site, wav: bytes, token: str, own_temp_folder: Path
) -> None:
    """Without a living session nothing is taken."""
    tab = await site.open()
    answer = await site.upload(tab, wav, **{"X-Ossicle-Session": token})
    assert answer.status == 403
    assert left(own_temp_folder) == []
    await tab.ws.close()


@pytest.mark.parametrize("node", ["", "x", "-1", "999", "1e3", "9" * 40, "٣"])
async def test_an_upload_needs_a_component(site: Site, wav: bytes, node: str) -> None:
    """A file goes to a component that takes files, and to nothing else."""
    tab = await site.open()
    for asked in (node, str(tab.node("button")), "0"):
        answer = await site.http.post(
            f"{site.url}upload",
            params={"node": asked, "name": "a.wav"},
            data=wav,
            headers={"Origin": site.origin, "X-Ossicle-Session": tab.token},
        )
        assert answer.status == 404
        await answer.read()
    await tab.ws.close()


async def test_an_upload_too_large(site: Site, own_temp_folder: Path) -> None:
    """Too large is 413 in words, whether its length was told or not; nothing is left."""
    tab = await site.open()
    answer = await site.upload(tab, b"x" * (MAX_UPLOAD + 1))
    assert answer.status == 413
    assert await answer.json() == {"error": "the file is too large; at most 195 kB are taken"}

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    answer = await site.upload(tab, endless())
    assert answer.status == 413
    assert left(own_temp_folder) == []
    assert site.host.store.used == 0
    await tab.ws.close()


async def test_the_largest_upload(site: Site) -> None:
    """The bound itself is taken."""
    data = sound(seconds=(MAX_UPLOAD - 44) / 16000)
    assert len(data) == MAX_UPLOAD
    tab = await site.open()
    assert (await site.upload(tab, data)).status == 200
    await tab.ws.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"not a sound", "a.wav"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.wav"),
        (b"<!doctype html><script>alert(1)</script>", "a.wav"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "a.wav"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "a.wav"),
        (sound()[:44], "cut off"),
        (sound(0), "0 samples"),
        (b"#EXTM3U\n/etc/passwd\n", "a.wav"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a.wav"),
    ],
    ids=[
        "empty",
        "text",
        "svg",
        "html",
        "png",
        "cut header",
        "cut data",
        "no samples",
        "m3u",
        "concat",
    ],
)
async def test_no_sound(site: Site, data: bytes, words: str, own_temp_folder: Path) -> None:
    """What is no sound is 422 in words that hold no path; nothing is left; the session goes on."""
    tab = await site.open()
    answer = await site.upload(tab, data)
    assert answer.status == 422
    error = (await answer.json())["error"]
    assert words in error
    assert str(own_temp_folder) not in error and "/tmp" not in error and "Traceback" not in error
    assert left(own_temp_folder) == []
    assert (await site.upload(tab, sound())).status == 200
    await tab.ws.close()


async def test_a_broken_off_upload(site: Site, wav: bytes, own_temp_folder: Path) -> None:
    """A sender that vanishes in the middle leaves neither a file nor a counted byte."""
    tab = await site.open()
    port = site.running.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /upload?node={tab.node('audio')}&name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Origin: {site.origin}\r\nX-Ossicle-Session: {tab.token}\r\n"
        f"Content-Length: {len(wav)}\r\n\r\n".encode()
        + wav[:-100]
    )
    await writer.drain()
    async with asyncio.timeout(10):
        while not left(own_temp_folder):
            await asyncio.sleep(0.01)
        writer.transport.abort()
        while left(own_temp_folder) or site.host.store.used:
            await asyncio.sleep(0.01)
    assert (await site.upload(tab, wav)).status == 200
    await tab.ws.close()
    del reader


async def test_an_upload_that_trickles(site: Site, wav: bytes, own_temp_folder: Path) -> None:
    """A byte now and then holds no place: the sender is given up, and nothing is left of it."""
    tab = await site.open()
    site.app[UPLOADS].patience = 0.2

    async def trickle() -> AsyncIterator[bytes]:
        for at in itertools.count():
            yield wav[at % len(wav) :][:1]
            await asyncio.sleep(0.01)  # its pace is what is tested

    held = [asyncio.ensure_future(site.upload(tab, trickle())) for _ in range(4)]
    async with asyncio.timeout(10):
        answers = [await each for each in held]
    assert [each.status for each in answers] == [408] * 4
    assert "too slow" in (await answers[0].json())["error"]
    site.app[UPLOADS].patience = 60
    assert left(own_temp_folder) == [] and site.host.store.used == 0
    assert (await site.upload(tab, wav)).status == 200, "its place is free"
    await tab.ws.close()


async def test_uploads_at_once(site: Site, wav: bytes, own_temp_folder: Path) -> None:
    """One session cannot hold more than a few uploads open; another session does not feel it."""
    tab, other = await site.open(), await site.open()
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield wav[:1000]
        await go_on.wait()
        yield wav[1000:]

    held = [asyncio.ensure_future(site.upload(tab, slow())) for _ in range(4)]
    async with asyncio.timeout(10):
        while len(left(own_temp_folder)) < 4:
            await asyncio.sleep(0.01)
    answer = await site.upload(tab, wav)
    assert answer.status == 429
    assert "still running" in (await answer.json())["error"]
    assert (await site.upload(other, wav)).status == 200
    go_on.set()
    assert [(await answer).status for answer in held] == [200] * 4
    assert (await site.upload(tab, wav)).status == 200
    await tab.ws.close()
    await other.ws.close()


async def test_ranges(site: Site, wav: bytes) -> None:
    """A sound is given whole or in part, and always as what it is."""
    tab = await site.open()
    value = await (await site.upload(tab, wav, "Grüße.wav")).json()
    url = site.url + value["url"]
    async with site.http.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, wav)
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"].startswith("private")
        assert answer.headers["Content-Disposition"].startswith("inline")
        etag = answer.headers["ETag"]
        assert value["clip"] not in etag
    async with site.http.head(url) as answer:
        assert (answer.status, answer.content_length) == (200, len(wav))
    for header, part in (
        ("bytes=10-19", wav[10:20]),
        ("bytes=-5", wav[-5:]),
        ("bytes=9-", wav[9:]),
    ):
        async with site.http.get(url, headers={"Range": header}) as answer:
            assert (answer.status, await answer.read()) == (206, part)
    async with site.http.get(url, headers={"Range": "bytes=10-19"}) as answer:
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(wav)}"
    async with site.http.get(url, headers={"Range": f"bytes={len(wav)}-"}) as answer:
        assert answer.status == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(wav)}"
    async with site.http.get(url, headers={"Range": "bytes=0-1", "If-Range": etag}) as answer:
        assert answer.status == 206
    async with site.http.get(url, headers={"Range": "bytes=0-1", "If-Range": '"old"'}) as answer:
        assert (answer.status, await answer.read()) == (200, wav)
    async with site.http.get(url, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with site.http.get(url + "?download") as answer:
        assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe.wav" in answer.headers["Content-Disposition"]
    await tab.ws.close()


@pytest.mark.parametrize("width", ["0", "-1", "x", "1e9", "99999999999", "٣", ""])
async def test_bad_widths(site: Site, wav: bytes, width: str) -> None:
    """A waveform has a sensible width or is refused."""
    tab = await site.open()
    value = await (await site.upload(tab, wav)).json()
    async with site.http.get(f"{site.url}{value['peaks']}?width={width}") as answer:
        assert answer.status == 400
    await tab.ws.close()


@pytest.mark.parametrize(
    "range",
    ["start=5&end=5", "start=-1", "end=x", "end=99999999", "start=1e3", "end=" + "9" * 5000],
)
async def test_bad_ranges(site: Site, wav: bytes, range: str) -> None:
    """A part of a waveform is inside of the sound or is refused."""
    tab = await site.open()
    value = await (await site.upload(tab, wav)).json()
    async with site.http.get(f"{site.url}{value['peaks']}?{range}") as answer:
        assert answer.status == 400
        assert str(value["frames"]) in (await answer.json())["error"]
    await tab.ws.close()


async def test_peaks(site: Site, wav: bytes) -> None:
    """The waveform of a 12000-high tone is 12000 high."""
    tab = await site.open()
    value = await (await site.upload(tab, wav)).json()
    async with site.http.get(f"{site.url}{value['peaks']}?width=10") as answer:
        assert answer.headers["X-Ossicle-Channels"] == "1"
        assert answer.headers["X-Ossicle-Width"] == "10"
        assert answer.headers["X-Ossicle-Values"] == "3"
        data = await answer.read()
    numbers = [int.from_bytes(data[i : i + 2], "little", signed=True) for i in range(0, 60, 2)]
    assert set(numbers[::3]) == {-12000} and set(numbers[1::3]) == {12000}
    await tab.ws.close()


async def test_a_client_that_leaves_in_the_middle(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every player does that seeks: it ends quietly, and lets go of the file."""
    ended = asyncio.Event()
    true = files._send  # pyright: ignore[reportPrivateUsage]

    async def noted(*args: Any) -> Any:
        try:
            return await true(*args)
        finally:
            ended.set()

    tab = await site.open()
    samples = np.zeros(40_000_000, np.int16)  # far more than sockets hold between them
    clip = Clip.of(48_000, samples)
    url = site.host.store.session(tab.token).describe(clip)["url"]
    monkeypatch.setattr(files, "_send", noted)
    with caplog.at_level(logging.DEBUG):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.running.port)
        writer.write(f"GET /{url} HTTP/1.1\r\nHost: {site.origin[7:]}\r\n\r\n".encode())
        assert (await reader.read(100_000)).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        async with asyncio.timeout(10):
            await ended.wait()
    assert "the client left before the end of a file" in caplog.messages
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    await tab.ws.close()


def stored(site: Site, tab: Tab, size: int) -> dict[str, Any]:
    """A long sound of a session: zeros, because only its size matters."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(bytes(size))
    upload = site.host.writer(tab.token, "a.wav")
    upload.write(file.getvalue())
    return upload.finish()


async def test_a_file_that_breaks_off_is_no_other_answer(site: Site, wav: bytes) -> None:
    """Once its head is out, the line is cut: an error in words would be taken for sound."""
    tab = await site.open()
    clip = stored(site, tab, 16_000_000)
    path = site.host.sound(str(clip["clip"])).file("wav")
    reader, writer = await asyncio.open_connection("127.0.0.1", site.running.port)
    host = f"127.0.0.1:{site.running.port}"
    writer.write(f"GET /{clip['url']} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    os.truncate(path, 1000)
    got = bytearray()
    async with asyncio.timeout(20):
        try:
            while data := await reader.read(1 << 16):
                got += data
        except ConnectionResetError:
            pass
    assert b"200 OK" in head and b"HTTP/1.1" not in got
    writer.close()
    await tab.ws.close()


async def test_a_download_that_stands_still_ends_after_its_session(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the disk would keep a file that is deleted, uncounted, for each that asks and waits."""
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    tab = await site.open()
    clip = stored(site, tab, 32_000_000)  # more than all buffers on the way hold
    line = socket.create_connection(("127.0.0.1", site.running.port))
    host = f"127.0.0.1:{site.running.port}"
    line.sendall(f"GET /{clip['url']} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    door = site.app[DOOR]
    try:
        for _ in range(10):
            await asyncio.sleep(files.PATIENCE)
            assert door.connections == 2, "while its session lives, a player may pause"
        site.host.store.release(tab.token)
        async with asyncio.timeout(20):
            while door.connections == 2:
                await asyncio.sleep(0.01)
    finally:
        line.close()
    await tab.ws.close()
