"""Textbox: text that people type or read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..flow.errors import DeclarationError, InputError
from ..flow.sources import event
from .base import Component, Json, Received, known_buttons

if TYPE_CHECKING:
    from ..flow.audio import Media

KINDS = ("text", "password", "email")


class Textbox(Component):
    """A line or several lines of text. Functions get and return `str`.

    lines, max_lines: how high it is and may grow. placeholder: shown while it is empty. type:
    "text", "password" or "email". max_length: characters. autofocus: on opening. text_align: "left"
    or "right". submit_btn, stop_btn: buttons beside it that fire `submit` and `stop`; True, or the
    words on them. buttons: ["copy"] for one that copies the text; show_copy_button is the same.
    Further arguments are those of every component.
    Raises DeclarationError for what cannot be meant.
    """

    type = "textbox"
    shown = (
        "lines",
        "max_lines",
        "placeholder",
        "kind",
        "max_length",
        "autofocus",
        "text_align",
        "submit_btn",
        "stop_btn",
        "buttons",
    )
    cleared = ""

    input = event("The user changed the text.")
    submit = event("The user pressed Enter.")
    select = event("The user selected a part of the text: `index`, `value`.")
    focus = event("The user entered the field.")
    blur = event("The user left the field.")
    clear = event("The user cleared the field.")
    stop = event("The user pressed its stop button.")
    copy = event("The user pressed its copy button: `value`.")

    def __init__(
        self,
        value: Any = None,
        *,
        type: Literal["text", "password", "email"] = "text",
        lines: int = 1,
        max_lines: int | None = None,
        placeholder: str | None = None,
        max_length: int | None = None,
        autofocus: bool = False,
        text_align: Literal["left", "right"] | None = None,
        submit_btn: bool | str | None = False,
        stop_btn: bool | str | None = False,
        show_copy_button: bool = False,
        buttons: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if type not in KINDS:
            raise DeclarationError(f"Textbox: type={type!r} is unknown; choose {', '.join(KINDS)}.")
        if lines < 1 or (max_lines is not None and max_lines < lines):
            raise DeclarationError(
                f"Textbox: lines={lines!r}, max_lines={max_lines!r}: 1 ≤ lines ≤ max_lines."
            )
        self.kind = type
        self.lines = lines
        self.max_lines = max_lines
        self.placeholder = placeholder
        self.max_length = max_length
        self.autofocus = autofocus
        self.text_align = text_align
        self.submit_btn = submit_btn or False
        self.stop_btn = stop_btn or False
        self.buttons = known_buttons(self.where, buttons, ("copy",), {"copy": show_copy_button})
        super().__init__(value, **kwargs)

    def postprocess(self, value: Any, media: Media) -> object:
        return "" if value is None else str(value)

    def from_wire(self, payload: Any, media: Media) -> object:
        if not isinstance(payload, str):
            raise InputError(f"{self.where}: text must be a string, not {payload!r}.")
        if self.max_length is not None and len(payload) > self.max_length:
            raise InputError(
                f"{self.where}: {len(payload)} characters are more than {self.max_length}."
            )
        return payload

    def receive(
        self, act: str, payload: Json, data: Mapping[str, object] | None, now: Any, media: Media
    ) -> Received:
        if act == "submit" and payload is not None:  # Enter sends what stands in the field
            return Received(self.from_wire(payload, media), data)
        return super().receive(act, payload, data, now, media)
