"""Bytes by hand: requests that hide another one, and frames against the protocol."""

from __future__ import annotations

import asyncio
import logging
import struct

import pytest

from .conftest import Site

# Headers of an upload that passes the checks; the session is nobody's, so it is answered with 403.
ASKING = "Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nX-Ossicle-Session: x\r\n"
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
"""What must never be taken for the body of another request, nor a body for it."""

LENGTHS = {
    "twice the same": "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "twice another": "Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
    "a list": "Content-Length: 3, 3\r\n\r\nabc",
    "a sign": "Content-Length: +3\r\n\r\nabc",
    "below zero": "Content-Length: -3\r\n\r\nabc",
    "hexadecimal": "Content-Length: 0x3\r\n\r\nabc",
    "underscore": "Content-Length: 0_3\r\n\r\nabc",
    "digits of another script": "Content-Length: \u0663\r\n\r\nabc",
    "beyond 64 bits": f"Content-Length: {10**30}\r\n\r\nabc",
    "and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, then none": "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "chunks not last": "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "almost chunks": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk that is shorter": "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    "a chunk with a sign": "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
    "a chunk below zero": "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk in 0x": "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk beyond 64 bits": f"Transfer-Encoding: chunked\r\n\r\n{'f' * 17}\r\nabc\r\n0\r\n\r\n",
    "chunks with bare LF": "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    "LF in an extension": "Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a folded line": "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare LF": "X: a\nContent-Length: 0\r\n\r\n",
    "bare CR": "X: a\rContent-Length: 0\r\n\r\n",
    "NUL": "X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "another host": "Host: evil.example\r\nContent-Length: 0\r\n\r\n",
}


async def said(site: Site, data: bytes) -> bytes:
    """All that is answered, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.running.port)
    writer.write(data)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("framing", LENGTHS.values(), ids=LENGTHS)
async def test_no_request_hides_in_another(
    site: Site, framing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One answer, a 400, and the connection is over; neither answer nor log repeats what came."""
    with caplog.at_level(logging.INFO):
        text = ("POST /upload HTTP/1.1\r\n" + ASKING + framing + HIDDEN).format(
            port=site.running.port
        )
        got = await said(site, text.encode())
    assert got.startswith(b"HTTP/1.0 400 ") and got.count(b"HTTP/1.") == 1
    assert b"\r\nServer: ossicle\r\n" in got and b"\r\nX-Content-Type-Options: nosniff\r\n" in got
    head, _, body = got.partition(b"\r\n\r\n")
    assert body == b'{"error": "this is no request of HTTP that could be understood"}', head
    assert caplog.records == []


@pytest.mark.parametrize(
    "framing",
    ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n"],
    ids=["length", "chunks"],
)
async def test_a_body_ends_where_it_says(site: Site, framing: str) -> None:
    """Two requests in one connection get their two answers: the proof that the above is none."""
    text = ("POST /upload HTTP/1.1\r\n" + ASKING + framing + HIDDEN).format(port=site.running.port)
    got = await said(site, text.encode())
    assert got.count(b"HTTP/1.1 ") == 2
    assert got.startswith(b"HTTP/1.1 403 ") and b"HTTP/1.1 404 " in got


def frame(
    code: int, data: bytes = b"", *, last: bool = True, bits: int = 0, length: int | None = None
) -> bytes:
    """A frame as pages send it, with a mask that changes nothing; `length` may be a lie."""
    size = len(data) if length is None else length
    head = bytes([128 * last | bits | code])
    if size < 126:
        head += bytes([128 | size])
    elif size < 65536:
        head += struct.pack(">BH", 128 | 126, size)
    else:
        head += struct.pack(">BQ", 128 | 127, size)
    return head + bytes(4) + data


TEXT, SOUND, CLOSE, PING, MORE = 1, 2, 8, 9, 0

BROKEN = {
    "compressed, which was not agreed on": (frame(TEXT, b"\xaaV*\xa9", bits=64), 1002),
    "a reserved bit": (frame(TEXT, b"{}", bits=32), 1002),
    "an unknown opcode": (frame(3), 1002),
    "an unknown control opcode": (frame(11), 1002),
    "a ping too large": (frame(PING, bytes(126)), 1002),
    "a ping in parts": (frame(PING, b"a", last=False), 1002),
    "a close of one byte": (frame(CLOSE, b"a"), 1002),
    "a close with a code that is none": (frame(CLOSE, struct.pack(">H", 999)), 1002),
    "a close that is no UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "a text that is no UTF-8": (frame(TEXT, b'"\xff"'), 1007),
    "a second part without a first": (frame(MORE, b"a"), 1002),
    "a text within a text": (frame(TEXT, b"{", last=False) + frame(TEXT, b"}"), 1002),
    "a length of 2**63": (frame(TEXT, length=2**63), 1009),
    "a length of 2**62": (frame(SOUND, length=2**62), 1009),
    "parts without end": (
        frame(TEXT, bytes(600_000), last=False) + frame(MORE, bytes(600_000), last=False),
        1009,
    ),
    "pings without end": (frame(PING) * 200, 1008),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_frame_ends_its_own_socket_only(site: Site, data: bytes, code: int) -> None:
    """It is closed with the code that RFC 6455 has for it; the session and the others go on."""
    tab, other = await site.open(), await site.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.running.port)
    head = (
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        f"Sec-WebSocket-Protocol: ossicle, session.{tab.token}\r\n\r\n"
    )
    writer.write(head.format(port=site.running.port).encode())
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in answer and b"permessage" not in answer
        writer.write(data)
        assert await closing(reader) == code
    writer.close()
    assert set(site.host.lines) == {tab.token, other.token}, "sessions outlive their sockets"
    await other.ws.send_json({"type": "ping", "at": 1})
    assert (await other.until("pong"))["at"] == 1
    await tab.ws.close()
    await other.ws.close()


async def closing(reader: asyncio.StreamReader) -> int:
    """The code of the close frame, behind all that comes before it."""
    while True:
        first, size = await reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        data = await reader.readexactly(size)
        if first & 15 == CLOSE:
            return int.from_bytes(data[:2], "big")
