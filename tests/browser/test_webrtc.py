"""Live sound over WebRTC in a real browser: the microphone's own samples come, and go back out."""

from __future__ import annotations

import asyncio
from typing import Literal

import numpy as np
import pytest
from aioice.ice import StunProtocol
from playwright.async_api import expect

import ossicle as oc
from ossicle.runtime.peers import Peers
from ossicle.runtime.sessions import Line
from ossicle.runtime.streams.peer import Peer

from .conftest import HURRY, PATIENCE, RATE, Listen, noise
from .listening import Heard, Sound, click, drawn, listens, recording, until
from .test_recording import longest_run

DTLS_DATA = 23
"""The first byte of a packet that carries data (RFC 9147 4.1)."""


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> list[Peer]:
    """Every connection that is answered."""
    made = list[Peer]()
    answer = Peer.answer

    async def noted(peer: Peer, offer: str) -> str:
        made.append(peer)
        return await answer(peer, offer)

    monkeypatch.setattr(Peer, "answer", noted)
    return made


def app_of(transport: Literal["socket", "webrtc"]) -> tuple[oc.Blocks, Heard]:
    """Hears a microphone, and sends it back."""
    heard = Heard()

    def echo(chunk: Sound, event: oc.EventData) -> Sound:
        heard.chunks.append(chunk[1])
        heard.places.append((event.index, event.gap))
        return chunk

    def keep(take: Sound) -> None:
        heard.takes.append(take[1])

    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True, transport=transport)
        out = oc.Audio(label="Echo", streaming=True, interactive=False, transport=transport)
        mic.stream(echo, mic, out, stream_every=0.02, on_overload="block")
        mic.stop_recording(keep, mic, None)
    return app, heard


async def test_a_voice_over_webrtc(listen: Listen, peers: list[Peer]) -> None:
    """Contiguous, complete at the end, heard again in the page; with the recording it is over."""
    app, heard = app_of("webrtc")
    tab = await listen(app)
    assert not peers, "nobody speaks, so nothing is open"
    await click(tab.page, "Record")
    # Until it is open the socket carries the sound; then it changes over without a seam.
    await until(lambda: bool(peers) and peers[0].counters.received > 100)
    async with asyncio.timeout(PATIENCE / 1000):
        # What comes out is what the microphone gave, later.
        while len((await tab.tap.sound(RATE)).delays(0.1)) < 4:
            await asyncio.sleep(0.1)
    await click(tab.page, "Stop")
    await drawn(tab.page, 2)
    await until(lambda: bool(heard.takes))
    (peer,) = peers
    take = heard.takes[0]
    assert longest_run(take, noise()) >= RATE // 4, "the microphone's own samples"
    for (index, gap), (before, chunk) in zip(
        heard.places[1:], zip(heard.places, heard.chunks, strict=True), strict=False
    ):
        assert index == before[0] + len(chunk) + gap
    tapped = await tab.tap.sound(RATE)
    played = np.rint(tapped.heard * 32768).astype(np.int16)
    assert longest_run(played, noise()) >= RATE // 10
    await until(lambda: not peer.open)


async def test_two_recordings_share_a_connection_until_both_have_ended(
    listen: Listen, peers: list[Peer]
) -> None:
    """The end of one takes nothing from the other."""
    heard = [Heard(), Heard()]
    with oc.Blocks() as app:
        for n, each in enumerate(heard):
            listens(oc.Audio(label=f"Microphone {n}", streaming=True, transport="webrtc"), each)
    tab = await listen(app)
    for n in range(2):
        await tab.page.get_by_role("button", name="Record", exact=True).first.click()
        await expect(tab.page.locator(".recorder .time b")).to_have_count(n + 1)
    await until(lambda: bool(peers) and peers[0].counters.received > 100)
    (peer,) = peers
    await tab.page.get_by_role("button", name="Stop", exact=True).first.click()
    await until(lambda: bool(heard[0].takes))
    before, chunks = peer.counters.received, len(heard[1].chunks)
    await until(lambda: peer.counters.received > before + 50)
    await until(lambda: len(heard[1].chunks) > chunks + 3)
    assert peer.open and len(peers) == 1
    await tab.page.get_by_role("button", name="Stop", exact=True).first.click()
    await until(lambda: bool(heard[1].takes))
    await until(lambda: not peer.open)
    for each in heard:
        assert longest_run(each.takes[0], noise()) >= RATE // 4


async def test_a_line_that_comes_back_brings_the_connection_with_it(
    listen: Listen, peers: list[Peer]
) -> None:
    """Both end with the line; the socket carries on until there is another connection."""
    heard = Heard()
    with oc.Blocks() as app:
        listens(oc.Audio(label="Microphone", streaming=True, transport="webrtc"), heard)
    tab = await recording(listen, app)
    await until(lambda: bool(peers) and peers[0].counters.received > 20)
    await tab.site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await tab.site.mend()
    await tab.page.evaluate(HURRY)
    await until(lambda: len(peers) > 1 and peers[1].counters.received > 20)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    await until(lambda: heard.end == len(heard.takes[0]))
    assert (
        sum(len(each) for each in heard.chunks) + sum(gap for _, gap in heard.places) == heard.end
    )


async def test_a_network_that_loses_costs_what_it_lost_and_no_more(
    listen: Listen, peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every twentieth packet is lost: each loss is a gap, told and counted; all else is exact, and
    nothing behind a loss waits for the next one."""
    seen, lost, most = 0, 0, 6
    receive = StunProtocol.datagram_received

    def lossy(self: StunProtocol, data: bytes, addr: tuple[object, ...]) -> None:
        nonlocal seen, lost
        if peers and peers[0].counters.received and data[0] == DTLS_DATA:
            seen += 1
            if seen % 20 == 0 and lost < most:
                lost += 1
                return
        receive(self, data, addr)

    monkeypatch.setattr(StunProtocol, "datagram_received", lossy)
    heard = Heard()
    with oc.Blocks() as app:
        listens(oc.Audio(label="Microphone", streaming=True, transport="webrtc"), heard)
    tab = await recording(listen, app)
    await until(lambda: lost == most and len([gap for _, gap in heard.places if gap]) >= 3)
    before = heard.end
    await until(lambda: heard.end > before + RATE)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    await until(lambda: heard.end == len(heard.takes[0]))
    (source,) = tab.site.host.metrics.snapshot()["sessions"][0]["sources"]
    assert source["lost"] == sum(gap for _, gap in heard.places) > 0
    spoken = np.rint((await tab.tap.sound(RATE)).spoken * 32768).astype(np.int16)
    begin = spoken.tobytes().find(heard.chunks[0][:64].tobytes()) // 2
    for (index, gap), chunk in zip(heard.places, heard.chunks, strict=True):
        at = begin + index
        np.testing.assert_array_equal(chunk, spoken[at : at + len(chunk)])
        assert not heard.takes[0][index - gap : index].any(), "what was lost is silence"


async def test_where_no_connection_comes_about_the_socket_carries_it(
    listen: Listen, peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, and nobody has to do anything."""

    def deaf(self: Peers, line: Line, sdp: str) -> None:
        if line.send:
            line.send({"type": "rtc", "error": "no"})

    monkeypatch.setattr(Peers, "offer", deaf)
    app, heard = app_of("webrtc")
    tab = await recording(listen, app, 1)
    await click(tab.page, "Stop")
    await until(lambda: bool(heard.takes))
    assert not peers
    assert longest_run(heard.takes[0], noise()) >= RATE // 4
