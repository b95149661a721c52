"""Disks as they may be."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ossicle.runtime.media.tape import TapeFile


class StandingDisk:
    """One that does not move until it is let go: whoever waits for it on a loop never ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moves = threading.Event()
        put = TapeFile._put  # pyright: ignore[reportPrivateUsage]  the one place that waits for a disk

        def slow(file: TapeFile, samples: np.ndarray) -> None:
            self.moves.wait(30)
            put(file, samples)

        monkeypatch.setattr(TapeFile, "_put", slow)
