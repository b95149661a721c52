"""How an Image uses a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..flow.errors import DeclarationError
from ..flow.shapes import is_dict
from .arguments import flag


@dataclass(frozen=True, slots=True)
class WebcamOptions:
    """mirror: as in a mirror, and so the picture. constraints: what the browser is asked for, as in
    its MediaTrackConstraints: {"width": 1280, "facingMode": "environment"}.
    Raises DeclarationError for what cannot be meant.
    """

    mirror: bool = True
    constraints: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        flag("WebcamOptions", "mirror", self.mirror)
        given: object = self.constraints
        if given is not None and not is_dict(given):
            raise DeclarationError(
                f'WebcamOptions: constraints={given!r} must be a dict such as {{"width": 1280}}.'
            )


def webcam(where: str, given: WebcamOptions | Mapping[str, Any] | None) -> dict[str, Any]:
    """As properties for the page. Raises DeclarationError naming `where`."""
    if given is None:
        given = WebcamOptions()
    elif is_dict(given):
        try:
            given = WebcamOptions(**given)
        except TypeError:
            raise DeclarationError(
                f"{where}: webcam_options={given!r} has more than mirror and constraints."
            ) from None
    if not isinstance(given, WebcamOptions):
        raise DeclarationError(
            f"{where}: webcam_options={given!r} must be WebcamOptions or a dict of its fields."
        )
    return asdict(given)
