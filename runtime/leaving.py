"""The end of a program: with its exit code, and without waiting for what nobody asks for."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Final, NoReturn

# The exit codes of a program that was told to end, as shells have them: 128 and the signal.
INTERRUPTED: Final = 128 + 2
TERMINATED: Final = 128 + 15

_SECONDS = 1.0  # for functions that are still running when the program has ended


class Terminated(KeyboardInterrupt):
    """SIGTERM came, where `terminate` hears it."""


def terminate(number: int, _: FrameType | None) -> NoReturn:
    """A handler of SIGTERM, which by itself would end the process where it stands."""
    raise Terminated


def leave(code: int) -> int:
    """The exit code; but does not wait for functions that are still running.

    Python joins their threads at exit, so one that never ends would keep the program for ever.
    """
    if still_running():
        print("ossicle: a function was still running; it was left behind", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def still_running() -> bool:
    """Whether functions run on in their threads, a second after they were left alone."""
    until = time.monotonic() + _SECONDS
    left = [each for each in threading.enumerate() if each.name.startswith("ossicle")]
    for thread in left:
        thread.join(max(0.0, until - time.monotonic()))
    return any(thread.is_alive() for thread in left)


def leave_when_interrupted(why: str) -> None:
    """Say why the program cannot end, and let the next Ctrl-C end it whatever still runs.

    Only where nobody else minds Ctrl-C. An exception would not do: where it is raised decides
    whether Python then waits for the threads again.
    """
    ours = threading.current_thread() is threading.main_thread()
    if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave_now)
        print(f"ossicle: {why}; press Ctrl-C again to leave it behind", file=sys.stderr, flush=True)


def _leave_now(number: int, _: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
