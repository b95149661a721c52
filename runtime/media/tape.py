"""Long takes on disk while they are made: one writing thread, one file a take, no waiting loop.

Whoever is on the loop never waits for the disk: what is not written yet is read from memory, and a
sound's id is known before its last part is on disk. How much may wait is bounded. Live sound has no
time: beyond `WAITING` bytes the tape ends there. What functions make has: beyond `BEHIND` bytes of
its session the function waits (`Share.keep_up`).
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import weakref
from collections import deque
from pathlib import Path

import numpy as np

from ...flow.audio import Clip
from ...flow.bounds import ClipError
from ...flow.samples import Int16, Samples, content_hash, peak16, update_hash
from .disk import Disk
from .refusals import disk_error
from .removal import remove
from .share import Share

WAITING = 64_000_000
"""Bytes of live sound that may wait to be written, of all sessions: of three hundred microphones
two seconds each. A disk that is that slow gets no more (policy: the tape ends there, which is
told)."""

log = logging.getLogger("ossicle")

_Work = tuple["TapeFile", Int16]
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Scribe:
    """Writes what tapes put away, in a thread that is there while there is work to come."""

    def __init__(self, disk: Disk) -> None:
        self.most_waiting = 0
        """Parts, at once."""
        self.waits = 0
        """How often a function waited for the disk."""
        self._disk = disk
        self._work = queue.SimpleQueue[_Work | None]()
        self._live = 0  # bytes that wait and that nobody waits for
        self._thread: threading.Thread | None = None
        self.closed = False
        self._lock = threading.Lock()

    def tape(
        self, rate: int, channels: int, patient: bool = False, share: Share | None = None
    ) -> TapeFile:
        """A file for one take. Raises ClipError when the app is shutting down.

        share: what its session may have, beside the quota of all. patient: its maker waits where
        the disk is behind, by `Share.keep_up`; live sound cannot.
        """
        return TapeFile(self._disk, self, rate, channels, patient, share)

    def write(self, file: TapeFile, samples: Int16) -> bool:
        """Take a part; False if too much waits, and once the app has ended."""
        with self._lock:  # around both: what comes behind the last word would wait for ever
            size = 0 if file.patient else samples.nbytes
            if self.closed or (size and self._live + size > WAITING):
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tapes", daemon=True)
                self._thread.start()
            self._live += size
            self._work.put((file, samples))
            self.most_waiting = max(self.most_waiting, self._work.qsize())
        return True

    def waited(self) -> None:
        """A function waits for the disk."""
        self.waits += 1

    def figures(self) -> dict[str, int]:
        """Parts that wait for the disk, and how often a function did."""
        waiting = self._work.qsize()
        return {"waiting": waiting, "most_waiting": self.most_waiting, "waits": self.waits}

    def close(self) -> None:
        """What waits is still written; then the thread ends."""
        with self._lock:
            self.closed = True
            thread, self._thread = self._thread, None
        if thread:
            self._work.put(None)
            thread.join()

    def _run(self) -> None:
        while self._write_one():
            pass

    def _write_one(self) -> bool:
        # In a function of its own: the thread must not hold a file while it waits for the next.
        work = self._work.get()
        if work is not None:
            file, samples = work
            file.store(samples)
            if not file.patient:
                with self._lock:
                    self._live -= samples.nbytes
        return work is not None


class TapeFile:
    """The parts of one take in one file of plain samples. It is gone when nobody holds it."""

    def __init__(
        self,
        disk: Disk,
        scribe: Scribe,
        rate: int,
        channels: int,
        patient: bool = False,
        share: Share | None = None,
    ) -> None:
        self.rate, self.channels, self.patient = rate, channels, patient
        self._disk, self._scribe = disk, scribe
        self._share = share or Share(disk.limits.quota)
        self._lock = threading.Lock()
        self._path = disk.new_file()
        # Of what is in the file: all three change together.
        self._frames, self._peak = 0, 0
        self._digest = content_hash(rate, channels, np.dtype(np.int16))
        self._unwritten = deque[Int16]()  # in order; what the disk refused stays here
        self._refused = False
        self._bytes = [0]
        weakref.finalize(self, _discard, self._path, disk, self._share, self._bytes)

    def write(self, samples: Int16) -> bool:
        """Of `Spill`: what is on the loop's way."""
        if self._refused or not self._share.take(samples.nbytes):
            return False
        try:
            self._disk.reserve(samples.nbytes, "a recording")
        except ClipError:  # the quota: what is there stays
            self._share.free(samples.nbytes)
            return False
        with self._lock:
            self._unwritten.append(samples)
        if self.patient:
            self._share.wait(samples.nbytes)
        if self._scribe.write(self, samples):
            self._bytes[0] += samples.nbytes
            return True
        with self._lock:
            self._unwritten.pop()
        if self.patient:
            self._share.wait(-samples.nbytes)
        self._share.free(samples.nbytes)
        self._disk.free(samples.nbytes)
        return False

    def read(self, start: int, end: int) -> Int16:
        """Of `Spill`."""
        with self._lock:  # as it is written part by part, what is not in the file is here
            stored = self._frames
            parts = list(self._unwritten)
        found = list[Int16]()
        if start < stored:
            here = min(end, stored) - start
            step = 2 * self.channels
            data = np.fromfile(self._path, "<i2", here * self.channels, offset=start * step)
            found.append(data.astype(np.int16, copy=False).reshape(-1, self.channels))
        at = stored
        for part in parts:
            if start < at + len(part) and at < end:
                found.append(part[max(start - at, 0) : end - at])
            at += len(part)
        if len(found) == 1:
            return found[0]
        return np.concatenate([np.empty((0, self.channels), np.int16), *found])

    def store(self, samples: Int16) -> None:
        """The writing thread's part."""
        try:
            if not self._refused:
                self._put(samples)
                digest = self._digest.copy()
                update_hash(digest, samples)
                peak = max(self._peak, peak16(samples))
                with self._lock:
                    self._digest, self._peak = digest, peak
                    self._frames += len(samples)
                    self._unwritten.popleft()
        except OSError as error:
            self._refused = True  # no more is taken; what was taken is still in memory
            log.warning("%s; what follows of it is not kept", disk_error(error, "a recording"))
        except Exception:  # the thread goes on: it writes for all sessions
            self._refused = True
            log.exception("a recording could not be stored")
        finally:
            if self.patient:
                self._share.wait(-samples.nbytes)

    def _put(self, samples: Int16) -> None:
        # Without a file object: each of its calls gives the lock of the interpreter away and has to
        # wait for it, at a time when the loop works on live sound.
        out = os.open(self._path, _APPEND, 0o600)
        try:
            data = samples.astype("<i2", copy=False).data.cast("B")
            while data:
                data = data[os.write(out, data) :]
        finally:
            os.close(out)

    def clip(self, rest: Int16, name: str) -> Clip:
        """Of `Spill`. Waits for no disk: what is still to be written is read from memory.

        Raises ClipError when the app has ended.
        """
        if self._scribe.closed:
            raise ClipError("the app is shutting down; no more sounds are taken")
        if len(rest) and not self.write(rest):
            with self._lock:  # less than two seconds, which there is no room for
                self._unwritten.append(rest)
        with self._lock:
            frames, peak, digest = self._frames, self._peak, self._digest.copy()
            parts = list(self._unwritten)
        for part in parts:
            update_hash(digest, part)
            peak = max(peak, peak16(part))
            frames += len(part)
        return TapeClip(self, frames, digest.hexdigest(), peak, name)


class TapeClip(Clip):
    """A take whose 16-bit samples stay on disk until they are read."""

    def __init__(self, file: TapeFile, frames: int, id: str, peak: int, name: str) -> None:
        super().__init__(file.rate, frames, file.channels, name=name, format="pcm")
        self._file = file
        self._id = id
        self._peak = peak / 32768

    def read(self, start: int, end: int) -> Samples:
        samples = self._file.read(start, min(end, self.frames))
        return samples[:, 0] if self.channels == 1 else samples


def _discard(path: Path, disk: Disk, share: Share, size: list[int]) -> None:
    # Garbage is collected anywhere, with any lock held: nothing here may wait for one.
    remove(path, size=size[0])
    disk.free(size[0])
    share.free(size[0])
