"""Sound files as streams of blocks, and streams as files: block by block, whatever the length."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast, get_args

import numpy as np
from reactivex import Observable, abc

from ...flow.audio import BLOCK, ClipError
from ...flow.blocks import Block, BlockError, Samples
from ...flow.durations import Length
from ...flow.generators.clip import size_of
from ...flow.generators.source import source
from ...flow.operators.operator import Operator, check
from ...flow.samples import to_int16
from ...flow.units import Frames
from .refusals import disk_error
from .soundfiles import SoundFile, writing

RUN_UP: Frames = 16_384
"""Frames read and thrown away before `start`: several times what was seen to be wrong."""

Depth = Literal["16", "24", "float"]

_KINDS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}
_LOSSY = {"ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
_DEPTHS = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


def read_blocks(
    path: str | Path, block: Length | None = None, *, start: Frames = 0, loops: int | None = 1
) -> Observable[Block]:
    """A sound file as a stream, from frame `start`, `loops` times, for ever with None.

    block: see `clip_blocks`. wav, flac, ogg, opus, mp3 and what else libsndfile reads; opened
    at each subscription. Blocks come when the clock says (see `flow.generators.source`). Each
    time round begins a block of its own; `index` goes on counting. Raises ClipError for what
    cannot be read.
    """
    check(start >= 0, f"start {start} lies before the file")
    check(loops is None or loops >= 1, "a file is played once or more; loops=None never ends")

    def blocks() -> Iterator[Block]:
        import soundfile

        index = start
        played = 0
        try:
            # An open file, not a path: from some suffixes soundfile would guess a headerless one.
            with Path(path).open("rb") as raw, _sequential(raw) as file:
                if start >= file.frames:
                    raise ClipError(f"start {start} lies behind the end of {file.frames} frames")
                size = size_of(block, file.samplerate)
                # Right after a seek an mp3 decoder gives other samples: it needs what came before.
                file.seek(max(0, start - RUN_UP))
                _read(file, min(start, RUN_UP))
                while loops is None or played < loops:
                    while len(samples := _read(file, size)):
                        yield Block(samples, file.samplerate, index)
                        index += len(samples)
                    file.seek(0)
                    played += 1
        except (OSError, soundfile.SoundFileError) as error:
            raise ClipError(f"cannot read {Path(path).name!r}: {_reason(error)}") from error

    return source(blocks)


@contextmanager
def _sequential(raw: IO[bytes]) -> Generator[SoundFile, None, None]:
    """A sound file that is read on and on.

    soundfile seeks to where it is after every read. In an mp3 that starts the decoder anew: the
    first 3,000 frames of each block would be wrong (soundfile 0.14, libsndfile 1.2.2).
    """
    import soundfile

    class Sequential(cast(Any, soundfile).SoundFile):
        def seekable(self) -> bool:
            return False

    with cast(Any, Sequential)(raw) as file:
        yield cast(SoundFile, file)


def _read(file: SoundFile, frames: Frames) -> Samples:
    data = file.read(frames, dtype="float32")
    return data[:, None] if data.ndim == 1 else data


def _reason(error: Exception) -> str:
    # Both keep their reason in an attribute, and a path in their text.
    reason = getattr(error, "strerror", None) or getattr(error, "error_string", None)
    return str(reason or "unknown reason").strip().rstrip(".")


def write_blocks(
    path: str | Path, format: str | None = None, depth: Depth = "16"
) -> Operator[Block, Path]:
    """Write a stream to a file as it comes; gives the path when the stream completes.

    format: wav, flac, ogg or mp3; the suffix says it where it is left out. depth: "16" (rounded,
    cut at full scale), "24", or "float" (wav only, as it is); the lossy ones have none. Takes
    follow one another; put `align()` before it to turn gaps into silence. Where the stream fails
    or is given up, no file is left. Raises BlockError if rate or channels change, ClipError for
    what a format cannot hold.
    """
    target = Path(path)
    kind = format or target.suffix.removeprefix(".").lower()
    check(kind in _KINDS, f"cannot write format {kind!r}; choose one of {', '.join(_KINDS)}")
    check(depth in get_args(Depth), f"depth={depth!r}; choose '16', '24' or 'float'")
    check(depth != "float" or kind == "wav", f"{kind} holds no float samples; choose wav")

    def attach(source: Observable[Block]) -> Observable[Path]:
        def subscribe(
            observer: abc.ObserverBase[Path], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            from reactivex.disposable import CompositeDisposable, Disposable

            writer = _Writer(target, kind, depth, observer)
            running = source.subscribe(
                writer.on_next, writer.on_error, writer.on_completed, scheduler=scheduler
            )
            return CompositeDisposable(running, Disposable(writer.give_up))

        return Observable(subscribe)

    return Operator("write_blocks", attach)


class _Writer:
    def __init__(
        self, path: Path, kind: str, depth: Depth, observer: abc.ObserverBase[Path]
    ) -> None:
        self._path, self._kind, self._depth, self._observer = path, kind, depth, observer
        self._files = ExitStack()
        self._file: SoundFile | None = None
        self._form = (0, 0)
        self._done = False

    def on_next(self, block: Block) -> None:
        try:
            self._write(block)
        except OSError as error:
            self.on_error(disk_error(error, self._path.name))
        except Exception as error:
            self.on_error(error)

    def _write(self, block: Block) -> None:
        form = (block.rate, block.channels)
        if self._file is None:
            subtype = _LOSSY.get(self._kind, _DEPTHS[self._depth])
            self._file = self._files.enter_context(
                writing(self._path, *form, _KINDS[self._kind], subtype)
            )
            self._form = form
        elif form != self._form and block.frames:
            raise BlockError(
                f"{self._path.name}: the file has {self._form[1]} channels at {self._form[0]} Hz, "
                f"now {block!r} came; put resample() or mono() before it"
            )
        # One huge write of ogg crashes the process (libsndfile #1095).
        for start in range(0, block.frames, BLOCK):
            self._file.write(self._prepared(block.samples[start : start + BLOCK]))

    def _prepared(self, samples: Samples) -> np.ndarray[Any, Any]:
        if self._kind in _LOSSY or self._depth == "24":
            return np.clip(samples, -1.0, 1.0)  # the lossy encoders overflow beyond full scale
        return samples if self._depth == "float" else to_int16(samples)

    def on_error(self, error: Exception) -> None:
        self.give_up()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        if self._file is None:
            self.on_error(BlockError(f"{self._path.name}: no sound came, so no file was written"))
            return
        try:
            self._files.close()
        except OSError as error:
            self.on_error(disk_error(error, self._path.name))
            return
        except Exception as error:
            self.on_error(error)
            return
        self._done = True
        self._observer.on_next(self._path)
        self._observer.on_completed()

    def give_up(self) -> None:
        """Leave no half a file behind."""
        if self._done:
            return
        self._done = True
        if self._file is not None:
            try:
                self._files.close()
            finally:
                self._path.unlink(missing_ok=True)
