"""Long takes on disk while they are made: one writing thread, one file a take, no waiting loop."""

from __future__ import annotations

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

WAITING = 256
"""Parts that may wait to be written, of all sessions: some 50 MB. A disk that is that slow gets no
more (policy: the tape ends there, which is told)."""

_Work = tuple["TapeFile", Int16]


class Share:
    """The bytes that the takes of one session have on disk. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._used = 0
        self._returned = deque[int]()
        self._most = most
        self._lock = threading.Lock()

    def take(self, size: int, always: bool = False) -> bool:
        """Count so many bytes more; False if they are beyond the bound, and must not be."""
        with self._lock:
            while self._returned:
                self._used -= self._returned.popleft()
            if self._used + size > self._most and not always:
                return False
            self._used += size
            return True

    def free(self, size: int) -> None:
        """Take them back. Takes no lock, like `Disk.free`."""
        self._returned.append(size)


class Scribe:
    """Writes what tapes put away, in a thread that is there while there is work to come."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._work = queue.Queue[_Work | None](WAITING)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def tape(
        self, rate: int, channels: int, patient: bool = False, share: Share | None = None
    ) -> TapeFile:
        """A file for one take. Raises ClipError when the app is shutting down.

        share: what its session may have, beside the quota of all. patient: where the disk is
        behind, its writer waits for it; live sound cannot.
        """
        return TapeFile(self._disk, self, rate, channels, patient, share)

    def write(self, file: TapeFile, samples: Int16) -> bool:
        """Take a part; False if too much waits, and once the app has ended."""
        with self._lock:  # around both: what comes behind the last word would wait for ever
            if self._closed:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tapes", daemon=True)
                self._thread.start()
            try:
                self._work.put_nowait((file, samples))
            except queue.Full:
                return False
        return True

    def close(self) -> None:
        """What waits is still written; then the thread ends."""
        with self._lock:
            self._closed = True
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
        self.rate, self.channels = rate, channels
        self.path = disk.new_file()
        self.digest = content_hash(rate, channels, np.dtype(np.int16))
        self.peak = 0
        self._disk, self._scribe = disk, scribe
        self._patient = patient
        self._share = share or Share(disk.limits.quota)
        self._waiting = 0
        self._unwritten = deque[Int16]()  # in order; those that may still be read from here
        self._idle = threading.Condition()
        self._error: ClipError | None = None
        self._frames = 0
        self._bytes = [0]
        weakref.finalize(self, _discard, self.path, disk, self._share, self._bytes)

    def write(self, samples: Int16) -> bool:
        """Of `Spill`: what is on the loop's way."""
        if self._error:
            return False
        if not self._share.take(samples.nbytes):
            return False
        try:
            self._disk.reserve(samples.nbytes, "a recording")
        except ClipError:  # the quota: what is there stays
            self._share.free(samples.nbytes)
            return False
        self._bytes[0] += samples.nbytes
        with self._idle:
            self._waiting += 1
            self._unwritten.append(samples)
        if self._scribe.write(self, samples):
            return True
        if self._patient:
            with self._idle:
                self._idle.wait_for(lambda: self._waiting == 1)  # all but this one
            self.store(samples)
            return self._error is None
        with self._idle:
            self._waiting -= 1
            self._unwritten.pop()
        return False

    def read(self, start: int, end: int) -> Int16:
        """Of `Spill`."""
        with self._idle:  # as it is written part by part, what is not in the file is here
            stored = self._frames
            parts = list(self._unwritten)
        found = list[Int16]()
        if start < stored:
            here = min(end, stored) - start
            step = 2 * self.channels
            data = np.fromfile(self.path, "<i2", here * self.channels, offset=start * step)
            found.append(data.astype(np.int16, copy=False).reshape(-1, self.channels))
        at = stored
        for part in parts:
            found.append(part[max(start - at, 0) : max(end - at, 0)])
            at += len(part)
        return found[0] if len(found) == 1 else np.concatenate(found)

    def store(self, samples: Int16) -> None:
        """The writing thread's part."""
        try:
            if self._error is None:
                with self.path.open("ab") as out:
                    out.write(samples.astype("<i2", copy=False).data)
                update_hash(self.digest, samples if self.channels > 1 else samples[:, 0])
                self.peak = max(self.peak, peak16(samples))
                with self._idle:
                    self._frames += len(samples)
                    if self._unwritten:
                        self._unwritten.popleft()
        except OSError as error:
            self._error = disk_error(error, "a recording")
        finally:
            with self._idle:
                self._waiting -= 1
                self._idle.notify_all()

    def clip(self, rest: Int16, name: str) -> Clip:
        """Of `Spill`. Raises ClipError if the disk refused a part."""
        with self._idle:
            self._idle.wait_for(lambda: not self._waiting)
        if len(rest):
            self._disk.reserve(rest.nbytes, name)
            self._share.take(rest.nbytes, always=True)  # less than two seconds
            self._bytes[0] += rest.nbytes
            self._waiting += 1
            self._unwritten.append(rest)
            self.store(rest)
        if self._error:
            raise self._error
        return TapeClip(self, self._frames, name)


class TapeClip(Clip):
    """A take whose 16-bit samples stay on disk until they are read."""

    def __init__(self, file: TapeFile, frames: int, name: str) -> None:
        super().__init__(file.rate, frames, file.channels, name=name, format="pcm")
        self._file = file
        self._id = file.digest.hexdigest()
        self._peak = file.peak / 32768

    def read(self, start: int, end: int) -> Samples:
        count = max(0, end - start)
        step = 2 * self.channels
        found = np.fromfile(self._file.path, "<i2", count * self.channels, offset=start * step)
        samples = found.astype(np.int16, copy=False)
        return samples if self.channels == 1 else samples.reshape(-1, self.channels)


def _discard(path: Path, disk: Disk, share: Share, size: list[int]) -> None:
    # Garbage is collected anywhere, with any lock held: nothing here may wait for one.
    remove(path, size=size[0])
    disk.free(size[0])
    share.free(size[0])
