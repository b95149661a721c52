"""Every word of the page stands in one place, where it can be translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "web" / "src"
SPOKEN = re.compile(r'\b(?:aria-label|aria-description|title|placeholder|alt)="([^"{]*[A-Za-z]{2})')
ASIDE = re.compile(r"<script.*?</script>|<style.*?</style>|<!--.*?-->", re.DOTALL)


def markup(text: str) -> str:
    """A component's markup without code, style, comments and whatever stands in braces."""
    kept, depth = list[str](), 0
    for letter in ASIDE.sub("", text):
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)


def literals(text: str) -> list[str]:
    shown = markup(text)
    words = re.sub(r"<[^>]*>|&\w+;", "\n", shown)
    return [*re.findall(r"[A-Za-z]{2,}.*", words), *SPOKEN.findall(ASIDE.sub("", text))]


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.svelte")), ids=lambda path: path.name)
def test_no_component_has_words_of_its_own(path: Path) -> None:
    """They are in strings.ts, which an app may replace."""
    assert literals(path.read_text("utf-8")) == []


def test_the_search_finds_words() -> None:
    """It would find one, in the text and in an attribute."""
    assert literals("<script>let a</script><p class='b'>{a} Hello</p>") == ["Hello"]
    assert literals('<button title="Close it">{x}</button>') == ["Close it"]
