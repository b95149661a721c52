"""Serving an app: in the foreground, in a thread, or by the command that loaded its file."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ..components.base import byte_size
from ..flow.errors import DeclarationError
from ..flow.listeners import at_least
from ..flow.plan import Plan
from .leaving import (
    TERMINATED,
    Terminated,
    leave,
    leave_when_interrupted,
    still_running,
    terminate,
)
from .loops import new_loop
from .media.limits import Limits

if TYPE_CHECKING:
    from .frontends.web.server import Running
    from .frontends.web.tls import Secured, Tls
    from .host import Host
    from .media.store import Store

log = logging.getLogger("ossicle")

_NOT_RUNNING: Final = "metrics(): this app does not run."


class Servable(Protocol):
    """What can be served: `Blocks`."""

    title: str
    js: str | None

    def plan(self) -> Plan: ...
    def page(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Launching:
    """How an app is to be served. The meanings are in `Blocks.launch`."""

    server_name: str = "127.0.0.1"
    server_port: int | None = None
    inbrowser: bool = False
    show_error: bool | None = None
    quiet: bool = False
    max_threads: int = 40
    max_file_size: int | str | None = None
    max_session_size: int | str | None = None
    max_connections: int | None = 512
    root_path: str = ""
    tls: Tls | None = None
    allowed_hosts: Sequence[str] = ()
    allowed_origins: Sequence[str] = ()
    allowed_frames: Sequence[str] = ()
    ice_servers: Sequence[str] = ()
    reconnect_window: float = 60.0
    allow_private_urls: bool = False

    def __post_init__(self) -> None:
        for name in ("allowed_hosts", "allowed_origins", "allowed_frames", "ice_servers"):
            given = getattr(self, name)
            if isinstance(given, str):  # each of its letters would be a name
                raise DeclarationError(f"launch: {name}={given!r} must be a list: [{given!r}].")
            if not _texts(given):
                raise DeclarationError(f"launch: {name}={given!r} must be a list of texts.")
            object.__setattr__(self, name, tuple(given))
        byte_size("launch", self.max_file_size)
        byte_size("launch", self.max_session_size, "max_session_size")
        for name, fine, what in _SINGLE:
            given = getattr(self, name)
            if not fine(given):
                raise DeclarationError(f"launch: {name}={given!r} must be {what}.")

    @property
    def tells_errors(self) -> bool:
        """On the developer's own machine every error's text helps; elsewhere it could tell much."""
        if self.show_error is None:
            return self.server_name in ("127.0.0.1", "localhost", "::1")
        return self.show_error


def _texts(given: object) -> bool:
    listed = cast("Iterable[object]", given) if isinstance(given, Iterable) else (None,)
    return all(isinstance(each, str) for each in listed)


def _seconds(given: object) -> bool:
    return isinstance(given, int | float) and given is not True and 0 <= given < math.inf


def _port(given: object) -> bool:
    return given is None or (at_least(given, 0) and at_least(65_535, cast("int", given)))


_SINGLE: Final[tuple[tuple[str, Callable[[object], bool], str], ...]] = (
    ("server_name", lambda given: isinstance(given, str), "an address as a text, or None"),
    ("server_port", _port, "a number from 0 to 65535; 0 is any free one, None the usual"),
    ("show_error", lambda given: given in (None, True, False), "True, False or None"),
    ("max_threads", lambda given: at_least(given, 1), "a whole number, 1 or more"),
    (
        "max_connections",
        lambda given: given is None or at_least(given, 1),
        "a whole number, 1 or more, or None for no bound",
    ),
    ("root_path", lambda given: isinstance(given, str), 'a text, such as "/tool"'),
    ("reconnect_window", _seconds, "a number of seconds, 0 or more"),
    ("allow_private_urls", lambda given: isinstance(given, bool), "True or False"),
)
"""What each option of `launch` may be by itself, and how to say so."""

Taker = Callable[[Any, Launching], None]
"""Gets the `Blocks` whose `launch()` was called."""

_takers: list[Taker] = []


@contextlib.contextmanager
def taking(taker: Taker) -> Generator[None]:
    """While a command loads an app's file, its `launch()` hands the app over instead of serving."""
    _takers.append(taker)
    try:
        yield
    finally:
        _takers.remove(taker)


def offer(app: Servable, launching: Launching) -> bool:
    """True if somebody took the app."""
    if not _takers:
        return False
    _takers[-1](app, launching)
    return True


def _store(launching: Launching) -> Store:
    from .media.store import Store

    bound = byte_size("launch", launching.max_session_size, "max_session_size")
    limits = Limits() if bound is None else Limits(session=bound)
    return Store(limits, allow_private_urls=launching.allow_private_urls)


async def serve_app(app: Servable, launching: Launching) -> tuple[Host, Running]:
    """A host for the app and a server that listens; the caller closes the server, then the host.

    Raises DeclarationError for an app that cannot work, OSError for a port that is taken.
    """
    from .frontends.web.server import make_app, serve
    from .frontends.web.upload import MAX_UPLOAD
    from .host import Host

    plan = app.plan()
    secured = _secured(launching)
    host = Host(
        plan,
        title=app.title,
        extra={**app.page(), "ice_servers": list(launching.ice_servers)},
        ice_servers=launching.ice_servers,
        show_error=launching.tells_errors,
        reconnect_window=launching.reconnect_window,
        max_threads=launching.max_threads,
        page_code=True,
        make_store=partial(_store, launching),
    )
    try:
        await host.begin()
        served = make_app(
            host,
            address=launching.server_name,
            allowed_hosts=(*launching.allowed_hosts, *(secured.names if secured else ())),
            allowed_origins=launching.allowed_origins,
            allowed_frames=launching.allowed_frames,
            page_code=bool(app.js) or any(each.options.js for each in plan.listeners),
            max_upload=byte_size("launch", launching.max_file_size) or MAX_UPLOAD,
            max_connections=launching.max_connections,
            secure=secured is not None,
        )
        running = await serve(
            served,
            launching.server_name,
            launching.server_port,
            root=launching.root_path,
            secured=secured,
        )
    except BaseException:
        await host.close()
        raise
    return host, running


