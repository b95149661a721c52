"""`Blocks`: a graph that is written in a `with` block, and the ways to run it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from ..flow.dialect import Foreign, arguments_of, constructor_arguments, understood
from ..flow.errors import DeclarationError
from ..flow.graph import Graph, building
from ..flow.listeners import at_least
from ..flow.plan import Plan, Settings, compile_plan
from ..flow.shapes import is_dict
from ..flow.sources import Port
from . import themes
from .dialect import ABSENT, BLOCKS, LAUNCH, QUEUE
from .head import Element, parse_head
from .launching import Launched, Launching, offer

if TYPE_CHECKING:
    from ..flow.explain import Explanation
    from .frontends.web.tls import Tls

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
        Or one of `ossicle.themes`, or its name.
    css: a style sheet for the page, or the path of one. It cannot load anything from elsewhere.
    css_paths, head_paths: files with more of each.
    js: a JavaScript expression that gives a function; the page calls it once, when it opens. An app
        with js lets its page evaluate code, which its content policy otherwise forbids.
    head: <meta> elements, and <link> ones with data: URIs, for the page's head.
    fill_width: the content may be as wide as the window. fill_height: it is at least as high, and
        what stands at the top with a `scale` takes the room that is left.
    lang: the language of the page, as in HTML; "ar" or "he" turn it from right to left.
    strings: the page's own words in that language by the names of web/src/strings.ts, or a JSON
        file of them; what it leaves out stays English. "{1}" stands for what the page puts in.

    Raises DeclarationError for what the page could not honour.
    """

    kind: ClassVar[str] = "blocks"
    foreign: ClassVar[Mapping[str, Foreign]] = BLOCKS

    def __init__(
        self,
        *,
        title: str = "ossicle",
        theme: Themed = None,
        css: str | Path | None = None,
        js: str | None = None,
        head: str | None = None,
        fill_width: bool = False,
        fill_height: bool = False,
        lang: str = "en",
        strings: Mapping[str, str] | Path | None = None,
        css_paths: Paths = None,
        head_paths: Paths = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            takes = sorted(constructor_arguments(type(self)))
            understood(type(self).__name__, kwargs, self.foreign, takes)
        super().__init__()
        self._launched: Launched | None = None
        self.title = title
        self.theme = _theme(theme)
        self.css = _css(css, css_paths)
        self.js = js
        self.head = _head(head, head_paths)
        self.fill_width = fill_width
        self.fill_height = fill_height
        self.lang = lang
        self.strings = _strings(strings)
        self.settings = Settings()
        self.load = Port(self.root, "load")
        """Call it to declare a listener on the opening of a page."""
        self.unload = Port(self.root, "unload")
        """Call it to declare a listener on the end of a session."""

    def __getattr__(self, name: str) -> Any:
        why = f": {ABSENT[name]}" if name in ABSENT else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{why}")

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
        default_concurrency_limit: int | None | Literal["not_set"] = "not_set",
        max_size: int | None = None,
        enabled: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Set the queue of the whole app.

        default_concurrency_limit: of listeners that name none; left out ("not_set") it is 1, None
        is no limit. max_size: how many requests may wait; beyond it they are rejected.
        enabled=False: what does not say queue=True skips the queue. Raises DeclarationError.
        """
        if kwargs:
            understood("queue", kwargs, QUEUE, arguments_of(Blocks.queue))
        limit = 1 if default_concurrency_limit == "not_set" else default_concurrency_limit
        if limit is not None and not at_least(limit, 1):
            raise DeclarationError(
                f"queue: default_concurrency_limit={limit!r} must be a whole number, 1 or more, or"
                " None for no limit."
            )
        if max_size is not None and not at_least(max_size, 0):
            raise DeclarationError(
                f"queue: max_size={max_size!r} must be a whole number, 0 or more, or None."
            )
        if not isinstance(enabled, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  # apps are not typed
            raise DeclarationError(f"queue: enabled={enabled!r} must be True or False.")
        self.settings = Settings(limit, max_size, enabled)
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
            "fill_height": self.fill_height,
            "lang": self.lang,
            "strings": self.strings,
        }

    def launch(
        self,
        *,
        server_name: str | None = None,
        server_port: int | None = None,
        inbrowser: bool = False,
        prevent_thread_lock: bool = False,
        show_error: bool | None = None,
        quiet: bool = False,
        max_threads: int = 40,
        max_file_size: int | str | None = None,
        max_session_size: int | str | None = None,
        max_connections: int | None = 512,
        root_path: str | None = None,
        tls: Tls | None = None,
        allowed_hosts: Sequence[str] = (),
        allowed_origins: Sequence[str] = (),
        allowed_frames: Sequence[str] = (),
        ice_servers: Sequence[str] = (),
        reconnect_window: float = 60.0,
        allow_private_urls: bool = False,
        theme: Themed = None,
        css: str | Path | None = None,
        css_paths: Paths = None,
        js: str | None = None,
        head: str | None = None,
        head_paths: Paths = None,
        **kwargs: Any,
    ) -> Launched | None:
        """Serve the app until interrupted. `ossicle run` has the same options; docs/serving.md.

        server_name: the address to listen on; None is this machine alone, "0.0.0.0" all it has.
        server_port: None takes 7860 or the next free one. inbrowser: open the page.
        prevent_thread_lock: return at once, with the running app. show_error: tell users the text
        of every exception; None does so where only this machine can be the user. quiet: print
        nothing. max_threads: functions that run at once. max_file_size: of one upload, in bytes or
        as "20 MB". max_session_size: of what one page may hold; None is 4 GB. max_connections: of
        one other machine at once; None is no bound. root_path: a prefix to serve under, such as
        "/tool". tls: for https, "self-signed", (certificate file, key file) or an ssl.SSLContext.
        allowed_hosts: further names that the app answers to. allowed_origins: other sites whose
        pages may use it. allowed_frames: sites that may show it in a frame. ice_servers: for
        transport="webrtc" beyond this network, such as "stun:stun.example.org"; none is asked by
        default. reconnect_window: seconds that a session outlives its page. allow_private_urls:
        the app's own code may give URLs of its own machine and network; what users send is never
        fetched. theme, css, css_paths, js, head, head_paths: as in Blocks, if they are not given
        there.

        Gives the running app, which is also (itself, its address, None) where three are unpacked.
        SIGTERM ends it like Ctrl-C, and then the program (SystemExit(143)). Raises DeclarationError
        for what cannot be meant or is not done here, OSError if the port is taken.
        """
        if kwargs:
            understood("launch", kwargs, LAUNCH, arguments_of(Blocks.launch))
        self.theme = self.theme or _theme(theme)
        self.css = self.css or _css(css, css_paths)
        self.js = self.js or js
        self.head = self.head or _head(head, head_paths)
        launching = Launching(
            server_name=server_name or "127.0.0.1",
            server_port=server_port,
            inbrowser=inbrowser,
            show_error=show_error,
            quiet=quiet,
            max_threads=max_threads,
            max_file_size=max_file_size,
            max_session_size=max_session_size,
            max_connections=max_connections,
            root_path=root_path or "",
            tls=tls,
            allowed_hosts=allowed_hosts,
            allowed_origins=allowed_origins,
            allowed_frames=allowed_frames,
            ice_servers=ice_servers,
            reconnect_window=reconnect_window,
            allow_private_urls=allow_private_urls,
        )
        if offer(self, launching):
            return None  # a command is loading this file, and serves the app itself
        launched = self._launched = Launched(self, launching)
        launched.start()
        if prevent_thread_lock:
            return launched
        launched.wait()
        return None

    def close(self) -> None:
        """Stop what `launch(prevent_thread_lock=True)` began."""
        if self._launched:
            self._launched.close()


Themed = Mapping[str, str] | themes.Theme | str | None
Paths = str | Path | Sequence[str | Path] | None


def _theme(given: object) -> dict[str, str]:
    if isinstance(given, str):
        given = themes.named(given)
    if isinstance(given, themes.Theme):
        return given.variables()
    if given is None:
        return {}
    if not is_dict(given) or not all(isinstance(v, str) for pair in given.items() for v in pair):
        raise DeclarationError(
            f"Blocks: theme={given!r} must be a dict of CSS variables, like"
            ' {"accent": "#0a6a72"}, or one of ossicle.themes.'
        )
    return dict(given)


def _css(given: str | Path | None, paths: Paths) -> str | None:
    first = _read("css", given) if isinstance(given, Path) else given
    return "\n".join(filter(None, [first, *(_read("css", each) for each in _paths(paths))])) or None


def _head(given: str | None, paths: Paths) -> list[Element]:
    texts = [given, *(_read("head", each) for each in _paths(paths))]
    return [element for text in texts if text for element in parse_head(text)]


def _strings(given: Mapping[str, str] | Path | None) -> dict[str, str]:
    found: object = given or {}
    if isinstance(given, Path):
        try:
            found = json.loads(_read("strings", given))
        except ValueError as error:
            raise DeclarationError(f"Blocks: strings={str(given)!r}: {error}.") from error
    if not is_dict(found) or not all(isinstance(v, str) for pair in found.items() for v in pair):
        raise DeclarationError('Blocks: strings must be a table of texts, like {"play": "Hören"}.')
    return dict(found)


def _paths(given: Paths) -> list[Path]:
    listed = [given] if isinstance(given, str | Path) else list(given or ())
    return [Path(each) for each in listed]


def _read(what: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise DeclarationError(f"Blocks: {what}={str(path)!r}: {error.strerror}.") from error
