"""Traces as files: lines of JSON, with the sounds, files and blocks that came from users."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio import Clip
from .blocks import Block
from .described import described
from .documents import Document
from .entries import Facts
from .model import Cause
from .results import UNSET
from .said import Act, Close, Disconnect, Frames, Open, Reconnect, Said, Withdraw
from .shapes import is_dict, is_listing
from .trace_sounds import Copied, Recorded, copied, key_of, within
from .units import Seconds

VERSION = 1
PLAIN = {"disconnect": Disconnect, "reconnect": Reconnect, "close": Close}

_KNOWN = ("name", "key", "kind")
"""What a file is told by, beside its content."""

Saids = list[tuple[int, Seconds, Said]]


def write(path: Path, names: Facts, lines: list[str], said: Saids) -> None:
    """Header, sounds and files, what was said in a form that can be said again, and all entries."""
    known = set[str]()
    with path.open("w", encoding="utf-8") as file:

        def put(what: Facts) -> None:
            file.write(json.dumps(what, ensure_ascii=False) + "\n")

        put({"trace": VERSION, "names": names})
        for place, at, each in said:
            for brought in within(each.value) if isinstance(each, Act) else ():
                if key_of(brought) not in known:
                    known.add(key_of(brought))
                    put(_copy(brought))
            put({"said": _said(each), "place": place, "at": at, "session": each.session})
        for line in lines:
            file.write(line + "\n")


def read(path: Path) -> tuple[Facts, list[str], Saids]:
    """Names, entries as lines, and what was said. Raises ValueError, KeyError or TypeError."""
    sounds, said, lines = dict[str, Clip | Document](), Saids(), list[str]()
    with path.open(encoding="utf-8") as file:
        head = json.loads(file.readline())
        if not is_dict(head) or head.get("trace") != VERSION:
            raise ValueError(f"it is not of version {VERSION}")
        for line in file:
            facts = json.loads(line)
            if "sound" in facts:
                samples = _unpacked(facts["sound"])
                sounds[facts["id"]] = Recorded(facts["rate"], samples, facts["name"], facts["id"])
            elif "file" in facts:
                content = base64.b64decode(facts["file"])
                known = {name: facts[name] for name in _KNOWN}
                sounds[facts["key"]] = Copied(**known, size=len(content), content=content)
            elif "place" in facts:
                made = _resaid(facts["session"], facts["said"], sounds)
                said.append((facts["place"], facts["at"], made))
            else:
                lines.append(line.rstrip("\n"))
    return head["names"], lines, said


def _copy(what: Clip | Document) -> Facts:
    made = copied(what)
    if isinstance(made, Clip):
        facts = {"sound": _packed(made.int16()), "id": made.id, "rate": made.rate}
        return facts | {"name": made.name}
    facts = {name: getattr(made, name) for name in _KNOWN}
    return {"file": base64.b64encode(made.content).decode("ascii")} | facts


def _said(said: Said) -> Any:
    match said:
        case Act():
            made: Facts = {"act": said.act, "node": said.node, "cause": str(said.cause)}
            if said.value is not UNSET:
                made["value"] = described(said.value)
            return made | {"data": described(said.data and dict(said.data)), "echo": said.echo}
        case Frames(node=node, block=block):
            facts = {"index": block.index, "rate": block.rate, "flags": block.flags}
            return {"frames": _packed(block.samples), "node": node, **facts}
        case Withdraw():
            return {"cancel": said.request}
        case _:
            return {"plain": type(said).__name__.lower()}


def _resaid(session: str, facts: Facts, sounds: dict[str, Clip | Document]) -> Said:
    if "act" in facts:
        value = _value(facts["value"], sounds) if "value" in facts else UNSET
        cause = Cause(facts["cause"])
        return Act(session, facts["node"], facts["act"], value, facts["data"], cause, facts["echo"])
    if "frames" in facts:
        samples = _unpacked(facts["frames"])
        block = Block(samples, facts["rate"], facts["index"], facts["flags"])
        return Frames(session, facts["node"], block)
    if "cancel" in facts:
        return Withdraw(session, facts["cancel"])
    return Open(session) if facts["plain"] == "open" else PLAIN[facts["plain"]](session)


def _value(value: Any, sounds: dict[str, Clip | Document]) -> Any:
    if is_listing(value):
        return [_value(each, sounds) for each in value]
    if not is_dict(value):
        return value
    if (key := value.get("clip") or value.get("document")) in sounds:
        return sounds[key]
    if value.keys() == {"repr"}:
        raise ValueError(f"a user's value was kept as its repr only: {value['repr']}")
    return {name: _value(each, sounds) for name, each in value.items()}


def _packed(samples: NDArray[Any]) -> Facts:
    data = np.ascontiguousarray(samples)
    text = base64.b64encode(zlib.compress(data.tobytes(), 1)).decode("ascii")
    return {"type": data.dtype.str, "shape": list(data.shape), "data": text}


def _unpacked(packed: Facts) -> NDArray[Any]:
    data = zlib.decompress(base64.b64decode(packed["data"]))
    return np.frombuffer(data, packed["type"]).reshape(packed["shape"]).copy()
