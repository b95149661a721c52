"""Units as types: a quantity says what it counts."""

from __future__ import annotations

Seconds = float
