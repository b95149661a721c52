"""A private temporary folder that is gone with its process, even one that was killed.

A process that ends in order deletes its folder itself. One that is killed cannot: so the folder
holds a locked file for as long as its process lives, and whoever makes the next folder deletes
those whose lock nobody holds. Without file locks (Windows) nothing of others is touched.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

_PREFIX = "ossicle-"
_LOCK = "alive"


class Folder:
    """The folder, mode 0700, until `remove`."""

    def __init__(self) -> None:
        _remove_dead(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._pid = os.getpid()
        fresh = self.path / "new"
        self._lock = fresh.open("wb")
        _try_lock(self._lock.fileno())
        # Named only once it is locked: before that the folder is nobody's, and is left alone.
        fresh.rename(self.path / _LOCK)

    def remove(self) -> None:
        """Delete everything in it; harmless when called twice."""
        self._lock.close()
        if os.getpid() == self._pid:  # a forked child must not tidy up its parent's files
            shutil.rmtree(self.path, ignore_errors=True)


def _remove_dead(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            with (folder / _LOCK).open("rb") as lock:
                if _try_lock(lock.fileno()):
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # another user's, or just being made or removed by its owner


def _try_lock(file: int) -> bool:
    """Whether the lock is ours now; it goes when the file is closed, however that comes about."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
