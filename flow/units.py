"""Units as types: a quantity says what it counts."""

from __future__ import annotations

Seconds = float
Hertz = float
Decibels = float
Frames = int
"""Samples per channel: the only measure of a position in sound."""
