"""What people do while the line breaks, in a real browser: once each, in order, or told."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from pathlib import Path
from typing import Self

import numpy as np
import soundfile
from playwright.async_api import FilePayload, expect

import ossicle as oc

from .conftest import HURRY, PATIENCE, Open, Serve, Site
from .listening import hearing

BURST = """
(count) => new Promise((done) => {
  const [first, second] = document.querySelectorAll('[data-type=button] button');
  let left = count;
  const turn = () => {
    // Now one and then the other, because of impatient clicks on one only the last is kept.
    for (let i = 0; i < 2 && left; i++) (left-- % 2 ? second : first).click();
    if (left) setTimeout(turn, 1);
    else done();
  };
  turn();
})
"""


SAID = """
(badge) => {
  window.said = [];
  new MutationObserver(() => window.said.push(badge.textContent))
    .observe(badge, { subtree: true, childList: true, characterData: true, attributes: true });
}
"""
"""Notes all that a badge says from now on."""


class Way(Site):
    """A site behind a proxy, which hears what is asked of it, and may fall silent or break.

    Silent it takes all, and nothing comes out of it.
    """

    silent = False

    def __init__(self, served: Site) -> None:
        super().__init__(served.host, served.running)
        self.heard = bytearray()
        self._ends = list[asyncio.StreamWriter]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.way.sockets[0].getsockname()[1]}/"

    def asked(self) -> list[str]:
        """The addresses in the requests that came so far, as a log would keep them."""
        found = re.findall(rb"(?:GET|HEAD|POST) (\S+) HTTP/1\.1\r\n", self.heard)
        return [each.decode() for each in found]

    def break_off(self) -> None:
        """End all connections at once; new ones are taken."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def open(self) -> Self:
        self.way = await asyncio.start_server(self, "127.0.0.1", 0)
        return self

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, into = await asyncio.open_connection("127.0.0.1", self.running.port)
        self._ends += [writer, into]
        await asyncio.gather(self._carry(reader, into, self.heard), self._carry(there, writer))

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: bytearray | None = None,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if heard is not None:
                    heard += data
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
        writer.close()


async def test_no_address_has_the_token_of_the_session(serve: Serve, visit: Open) -> None:
    """Nor the page's own nor those on the line: opened, uploaded, heard, cut and taken up again."""
    with oc.Blocks() as app:
        sound, out = oc.Audio(label="in"), oc.Audio(label="out")

        def same(clip: object) -> object:
            return clip

        sound.upload(same, sound, out)
    site = await Way(await serve(app)).open()
    try:
        tab = await visit(site, lossy=True)
        (token,) = site.host.lines
        file = io.BytesIO()
        soundfile.write(file, np.zeros(8000), 8000, format="WAV")
        picked = FilePayload(name="a.wav", mimeType="audio/wav", buffer=file.getvalue())
        await tab.page.locator("input[type=file]").first.set_input_files(picked)
        await expect(tab.page.locator(".wave.drawn")).to_have_count(2)
        site.break_off()
        async with asyncio.timeout(PATIENCE / 1000):
            while len([each for each in site.asked() if each.startswith("/ws")]) < 2:
                await asyncio.sleep(0.01)
        await expect(tab.page.locator(".banner")).to_be_hidden()
        assert list(site.host.lines) == [token], "the session went on"
        assert f"ossicle, session.{token}\r\n".encode() in site.heard, "it was told, in a header"
        everything = site.asked() + tab.asked
        for part in ("/ws?seq=", "/upload?", "/files/"):
            assert any(part in each for each in everything), everything
        assert not [each for each in everything if token in each]
        page = await tab.page.content()
        assert token not in page + tab.page.url
    finally:
        site.way.close()


async def impatient(serve: Serve, app: oc.Blocks, hurried: Path) -> Site:
    """An app with the page whose line is in a hurry."""
    site = await serve(app)
    await site.cut()
    await site.mend(hurried)
    return site


async def test_a_line_that_says_nothing_any_more_is_told_and_left(
    serve: Serve, visit: Open, hurried: Path
) -> None:
    """No close, no error: the page finds out by itself, says so, and loses nothing."""
    clicked = list[int]()
    with oc.Blocks() as app:
        oc.Button("Go").click(lambda: clicked.append(1), None, None)
    site = await Way(await impatient(serve, app, hurried)).open()
    try:
        tab = await visit(site, lossy=True)
        site.silent = True
        await tab.page.get_by_role("button", name="Go").click()
        await expect(tab.page.locator(".banner")).to_be_visible()
        assert not clicked
        site.silent = False
        await tab.page.evaluate(HURRY)
        await expect(tab.page.locator(".banner")).to_be_hidden()
        async with asyncio.timeout(PATIENCE / 1000):
            while not clicked:
                await asyncio.sleep(0.01)
        assert clicked == [1]
    finally:
        site.way.close()


