"""`Blocks(head=...)`: the few elements of an HTML head that can mean something on this page.

The page runs no code and loads nothing but its own (its content policy forbids it), so what could
only fail in silence is refused here, with the argument that does it instead.
"""

from __future__ import annotations

from html.parser import HTMLParser

from ..flow.errors import DeclarationError

Element = tuple[str, dict[str, str]]
"""A tag's name and its attributes."""

ALLOWED = {
    "meta": {"name", "property", "content"},
    "link": {"rel", "href", "type", "sizes", "media", "hreflang"},
}
INSTEAD = {
    "script": "js=, a function that the page calls when it opens",
    "style": "css=",
    "title": "title=",
}


def parse_head(head: str) -> list[Element]:
    """The <meta> and <link> elements of a text. Raises DeclarationError for everything else."""
    parser = _Parser()
    parser.feed(head)
    parser.close()
    return parser.found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = ALLOWED.get(tag)
        if allowed is None:
            way = f"; use {INSTEAD[tag]}" if tag in INSTEAD else ""
            raise DeclarationError(f"Blocks: head: <{tag}> is not taken{way}.")
        given = {name: value or "" for name, value in attrs}
        for name in given:
            if name not in allowed:
                raise DeclarationError(
                    f"Blocks: head: <{tag} {name}=...> is not taken; it may have"
                    f" {', '.join(sorted(allowed))}."
                )
        if tag == "link":
            _check_link(given)
        self.found.append((tag, given))

    def handle_data(self, data: str) -> None:
        if data.strip():
            raise DeclarationError(
                f"Blocks: head: the text {data.strip()[:40]!r} is in no element."
            )


def _check_link(given: dict[str, str]) -> None:
    rel, href = given.get("rel", "").lower().split(), given.get("href", "")
    if "stylesheet" in rel:
        raise DeclarationError("Blocks: head: a style sheet is not loaded; use css=.")
    if {"icon", "apple-touch-icon", "preload", "modulepreload", "manifest"} & set(rel) and (
        not href.startswith("data:")
    ):
        raise DeclarationError(
            f"Blocks: head: href={href[:60]!r} is not loaded: the page takes nothing from"
            " elsewhere; write it as a data: URI."
        )
