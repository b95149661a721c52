"""Sounds from URLs in app code: bounded, public only, whole or not at all."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.audio import Clip, ClipError
from ossicle.runtime.media.encode import encode
from ossicle.runtime.media.fetch import fetch, url_name
from ossicle.runtime.media.limits import Limits
from ossicle.runtime.media.store import Store


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "x"
    encode(Clip.of(8000, np.arange(4000, dtype=np.int16)), path, "wav")
    return path.read_bytes()


@pytest.fixture
def site(sound: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/a%20b.wav")
                self.end_headers()
            elif self.path == "/ftp":
                self.send_response(302)
                self.send_header("Location", "ftp://127.0.0.1/a.wav")
                self.end_headers()
            elif self.path == "/missing.wav":
                self.send_error(404)
            else:
                self.send_response(200)
                cut = self.path == "/cut.wav"
                self.send_header("Content-Length", str(len(sound)))
                self.end_headers()
                self.wfile.write(sound[:1000] if cut else sound)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/a%20b.wav", "/moved"])
def test_a_sound_by_url(site: str, path: str) -> None:
    """Its name is the last part of the address that was written."""
    store = Store(allow_private_urls=True)
    try:
        clip = store.session("a").open(site + path)
        assert (clip.frames, clip.name) == (4000, "a b.wav" if path != "/moved" else "moved")
    finally:
        store.close()


REFUSED = [
    "http://127.0.0.1:9/a.wav",
    "http://localhost:9/a.wav",
    "http://[::1]:9/a.wav",
    "http://[::ffff:127.0.0.1]:9/a.wav",
    "http://10.0.0.1/a.wav",
    "http://192.168.1.1/a.wav",
    "http://169.254.169.254/latest/meta-data",
    "http://0.0.0.0:9/a.wav",
    "http://2130706433/a.wav",
    "https://127.0.0.1:9/a.wav",
]


@pytest.mark.parametrize("url", REFUSED)
def test_private_addresses_are_refused(url: str) -> None:
    """Whatever way they are written, before any byte is sent."""
    with pytest.raises(ClipError, match="is not a public address"):
        list(fetch(url, limits=Limits(), allow_private=False))


def test_an_app_may_read_its_own_network(site: str) -> None:
    """If its author says so, in the words of the error that it gets otherwise."""
    with oc.Blocks() as app:
        oc.Audio(f"{site}/a.wav", label="Near")
    start: dict[str, Any] = {"prevent_thread_lock": True, "quiet": True, "server_port": 0}
    with pytest.raises(ClipError, match=r"launch\(allow_private_urls=True\) lets"):
        app.launch(**start)
    app.launch(**start, allow_private_urls=True)
    app.close()


def test_what_the_other_side_says(site: str) -> None:
    """A status, a short answer and a redirect out of http are errors that name the URL."""
    for path, text in [
        ("/missing.wav", "missing.wav answered 404"),
        ("/cut.wav", "too early|cannot be read"),
        ("/ftp", "is not an http or https URL"),
    ]:
        with pytest.raises(ClipError, match=text):
            list(fetch(site + path, limits=Limits(), allow_private=True))


def test_bounds(site: str, sound: bytes) -> None:
    """Too many bytes or too many seconds end the download."""
    for limits, text in [
        (Limits(upload=len(sound) - 1), "has more than"),
        (Limits(fetch_seconds=-1), "took longer than"),
    ]:
        with pytest.raises(ClipError, match=text):
            list(fetch(f"{site}/a.wav", limits=limits, allow_private=True))


def test_an_error_leaves_nothing(site: str, tmp_path: Path) -> None:
    """A download that breaks off is not stored."""
    store = Store(allow_private_urls=True)
    try:
        with pytest.raises(ClipError):
            store.session("a").open(f"{site}/cut.wav")
        assert store.used == 0
    finally:
        store.close()


def test_names_from_urls() -> None:
    """The path's last part, decoded; the query is no name."""
    assert url_name("https://x.org/a/b%20c.mp3?token=1") == "b c.mp3"
    assert url_name("https://x.org/") == "audio"
