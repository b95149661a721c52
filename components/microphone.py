"""Microphone: Audio that is recorded, not uploaded."""

from __future__ import annotations

from .audio import Audio


class Microphone(Audio):
    """Audio with sources=["microphone"]; everything else is as there."""

    default_sources = ("microphone",)
