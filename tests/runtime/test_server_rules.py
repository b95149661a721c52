"""The web front end's pure rules: origins, messages, ranges, names, buckets."""

from __future__ import annotations

import json

import pytest

from ossicle.runtime.frontends.web.bucket import Bucket
from ossicle.runtime.frontends.web.disposition import content_disposition
from ossicle.runtime.frontends.web.incoming import MAX_DEPTH, decode
from ossicle.runtime.frontends.web.origin import make_gate, split_authority, split_origin
from ossicle.runtime.frontends.web.ranges import Unsatisfiable, still_valid, wanted


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("localhost", ("localhost", None)),
        ("LocalHost.:80", ("localhost", 80)),
        ("127.0.0.1:7860", ("127.0.0.1", 7860)),
        ("[::1]:7860", ("::1", 7860)),
        ("", None),
        ("a b", None),
        ("a:b", None),
        ("a:99999", None),
        ("a@b", None),
        ("a/b", None),
        ("a:80:80", None),
        ("::1", None),
        ("[::1", None),
        ("localhost\n", None),
        ("xn--mnchen-3ya.de", ("xn--mnchen-3ya.de", None)),
        (".", None),
    ],
)
def test_authority(text: str, parts: tuple[str, int | None] | None) -> None:
    """A Host header is a name and a port, and nothing that only looks like them."""
    assert split_authority(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://localhost:7860", ("http", "localhost", 7860)),
        ("https://a.example", ("https", "a.example", 443)),
        ("HTTP://A.example", ("http", "a.example", 80)),
        ("null", None),
        ("", None),
        ("file://", None),
        ("http://", None),
        ("http://a/b", None),
        ("http://user@a", None),
        ("chrome-extension://abc", None),
    ],
)
def test_origin(text: str, parts: tuple[str, str, int] | None) -> None:
    """An Origin is scheme, name and port; "null" (sandboxed frames, files) is nobody."""
    assert split_origin(text) == parts


@pytest.mark.parametrize(
    ("address", "host", "known"),
    [
        ("127.0.0.1", "localhost:7860", True),
        ("127.0.0.1", "127.0.0.1:9", True),
        ("127.0.0.1", "[::1]:7860", True),
        ("127.0.0.1", "evil.example:7860", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "192.168.1.5:7860", False),
        ("127.0.0.1", "extra.example", True),
        ("127.0.0.1", None, False),
        ("192.168.1.5", "192.168.1.5:7860", True),
        ("192.168.1.5", "192.168.1.6:7860", False),
        ("0.0.0.0", "192.168.1.5:7860", True),
        ("0.0.0.0", "[fe80::1]:7860", True),
        ("0.0.0.0", "box:7860", True),
        ("0.0.0.0", "evil.example", False),
        ("", "10.0.0.1", True),
    ],
)
def test_host_check(address: str, host: str | None, known: bool) -> None:
    """A server knows loopback, its own address and what was given; numbers when bound to all."""
    gate = make_gate(address, allowed_hosts=["extra.example"], own_names=["box"])
    assert gate.knows_host(host) is known


@pytest.mark.parametrize(
    ("origin", "host", "known"),
    [
        ("http://localhost:7860", "localhost:7860", True),
        ("http://localhost:7860", "localhost:7861", False),
        ("http://localhost:7860", "127.0.0.1:7860", False),
        ("http://localhost", "localhost", True),
        ("https://localhost", "localhost", True),
        ("https://localhost", "localhost:443", True),
        ("https://localhost", "localhost:80", False),
        ("https://site.example", "127.0.0.1:7860", True),
        ("http://site.example", "127.0.0.1:7860", False),
        ("https://site.example.evil", "127.0.0.1:7860", False),
        ("null", "127.0.0.1:7860", False),
        ("", "127.0.0.1:7860", False),
    ],
)
def test_origin_check(origin: str, host: str, known: bool) -> None:
    """A page may ask if it came from the very name and port it asks, or was allowed."""
    gate = make_gate(allowed_origins=["https://site.example/"])
    assert gate.knows_origin(origin, host) is known


@pytest.mark.parametrize("entry", ["http://a.example", "a.example:80", "a/b", ""])
def test_bad_allowed_host(entry: str) -> None:
    """An allowed host that cannot be meant is told at the start, with the way out."""
    with pytest.raises(ValueError, match="allowed_hosts.*example.org"):
        make_gate(allowed_hosts=[entry])


@pytest.mark.parametrize("entry", ["a.example", "https://a.example/path", "*", "null"])
def test_bad_allowed_origin(entry: str) -> None:
    """So is an allowed origin."""
    with pytest.raises(ValueError, match="allowed_origins.*https://"):
        make_gate(allowed_origins=[entry])


