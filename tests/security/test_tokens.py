"""The session's token: how it is shown, and that it comes out nowhere."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.runtime.frontends.web.server import make_app, serve
from ossicle.runtime.host import Host

from .conftest import Site, Tab

PROTOCOL = "Sec-WebSocket-Protocol"
SESSION = "X-Ossicle-Session"


async def handshake(site: Site, **headers: str) -> tuple[int, aiohttp.ClientResponse, str]:
    """Status, answer and its text, of an upgrade that a browser would ask for."""
    asked = {
        "Origin": site.origin,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with site.http.get(site.url + "ws", headers=asked | headers) as answer:
        text = "" if answer.status == 101 else await answer.text()
        return answer.status, answer, text


async def leave(tab: Tab) -> Tab:
    await tab.ws.close()
    return tab


async def test_the_answer_names_the_protocol_and_not_the_token(site: Site) -> None:
    """A page that comes back hears `ossicle`; its token stands in no header of the answer."""
    token = (await leave(await site.open())).token
    status, answer, _ = await handshake(site, **{PROTOCOL: f"ossicle, session.{token}"})
    assert status == 101
    assert answer.headers[PROTOCOL] == "ossicle"
    assert token not in str(answer.raw_headers)


async def test_a_session_is_taken_up_by_subprotocol(site: Site) -> None:
    """The very session goes on; one that is not known is over, and none at all is a new one."""
    first = await leave(await site.open())
    again = await leave(await site.open(session=first.token))
    assert again.token == first.token
    assert (await leave(await site.open(session=first.token[::-1]))).got == [{"type": "gone"}]
    assert (await leave(await site.open())).token not in ("", first.token)


async def test_a_client_without_subprotocols_begins_a_session(site: Site) -> None:
    """Programs need not offer any; then none is agreed on."""
    status, answer, _ = await handshake(site)
    assert status == 101
    assert PROTOCOL not in answer.headers
    assert len(site.host.lines) == 1


MALFORMED = [
    "",
    "{token}",
    "session.{token}",
    "session.{token}, ossicle",
    "graphql-ws, session.{token}",
    "ossicle, {token}",
    "ossicle, session.",
    "ossicle, session.{token}, session.{token}",
    "ossicle, session.{token}, graphql-ws",
    "ossicle, session.{token}/..",
    "ossicle, session.{token}.{token}",
    "ossicle, session." + "x" * 201,
    "ossicle, session." + "x" * 7000,
    "Ossicle, session.{token}",
]


@pytest.mark.parametrize("offered", MALFORMED, ids=[each[:40] for each in MALFORMED])
async def test_what_is_no_token_is_refused(
    site: Site, caplog: pytest.LogCaptureFixture, offered: str
) -> None:
    """In one sentence that does not repeat what was offered, nor does any log."""
    token = (await leave(await site.open())).token
    with caplog.at_level(logging.DEBUG):
        status, _, text = await handshake(site, **{PROTOCOL: offered.format(token=token)})
    assert status == 400
    assert "subprotocols must be" in text or "session token" in text
    assert token not in text + caplog.text and "xxx" not in text + caplog.text
    assert list(site.host.lines) == [token], "no other session began"


async def test_two_tokens_are_one_too_many(site: Site) -> None:
    """Header and subprotocol may not both say which session."""
    token = (await leave(await site.open())).token
    status, _, text = await handshake(
        site, **{PROTOCOL: f"ossicle, session.{token}", SESSION: token}
    )
    assert (status, "once" in text) == (400, True)


async def test_a_token_in_the_address_is_refused(site: Site) -> None:
    """Who still puts it there learns where it belongs instead of getting another session."""
    token = (await leave(await site.open())).token
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.open(f"?session={token}")
    assert refused.value.status == 400
    assert list(site.host.lines) == [token]


@pytest_asyncio.fixture
async def asking() -> AsyncIterator[tuple[Site, list[oc.Request]]]:
    """A site whose function keeps who asked."""
    seen = list[oc.Request]()

    def note(request: oc.Request) -> None:
        seen.append(request)

    with oc.Blocks() as demo:
        oc.Button("Go").click(note)
    host = Host(demo.plan())
    app = make_app(host)
    running = await serve(app, port=0)
    async with aiohttp.ClientSession() as http:
        yield Site(running, host, http, app), seen
    await running.close()
    await host.close()


async def test_functions_get_no_token(asking: tuple[Site, list[oc.Request]]) -> None:
    """What a function may log names its session, but nobody gets into it with that."""
    site, seen = asking
    program = {"Origin": site.origin, SESSION: ""}
    tabs = [await site.open(), await site.open(**program)]
    for tab in tabs:
        await tab.ws.send_json({"type": "act", "node": tab.node("button"), "act": "click"})
        while "succeeded" not in str(tab.got):
            await tab.until("patches")
        await tab.ws.close()
    assert len({request.session_hash for request in seen}) == 2
    for request in seen:
        told = f"{request} {dict(request.headers)}"
        assert not any(tab.token in told for tab in tabs)
        assert request.headers["Origin"] == site.origin
        assert not {PROTOCOL, SESSION} & request.headers.keys()
        assert (await leave(await site.open(session=request.session_hash))).got == [
            {"type": "gone"}
        ]
