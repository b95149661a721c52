"""The machine's own microphone and speaker, through PortAudio (`sounddevice`, an extra).

PortAudio calls from a thread of its own that must never wait: the microphone hands blocks to the
loop, the speaker takes from a ring. Both are bounded, and count what they lose.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ..flow.blocks import DISCONTINUITY, END, FLUSH, START, Block, BlockError, Samples, all_finite
from ..flow.durations import Length, Time, frames_of, seconds_of
from ..flow.errors import WorldError
from ..flow.operators.needs import missing
from ..flow.units import Frames


class Stream(Protocol):
    """What is used of `sounddevice.InputStream` and `OutputStream`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Sounds(Protocol):
    """What is used of the module `sounddevice`."""

    def InputStream(self, **settings: Any) -> Stream: ...
    def OutputStream(self, **settings: Any) -> Stream: ...


def _sounddevice() -> Sounds:
    try:
        import sounddevice  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise missing("the sound card", "sounddevice", "local") from error
    except OSError as error:  # the Python part is there, the library that it calls is not
        raise SoundCardError(
            "the sound card needs the PortAudio library, which is not here: apt install"
            " libportaudio2 (Debian, Ubuntu) or brew install portaudio (macOS)"
        ) from error
    return cast(Sounds, sounddevice)


class SoundCardError(WorldError):
    """The machine's sound card cannot be used; the text says why, and the way out."""


def _opened(
    what: str, make: Callable[..., Stream], device: int | str | None, **settings: Any
) -> Stream:
    """A stream of the card that runs. Raises SoundCardError with what PortAudio says."""
    stream = None
    try:
        stream = make(device=device, dtype="float32", latency="low", **settings)
        stream.start()
    except Exception as error:  # PortAudio's own kind, and ValueError for names it does not know
        if stream is not None:
            stream.close()
        wanted = "none was named" if device is None else f"device={device!r}"
        raise SoundCardError(
            f"the {what} could not be opened ({wanted}, {settings['samplerate']} Hz,"
            f" {settings['channels']} channels): {error}; `python -m sounddevice` lists what there"
            " is, device=... chooses, and files need no card (sound.render, `ossicle render`)"
        ) from error
    return stream


def microphone(
    *,
    rate: int = 48_000,
    channels: int = 1,
    block: Length = "20 ms",
    device: int | str | None = None,
    waiting: int = 50,
    sounds: Sounds | None = None,
) -> Observable[Block]:
    """The sound card's input, on the running loop; it opens with the subscription.

    Blocks that the loop is too slow for are dropped when `waiting` of them wait, what PortAudio
    itself lost is not known: both mark the next block DISCONTINUITY. It never completes.
    Needs the extra `local`; a card that cannot be used fails the stream with SoundCardError.
    sounds: another library in sounddevice's place, for tests.
    """
    size = frames_of(block, rate)

    def subscribe(
        observer: abc.ObserverBase[Block], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        loop = asyncio.get_running_loop()
        capture = _Capture(rate, waiting, loop, observer)
        stream = _opened(
            "microphone",
            (sounds or _sounddevice()).InputStream,
            device,
            samplerate=rate,
            blocksize=size,
            channels=channels,
            callback=capture.heard,
        )

        def close() -> None:
            capture.closed = True
            stream.stop()
            stream.close()

        return Disposable(close)

    return Observable(subscribe)


class _Capture:
    def __init__(
        self,
        rate: int,
        waiting: int,
        loop: asyncio.AbstractEventLoop,
        observer: abc.ObserverBase[Block],
    ) -> None:
        self.closed = False
        self._rate, self._waiting, self._loop, self._observer = rate, waiting, loop, observer
        self._index = 0
        self._flags = START
        self._sent = self._taken = 0  # each counted by one thread only

    def heard(self, samples: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
        """In PortAudio's thread."""
        if status:
            self._flags |= DISCONTINUITY
        index = self._index
        self._index += frames
        if self._sent - self._taken >= self._waiting:
            self._flags |= DISCONTINUITY
            return
        block = Block(samples.copy(), self._rate, index, self._flags)
        self._flags = 0
        self._sent += 1
        try:
            self._loop.call_soon_threadsafe(self._give, block)
        except RuntimeError:  # the loop has closed while the card was still open
            self.closed = True

    def _give(self, block: Block) -> None:
        self._taken += 1
        if not self.closed:
            self._observer.on_next(block)


class Speaker:
    """The sound card's output: `blocks.subscribe(speaker.play)`, within `with speaker:`.

    It waits for `target` of sound, then plays. More than `most` is never held: the oldest goes
    (`skipped` frames). Where nothing is there it plays silence (`underruns`) and waits anew.
    FLUSH empties it at once. `played` is the index after the last frame that went out.
    """

    def __init__(
        self,
        *,
        rate: int = 48_000,
        channels: int = 1,
        target: Time = "40 ms",
        most: Time = "200 ms",
        device: int | str | None = None,
        sounds: Sounds | None = None,
    ) -> None:
        self.rate, self.channels = rate, channels
        self.underruns = self.skipped = self.played = 0
        self._target = round(seconds_of(target) * rate)
        self._most = max(self._target, round(seconds_of(most) * rate))
        self._device, self._sounds = device, sounds
        self._stream: Stream | None = None
        self._lock = Lock()  # held for some microseconds: two threads move the same deque
        self._parts = deque[tuple[Frames, Samples]]()
        self._fill: Frames = 0
        self._playing = False
        self._ending = False
        self._epoch = 0

    def __enter__(self) -> Speaker:
        self._stream = _opened(
            "speaker",
            (self._sounds or _sounddevice()).OutputStream,
            self._device,
            samplerate=self.rate,
            channels=self.channels,
            callback=self._wanted,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream.close()
            self._stream = None

    @property
    def fill(self) -> Frames:
        """Frames that wait to be played."""
        return self._fill

    def play(self, block: Block) -> None:
        """Take a block. Raises BlockError for another rate or channel count, NaN and infinity."""
        if (block.rate, block.channels) != (self.rate, self.channels) and block.frames:
            raise BlockError(
                f"the speaker plays {self.channels} channels at {self.rate} Hz, and {block!r} "
                "came; put resample() or mono() before it"
            )
        if not all_finite(block.samples):
            raise BlockError(
                f"NaN or infinity came in {block!r}, which a speaker makes a bang of; look which "
                "operator makes it"
            )
        if block.epoch < self._epoch:
            return
        with self._lock:
            if block.flags & FLUSH or block.epoch > self._epoch:
                self._parts.clear()
                self._fill, self._playing, self._epoch = 0, False, block.epoch
            if block.frames:
                self._parts.append((block.index, block.samples))
                self._fill += block.frames
            self._ending = bool(block.flags & END)
            if self._fill > self._most:
                self.skipped += self._take(self._fill - self._target, None)

    def _wanted(self, out: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
        """In PortAudio's thread."""
        with self._lock:
            if not self._playing:
                # The last frames of a take never fill the target.
                self._playing = self._fill >= self._target or (self._ending and self._fill > 0)
            given = self._take(frames, out) if self._playing else 0
            out[given:] = 0
            if self._playing and given < frames:
                self._playing = False
                self.underruns += not self._ending

    def _take(self, frames: Frames, out: NDArray[np.float32] | None) -> Frames:
        given = 0
        while given < frames and self._parts:
            index, samples = self._parts.popleft()
            here = min(len(samples), frames - given)
            if out is not None:
                out[given : given + here] = samples[:here]
                self.played = index + here
            if here < len(samples):
                self._parts.appendleft((index + here, samples[here:]))
            given += here
        self._fill -= given
        return given
