"""Why a file is not taken, each reason in one text: what came, and the way out.

Never a path of this machine: users read these. Names are the user's own.
"""

from __future__ import annotations

import errno

from ...flow.bounds import MAX_CHANNELS, MAX_RATE, ClipError
from .codecs import taken
from .limits import Limits, seconds_text


def check_numbers(rate: int, channels: int, name: str) -> None:
    """Raise ClipError for a rate or channel count that no real sound has."""
    if not 1 <= rate <= MAX_RATE:
        raise ClipError(
            f"{name!r} says it has a sample rate of {rate} Hz; 1 to {MAX_RATE} Hz are taken, "
            "export the file again"
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise ClipError(
            f"{name!r} says it has {channels} channels; 1 to {MAX_CHANNELS} are taken, "
            "mix it down or split it first"
        )


def check_length(frames: int, rate: int, name: str, limits: Limits) -> None:
    """Raise ClipError beyond the longest sound that is taken."""
    if frames > limits.seconds * rate:
        raise ClipError(
            f"{name!r} is longer than {seconds_text(limits.seconds)} "
            f"({seconds_text(frames / rate)} or more at {rate} Hz); cut it into parts"
        )


def disk_error(error: OSError, name: str) -> ClipError:
    """What the disk said, without its paths."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ClipError(f"the disk is full; {name!r} was not stored")
    return ClipError(f"{name!r} could not be stored: {error.strerror or 'disk error'}")


def empty(name: str) -> ClipError:
    """No bytes at all."""
    return ClipError(f"{name!r} is empty (0 bytes); send a sound file: {taken()}")


def silent(name: str) -> ClipError:
    """A sound file without a single sample."""
    return ClipError(f"{name!r} holds 0 samples; send a file with sound in it")


def not_sound(name: str, container: str | None, reason: object) -> ClipError:
    """Not what any decoder knows."""
    if container is None:
        return ClipError(f"{name!r} is not a sound file; send {taken()}")
    return ClipError(f"{name!r} looks like {container} but cannot be read: {reason}")


def damaged(name: str, frames: int, rate: int, reason: object) -> ClipError:
    """Sound at first, then something else."""
    return ClipError(
        f"{name!r} is damaged or cut off after {seconds_text(frames / rate)}: {reason}; "
        "send the whole file, or repair it first"
    )


def truncated(name: str, promised: str, actual: str) -> ClipError:
    """A file that ends before its header says so."""
    return ClipError(
        f"{name!r} is cut off: its header promises {promised}, but only {actual} are there; "
        "send the whole file, or repair it first"
    )


def missing_codec(name: str, container: str) -> ClipError:
    """A format that nothing on this machine reads."""
    return ClipError(
        f"{name!r} is {container}, which needs another decoder: pip install 'ossicle[codecs]' on "
        f"the machine that runs the app (or install ffmpeg there), or send {taken()}"
    )
