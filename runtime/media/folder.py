"""A private temporary folder that is gone with its process, even one that was killed.

A process that ends in order deletes its folder itself. One that is killed cannot: so the folder is
locked for as long as its process lives, and whoever makes the next folder deletes those that nobody
holds. Without locks on folders (Windows) nothing of others is touched.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

_FRESH = "ossicle-new-"
_NAMED = "ossicle-store-"


class Folder:
    """The folder, mode 0700, until `remove`."""

    def __init__(self) -> None:
        _remove_dead(Path(tempfile.gettempdir()))
        fresh = Path(tempfile.mkdtemp(prefix=_FRESH))
        self._lock = _lock(fresh)
        # Gets the name that others look for only once it is locked.
        self.path = fresh.with_name(fresh.name.replace(_FRESH, _NAMED, 1))
        fresh.rename(self.path)
        self._pid = os.getpid()

    def remove(self) -> None:
        """Delete everything in it; harmless when called twice."""
        if os.getpid() != self._pid:  # a forked child must not tidy up its parent's files
            return
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _remove_dead(parent: Path) -> None:
    for folder in parent.glob(f"{_NAMED}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder, however its process ends; None if another has it."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None  # another user's, a link, or gone meanwhile
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
