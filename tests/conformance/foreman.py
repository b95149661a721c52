"""Looks at work in other processes: hears what they log, and holds them back until they may go."""

from __future__ import annotations

import json
import threading
from multiprocessing.connection import Client, Connection, Listener
from typing import Any


class Foreman:
    """Functions of `chores` find him by the text that they are called with.

    They say "log ...", "gate", or "stand" and wait for his answer: at once, once `gate` is set, or
    when `go` is released for one of them.
    """

    def __init__(self) -> None:
        self.log = list[str]()
        self.gate = threading.Event()
        self.go = threading.Semaphore(0)
        self.standing = 0
        self.lock = threading.Lock()
        self._over = False
        self._listener = Listener()
        threading.Thread(target=self._accept, daemon=True).start()

    def text(self, **more: Any) -> str:
        """What a function of `chores` is to be called with."""
        return json.dumps({"address": self._listener.address, **more})

    def close(self) -> None:
        """Let all go who stand; nobody is heard any more."""
        self._over = True
        self.gate.set()
        self.go.release(100)
        Client(self._listener.address).close()  # closing alone would leave `accept` waiting

    def _accept(self) -> None:
        with self._listener:
            while True:
                line = self._listener.accept()
                if self._over:
                    line.close()
                    return
                threading.Thread(target=self._hear, args=(line,), daemon=True).start()

    def _hear(self, line: Connection) -> None:
        with line:
            what: str = line.recv()
            if what == "gate":
                self.gate.wait()
            elif what == "stand":
                with self.lock:
                    self.standing += 1
                self.go.acquire()
            else:
                self.log.append(what.removeprefix("log "))
            line.send("go on")