@pytest.mark.parametrize(
    "message",
    [
        {"type": "act", "node": 1, "act": "click"},
        {"type": "act", "node": 3, "act": "input", "value": {"a": [1.5, None, True, "x"]}},
        {"type": "cancel", "request": 17},
        {"type": "ack", "seq": 0},
        {"type": "js", "request": 1, "values": []},
        {"type": "js", "request": 1, "error": "boom"},
    ],
)
def test_messages_taken(message: dict[str, object]) -> None:
    """Every message of the protocol passes unchanged."""
    assert decode(json.dumps(message)) == message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\ud800", "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"act"', "not a JSON object"),
        ("{}", "no known type"),
        ('{"type":"boom"}', "no known type"),
        ('{"type":["act"]}', "no known type"),
        ('{"type":"act"}', "node must be"),
        ('{"type":"act","node":"3","act":"click"}', "node must be"),
        ('{"type":"act","node":3.0,"act":"click"}', "node must be"),
        ('{"type":"act","node":true,"act":"click"}', "node must be"),
        ('{"type":"act","node":-1,"act":"click"}', "node must be"),
        ('{"type":"act","node":0,"act":"load"}', "the page itself"),
        ('{"type":"act","node":3,"act":7}', "act must be a text"),
        ('{"type":"act","node":3,"act":""}', "1 to 64"),
        ('{"type":"act","node":3,"act":"' + "x" * 65 + '"}', "1 to 64"),
        ('{"type":"ack","seq":' + "9" * 25 + "}", "digits"),
        ('{"type":"ack","seq":' + "9" * 100_000 + "}", "digits"),
        ('{"type":"act","node":3,"act":"input","value":NaN}', "NaN"),
        ('{"type":"act","node":3,"act":"input","value":-Infinity}', "Infinity"),
        ('{"type":"act","node":3,"act":"input","value":1e999}', "too large"),
        ('{"type":"js","request":1}', "either values or error"),
        ('{"type":"js","request":1,"values":[],"error":"x"}', "either values or error"),
        ('{"type":"js","request":1,"values":{}}', "values must be a list"),
        ('{"type":"js","request":1,"error":5}', "error must be a text"),
        ("[" * 100_000, "nested"),
        ('{"a":' * 50_000, "nested"),
        (
            '{"type":"ack","seq":1,"x":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
            f"deeper than {MAX_DEPTH}",
        ),
    ],
)
def test_messages_refused(text: str, words: str) -> None:
    """Anything else is a ValueError in words, whatever it does to a parser."""
    with pytest.raises(ValueError, match=words):
        decode(text)


def test_depth_allowed() -> None:
    """Nesting up to the limit, the message itself included, passes."""
    inside = MAX_DEPTH - 1
    decode('{"type":"ack","seq":1,"x":' + "[" * inside + "]" * inside + "}")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=5-2", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("samples=0-1", None),
        ("bytes=-", None),
        ("bytes=--5", None),
        ("bytes=٣-٤", None),
    ],
)
def test_ranges(header: str | None, part: tuple[int, int] | None) -> None:
    """One range of bytes is followed, everything else is the whole file."""
    assert wanted(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_range_after_the_end(header: str) -> None:
    """A range without a byte in it is told so."""
    with pytest.raises(Unsatisfiable):
        wanted(header, 100)


def test_if_range() -> None:
    """A range is given only of the very file the client has begun."""
    assert still_valid(None, '"a"')
    assert still_valid('"a"', '"a"')
    assert not still_valid('"b"', '"a"')
    assert not still_valid('W/"a"', '"a"')
    assert not still_valid("Wed, 21 Oct 2026 07:28:00 GMT", '"a"')


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.wav", 'attachment; filename="a.wav"'),
        ('a".wav', 'attachment; filename="a_.wav"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("", 'attachment; filename="audio"'),
        (
            "ü;.wav",
            "attachment; filename=\"__.wav\"; filename*=UTF-8''%C3%BC%3B.wav",
        ),
        ("a\r\nb.wav", 'attachment; filename="ab.wav"'),
    ],
)
def test_content_disposition(name: str, header: str) -> None:
    """Any name fits into the header, in ASCII for old programs and in full for new ones."""
    assert content_disposition(name, attachment=True) == header


def test_bucket() -> None:
    """So many at once, then so many a second; time that stood still fills nothing."""
    bucket = Bucket(2, per_second=10, now=0.0)
    assert [bucket.wait(0.0), bucket.wait(0.0), bucket.wait(0.0)] == [0.0, 0.0, 0.1]
    assert bucket.wait(0.05) == pytest.approx(0.05)  # pyright: ignore[reportUnknownMemberType]
    assert bucket.wait(0.1) == 0.0
    assert bucket.wait(0.1) > 0.0
    assert [bucket.wait(99.0), bucket.wait(99.0)] == [0.0, 0.0]
    assert bucket.wait(99.0) > 0.0
