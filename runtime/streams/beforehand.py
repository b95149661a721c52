"""What live sound needs, loaded beside the loop before the first frame comes.

On the loop it would hold up every session for as long as it takes: codecs and numpy take half a
second on a busy machine, in which sound is lost.
"""

from __future__ import annotations

import threading


def begin() -> threading.Thread:
    """Load it in a thread, which is over when all of it is there."""
    thread = threading.Thread(target=_load, name="loading", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    import soundfile

    from ...flow import chunks, tape
    from ..media import store
    from . import live

    del chunks, tape, store, live, soundfile
