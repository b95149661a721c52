"""Checks of the arguments that only Audio has. Each raises DeclarationError, naming the value."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

from ..flow.audio import Normalize
from ..flow.errors import DeclarationError
from ..flow.shapes import is_listing
from .arguments import choice
from .button import Button

Source = Literal["upload", "microphone"]

SOURCES: tuple[Source, ...] = ("upload", "microphone")
TYPES = ("numpy", "filepath")
FORMATS = ("wav", "mp3", "flac", "ogg")
NORMALIZE = ("peak", "clip", "never")
BUTTONS = ("download", "share")
TRANSPORTS = ("socket", "webrtc")


def sources(where: str, given: Any, streaming: bool, default: Sequence[Source]) -> list[str]:
    """Where a sound comes from; what streams comes from the microphone."""
    if given is None:
        return ["microphone"] if streaming else list(default)
    found: list[Any] = [given] if isinstance(given, str) else list(given)
    for source in found:
        if source not in SOURCES:
            raise DeclarationError(
                f"{where}: sources has {source!r}; choose {' and '.join(SOURCES)}."
            )
    if streaming and "microphone" not in found:
        raise DeclarationError(
            f"{where}: streaming=True needs the microphone; sources={found!r} has none."
        )
    return list(dict.fromkeys(found))


def transport(where: str, given: object) -> str:
    """The way of live sound, if what it needs is installed."""
    found = choice(where, "transport", given, TRANSPORTS)
    if found == "webrtc" and find_spec("aiortc") is None:
        raise DeclarationError(
            f"{where}: transport='webrtc' needs the aiortc package: pip install"
            ' "ossicle[webrtc]".'
        )
    return found


def device(where: str, given: object) -> str | None:
    """A microphone's name, or a part of it."""
    if given is not None and not isinstance(given, str):
        raise DeclarationError(f"{where}: device={given!r} must be a name or None.")
    return given


def frame_ms(where: str, given: object) -> float:
    """Milliseconds of sound that are sent at once."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise DeclarationError(f"{where}: frame_ms={given!r} must be milliseconds.")
    if not 3 <= given <= 100:
        raise DeclarationError(f"{where}: frame_ms={given!r} must lie between 3 and 100.")
    return given


def file_format(where: str, given: object) -> str | None:
    """The format of files; None keeps what came."""
    if given is None:
        return None
    return choice(where, "format", given.lower() if isinstance(given, str) else given, FORMATS)


def normalizing(where: str, given: object) -> Normalize:
    """What happens to float samples."""
    return cast(Normalize, choice(where, "normalize", given, NORMALIZE))


def buttons(where: str, given: object) -> tuple[list[Button], list[str] | None]:
    """The app's own, and the names of the others; None for these is what is usual."""
    if given is None:
        return [], None
    if not is_listing(given):
        raise DeclarationError(f"{where}: buttons={given!r} must be a list.")
    own, named = list[Button](), list[str]()
    for button in given:
        if isinstance(button, Button):
            own.append(button)
        elif button in BUTTONS:
            named.append(cast(str, button))
        else:
            raise DeclarationError(
                f"{where}: buttons has {button!r}; choose {', '.join(BUTTONS)} or a Button."
            )
    return own, named


def check_first(where: str, value: object) -> None:
    """What can be seen to be wrong with a first value; the rest is told when the app starts."""
    if isinstance(value, str) and value.lower().startswith(("http://", "https://")):
        return
    if isinstance(value, str | Path) and not Path(value).is_file():
        raise DeclarationError(
            f"{where}: value={str(value)!r} is not a file (looked from {Path.cwd()})."
        )
    if isinstance(value, list):
        raise DeclarationError(f"{where}: value is a list; pass a tuple (rate, array).")
