"""The end of a program: with its exit code, and without waiting for what nobody asks for."""

from __future__ import annotations

import os
import sys
import threading
import time

_SECONDS = 1.0  # for functions that are still running when the program has ended


def leave(code: int) -> int:
    """The exit code; but does not wait for functions that are still running.

    Python joins their threads at exit, so one that never ends would keep the program for ever.
    """
    until = time.monotonic() + _SECONDS
    left = [each for each in threading.enumerate() if each.name.startswith("ossicle")]
    for thread in left:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in left):
        print("ossicle: a function was still running; it was left behind", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
