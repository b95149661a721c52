"""`Blocks`: a graph that is written in a `with` block, and the ways to run it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..flow.errors import DeclarationError
from ..flow.graph import Graph, building
from ..flow.plan import Plan, Settings, compile_plan
from ..flow.shapes import is_dict
from ..flow.sources import Port
from .head import parse_head
from .launching import Launched, Launching, offer

if TYPE_CHECKING:
    from ..flow.explain import Explanation

log = logging.getLogger("ossicle")


class Blocks(Graph):
    """An app: components and their listeners.

        with oc.Blocks() as demo:
            sound = oc.Audio()
            sound.change(describe, sound, oc.Label())
        demo.launch()

    title: of the page.
    theme: CSS variables by name, with or without their "--": bg, surface, sunken, raised, line,
        line-strong, text, text-quiet, accent, accent-hover, accent-soft, on-accent, good, warn,
        bad, wave, wave-played, radius, column, font, mono, size; web/src/theme.css has them all.
        "light-dark(#0a6a72, #53c2cb)" is a colour for light and one for dark.
    css: a style sheet for the page, or the path of one. It cannot load anything from elsewhere.
    js: a JavaScript expression that gives a function; the page calls it once, when it opens. An app
        with js lets its page evaluate code, which its content policy otherwise forbids.
    head: <meta> elements, and <link> ones with data: URIs, for the page's head.
    fill_width: the content may be as wide as the window.

    Raises DeclarationError for what the page could not honour.
    """

    kind: ClassVar[str] = "blocks"

    def __init__(
        self,
        *,
        title: str = "ossicle",
        theme: Mapping[str, str] | None = None,
        css: str | Path | None = None,
        js: str | None = None,
        head: str | None = None,
        fill_width: bool = False,
    ) -> None:
        super().__init__()
        self.title = title
        self.theme = _theme(theme)
        self.css = _css(css)
        self.js = js
        self.head = parse_head(head) if head else []
        self.fill_width = fill_width
        self.settings = Settings()
        self.load = Port(self.root, "load")
        """Call it to declare a listener on the opening of a page."""
        self.unload = Port(self.root, "unload")
        """Call it to declare a listener on the end of a session."""

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.end()

    def render(self) -> Self:
        """Stand here, inside another Blocks, with all components and listeners.

        The outer app's queue, theme, css, js and head count. Raises DeclarationError outside of a
        `with Blocks():`.
        """
        outer = building.get()
        if outer is None:
            raise DeclarationError("render(): works only inside `with Blocks():`.")
        outer.absorb(self)
        return self

    def queue(
        self,
        *,
        default_concurrency_limit: int | None = 1,
        max_size: int | None = None,
        enabled: bool = True,
    ) -> Self:
        """Set the queue of the whole app.

        default_concurrency_limit: of listeners that name none; None is no limit. max_size: how many
        requests may wait; beyond it they are rejected. enabled=False: what does not say queue=True
        skips the queue.
        """
        if default_concurrency_limit is not None and default_concurrency_limit < 1:
            raise DeclarationError(
                f"queue: default_concurrency_limit={default_concurrency_limit!r} would let nothing"
                " run; give 1 or more, or None for no limit."
            )
        if max_size is not None and max_size < 0:
            raise DeclarationError(f"queue: max_size={max_size!r} must be 0 or more, or None.")
        self.settings = Settings(default_concurrency_limit, max_size, enabled)
        return self

    def plan(self) -> Plan:
        """The app after all defaults; what runs."""
        return compile_plan(self, self.settings)

    def explain(self) -> Explanation:
        """What the app will do, after all defaults: `print(demo.explain())` is a table.

        `.to_mermaid()` and `.to_svg()` draw the graph; `.listeners` has the rows.
        """
        from ..flow.explain import Explanation

        return Explanation(self.plan(), self.title)

    def page(self) -> dict[str, Any]:
        """What the page is told beside components and listeners."""
        return {
            "kind": self.kind,
            "theme": self.theme,
            "css": self.css,
            "js": self.js,
            "head": self.head,
            "fill_width": self.fill_width,
        }

    def launch(
        self,
        *,
        server_name: str = "127.0.0.1",
        server_port: int | None = None,
        inbrowser: bool = False,
        prevent_thread_lock: bool = False,
        show_error: bool | None = None,
        quiet: bool = False,
        max_threads: int = 40,
        max_file_size: int | None = None,
        root_path: str = "",
        allowed_hosts: tuple[str, ...] = (),
        allowed_origins: tuple[str, ...] = (),
        reconnect_window: float = 60.0,
    ) -> Launched | None:
        """Serve the app until interrupted.

        server_name: the address to listen on. server_port: None takes 7860 or the next free one.
        inbrowser: open the page. prevent_thread_lock: return at once, with the running app.
        show_error: tell users the text of every exception; None does so where only this machine
        can be the user. max_file_size: bytes of one upload.
        allowed_hosts, allowed_origins: further names that the app answers to. reconnect_window:
        seconds that a session outlives its page.

        Raises OSError if the port is taken.
        """
        launching = Launching(
            server_name=server_name,
            server_port=server_port,
            inbrowser=inbrowser,
            show_error=show_error,
            quiet=quiet,
            max_threads=max_threads,
            max_file_size=max_file_size,
            root_path=root_path,
            allowed_hosts=allowed_hosts,
            allowed_origins=allowed_origins,
            reconnect_window=reconnect_window,
        )
        if offer(self, launching):
            return None  # a command is loading this file, and serves the app itself
        launched = Launched(self, launching)
        launched.start()
        if prevent_thread_lock:
            return launched
        launched.wait()
        return None


def _theme(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not is_dict(given) or not all(isinstance(v, str) for pair in given.items() for v in pair):
        raise DeclarationError(
            f"Blocks: theme={given!r} must be a dict of CSS variables, like"
            ' {"accent": "#0a6a72"}.'
        )
    return dict(given)


def _css(given: str | Path | None) -> str | None:
    if not isinstance(given, Path):
        return given
    try:
        return given.read_text("utf-8")
    except OSError as error:
        raise DeclarationError(f"Blocks: css={str(given)!r}: {error.strerror}.") from error
