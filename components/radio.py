"""Radio: one of given choices, all in view."""

from __future__ import annotations

from .choices import Choosing


class Radio(Choosing):
    """Functions get the chosen value (with type="index" its place), or None.

    choices: values, or (name, value) pairs.
    Raises DeclarationError for what cannot be meant.
    """

    type = "radio"
