"""The live sound of one session: recordings that come in, generated sound that goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...flow.audio import Clip
from ...flow.blocks import Block, int16
from ...flow.errors import InputError
from ...flow.patches import Sound
from ...flow.units import Seconds
from .frame import Flag, FrameError, unpack
from .incoming import Incoming
from .outgoing import Outgoing

Message = dict[str, Any]


class Live:
    """Frames in, frames out, for all nodes of one session."""

    def __init__(self) -> None:
        self.incoming = dict[int, Incoming]()
        self.outgoing = dict[int, Outgoing]()

    # -- in --------------------------------------------------------------------------------------

    def begin(self, node: int) -> None:
        """A recording starts; what an older one left behind is void."""
        self.incoming.pop(node, None)

    def frame(self, data: bytes, takes: Callable[[int], bool]) -> tuple[int, Block] | None:
        """The node and the new sound of one frame; None if it brought nothing new.

        `takes` tells whether a node takes live sound. Raises FrameError saying what is wrong.
        """
        frame = unpack(data)
        if not takes(frame.node):
            raise FrameError(f"component {frame.node} takes no live sound.")
        stream = self.incoming.get(frame.node)
        if stream is None or Flag.START in frame.flags:
            stream = Incoming(frame.rate, frame.samples.shape[1])
            self.incoming[frame.node] = stream
        got = stream.push(frame)
        if got is None:
            return None
        new, _ = got
        return new.node, Block.of(new.rate, new.samples, new.index, int(new.flags))

    def take(self, node: int) -> Callable[[], Clip]:
        """How to make the clip of a recording that has stopped; call it in a thread.

        Raises InputError if nothing was recorded.
        """
        stream = self.incoming.pop(node, None)
        if stream is None or not stream.counters.received:
            raise InputError("nothing was recorded; look whether the microphone is muted.")

        def make() -> Clip:
            samples = stream.take()
            clip = Clip.of(stream.rate, samples if stream.channels > 1 else samples[:, 0])
            _ = clip.id, clip.peak  # worked out here, in the thread
            return clip

        return make

    # -- out -------------------------------------------------------------------------------------

    def sound(self, patch: Sound) -> Message | None:
        """Take one piece, or the end, of a stream; what the front end is told beside the frames."""
        stream = self.outgoing.get(patch.node)
        told: Message = {"kind": "stream", "node": patch.node, "epoch": patch.epoch}
        if patch.stage == "more":
            piece = patch.piece
            assert isinstance(piece, Clip | Block)
            samples = int16(piece.samples) if isinstance(piece, Block) else piece.int16()
            samples = samples.reshape(-1, piece.channels)
            if stream is None or stream.epoch != patch.epoch:
                rate, channels = piece.rate, piece.channels
                stream = Outgoing(patch.node, patch.epoch, rate, channels, patch.live)
                self.outgoing[patch.node] = stream
                told |= {"state": "start", "rate": rate, "channels": channels, "live": patch.live}
                stream.push(samples, self._captured(patch.origin))
                return told
            stream.push(samples, self._captured(patch.origin))
            return None
        if stream is None or stream.epoch != patch.epoch:
            return None
        if patch.stage == "flush":
            stream.flush()
        else:
            stream.end()
        return told | {"state": patch.stage, "frames": stream.total}

    def _captured(self, origin: tuple[int, Seconds] | None) -> float | None:
        stream = self.incoming.get(origin[0]) if origin else None
        return stream.captured(origin[1]) if stream and origin else None

    def pump(self, send: Callable[[bytes], None]) -> None:
        """Send what may be sent now."""
        for stream in self.outgoing.values():
            for data in stream.due():
                send(data)

    def resume(self) -> None:
        """The front end is back: what it has not heard is sent again."""
        for stream in self.outgoing.values():
            stream.rewind()

    def played(self, message: Mapping[str, Any]) -> tuple[int, Message] | None:
        """How far the listener is. The node and what its `playback_finished` carries, at the end.

        Raises InputError for a malformed message; one of an older stream is ignored.
        """
        node, epoch = message.get("node"), message.get("epoch")
        frames, underruns = message.get("frames"), message.get("underruns", 0)
        for value in (node, epoch, frames, underruns):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError("played needs node, epoch, frames and underruns, whole numbers.")
        stream = self.outgoing.get(node) if isinstance(node, int) else None
        if stream is None or stream.epoch != epoch or not isinstance(frames, int):
            return None
        stream.heard(frames, underruns)
        interrupted = stream.flushed and message.get("flushed") is True
        if not (stream.finished or interrupted):
            return None
        del self.outgoing[stream.node]
        heard = stream.counters.heard
        return stream.node, {
            "heard": heard,
            "unheard": stream.total - heard,
            "interrupted": interrupted,
            "underruns": stream.counters.underruns,
            "dropped": stream.counters.dropped,
        }
