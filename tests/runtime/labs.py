"""What tests of the lab have in common."""

from typing import Any

import numpy as np

RATE = 8000


def hello(who: str) -> str:
    return f"hello {who}"


def more(number: int) -> int:
    return number + 1


def saw(number: int) -> str:
    return f"saw {number}"


def tone(seconds: float) -> tuple[int, Any]:
    return RATE, np.ones(int(seconds * RATE), np.int16)
