"""A running app as its program has it: what it tells from any thread, and what it never hides."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading

import pytest

import ossicle as oc
from ossicle.runtime.frontends.web.server import Running
from ossicle.runtime.host import Host
from ossicle.runtime.launching import Launched, Launching


class App(Launched):
    """One that can be asked to do something on its own loop."""

    def __init__(self) -> None:
        with oc.Blocks() as demo:
            oc.Textbox()
        super().__init__(demo, Launching(server_port=0, quiet=True))

    def ask_there(self) -> object:
        async def ask() -> object:
            return self.metrics()

        assert self._loop
        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(10)


def test_an_apps_own_functions_may_ask_for_metrics() -> None:
    """An async function runs on the loop that tells them, and must not wait for itself."""
    app = App()
    app.start()
    assert app.ask_there() == {**app.metrics(), "tasks": app.metrics()["tasks"] + 1}
    app.close()
    with pytest.raises(RuntimeError, match="does not run"):
        app.metrics()


def test_metrics_that_are_asked_for_at_the_end_are_refused() -> None:
    """Threads that ask all the time, until and after the app has ended: none waits for ever."""
    app = App()
    app.start()
    refused = list[str]()

    def ask() -> None:
        try:
            while True:
                app.metrics()
        except RuntimeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    app.close()
    for thread in threads:
        thread.join(10)
    assert refused == ["metrics(): this app does not run."] * 4


def test_an_end_that_fails_is_told_and_gives_back_all(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody hears what its thread raises once the app runs: the log says it."""
    ended = list[Host]()
    end_server, end_host = Running.close, Host.close

    async def fail(running: Running) -> None:
        await end_server(running)
        raise RuntimeError("the socket is stuck")

    async def note(host: Host) -> None:
        ended.append(host)
        await end_host(host)

    monkeypatch.setattr(Running, "close", fail)
    monkeypatch.setattr(Host, "close", note)
    app = App()
    app.start()
    app.close()
    assert "the socket is stuck" in caplog.text and len(ended) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_is_interrupted_while_it_begins_does_not_go_on() -> None:
    """Ctrl-C while examples are made: nothing listens later, behind the back of a notebook."""
    free = threading.Event()

    def make(text: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        free.wait()
        return text

    with oc.Blocks() as demo:
        text = oc.Textbox()
        oc.Examples(["a"], text, text, make, cache_examples=True)
    launched = Launched(demo, Launching(server_port=0, quiet=True))
    try:
        with pytest.raises(KeyboardInterrupt):
            launched.start()
        assert "ossicle server" not in [each.name for each in threading.enumerate()]
    finally:
        free.set()  # else Python would wait for it for ever
        launched.close()


def test_in_the_foreground_the_collector_passes_over_what_was_there() -> None:
    """While it waits, and not where `launch` has returned, nor after it."""
    with oc.Blocks() as app:
        oc.Textbox()
    launched = Launched(app, Launching(server_port=0, quiet=True))
    launched.start()
    assert not gc.get_freeze_count()
    waiting = threading.Thread(target=launched.wait)
    waiting.start()
    while not gc.get_freeze_count():
        waiting.join(0.01)
        assert waiting.is_alive()
    launched.close()
    waiting.join()
    assert not gc.get_freeze_count()
