"""Who may talk to the server: attacks by strangers' pages and strangers' names fail closed."""

from __future__ import annotations

import aiohttp
import pytest

from .conftest import Site

EVIL = "http://evil.example"
FOREIGN = [EVIL, "null", "http://localhost.evil.example", "https://127.0.0.1.evil.example", "x", ""]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_strangers_page_opens_no_socket(site: Site, origin: str) -> None:
    """A WebSocket from another origin is refused before the upgrade; no session is made."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.open(Origin=origin)
    assert refused.value.status == 403
    assert not site.host.lines


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_strangers_page_posts_nothing(site: Site, wav: bytes, origin: str) -> None:
    """Nor does it upload, even if it knew the session's token."""
    tab = await site.open()
    answer = await site.upload(tab, wav, Origin=origin)
    assert answer.status == 403
    assert "allowed_origins" in (await answer.json())["error"]
    assert site.host.store.used == 0
    await tab.ws.close()


async def test_another_port_of_this_machine_is_a_stranger(site: Site) -> None:
    """Another program's page on the same machine has another origin."""
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.open(Origin="http://127.0.0.1:1")


async def test_no_cross_origin_reading(site: Site, wav: bytes) -> None:
    """No answer carries CORS permission, and no preflight is granted."""
    tab = await site.open()
    value = await (await site.upload(tab, wav)).json()
    for path in ("", value["url"], value["peaks"]):
        async with site.http.get(site.url + path, headers={"Origin": EVIL}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    async with site.http.options(site.url + "upload", headers=asked) as answer:
        assert answer.status == 403
        assert not any(name.startswith("Access-Control") for name in answer.headers)
    await tab.ws.close()


BAD_HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1@evil.example",
    "",
    "a b",
    "10.0.0.1",
]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("path", ["", "ws", "files/x/y.wav", "assets/x.js", "nothing"])
async def test_a_strangers_name_is_no_name_of_ours(site: Site, host: str, path: str) -> None:
    """Under DNS rebinding every address refuses: page, socket, sounds and errors alike."""
    async with site.http.get(site.url + path, headers={"Host": host}) as answer:
        assert answer.status in (400, 403)
        assert "Content-Security-Policy" in answer.headers or answer.status == 400


async def test_rebinding_with_a_matching_origin(site: Site) -> None:
    """The page of a rebound name has Origin and Host that agree; the Host check still refuses."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.open(Host="evil.example:7860", Origin="http://evil.example:7860")
    assert refused.value.status == 403
    assert not site.host.lines


async def test_programs_show_that_they_are_none(site: Site, wav: bytes) -> None:
    """Without Origin the session header is needed: no page of another site can set it."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.http.ws_connect(site.url + "ws")
    assert refused.value.status == 403
    tab = await site.open(**{"X-Ossicle-Session": ""})
    assert tab.got[0]["type"] == "open"
    await tab.ws.close()
    again = await site.open(**{"X-Ossicle-Session": tab.token})
    assert again.got[0]["type"] in ("open", "resume")
    async with site.http.post(
        f"{site.url}upload?node={tab.node('audio')}&name=a.wav",
        data=wav,
        headers={"X-Ossicle-Session": tab.token},
    ) as answer:
        assert answer.status == 200
    await again.ws.close()


@pytest.mark.parametrize("name", ["Sec-Fetch-Site", "Sec-Fetch-Mode", "sec-fetch-dest"])
async def test_a_browser_without_origin(site: Site, wav: bytes, name: str) -> None:
    """A request that says it is a browser's must say from where."""
    tab = await site.open()
    async with site.http.post(
        f"{site.url}upload?node={tab.node('audio')}",
        data=wav,
        headers={"X-Ossicle-Session": tab.token, name: "cross-site"},
    ) as answer:
        assert answer.status == 403
    await tab.ws.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "POST", "TRACE"])
async def test_other_methods(site: Site, method: str) -> None:
    """What no route takes is refused in one JSON sentence, and only to friends is it 405."""
    headers = {"Origin": site.origin}
    async with site.http.request(method, site.url, headers=headers) as answer:
        assert answer.status == 405
        assert await answer.json() == {"error": "Method Not Allowed"}
    async with site.http.request(method, site.url, headers={"Origin": EVIL}) as answer:
        assert answer.status == 403