def _secured(launching: Launching) -> Secured | None:
    if launching.tls is None:
        return None
    from .frontends.web.tls import secure

    return secure(launching.tls, launching.server_name)


class Launched:
    """An app that is being served, on a thread of its own.

    `url`: the page. `close()` ends it. A `with` block ends it too.
    """

    def __init__(self, app: Servable, launching: Launching) -> None:
        self._app, self._launching = app, launching
        self._begun = threading.Event()
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._host: Host | None = None
        self._asked = set[Future[dict[str, Any]]]()
        self._thread = threading.Thread(target=self._main, name="ossicle server", daemon=True)
        self.url = ""
        self._greeting = ""

    def start(self) -> None:
        """Return when the page can be opened."""
        try:
            self._thread.start()  # which waits, too, and the app may already have begun
            self._ready.wait()
        except KeyboardInterrupt:
            self.close()
            raise
        if self._error:
            self._thread.join()
            raise self._error
        if not self._launching.quiet:
            print(self._greeting, flush=True)
        if self._launching.inbrowser:
            import webbrowser

            webbrowser.open(self.url)

    def wait(self) -> None:
        """Until closed from elsewhere, interrupted from the keyboard, or told to end.

        SIGTERM, where nobody else minds it, stops the app as Ctrl-C does, and then the program:
        raises SystemExit(143).
        """
        with _minding_sigterm() as ours, _looking_at_what_is_new():
            try:
                # Not join(): when Ctrl-C comes inside it, Python 3.11 takes the running thread for
                # ended (bpo-45274), and nothing would be closed. Windows hears it only between
                # waits.
                while not self._ended.wait(1.0 if sys.platform == "win32" else None):
                    pass
            except KeyboardInterrupt as interruption:
                if not self._launching.quiet:
                    print("\nstopping", flush=True)
                self.close()
                if ours and isinstance(interruption, Terminated):
                    raise SystemExit(leave(TERMINATED)) from None
                self._tell_who_stays()
            finally:
                self.close()

    def _tell_who_stays(self) -> None:
        """Python ends only when its threads have: a function that never does is named."""
        names = self._host.program.working if self._host else []
        if names and still_running():
            leave_when_interrupted(f"Python waits for {' and '.join(names)}, still in a thread")

    def metrics(self) -> dict[str, Any]:
        """What happened to live sound so far, as JSON: see `docs/live.md`. From any thread.

        Raises RuntimeError when the app no longer runs.
        """
        loop, host = self._loop, self._host
        if loop is None or host is None or self._ended.is_set():
            raise RuntimeError(_NOT_RUNNING)
        if threading.current_thread() is self._thread:  # an async function of the app asks
            return _figures(host)
        found = Future[dict[str, Any]]()
        self._asked.add(found)
        try:
            loop.call_soon_threadsafe(lambda: found.set_result(_figures(host)))
            if self._ended.is_set():
                found.cancel()  # `_main` may have looked before this one was there
            return found.result()
        except (RuntimeError, CancelledError):  # it has just ended
            raise RuntimeError(_NOT_RUNNING) from None
        finally:
            self._asked.discard(found)

    def close(self) -> None:
        """Stop listening and end all sessions. Harmless when called twice."""
        if self._thread.ident is None:
            return
        self._begun.wait()
        if self._loop and not self._ended.is_set():
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._leave)
        self._thread.join()

    def __enter__(self) -> Launched:
        return self

    def __iter__(self) -> Iterator[Any]:
        """(itself, its address, None): three, because the peer also gives a public address."""
        return iter((self, self.url, None))

    def __exit__(self, *_: object) -> None:
        self.close()

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(self._serve())
        except asyncio.CancelledError:
            self._error = RuntimeError("the app was closed while it began.")
        except BaseException as error:
            if self._ready.is_set():  # `start` has returned, and nobody else would tell
                log.exception("the server ended with an error", exc_info=error)
            self._error = error
        finally:
            self._begun.set()
            self._ready.set()
            self._ended.set()
            for each in list(self._asked):
                each.cancel()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._serving, self._stop = asyncio.current_task(), asyncio.Event()
        self._begun.set()
        host, running = await serve_app(self._app, self._launching)
        self._host, self.url = host, running.url
        self._greeting = running.greeting
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            try:
                await running.close()
            finally:
                await host.close()

    def _leave(self) -> None:
        """On the loop: end what runs, or what is only beginning and may take long."""
        assert self._serving and self._stop
        if not self._ready.is_set() and not self._stop.is_set():
            self._serving.cancel()
        self._stop.set()


def _figures(host: Host) -> dict[str, Any]:
    return {**host.metrics.snapshot(), "tasks": len(asyncio.all_tasks())}


@contextlib.contextmanager
def _looking_at_what_is_new() -> Generator[None]:
    """While it runs, the garbage collector passes over what is there already: modules, the app.

    Of all that it would look at these are most, and live sound waits while it looks. Not where
    `launch` returns, as in a notebook: there what is old today may be garbage tomorrow.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _minding_sigterm() -> Generator[bool]:
    """While it runs, SIGTERM is an exception, unless somebody already does something about it.

    Whether it is ours to mind.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield False
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield True
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
