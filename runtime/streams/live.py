"""The live sound of one session: recordings that come in, generated sound that goes out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...flow.audio import Clip, Spill
from ...flow.blocks import START, Block, int16
from ...flow.budgets import Budget
from ...flow.errors import InputError
from ...flow.patches import Sound
from ...flow.tape import Tape
from ...flow.units import Seconds
from .frame import HEADER, KIND_SIZE, MAX_BYTES, Frame, FrameError, unpack
from .incoming import Given, Incoming
from .joining import LONGEST, Joining
from .metrics import SessionMetrics
from .outgoing import Outgoing

log = logging.getLogger("ossicle")

Message = dict[str, Any]
_FRAME = HEADER.size
Came = tuple[Incoming, int, Block]
"""Of which recording, of which node, and the new sound."""


class Live:
    """Frames in, frames out, for all nodes of one session.

    takes: whether a node takes live sound. now: seconds of a clock that never runs back. spill:
    where long takes are put away, by rate and channels.
    """

    __slots__ = (
        "incoming", "outgoing", "metrics", "joining", "_takes", "_now", "_spill", "_budgets",
        "_stopped", "_kinds",
    )  # fmt: skip

    def __init__(
        self,
        takes: Callable[[int], bool],
        metrics: SessionMetrics | None = None,
        now: Callable[[], Seconds] = time.monotonic,
        budgets: Mapping[int, Budget] | None = None,
        spill: Callable[[int, int], Spill] | None = None,
    ) -> None:
        self.incoming = dict[int, Incoming]()
        self.outgoing = dict[int, Outgoing]()
        self.metrics = metrics or SessionMetrics()
        self._takes, self._now, self._spill = takes, now, spill
        self._budgets = budgets or {}
        self._stopped = set[int]()
        self._kinds = dict[bytes, Incoming]()  # recordings that go on, by how their frames begin
        self.joining: Joining | None = None
        """Frames that wait for those that are handed over next."""

    # -- in --------------------------------------------------------------------------------------

    def begin(self, node: int) -> None:
        """A recording starts; what an older one left behind is void."""
        self._over(node)
        self._stopped.discard(node)

    def frame(self, data: bytes) -> Came | None:
        """What one frame brings; None if that is nothing new.

        Raises FrameError saying what is wrong.
        """
        stream = self._kinds.get(data[:KIND_SIZE])
        if stream and _FRAME <= len(data) <= MAX_BYTES:
            samples = stream.goes_on(data)
            if samples is not None:  # nearly always
                block = stream.block(stream.given[0], 0, samples, stream.behind)
                return stream, stream.node, block
        frame = unpack(data)
        stream = self._taken(frame)
        if stream is None:
            return None
        stream.given = frame.index, frame.time, stream.age
        block = stream.block(frame.index, frame.flags, frame.samples, stream.behind)
        return stream, stream.node, block

    def frames(
        self, data: bytes, more: bool, seamless: Callable[[int, Seconds], bool]
    ) -> Iterator[Came]:
        """The same for one of several frames that came together, which may wait for the next.

        more: there is one. seamless: whether blocks of a node may be put together, up to so long.
        Each is to be worked on before the next is asked for: what comes out of it goes by its time.
        """
        stream = self._kinds.get(data[:KIND_SIZE])
        if stream and _FRAME <= len(data) <= MAX_BYTES:
            if self.joining and self.joining.stream is not stream:
                yield self._let_go(self.joining)
            samples = stream.goes_on(data)
            if samples is not None:  # nearly always
                yield from self._join(stream, stream.given, 0, samples, more, seamless)
                return
        new = None
        try:
            frame = unpack(data)
            joining = self.joining
            if joining and (frame.node != joining.stream.node or frame.flags & START):
                yield self._let_go(joining)
            new = self._taken(frame)
        finally:
            if new is None and not more and self.joining:
                yield self._let_go(self.joining)
        if new:
            given = frame.index, frame.time, new.age
            yield from self._join(new, given, frame.flags, frame.samples, more, seamless)

    def _join(
        self,
        stream: Incoming,
        given: Given,
        flags: int,
        samples: NDArray[Any],
        more: bool,
        seamless: Callable[[int, Seconds], bool],
    ) -> Iterator[Came]:
        """Put sound behind what waits, or let that go first; and all, if nothing more may come."""
        joining = self.joining
        if joining and not joining.add(given[0], flags, samples):
            yield self._let_go(joining)
            joining = None
        if joining is None:
            joining = self.joining = Joining(stream, given, flags, samples)
            more = more and seamless(stream.node, LONGEST)  # asked once for all that join it
        if not (more and joining.open):
            yield self._let_go(joining)

    def _let_go(self, joining: Joining) -> Came:
        self.joining = None
        stream = joining.stream
        stream.given = joining.given
        return stream, stream.node, joining.block()

    def _taken(self, frame: Frame) -> Incoming | None:
        """The recording of a frame, which is cut to what is new of it; None if nothing is."""
        node = frame.node
        if not self._takes(node):
            raise FrameError(f"component {node} takes no live sound.")
        stream = self.incoming.get(node)
        if stream is None or frame.flags & START:
            stream = self._started(node, frame.flags, frame.rate, frame.samples.shape[1])
        try:
            new = stream.push(frame)
        except FrameError:
            stream.counters.refused += 1
            raise
        return stream if new else None

    def _started(self, node: int, flags: int, rate: int, channels: int) -> Incoming:
        if node in self._stopped and not flags & START:
            raise FrameError(f"the recording of component {node} is over; start a new one.")
        self._stopped.discard(node)
        metrics = self.metrics.source(node, rate, channels)
        spill = self._spill
        tape = Tape(rate, channels, partial(spill, rate, channels) if spill else None)
        self._over(node)
        stream = Incoming(rate, channels, tape, metrics, self._now, node)
        self.incoming[node] = self._kinds[stream.kind] = stream
        return stream

    def _over(self, node: int) -> Incoming | None:
        """Nothing more goes on in a node's recording; it, if there is one."""
        stream = self.incoming.pop(node, None)
        if stream:
            self._kinds.pop(stream.kind, None)
            if self.joining and self.joining.stream is stream:
                self.joining = None  # its page was closed between two frames
        return stream

    def take(self, node: int) -> Callable[[], Clip]:
        """How to make the clip of a recording that has stopped; call it in a thread.

        Raises InputError if nothing was recorded.
        """
        stream = self._over(node)
        self._stopped.add(node)
        if stream is None or not stream.counters.received:
            raise InputError("nothing was recorded; look whether the microphone is muted.")
        stream.counters.over = True

        def make() -> Clip:
            clip = stream.tape.clip("audio")
            _ = clip.id, clip.peak  # worked out here, in the thread
            return clip

        return make

    # -- out -------------------------------------------------------------------------------------

    def sound(self, patch: Sound) -> Message | None:
        """Take one piece, or the end, of a stream; what the front end is told beside the frames."""
        stream = self.outgoing.get(patch.node)
        if patch.stage == "more":
            samples = _pcm(patch) if patch.pcm is None else patch.pcm
            news = None
            if stream is None or stream.epoch != patch.epoch:
                piece = patch.piece
                assert isinstance(piece, Clip | Block)
                rate, channels, live = piece.rate, piece.channels, patch.live
                metrics = self.metrics.sink(patch.node, rate, channels, live)
                if patch.clipping:
                    metrics.clipping = patch.clipping
                stream = Outgoing(
                    patch.node, patch.epoch, rate, channels, live, metrics, patch.tape
                )
                self.outgoing[patch.node] = stream
                news = self._told(patch, "start", rate=rate, channels=channels, live=live)
                if budget := self._budgets.get(patch.node):
                    metrics.budget_ms = news["budget"] = round(1000 * budget.limit, 3)
            origin = patch.origin
            source = self.incoming.get(origin[0]) if origin else None
            if origin and source:
                stream.push(samples, source.captured(origin[1]), source.given[2])
            else:
                stream.push(samples)
            return news
        if stream is None or stream.epoch != patch.epoch:
            return None
        if patch.stage == "flush":
            stream.flush()
        else:
            stream.end()
        return self._told(patch, patch.stage, frames=stream.total)

    def _filled(self, stream: Outgoing, message: Mapping[str, Any]) -> None:
        """What waits in the listener's player, and what that left out, if it says so."""
        for name in ("skipped", "fill", "target"):
            value = message.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
                raise InputError(f"played: {name} must be a whole number, 0 or more.")
            counters = stream.counters
            if name == "skipped":
                counters.skipped = max(counters.skipped, value)
            elif name == "fill":
                counters.fill_ms = float(value)
            else:
                counters.target_ms = float(value)

    def _late(self, stream: Outgoing, message: Mapping[str, Any]) -> None:
        """How late sound is where it is heard, if the listener says so; told once a stream."""
        middle, worst = message.get("latency"), message.get("worst")
        if middle is None and worst is None:
            return
        for value in (middle, worst):
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 <= value < 1e7
            ):
                raise InputError("played: latency and worst are milliseconds, 0 or more.")
        assert middle is not None and worst is not None
        if stream.counters.late_by(middle, worst):
            budget = self._budgets[stream.node]
            log.warning(
                "component %d: sound is %.0f ms late and its budget is %.0f ms: %s, and %.0f ms for"
                " the line, functions and the player",
                stream.node, middle, 1000 * budget.limit, budget, middle - 1000 * budget.known,
            )  # fmt: skip

    def _told(self, patch: Sound, state: str, **more: Any) -> Message:
        return {"kind": "stream", "node": patch.node, "epoch": patch.epoch, "state": state, **more}

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
        self._filled(stream, message)
        self._late(stream, message)
        interrupted = stream.flushed and message.get("flushed") is True
        if not (stream.finished or interrupted):
            return None
        del self.outgoing[stream.node]
        stream.counters.over = True
        heard = stream.counters.heard
        return stream.node, {
            "heard": heard,
            "unheard": stream.total - heard,
            "interrupted": interrupted,
            "underruns": stream.counters.underruns,
            "dropped": stream.counters.dropped,
        }


def _pcm(patch: Sound) -> NDArray[np.int16]:
    """A piece at 16 bit, (frames, channels)."""
    piece = patch.piece
    if isinstance(piece, Block):
        return int16(piece.samples)
    assert isinstance(piece, Clip)
    return piece.int16().reshape(-1, piece.channels)
