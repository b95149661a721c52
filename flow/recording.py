"""Live streams as they come in: recordings, their frames, and chunks of an asked length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .events import Events
from .graph import Node
from .listeners import Listener
from .model import Cause
from .patches import Command
from .session import Session
from .sounding import Sounds
from .units import Seconds

if TYPE_CHECKING:
    from .blocks import Block
    from .chunks import Chunk, Chunker

    Cut = tuple[Chunker, tuple[Listener, ...]]
    """A stream in chunks of one length, and who gets them."""


class Recordings:
    """What a session's microphones send (rule E7)."""

    def __init__(self, events: Events, sounds: Sounds) -> None:
        self._events, self._sounds = events, sounds

    def begin(self, session: Session, node: Node) -> None:
        """A recording starts: its time limit counts from here."""
        self._sounds.recording_ended(session, node)
        for pipe in session.pipes:
            if pipe.source == node.id:
                pipe.recording_begins()
        parts = session.overlay.plans if session.overlay else []
        limits = [plan.time_limit(node.id) for plan in (session.plan, *parts)]
        least = min((each for each in limits if each is not None), default=None)
        if least is not None:
            command = Command(session.id, node.id, "stop_recording")
            clock = self._events.clock
            session.limits[node.id] = clock.at(
                clock.seconds + least, lambda: self._events.show(command)
            )

    def end(self, session: Session, node: Node) -> None:
        """The last, shorter chunk comes before `stop_recording`."""
        if limit := session.limits.pop(node.id, None):
            limit.dispose()
        if sizes := session.chunked(node.id):
            inlet = session.inlets.get(node.id) or self.inlet(session, node.id)
            inlet.flush()
            del session.inlets[node.id]
            for every in sizes:
                del session.chunkers[node.id, every]
        self._sounds.recording_ended(session, node)
        for pipe in session.pipes:
            if pipe.source == node.id:
                pipe.recording_ended()

    def inlet(self, session: Session, id: int) -> _Inlet:
        """Where the blocks of a node go, until that changes."""
        from .chunks import Chunker  # numpy is loaded by apps that stream, not by all

        cuts: list[Cut] = []
        for every, listeners in session.chunked(id).items():
            chunker = session.chunkers.get((id, every))
            if chunker is None:
                chunker = session.chunkers[id, every] = Chunker(every)
            cuts.append((chunker, listeners))
        made = session.inlets[id] = _Inlet(self._events, self._sounds, session, id, tuple(cuts))
        return made

    def seamless(self, session: Session, id: int, longest: Seconds) -> bool:
        """Whether nobody can tell how a stream was cut into blocks of up to `longest`.

        Chunks must be as long at least: then a block ends one of them at most, and functions are
        asked one by one as ever.
        """
        return (
            self._events.tap is None
            and all(each.seamless for each in session.pipes if each.source == id)
            and all(every >= longest for every in session.chunked(id))
        )


class _Inlet:
    """Where the blocks of one node of a session go, looked up once: fifty come in a second."""

    __slots__ = ("_cuts", "_events", "_id", "_session", "_sounds", "_stream", "_token")

    def __init__(
        self, events: Events, sounds: Sounds, session: Session, id: int, cuts: tuple[Cut, ...]
    ) -> None:
        self._events, self._sounds = events, sounds
        self._session, self._token, self._id = session, session.id, id
        self._stream = session.streams.get((id, "stream"))
        self._cuts = cuts

    def take(self, block: Block) -> None:
        """More of a live stream: as it is to derived streams, in chunks to listeners."""
        events, stream = self._events, self._stream
        if hear := events.hear:
            if stream:
                stream.newest = number = events.number()
                hear(self._token, self._id, block, number)
            else:
                hear(self._token, self._id, block, 0)
        whole: list[tuple[Chunk, tuple[Listener, ...]]] = []
        for chunker, listeners in self._cuts:
            if chunks := chunker.push(block):
                whole += [(chunk, listeners) for chunk in chunks]
        if not (stream or whole):
            return  # nobody is told of it, and so nothing can be asked
        events.begin()
        try:
            if stream:
                stream.give(block)
            for chunk, listeners in whole:
                self.cut(chunk, listeners)
        finally:
            events.end()

    def flush(self) -> None:
        """It is over: what is held, as last, shorter chunks."""
        for chunker, listeners in self._cuts:
            for chunk in chunker.flush():
                self.cut(chunk, listeners)

    def cut(self, chunk: Chunk, listeners: tuple[Listener, ...]) -> None:
        """One chunk is whole: an event, and a request of each listener."""
        session, node = self._session, self._session.node(self._id)
        value = node.cut(chunk)
        data = {"index": chunk.index, "gap": chunk.gap}
        event = self._events.event(session, node.id, "stream", Cause.STREAM, value, data)
        for listener in listeners:
            if request := self._events.ask(session, listener, event):
                self._sounds.follow(session, request)
