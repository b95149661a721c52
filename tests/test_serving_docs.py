"""docs/serving.md: its examples are taken by `launch`, and its numbers are those of the code."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

import ossicle as oc
from ossicle.runtime.frontends.web import door, files, hearing, upload
from ossicle.runtime.launching import TERMINATED, Launching, taking

TEXT = (Path(__file__).parents[1] / "docs" / "serving.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_examples_launch(number: int) -> None:
    """Each line asks for what it says; what becomes of it has tests in tests/runtime."""
    asked = list[Launching]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with oc.Blocks() as demo:
        oc.Textbox()
    with taking(lambda _, launching: asked.append(launching)):
        exec(
            compile(BLOCKS[number], "serving.md", "exec"),
            {"oc": oc, "demo": demo, "context": context},
        )
    assert [(each.server_name, each.tls) for each in asked] == [
        ("0.0.0.0", "self-signed"),
        ("0.0.0.0", ("fullchain.pem", "privkey.pem")),
        ("127.0.0.1", context),
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"`max_connections` \((\d+)\)", door.MAX_CONNECTIONS),
        (r"no whole request within (\d+) s", door.FIRST_REQUEST),
        (r"less than (\d+) kB in a minute", upload.LEAST >> 10),
        (r"takes no (\d+) kB", files.PIECE >> 10),
        (r"kB in (\d+) s is cut", files.PATIENCE),
        (r"ends the program with (\d+)", TERMINATED),
    ],
)
def test_numbers_are_those_of_the_code(written: str, value: float) -> None:
    """A limit that is changed is changed in the document, too."""
    (found,) = re.findall(written, TEXT)
    assert float(found) == value


def test_numbers_in_words_are_those_of_the_code() -> None:
    """Two new pages a second after the first hundred; a hundred refused messages, or pings."""
    assert "opens two new pages a second after the first\nhundred" in TEXT.replace("\n  ", "\n")
    assert (door.SESSIONS_AT_ONCE, door.SESSIONS_PER_SECOND) == (100, 2)
    assert "a hundred messages that\ncannot be taken, or pings" in TEXT.replace("\n  ", "\n")
    assert (hearing.REFUSALS, hearing.PINGS) == (100, 100)
    assert "in a minute" in TEXT and upload.PATIENCE == 60
