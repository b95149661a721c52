"""Themes: a few sets of the page's variables, made from a hue for the accent and one for the greys.

Colours are written in OKLCH, whose lightness is what eyes see: text of one lightness has the same
contrast in every hue, so no choice of hues can make a page that is hard to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Self

from ..flow.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Hue:
    """A colour's angle in OKLCH, and how strong it is: 1 is as strong as reads well, 0 is grey."""

    degrees: float
    strength: float = 1.0


HUES = {
    "red": Hue(25),
    "orange": Hue(50),
    "amber": Hue(70),
    "yellow": Hue(90),
    "lime": Hue(125),
    "green": Hue(148),
    "emerald": Hue(162),
    "teal": Hue(200),
    "cyan": Hue(215),
    "sky": Hue(235),
    "blue": Hue(257),
    "indigo": Hue(275),
    "violet": Hue(293),
    "purple": Hue(305),
    "fuchsia": Hue(322),
    "pink": Hue(350),
    "rose": Hue(12),
    "slate": Hue(255, 1.0),
    "gray": Hue(255, 0.4),
    "zinc": Hue(285, 0.3),
    "neutral": Hue(0, 0.0),
    "stone": Hue(60, 0.6),
}
"""By the names that the peer has for them; the last five are for greys."""

colors = SimpleNamespace(**HUES)

RADII = {"none": 0, "sm": 4, "md": 8, "lg": 12, "xxl": 20}
TEXTS = {"sm": 14, "md": 15, "lg": 17}
SPACES = {"sm": 36, "md": 40, "lg": 48}

sizes = SimpleNamespace(
    **{f"radius_{name}": name for name in RADII},
    **{f"text_{name}": name for name in TEXTS},
    **{f"spacing_{name}": name for name in SPACES},
)


def GoogleFont(name: str, weights: Iterable[int] = ()) -> str:
    """The font's name: it shows where it is installed. Pages load nothing from elsewhere."""
    return name


Font = LocalFont = GoogleFont

VARIABLES = frozenset({
    "bg", "surface", "sunken", "raised", "panel", "hover", "line", "line-strong", "text",
    "text-quiet", "accent", "accent-hover", "accent-soft", "on-accent", "good", "warn",
    "warn-soft", "bad", "bad-hover", "bad-soft", "on-bad", "wave", "wave-played", "selection",
    "shadow", "radius", "radius-small", "column", "control", "font", "mono", "size", "size-small",
    "motion",
})  # fmt: skip
"""What a theme can set. web/src/theme.css has what each is without one."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Variables of the page, from a few choices.

    primary_hue: of the accent. neutral_hue: of the greys. Names from `HUES`, or a `Hue`.
    secondary_hue: nothing has a second accent here. spacing_size, radius_size, text_size: "sm",
    "md" or "lg" ("none" and "xxl" too for the radius). font, font_mono: names, the first installed
    one counts. Raises DeclarationError for what it does not know.
    """

    primary_hue: Hue | str = "teal"
    secondary_hue: Hue | str | None = None
    neutral_hue: Hue | str = "gray"
    spacing_size: str = "md"
    radius_size: str = "md"
    text_size: str = "md"
    font: str | Iterable[str] | None = None
    font_mono: str | Iterable[str] | None = None
    own: Mapping[str, str] = field(default_factory=dict[str, str])

    def set(self, **variables: str) -> Self:
        """The theme with single variables of its own, like set(accent="#c00")."""
        named = {name.removeprefix("--").replace("_", "-"): v for name, v in variables.items()}
        for name in named:
            if name not in VARIABLES:
                raise DeclarationError(
                    f"theme: {name!r} is not one of its variables; they are"
                    f" {', '.join(sorted(VARIABLES))}. Use css for anything else."
                )
        return replace(self, own={**self.own, **named})

    def variables(self) -> dict[str, str]:
        """By their names, without the "--"."""
        radius = _size("radius_size", self.radius_size, RADII)
        made = {
            **_greys(_hue("neutral_hue", self.neutral_hue)),
            **_accents(_hue("primary_hue", self.primary_hue)),
            "radius": f"{radius}px",
            "radius-small": f"{round(radius * 0.75)}px",
            "size": f"{_size('text_size', self.text_size, TEXTS)}px",
            "control": f"{_size('spacing_size', self.spacing_size, SPACES)}px",
        }
        if self.font:
            made["font"] = _fonts(self.font, "system-ui, sans-serif")
        if self.font_mono:
            made["mono"] = _fonts(self.font_mono, "ui-monospace, monospace")
        return {**made, **self.own}


