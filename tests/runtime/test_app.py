"""What `Blocks` takes for its page, and what it refuses by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

import ossicle as oc


def test_the_page_is_told_theme_css_js_and_head(tmp_path: Path) -> None:
    sheet = tmp_path / "own.css"
    sheet.write_text(".x { color: red }", "utf-8")
    demo = oc.Blocks(
        theme={"accent": "#123456", "--radius": "0"},
        css=sheet,
        js="() => 1",
        head='<meta name="author" content="A &amp; B"> <link rel="icon" href="data:,x">\n',
        fill_width=True,
        fill_height=True,
        lang="de",
        strings={"play": "Hören"},
    )
    assert demo.page() == {
        "kind": "blocks",
        "theme": {"accent": "#123456", "--radius": "0"},
        "css": ".x { color: red }",
        "js": "() => 1",
        "head": [
            ("meta", {"name": "author", "content": "A & B"}),
            ("link", {"rel": "icon", "href": "data:,x"}),
        ],
        "fill_width": True,
        "fill_height": True,
        "lang": "de",
        "strings": {"play": "Hören"},
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"head": "<script>alert(1)</script>"}, r"<script> is not taken; use js="),
        ({"head": "<SCRIPT src='x.js'></SCRIPT>"}, r"<script> is not taken"),
        ({"head": "<style>*{}</style>"}, "use css="),
        ({"head": "<title>x</title>"}, "use title="),
        ({"head": "<base href='/'>"}, "<base> is not taken"),
        ({"head": "hello"}, "in no element"),
        ({"head": '<meta http-equiv="refresh" content="0">'}, "<meta http-equiv=...> is not taken"),
        ({"head": '<link rel="stylesheet" href="x.css">'}, "use css="),
        ({"head": '<link rel="icon" href="https://x.org/a.png">'}, "data: URI"),
        ({"head": '<link rel="canonical" href="https://x.org" onload="x()">'}, "onload"),
        ({"theme": "sand"}, "choose base, citrus"),
        ({"theme": {"accent": 3}}, "must be a dict"),
        ({"css": Path("missing.css")}, "missing.css"),
    ],
)
def test_what_the_page_could_not_honour_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(oc.DeclarationError, match=words):
        oc.Blocks(**cast(Any, given))
