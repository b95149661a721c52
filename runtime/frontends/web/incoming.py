"""What a page may send, read from text: bounded, strictly typed, or refused in words.

Everything that comes in over the socket passes here first. The host behind it may rely on the types
of the fields named in FIELDS; what the values mean (does this node exist?) is the host's to judge.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn, cast

from .needs import Message

MAX_DEPTH = 32  # of lists and objects in one another; the page itself needs 5
MAX_DIGITS = 19  # a 64-bit integer; the page's own numbers are doubles, exact to 2**53

FIELDS: dict[str, dict[str, type]] = {
    "act": {"node": int, "act": str},
    "cancel": {"request": int},
    "ack": {"seq": int},
    "js": {"request": int},
    "played": {"node": int, "epoch": int, "frames": int, "underruns": int},
    "ping": {"at": int},
    "figures": {"node": int},
    "rtc": {"sdp": str},
}
"""The message types a page may send, with the fields each must have."""

_NAMES = {int: "a whole number, 0 or more", str: "a text"}
_MAX_NAME = 64  # characters in the name of an act
MAX_SDP = 16_384  # characters of an offer of WebRTC


def decode(text: str) -> Message:
    """One message of the page. Raises ValueError with a text fit to be shown."""
    try:
        message: object = _decode(text)
    except RecursionError:
        raise ValueError(f"the message is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the message is not JSON: {error.msg} at {error.pos}") from None
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")
    if text.count("{") + text.count("[") > MAX_DEPTH:  # with fewer it cannot be that deep
        _check_depth(cast(object, message))
    return _checked(cast(Message, message))


def _checked(message: Message) -> Message:
    kind = message.get("type")
    fields = FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise ValueError(f"the message has no known type; known are {', '.join(sorted(FIELDS))}")
    for name, wanted in fields.items():
        value = message.get(name)
        # bool is an int to Python, and true is no node
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ValueError(f"{kind}: {name} must be {_NAMES[wanted]}")
        if isinstance(value, int) and value < 0:
            raise ValueError(f"{kind}: {name} must be {_NAMES[int]}")
        most = MAX_SDP if name == "sdp" else _MAX_NAME
        if isinstance(value, str) and not 0 < len(value) <= most:
            raise ValueError(f"{kind}: {name} must have 1 to {most} characters")
    number = message.get("n", 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{kind}: n must be a whole number, 1 or more")
    if kind == "act" and message["node"] == 0:
        raise ValueError("act: node 0 is the page itself; only the server tells its events")
    if kind == "js":
        values, error = message.get("values"), message.get("error")
        if ("values" in message) == ("error" in message):
            raise ValueError("js: send either values or error")
        if "values" in message and not isinstance(values, list):
            raise ValueError("js: values must be a list")
        if "error" in message and not isinstance(error, str):
            raise ValueError("js: error must be a text")
    return message


def _check_depth(value: object) -> None:
    """Level by level, so the check itself cannot run out of stack."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(cast("dict[str, object]", item).values())
            elif isinstance(item, list):
                inner.extend(cast("list[object]", item))
        if not inner:
            return
        level = inner
    if any(isinstance(item, dict | list) for item in level):
        raise ValueError(f"the message is nested deeper than {MAX_DEPTH} levels")


def _whole(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _real(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


# Made once: json.loads with options would make a decoder for every message.
_decode = json.JSONDecoder(parse_int=_whole, parse_float=_real, parse_constant=_constant).decode
