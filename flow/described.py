"""Any value as JSON, the same in every run: what a trace says of it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from typing import Any, cast

from .audio import Clip
from .blocks import Block
from .calls import Write
from .documents import Document
from .errors import text_of
from .model import Place
from .notices import Notice, Report
from .results import UNSET, Special
from .shapes import is_dict, is_listing

LONGEST = 500
"""Characters of a foreign object's repr."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

ATOMS = (str, int, float, bool, type(None), Clip, Block, Special)
"""Types whose values never change: they may be described later."""


def described(value: Any) -> Any:
    """JSON that two equal values share. Sound is its content id, foreign objects are their repr."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if is_listing(value):
        return [described(each) for each in value]
    if is_dict(value):
        return {_key(name): described(each) for name, each in value.items()}
    for kind, describe in _KINDS:
        if isinstance(value, kind):
            return describe(value)
    if type(value).__module__ == "numpy":
        return _array(value)
    return {"repr": _ADDRESS.sub("", repr(value))[:LONGEST]}


def _key(name: object) -> str:
    return name if isinstance(name, str) else _ADDRESS.sub("", repr(name))


def _clip(clip: Clip) -> Any:
    return {"clip": clip.id, "seconds": round(clip.duration, 6), "rate": clip.rate}


def _document(document: Document) -> Any:
    return {"document": document.key, "name": document.name, "kind": document.kind}


def _block(block: Block) -> Any:
    return {
        "block": digest(block.samples.tobytes()),
        "index": block.index,
        "frames": block.frames,
        "rate": block.rate,
        "flags": block.flags,
    }


def _array(array: Any) -> Any:
    shape = list(getattr(array, "shape", ()))
    return {"array": digest(array.tobytes()), "type": str(array.dtype), "shape": shape}


def _write(write: Write) -> Any:
    made: dict[str, Any] = {"node": write.node}
    if write.value is not UNSET:
        made["value"] = described(write.value)
    if write.props:
        made["props"] = described(dict(write.props))
    return made


def _place(place: Place) -> Any:
    return {"rank": place.rank, "size": place.size, "eta": place.eta}


def _notice(notice: Notice) -> Any:
    return {"level": notice.level, "title": notice.title, "message": notice.message}


def _report(report: Report) -> Any:
    return {"progress": [[bar.desc, bar.value, bar.total, bar.unit] for bar in report.bars]}


def _error(error: BaseException) -> Any:
    return {"error": type(error).__name__, "message": _ADDRESS.sub("", text_of(error))}


def _special(special: Special) -> Any:
    return {"special": special.value}


def _bytes(data: bytes) -> Any:
    return {"bytes": digest(data), "size": len(data)}


_KINDS = cast(
    "tuple[tuple[type, Callable[[Any], Any]], ...]",
    (
        (Clip, _clip),
        (Document, _document),
        (Block, _block),
        (Write, _write),
        (Place, _place),
        (Notice, _notice),
        (Report, _report),
        (BaseException, _error),
        (Special, _special),
        (bytes, _bytes),
    ),
)


def digest(data: bytes) -> str:
    """A short name of some bytes: 80 bits tell apart whatever one trace holds."""
    return hashlib.blake2b(data, digest_size=10).hexdigest()
