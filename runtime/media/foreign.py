"""Sound that libsndfile cannot read becomes a 16-bit copy: by PyAV, else by an ffmpeg program.

A copy, because then seeking is exact and cheap, and every other part knows one way to read.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...flow.bounds import BLOCK, ClipError
from ...flow.samples import over_full_scale, to_int16
from .codecs import foreign, native
from .facts import Facts, Gathering
from .glimpse import Glimpse
from .headers import sniff
from .limits import Limits
from .refusals import damaged, disk_error, missing_codec, not_sound, silent
from .soundfiles import SoundFile, Unreadable, writing

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# FFmpeg's names. Always given, never guessed: its guess includes playlists that open other files.
DEMUXERS = {
    "m4a": "mp4",
    "webm": "matroska",
    "mkv": "matroska",
    "aac": "aac",
    "wma": "asf",
    "amr": "amr",
    "caf": "caf",
    "wav": "wav",
    "flac": "flac",
    "ogg": "ogg",
    "mp3": "mp3",
    "aiff": "aiff",
}


def copy_foreign(
    path: Path,
    copy: Path,
    container: str,
    *,
    name: str,
    limits: Limits,
    reason: Unreadable,
    glimpse: Glimpse | None = None,
) -> Facts | None:
    """Decode `path` into the 16-bit file `copy`. Raises ClipError; `copy` may be left then.

    What was found out on the way; None where another program wrote the copy, which is still to be
    looked through.
    """
    if importlib.util.find_spec("av") is not None:
        with ExitStack() as files:
            writer = _Writer(copy, name, limits, files, glimpse)
            try:
                with files:
                    _copy_with_av(path, container, name, writer)
            except OSError as error:
                raise disk_error(error, name) from error
        if writer.found is None:
            raise silent(name)
        return writer.found.facts(container, "PCM_16")
    if ffmpeg := shutil.which("ffmpeg"):
        # A second more than is taken: the check of the copy then sees that it is too long.
        _copy_with_ffmpeg(ffmpeg, path, copy, container, name, limits.seconds + 1, glimpse)
        return None
    if _native(path, container):
        raise not_sound(name, container, reason)
    raise missing_codec(name, container)


def check_decoder(path: Path, name: str) -> None:
    """Raise ClipError for a kind that nothing here decodes; the first bytes are enough to tell."""
    container = sniff(path)
    if container in DEMUXERS and not foreign() and not _native(path, container):
        raise missing_codec(name, container)


def _native(path: Path, container: str) -> bool:
    """Whether libsndfile, as it was built here, knows what is inside."""
    if container == "ogg":
        with path.open("rb") as file:
            container = "opus" if b"OpusHead" in file.read(64) else "ogg"
    return container == "caf" or container in native()


class _Writer:
    """The copy, opened when the first block tells rate and channels, and looked through at once."""

    def __init__(
        self, path: Path, name: str, limits: Limits, files: ExitStack, glimpse: Glimpse | None
    ) -> None:
        self.found: Gathering | None = None
        self.rate = 0
        self._path = path
        self._name = name
        self._limits = limits
        self._glimpse = glimpse
        self._file: SoundFile | None = None
        self._files = files
        self._channels = 0
        self._due: list[NDArray[Any]] = []
        self._due_frames = 0

    @property
    def frames(self) -> int:
        """So many came."""
        return self._due_frames + (self.found.frames if self.found else 0)

    def write(self, block: NDArray[Any], rate: int) -> None:
        """One more frame of the codec: some hundred samples."""
        channels = block.shape[1]
        if self.found is None:
            self.rate, self._channels = rate, channels
            self.found = Gathering(
                rate, channels, 0, name=self._name, limits=self._limits, glimpse=self._glimpse
            )
            # RF64: WAV without the 4 GB end, which 12 hours of stereo pass.
            self._file = self._files.enter_context(
                writing(self._path, rate, channels, "RF64", "PCM_16")
            )
        elif (rate, channels) != (self.rate, self._channels):
            raise ClipError(
                f"{self._name!r} changes from {self._channels} channels at {self.rate} Hz to "
                f"{channels} at {rate} Hz in the middle; convert it to one of them first"
            )
        self._due.append(block)
        self._due_frames += block.shape[0]

    @property
    def due(self) -> bool:
        """Whether enough came to be written: small pieces would take as long as decoding them."""
        return self._due_frames >= BLOCK

    def flush(self, part: float) -> None:
        """Write what came; `part` of the file was read for all that came so far."""
        if self._file is None or self.found is None or not self._due:
            return
        raw = np.concatenate(self._due)
        samples = to_int16(raw)
        self._file.write(samples)
        self._due, self._due_frames = [], 0
        self.found.feed(samples, over_full_scale(raw))
        self.found.promise(int(self.found.frames / max(part, 1e-6)))


def _copy_with_av(path: Path, container: str, name: str, writer: _Writer) -> None:
    import av
    from av.error import FFmpegError

    try:
        size = path.stat().st_size
        # A file object, not a path: a demuxer that wants to open a second file finds none.
        with path.open("rb") as raw, av.open(raw, "r", format=DEMUXERS[container]) as media:
            if not media.streams.audio:
                raise ClipError(f"{name!r} is {container} without sound; send a file with a track")
            for frame in media.decode(media.streams.audio[0]):
                writer.write(_interleaved(frame), frame.sample_rate)
                if writer.due:
                    # By bytes: what a head says of its length may be missing, or wrong.
                    writer.flush(raw.tell() / size)
            writer.flush(1)
    except FFmpegError as error:
        text = error.strerror or "unknown reason"
        if writer.frames:
            raise damaged(name, writer.frames, writer.rate, text) from error
        raise not_sound(name, container, text) from error


def _interleaved(frame: AudioFrame) -> NDArray[Any]:
    """(frames, channels) from FFmpeg's planar or packed array."""
    array: NDArray[Any] = frame.to_ndarray()
    channels = frame.layout.nb_channels
    return array.T if frame.format.is_planar else array.reshape(-1, channels)


def _copy_with_ffmpeg(
    program: str,
    path: Path,
    copy: Path,
    container: str,
    name: str,
    most: float,
    glimpse: Glimpse | None,
) -> None:
    """Run ffmpeg itself, not through pydub: that holds the whole sound in memory, and can bound its
    length only by also cutting it to whole milliseconds.
    """
    command = [program, "-nostdin", "-v", "error", "-protocol_whitelist", "file"]
    command += ["-f", DEMUXERS[container], "-i", str(path), "-map", "0:a:0", "-t", f"{most:.3f}"]
    command += ["-c:a", "pcm_s16le", "-rf64", "auto", "-f", "wav", "-y", str(copy)]
    quiet = subprocess.DEVNULL  # what it says has the path in it, and is a log, not a reason
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as running:
        try:
            while (code := _ended(running)) is None:
                if glimpse is not None:
                    glimpse.check(name)
        except BaseException:
            running.kill()
            raise
    if code or not copy.exists():
        raise not_sound(name, container, "ffmpeg cannot decode it")


def _ended(running: subprocess.Popen[bytes]) -> int | None:
    """Its code, or None when it has not ended for as long as nobody minds to wait for a stop."""
    try:
        return running.wait(0.1)
    except subprocess.TimeoutExpired:
        return None