Base = Default = Theme


@dataclass(frozen=True, kw_only=True)
class Soft(Theme):
    """Round corners, an indigo accent, cool greys."""

    primary_hue: Hue | str = "indigo"
    neutral_hue: Hue | str = "slate"
    radius_size: str = "lg"


@dataclass(frozen=True, kw_only=True)
class Monochrome(Theme):
    """Without colour, without corners."""

    primary_hue: Hue | str = "neutral"
    neutral_hue: Hue | str = "neutral"
    radius_size: str = "none"


@dataclass(frozen=True, kw_only=True)
class Glass(Theme):
    """Warm greys and small corners."""

    primary_hue: Hue | str = "stone"
    neutral_hue: Hue | str = "stone"
    radius_size: str = "sm"


@dataclass(frozen=True, kw_only=True)
class Ocean(Theme):
    """Sea and slate."""

    primary_hue: Hue | str = "cyan"
    neutral_hue: Hue | str = "slate"
    radius_size: str = "lg"


@dataclass(frozen=True, kw_only=True)
class Citrus(Theme):
    """An amber accent on warm greys."""

    primary_hue: Hue | str = "amber"
    neutral_hue: Hue | str = "stone"


@dataclass(frozen=True, kw_only=True)
class Origin(Theme):
    """Orange and plain greys."""

    primary_hue: Hue | str = "orange"
    neutral_hue: Hue | str = "zinc"
    radius_size: str = "sm"


NAMED = {
    each.__name__.lower(): each for each in (Soft, Monochrome, Glass, Ocean, Citrus, Origin)
} | {"default": Default, "base": Base}


def named(name: str) -> Theme:
    """A theme by its name, like "soft". Raises DeclarationError listing the names."""
    found = NAMED.get(name.lower())
    if found is None:
        raise DeclarationError(
            f"theme={name!r} is unknown; choose {', '.join(sorted(NAMED))}. None is fetched from"
            " elsewhere."
        )
    return found()


def _hue(name: str, given: Hue | str) -> Hue:
    if isinstance(given, Hue):
        return given
    if given not in HUES:
        raise DeclarationError(f"theme: {name}={given!r}; choose {', '.join(HUES)}.")
    return HUES[given]


def _size(name: str, given: str, known: Mapping[str, int]) -> int:
    if given not in known:
        raise DeclarationError(f"theme: {name}={given!r}; choose {', '.join(known)}.")
    return known[given]


def _fonts(given: str | Iterable[str], rest: str) -> str:
    names = [given] if isinstance(given, str) else list(given)
    return ", ".join([*(f'"{n}"' if " " in n and '"' not in n else n for n in names), rest])


def _pair(light: tuple[float, float], dark: tuple[float, float], hue: Hue) -> str:
    """One colour for light and one for dark, each by its lightness and chroma."""

    def colour(lightness: float, chroma: float) -> str:
        return f"oklch({lightness:g} {chroma * hue.strength:.4g} {hue.degrees:g})"

    return f"light-dark({colour(*light)}, {colour(*dark)})"


def _greys(hue: Hue) -> dict[str, str]:
    pairs = {
        "bg": ((0.968, 0.006), (0.185, 0.012)),
        "surface": ((1.0, 0.0), (0.228, 0.014)),
        "sunken": ((0.968, 0.006), (0.192, 0.012)),
        "raised": ((1.0, 0.0), (0.27, 0.016)),
        "line": ((0.91, 0.009), (0.318, 0.018)),
        "line-strong": ((0.635, 0.02), (0.59, 0.024)),
        "text": ((0.21, 0.015), (0.945, 0.006)),
        "text-quiet": ((0.475, 0.025), (0.74, 0.02)),
        "wave": ((0.675, 0.02), (0.58, 0.02)),
    }
    return {name: _pair(*each, hue) for name, each in pairs.items()}


def _accents(hue: Hue) -> dict[str, str]:
    pairs = {
        "accent": ((0.48, 0.14), (0.77, 0.12)),
        "accent-hover": ((0.41, 0.13), (0.83, 0.1)),
        "accent-soft": ((0.945, 0.025), (0.31, 0.05)),
        "on-accent": ((1.0, 0.0), (0.22, 0.04)),
        "wave-played": ((0.48, 0.14), (0.77, 0.12)),
    }
    made = {name: _pair(*each, hue) for name, each in pairs.items()}
    return made | {"selection": "color-mix(in oklch, var(--accent) 18%, transparent)"}
