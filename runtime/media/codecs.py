"""Which kinds of sound files this installation reads and writes.

libsndfile may be built without MP3, Vorbis, Opus and FLAC, as some systems have it; what it never
reads needs PyAV or an ffmpeg program. What is missing is told when an app starts, not when its
first user comes with a recording in their hand.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...components.base import Placed
from ...flow.errors import DeclarationError, WorldError

if TYPE_CHECKING:
    from ...components.audio import Audio
    from ...flow.graph import Node

Run = Callable[[Callable[[], Any]], Awaitable[Any]]

log = logging.getLogger("ossicle")


class Kind(NamedTuple):
    """One kind of sound file, as people call it."""

    shown: str
    """On the page."""
    accept: tuple[str, ...]
    """For a browser's file picker: media types, and suffixes for systems that go by those."""
    sndfile: str | None
    """What libsndfile calls its format, or its subtype of OGG; None for what it never reads.
    PyAV or an ffmpeg program read them all."""


KINDS = {
    "wav": Kind("WAV", ("audio/wav", ".wav"), "WAV"),
    "flac": Kind("FLAC", ("audio/flac", ".flac"), "FLAC"),
    "ogg": Kind("OGG", ("audio/ogg", ".ogg", ".oga"), "VORBIS"),
    "opus": Kind("Opus", ("audio/opus", ".opus"), "OPUS"),
    "mp3": Kind("MP3", ("audio/mpeg", ".mp3"), "MP3"),
    "aiff": Kind("AIFF", ("audio/aiff", ".aif", ".aiff"), "AIFF"),
    "m4a": Kind("M4A", ("audio/mp4", "video/mp4", ".m4a"), None),
    "aac": Kind("AAC", ("audio/aac", ".aac"), None),
    "webm": Kind("WebM", ("audio/webm", "video/webm", ".weba"), None),
}
"""What apps are promised, in the order in which it is told."""

_EVERYTHING = "audio/*,video/webm,video/mp4"


def native() -> frozenset[str]:
    """The kinds that libsndfile reads here; it writes the same ones."""
    if "soundfile" not in sys.modules and _bundled():
        return frozenset(name for name, kind in KINDS.items() if kind.sndfile)
    try:
        import soundfile
    except OSError as error:
        raise WorldError(
            "the soundfile package finds no libsndfile on this machine, without which there is no"
            " sound; its wheels bring one: pip install --force-reinstall soundfile"
        ) from error
    known = set[str](soundfile.available_formats())  # pyright: ignore[reportUnknownMemberType]
    if "OGG" in known:
        known.update(soundfile.available_subtypes("OGG"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return frozenset(name for name, kind in KINDS.items() if kind.sndfile in known)


def _bundled() -> bool:
    """Whether soundfile came as a wheel with a libsndfile of its own, which has all it can have.

    So most apps need not load it, and numpy with it, before their page is there.
    """
    found = importlib.util.find_spec("_soundfile_data")
    return found is not None and any(
        file.name.startswith("libsndfile")
        for folder in found.submodule_search_locations or ()
        for file in Path(folder).iterdir()
    )


def foreign() -> bool:
    """Whether there is a decoder for what libsndfile cannot read."""
    return importlib.util.find_spec("av") is not None or shutil.which("ffmpeg") is not None


def readable() -> tuple[str, ...]:
    """The kinds of files that can be taken here, in the order of KINDS."""
    known = KINDS if foreign() else native()
    return tuple(name for name in KINDS if name in known)


def taken() -> str:
    """The same in words: "wav, flac or mp3"."""
    return _listed(readable())


def picker(names: Iterable[str]) -> dict[str, object]:
    """What a page says of them, and asks its browser's file picker for."""
    kinds = [KINDS[name] for name in names]
    # By the whole families where nothing has to be kept out: phones offer more sources for those.
    accept = ",".join(word for kind in kinds for word in kind.accept)
    return {
        "names": [kind.shown for kind in kinds],
        "accept": _EVERYTHING if len(kinds) == len(KINDS) else accept,
    }


async def look(nodes: Iterable[Node], run: Run) -> dict[str, object]:
    """What the page is told of an app's kinds of sound, after `check`; nothing if it has no sound.

    run: runs a function in a thread, because to ask for the codecs loads them.
    """
    placed = [node for node in nodes if isinstance(node, Placed)]
    audios = [cast("Audio", node) for node in placed if node.type == "audio"]
    # A part of the page that is made later may have sound in it.
    if not audios and all(node.type != "part" for node in placed):
        return {}
    found = await run(lambda: check(audios))
    return {"sounds": picker(found)}


def check(audios: Iterable[Audio]) -> tuple[str, ...]:
    """Look at what an app's components need before its first user comes; gives `readable`.

    Raises DeclarationError for an encoder that is not here. Kinds of files that nothing here can
    decode are one warning in the log, if users may bring files.
    """
    known = native()
    given = list(audios)
    for each in given:
        if each.format is not None and each.format not in known:
            others = _listed([name for name in ("wav", "flac", "ogg", "mp3") if name in known])
            raise DeclarationError(
                f"{each.where}: format={each.format!r} needs an encoder that the libsndfile of this"
                f" machine was built without; choose {others}, or install one that has it:"
                " pip install --force-reinstall soundfile."
            )
    found = readable()
    missing = [name for name in KINDS if name not in found]
    if missing and any("upload" in a.sources and a.interactive is not False for a in given):
        log.warning(
            "Users cannot bring %s files: nothing here decodes them. pip install 'ossicle[codecs]'"
            " does, and so does an ffmpeg program.",
            _listed(missing),
        )
    return found


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
