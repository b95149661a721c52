"""All sounds and files of one app: one private folder, one quota, a `Session` for each session."""

from __future__ import annotations

import itertools
import threading
from collections import deque

from .disk import Disk
from .documents import DocumentUpload, StoredDocument
from .holdings import sweep
from .limits import Limits
from .session import Check, Session, StoredSound, Upload
from .share import Share
from .tape import Scribe


class Store:
    """Where the sounds of all sessions live. Thread-safe.

    limits: bytes and seconds, see `Limits`. allow_private_urls: let `open("http://...")` in app
    code reach the app's own network. Nothing touches the disk before the first sound does.
    """

    def __init__(self, limits: Limits | None = None, *, allow_private_urls: bool = False) -> None:
        self.limits = limits or Limits()
        self._disk = Disk(self.limits)
        self._scribe = Scribe(self._disk)
        self._allow_private = allow_private_urls
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._by_number: dict[str, Session] = {}
        self._numbers = itertools.count(1)
        self._lost: deque[object] = deque()

    @property
    def used(self) -> int:
        """Bytes on disk now, those that are being written included."""
        sweep(self._lost)
        return self._disk.used

    def writing(self) -> dict[str, int]:
        """How the disk follows what is recorded and made: docs/live.md."""
        return self._scribe.figures()

    def session(self, token: str) -> Session:
        """The media of a session, made when first asked for. Once released they refuse everything;
        who asks by the token again gets new ones, and has to release these, too."""
        with self._lock:
            found = self._sessions.get(token)
            if found is None:
                number = next(self._numbers)
                # The app's own values, which no user brought, have only the bound of all together.
                bound = self.limits.session if token else self.limits.quota
                found = Session(
                    self._disk,
                    Share(bound),
                    self._scribe,
                    number,
                    self._lost,
                    allow_private_urls=self._allow_private,
                )
                self._sessions[token] = self._by_number[str(number)] = found
            return found

    def release(self, token: str) -> None:
        """A session and its jobs are over: its sounds go, unless another session owns them too."""
        with self._lock:
            found = self._sessions.pop(token, None)
            if found is None:
                return
            del self._by_number[str(found.number)]
        found.release()
        sweep(self._lost)

    def receive(self, token: str, name: str, check: Check | None = None) -> Upload:
        """Begin an upload of a sound into a session. Raises KeyError for one that is not there.

        `check` raises for a sound that nobody would take.
        """
        with self._lock:
            session = self._sessions[token]
        return session.receive(name, check)

    def receive_document(self, token: str, name: str, *, picture: bool) -> DocumentUpload:
        """Begin an upload of another file, or of a picture, like `receive`."""
        with self._lock:
            session = self._sessions[token]
        return session.receive_document(name, picture=picture)

    def sound(self, handle: str) -> StoredSound:
        """What a sound's handle leads to, whoever asks. KeyError for one that no session made."""
        return self._home(handle).sound(handle)

    def find(self, handle: str) -> StoredSound | StoredDocument:
        """The same for any handle."""
        session = self._home(handle)
        try:
            return session.sound(handle)
        except KeyError:
            return session.stored_document(handle)

    def _home(self, handle: str) -> Session:
        with self._lock:
            return self._by_number[handle.partition("-")[0]]

    def close(self) -> None:
        """Delete every file. What is still asked for after that is refused."""
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
            self._by_number.clear()
        for session in sessions:
            session.release()
        self._scribe.close()
        self._disk.close()
