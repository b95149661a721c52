"""What a page may send: garbage, floods and lies are refused in words; every session goes on."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from aiohttp import WSMsgType

from .conftest import Site

GARBAGE = [
    "",
    "{",
    "[]",
    "null",
    "0",
    '"act"',
    "\x00",
    '{"type":"act"}',
    '{"type":"open"}',
    '{"type":"act","node":0,"act":"load"}',
    '{"type":"act","node":0,"act":"unload"}',
    '{"type":"act","node":3,"act":"change"}',
    '{"type":"act","node":999999,"act":"click"}',
    '{"type":"act","node":1e3,"act":"click"}',
    '{"type":"act","node":true,"act":"click"}',
    '{"type":"act","node":NaN,"act":"click"}',
    '{"type":"act","node":9007199254740993,"act":"click"}',
    '{"type":"act","node":99999999999999999999999999,"act":"click"}',
    '{"type":"act","node":1,"act":"__class__"}',
    '{"type":"act","node":1,"act":"receive","value":1}',
    '{"type":"act","node":1,"act":"upload","value":"x"}',
    '{"type":"act","node":1,"act":"trim","value":{"start":-1,"end":1e308}}',
    '{"type":"act","node":1,"act":"play","data":"x"}',
    '{"type":"cancel","request":-1}',
    '{"type":"ack","seq":"x"}',
    '{"type":"js","request":1,"values":"x"}',
    "[" * 100_000,
    '{"type":"act","node":2,"act":"input","value":' + "[" * 200 + "]" * 200 + "}",
    '{"type":"ack","seq":' + "9" * 500_000 + "}",
]


@pytest.mark.parametrize("text", GARBAGE, ids=[text[:40] for text in GARBAGE])
async def test_garbage(site: Site, text: str) -> None:
    """Each is refused in one sentence without a traceback or a path, and the session goes on."""
    tab = await site.open()
    await tab.ws.send_str(text)
    message = (await tab.until("refused"))["message"]
    assert message and len(message) < 300
    assert "Traceback" not in message and "/" not in message.replace("object/", "")
    await tab.ws.send_json(
        {"type": "act", "node": tab.node("textbox"), "act": "input", "value": "fine"}
    )
    await tab.ws.send_str("{")
    assert "not JSON" in (await tab.until("refused"))["message"], "the message before it was taken"
    await tab.ws.close()


async def test_a_text_is_never_markup_or_a_path(site: Site) -> None:
    """What a user types comes back as the very text; what it looks like does not matter."""
    tab = await site.open()
    for text in (
        "<script>alert(1)</script>",
        "/etc/passwd",
        "file:///etc/passwd",
        "\ud800",
        "\x00",
    ):
        await tab.ws.send_json(
            {"type": "act", "node": tab.node("textbox"), "act": "input", "value": text}
        )
    await tab.ws.close()
    again = await site.open("?seq=99999", session=tab.token)
    (node,) = [n for n in again.app["nodes"] if n["type"] == "textbox"]
    assert node["props"]["value"] == "\x00"
    await again.ws.close()


async def test_errors_of_functions_stay_inside(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A function's exception is told as failed, its text only to the log."""
    tab = await site.open()
    with caplog.at_level(logging.ERROR):
        await tab.ws.send_json({"type": "act", "node": tab.node("textbox"), "act": "submit"})
        states: list[str] = []
        while "failed" not in states:
            await tab.until("patches")
            states += [patch.get("state", "") for patch in tab.got[-1]["patches"]]
    everything = json.dumps(tab.got)
    assert "secret" not in everything and "password" not in everything
    assert "the password" in caplog.text
    await tab.ws.close()


async def test_one_page_cannot_hurt_another(site: Site) -> None:
    """While one page floods, another's session answers; the flood is cut off."""
    evil, good = await site.open(), await site.open()
    for _ in range(200):
        await evil.ws.send_str("{" * 50)
    await good.ws.send_str("{")
    assert "not JSON" in (await good.until("refused"))["message"]
    async with asyncio.timeout(10):
        while (await evil.ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    assert evil.ws.close_code == 1008
    await good.ws.close()


async def test_a_message_too_large(site: Site) -> None:
    """A frame beyond the bound closes that socket; the session can be taken up again."""
    tab = await site.open()
    await tab.ws.send_str("x" * ((1 << 20) + 1))
    async with asyncio.timeout(10):
        while (await tab.ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    assert tab.ws.close_code == 1009
    again = await site.open(session=tab.token)
    assert again.got[0]["type"] in ("resume", "open")
    assert again.got[0]["session"] == tab.token
    await again.ws.close()


@pytest.mark.parametrize("token", ["x", "a" * 200, "0" * 32, "-", "_" * 32])
async def test_a_token_cannot_be_guessed(site: Site, token: str) -> None:
    """An unknown token gets nothing but `gone`."""
    tab = await site.open(session=token)
    assert tab.got == [{"type": "gone"}]
    async with asyncio.timeout(10):
        while (await tab.ws.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    assert tab.ws.close_code == 4404


async def test_tokens_are_secrets(site: Site) -> None:
    """Tokens are long, random and all different."""
    tabs = [await site.open() for _ in range(10)]
    assert len({tab.token for tab in tabs}) == 10
    assert all(len(tab.token) >= 32 for tab in tabs)
    for tab in tabs:
        await tab.ws.close()


async def test_raw_requests(site: Site) -> None:
    """What is no HTTP, or far too much of it, is answered without inner details and ends."""
    port = site.running.port
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        async with asyncio.timeout(10):
            status = await reader.readline()
            rest = b"" if not status else await reader.read(4096)
        writer.close()
        assert status.split(b" ")[1] in (b"400", b"403"), (raw[:40], status)
        assert b"Traceback" not in rest and b"site-packages" not in rest and b".py" not in rest
