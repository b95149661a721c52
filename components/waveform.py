"""How a waveform looks and what its player offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..flow.errors import DeclarationError


@dataclass(frozen=True)
class WaveformOptions:
    """Options for the waveform display of `Audio`; None leaves a choice to the page's theme.

    Colours are CSS colours. skip_length is in seconds; sample_rate, in Hz, is what recordings are
    made at (None: what the microphone gives, nothing is resampled).
    Raises DeclarationError for what cannot be meant.
    """

    waveform_color: str | None = None
    waveform_progress_color: str | None = None
    trim_region_color: str | None = None
    show_recording_waveform: bool = True
    show_controls: bool = False
    skip_length: float = 5
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        for name in ("waveform_color", "waveform_progress_color", "trim_region_color"):
            colour = getattr(self, name)
            if colour is not None and not isinstance(colour, str):
                raise DeclarationError(
                    f"WaveformOptions: {name}={colour!r} must be a CSS colour such as '#0077ff'."
                )
        for name in ("show_recording_waveform", "show_controls"):
            if not isinstance(getattr(self, name), bool):
                raise DeclarationError(
                    f"WaveformOptions: {name}={getattr(self, name)!r} must be True or False."
                )
        if not _is_number(self.skip_length) or not 0 < self.skip_length < 1e6:
            raise DeclarationError(
                f"WaveformOptions: skip_length={self.skip_length!r} must be seconds above 0."
            )
        rate: Any = self.sample_rate
        if rate is not None and not (isinstance(rate, int) and 3000 <= rate <= 768_000):
            raise DeclarationError(
                f"WaveformOptions: sample_rate={rate!r} must be a whole number of Hz, "
                "3000 to 768000."
            )


def waveform(where: str, given: WaveformOptions | Mapping[str, Any] | None) -> dict[str, Any]:
    """The options as JSON. Raises DeclarationError naming what is unknown."""
    if given is None:
        return asdict(WaveformOptions())
    if isinstance(given, WaveformOptions):
        return asdict(given)
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DeclarationError(
            f"{where}: waveform_options must be a dict or WaveformOptions, not {given!r}."
        )
    known = [field.name for field in fields(WaveformOptions)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise DeclarationError(
            f"{where}: waveform_options has no {', '.join(map(repr, unknown))}; "
            f"choose {', '.join(known)}."
        )
    return asdict(WaveformOptions(**given))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
