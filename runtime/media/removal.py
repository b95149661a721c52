"""Files deleted: small ones at once, large ones in a thread of their own.

The more a disk has to give back the longer it takes, ext4 some 0.2 s for a gigabyte. Values are
replaced and sessions end on the loop, and nobody's live sound may wait for the file of another.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Final

AT_ONCE: Final = 16 << 20
"""Bytes that are gone within some two milliseconds."""


def remove(*paths: Path, size: int) -> None:
    """Delete files, and folders with what is in them, `size` bytes together; those that are gone
    already are no error. Takes no lock."""
    if size <= AT_ONCE:
        _remove(paths)
        return
    thread = threading.Thread(target=_remove, args=(paths,), name="ossicle-remove", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # none can be started any more: the program ends
        _remove(paths)


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if path.is_dir():
            # Who got it may have deleted or added files; what counts is that all are gone.
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