async def test_a_line_that_dies_under_a_run_is_noticed_by_itself(
    serve: Serve, visit: Open, hurried: Path
) -> None:
    """Nobody does anything while a run shows progress: the page finds out and has the result."""
    done = asyncio.Event()

    async def work() -> str:
        await done.wait()
        return "finished"

    with oc.Blocks() as app:
        oc.Button("Go").click(work, None, oc.Textbox(label="Out"))
    site = await Way(await impatient(serve, app, hurried)).open()
    try:
        tab = await visit(site, lossy=True)
        await tab.page.get_by_role("button", name="Go").click()
        await expect(tab.page.get_by_role("button", name="Cancel")).to_be_visible()
        await expect(tab.page.locator(".banner")).to_be_hidden()
        site.silent = True
        done.set()
        await expect(tab.page.locator(".banner")).to_be_visible()
        site.silent = False
        await tab.page.evaluate(HURRY)
        await expect(tab.page.get_by_label("Out")).to_have_value("finished")
        await expect(tab.page.locator(".banner")).to_be_hidden()
    finally:
        site.way.close()


async def test_a_line_that_falls_silent_under_live_sound_shows_on_the_badge(
    serve: Serve, visit: Open, hurried: Path
) -> None:
    """Nothing is lost yet, and nobody is heard: that is not good, however good it was before."""
    app, _, _ = hearing(0.1)
    site = await Way(await impatient(serve, app, hurried)).open()
    try:
        tab = await visit(site, lossy=True)
        await tab.page.get_by_role("button", name="Record").click()
        badge = tab.page.locator(".badge")
        await expect(badge).to_have_text(re.compile(r"^Live\s"))
        # In a hurry the line is soon taken for dead: what stood there until then is what is tested.
        await badge.evaluate(SAID)
        site.silent = True
        stands = r"() => window.said.some((text) => /^Live, disturbed\s· \d{4,} ms/.test(text))"
        await tab.page.wait_for_function(stands, timeout=PATIENCE)
    finally:
        site.way.close()


async def test_a_burst_of_clicks_over_a_line_that_breaks_comes_once_each(
    serve: Serve, visit: Open
) -> None:
    """Clicks on their way when the socket dies are sent again; those that had come are not."""
    clicked = list[str]()
    with oc.Blocks() as app:
        for name in ("one", "two"):
            # On the loop: of threads nobody says which comes first.
            async def note(name: str = name) -> None:
                clicked.append(name)

            oc.Button(name).click(note, None, None, trigger_mode="multiple", queue=False)
    site = await serve(app)
    tab = await visit(site)
    cuts = 3
    for cut in range(1, cuts + 1):
        burst = asyncio.create_task(tab.page.evaluate(BURST, 100))
        async with asyncio.timeout(PATIENCE / 1000):
            while len(clicked) < 100 * (cut - 1) + 10:
                await asyncio.sleep(0)
        await site.cut()
        await expect(tab.page.locator(".banner")).to_be_visible()
        await burst
        await site.mend()
        await tab.page.evaluate(HURRY)
        await expect(tab.page.locator(".banner")).to_be_hidden()
        async with asyncio.timeout(PATIENCE / 1000):
            while len(clicked) < 100 * cut:
                await asyncio.sleep(0.01)
    assert clicked == ["one", "two"] * (50 * cuts)
    tab.errors[:] = [each for each in tab.errors if "WebSocket connection to" not in each]


async def test_a_server_that_starts_anew_is_told_with_what_it_never_got(
    serve: Serve, visit: Open
) -> None:
    """Another server at the same address does not know the session: the page says what is lost."""
    with oc.Blocks() as app:
        oc.Button("one").click(lambda: None)
    site = await serve(app)
    tab = await visit(site)
    await site.cut()
    await expect(tab.page.locator(".banner")).to_be_visible()
    await tab.page.get_by_role("button", name="one", exact=True).click()
    for token in list(site.host.lines):
        site.host.lines.pop(token)
    await site.mend()
    await tab.page.evaluate(HURRY)
    banner = tab.page.locator(".banner")
    await expect(banner).to_contain_text("This session is over")
    await expect(banner).to_contain_text("The last thing you did never came there.")
    tab.errors[:] = [each for each in tab.errors if "WebSocket connection to" not in each]
