"""Opens sound files by their content, and keeps them as clips that read from disk.

A file is decoded once, block by block, when it comes in: that proves that it is sound to the end,
and gives its true length, its content id, its waveform and what had to be cut, in one pass. After
that a `FileClip` reads frames from disk when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ...flow.audio import BLOCK, Clip, ClipError
from ...flow.samples import Samples, over_full_scale, to_int16
from .facts import Facts, Gathering
from .foreign import DEMUXERS, copy_foreign
from .glimpse import Glimpse
from .headers import check_promises, sniff, uncounted
from .limits import Limits, bytes_text, seconds_text
from .refusals import damaged, empty, not_sound, silent, truncated
from .soundfiles import SoundFile, Unreadable, reading, reason

# What libsndfile may open for us; it knows more, old and unguarded ones.
_FORMATS = {
    "WAV": "wav",
    "WAVEX": "wav",
    "RF64": "wav",
    "W64": "w64",
    "FLAC": "flac",
    "OGG": "ogg",
    "MP3": "mp3",
    "MPEG": "mp3",
    "AIFF": "aiff",
    "AU": "au",
    "CAF": "caf",
}
_DEEP = {"PCM_24", "PCM_32", "ALAC_20", "ALAC_24", "ALAC_32"}
_EXACT_FLOAT = {"FLOAT", "DOUBLE"}
# Decoded as float, but 16 bit is all they are worth. Never let libsndfile make int16 of them: it
# wraps where a loud passage goes beyond full scale.
_LOSSY = {"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}
# libsndfile 1.2.2 may miss the frame it was asked for: in mp3 anywhere, in Vorbis on the last
# pages. Decoding from the beginning is exact, and an hour of mp3 takes 4 s.
_INEXACT = _LOSSY - {"OPUS"}
_LONG = 1 << 20  # frames from which on a second thread is worth it


class FileClip(Clip):
    """A clip whose samples stay on disk until they are read.

    `path` is what libsndfile reads: the file itself, or a 16-bit copy of one that it cannot.
    `key` names the stored file for the store, `size` is its length in bytes.
    """

    def __init__(
        self, path: Path, facts: Facts, *, name: str, key: str, size: int, memory: int
    ) -> None:
        super().__init__(
            facts.rate,
            facts.frames,
            facts.channels,
            name=name,
            format=facts.format,
            clipped=facts.clipped,
        )
        self.facts = facts
        self.key = key
        self.size = size
        self._path = path
        self._memory = memory
        self._id = facts.id
        self._peak = facts.peak

    def read(self, start: int, end: int) -> Samples:
        size = (end - start) * self.channels * _width(self.facts.subtype)
        if size > self._memory:
            raise ClipError(
                f"{self.name!r} is {seconds_text(self.duration)} long and needs "
                f"{bytes_text(size)} as one array (bound: {bytes_text(self._memory)}); take it "
                "with type='filepath' and read it in blocks"
            )
        with self._open() as file:
            if self.facts.subtype in _INEXACT:
                _skip(file, start)
            else:
                file.seek(start)
            if self.facts.subtype not in _LOSSY:
                samples = _read(file, end - start)
            else:
                # By blocks: in one piece the float samples would be twice the array, and three
                # times the decoder's own time.
                samples = _filled(file, end - start, self.channels)
        if samples.shape[0] != end - start:
            raise self._changed()
        return samples

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        left = self.frames
        with self._open() as file:
            while left:
                block = _read(file, min(size, left))
                if not block.shape[0]:
                    raise self._changed()
                left -= block.shape[0]
                yield block

    @contextmanager
    def _open(self) -> Generator[SoundFile, None, None]:
        if not self._path.exists():
            raise ClipError(f"the file of {self.name!r} is gone; record or upload it again")
        try:
            with reading(self._path) as file:
                yield file
        except Unreadable as error:
            raise ClipError(f"the file of {self.name!r} can no longer be read: {error}") from error

    @property
    def exact(self) -> bool:
        """Whether `near` begins at the very frame."""
        return self.facts.subtype not in _INEXACT

    def near(self, start: int, end: int, *, lead: int = 0) -> Iterator[Samples]:
        """Blocks of frames start..end by one seek, at once even in the third hour of an mp3.

        Where the clip is not `exact` they may be other frames nearby, or too few: to be proved
        before they are believed. `lead`: frames before the start to begin decoding at.
        """
        with self._open() as file:
            file.seek(max(0, start - lead))
            _skip(file, min(lead, start))
            for at in range(start, end, BLOCK):
                block = _read(file, min(BLOCK, end - at))
                if block.shape[0] < min(BLOCK, end - at) and self.exact:
                    raise self._changed()
                yield block

    def _changed(self) -> ClipError:
        return ClipError(f"the file of {self.name!r} changed while it was read; upload it again")


def scan(
    path: Path,
    copy: Path,
    *,
    name: str,
    limits: Limits,
    ahead: Facts | None = None,
    glimpse: Glimpse | None = None,
) -> tuple[Facts, bool]:
    """Prove that `path` holds sound, to the end; `ahead` is what decoding it found already.

    `glimpse` shows how far it is.

    Returns the facts, and whether a 16-bit copy had to be written to `copy` because libsndfile
    cannot read the file. Raises ClipError, and leaves no copy then. `path` has no suffix.
    """
    if not path.stat().st_size:
        raise empty(name)
    container = sniff(path)
    check_promises(path, container, name)
    if ahead is not None:
        return ahead, False
    try:
        with reading(path) as file:
            return scan_sound(file, name, limits, glimpse), False
    except Unreadable as error:
        if container not in DEMUXERS:
            raise not_sound(name, container, error) from error
        refused = error
    try:
        facts = copy_foreign(
            path, copy, container, name=name, limits=limits, reason=refused, glimpse=glimpse
        )
        if facts is None:
            with reading(copy) as file:
                facts = _scan(file, container, name, limits, glimpse)
        return facts, True
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def scan_sound(file: SoundFile, name: str, limits: Limits, glimpse: Glimpse | None = None) -> Facts:
    """Decode an open file to its end. Raises ClipError, and Unreadable for a format not taken."""
    format = _FORMATS.get(file.format)
    if format is None:
        raise Unreadable(f"{file.format} is not taken")
    return _scan(file, format, name, limits, glimpse)


def _scan(
    file: SoundFile, format: str, name: str, limits: Limits, glimpse: Glimpse | None
) -> Facts:
    rate, promised = file.samplerate, file.frames
    if promised == 0:
        raise silent(name)
    found = Gathering(rate, file.channels, promised, name=name, limits=limits, glimpse=glimpse)
    try:
        blocks = _native_blocks(file)
        for block, cut in _beside(blocks) if promised > _LONG else blocks:
            found.feed(block, cut)
    except Unreadable as error:
        raise damaged(name, found.frames, rate, error) from error
    # The length of an mp3 counts the encoder's padding in some files, and not in others.
    slack = max(4608, promised // 100) if format == "mp3" else 0
    counted = _uncounted(file) if format == "mp3" else None
    if counted is not None:
        if found.frames < counted - slack:
            raise Unreadable("the file does not say how long it is, and is longer than it seems")
        promised = 0
    if found.frames < promised - slack or not found.frames:
        raise truncated(name, f"{promised} frames", f"{found.frames}")
    return found.facts(format, file.subtype)


def _uncounted(file: SoundFile) -> int | None:
    """Of an open mp3: see `headers.uncounted`."""
    source = file.name
    if not isinstance(source, str):
        return uncounted(source)
    with open(source, "rb") as head:
        return uncounted(head)


def _native_blocks(file: SoundFile) -> Iterator[tuple[Samples, int]]:
    """Blocks and how many samples of each were cut. Raises Unreadable for damage inside."""
    import soundfile

    while True:
        try:
            raw = file.read(BLOCK, dtype=_dtype(file.subtype))
        except soundfile.SoundFileError as error:
            raise Unreadable(reason(error)) from error
        if not raw.shape[0]:
            return
        yield (to_int16(raw) if file.subtype in _LOSSY else raw), over_full_scale(raw)


def _beside(blocks: Iterator[tuple[Samples, int]]) -> Iterator[tuple[Samples, int]]:
    """The same, but the next one is decoded in a thread while this one is looked at.

    Decoder, hash and numpy let go of the interpreter, so an hour takes a third less.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ossicle-decode") as decoder:
        due = decoder.submit(next, blocks, None)
        while (block := due.result()) is not None:
            due = decoder.submit(next, blocks, None)
            yield block


def _read(file: SoundFile, frames: int) -> Samples:
    raw = file.read(frames, dtype=_dtype(file.subtype))
    return to_int16(raw) if file.subtype in _LOSSY else raw


def _filled(file: SoundFile, frames: int, channels: int) -> Samples:
    """The next frames, or those that there are, at 16 bit."""
    samples = np.empty((frames, channels) if channels > 1 else frames, np.int16)
    at = 0
    while at < frames and (block := _read(file, min(BLOCK, frames - at))).shape[0]:
        samples[at : at + block.shape[0]] = block
        at += block.shape[0]
    return samples[:at]


def _skip(file: SoundFile, frames: int) -> None:
    while frames > 0:
        skipped = file.read(min(BLOCK, frames), dtype="float32").shape[0]
        if not skipped:
            return
        frames -= skipped


def _dtype(subtype: str) -> str:
    if subtype in _DEEP:
        return "int32"
    return "float32" if subtype in _EXACT_FLOAT | _LOSSY else "int16"


def _width(subtype: str) -> int:
    """Bytes of a sample in the array that functions get."""
    return 2 if subtype in _LOSSY else np.dtype(_dtype(subtype)).itemsize
