"""Live streams as they come in: recordings, their frames, and chunks of an asked length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .events import Events
from .graph import Node
from .listeners import Listener
from .model import Cause
from .patches import Command
from .said import Frames
from .session import Session
from .sounding import Sounds
from .units import Seconds

if TYPE_CHECKING:
    from .blocks import Block
    from .chunks import Chunk


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
        sizes = session.chunked(node.id)
        limits = [each.options.time_limit for found in sizes.values() for each in found]
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
        for every, listeners in session.chunked(node.id).items():
            if chunker := session.chunkers.pop((node.id, every), None):
                for chunk in chunker.flush():
                    self._chunk(session, node, chunk, listeners)
        self._sounds.recording_ended(session, node)
        for pipe in session.pipes:
            if pipe.source == node.id:
                pipe.recording_ended()

    def frames(self, session: Session, id: int, block: Block) -> None:
        """More of a live stream: as it is to derived streams, in chunks to listeners."""
        tap = self._events.tap
        if stream := session.streams.get((id, "stream")):
            if tap:
                stream.newest = said = Frames(session.id, id, block, self._events.number())
                tap(said)
            stream.give(block)
        elif tap:
            tap(Frames(session.id, id, block))
        if sizes := session.chunked(id):
            self._cut(session, id, block, sizes)

    def seamless(self, session: Session, id: int, longest: Seconds) -> bool:
        """Whether nobody can tell how a stream was cut into blocks of up to `longest`.

        A chunk that is as long never gets its end from one block and its successor too: what is
        asked for in one turn stays the same.
        """
        return (
            self._events.tap is None
            and all(each.seamless for each in session.pipes if each.source == id)
            and all(every >= longest for every in session.chunked(id))
        )

    def _cut(
        self,
        session: Session,
        id: int,
        block: Block,
        sizes: Mapping[Seconds, tuple[Listener, ...]],
    ) -> None:
        for every, listeners in sizes.items():
            chunker = session.chunkers.get((id, every))
            if chunker is None:
                from .chunks import Chunker  # numpy is loaded by apps that stream, not by all

                chunker = session.chunkers[id, every] = Chunker(every)
            for chunk in chunker.push(block):
                self._chunk(session, session.node(id), chunk, listeners)

    def _chunk(
        self, session: Session, node: Node, chunk: Chunk, listeners: tuple[Listener, ...]
    ) -> None:
        value = node.cut(chunk)
        data = {"index": chunk.index, "gap": chunk.gap}
        event = self._events.event(session, node.id, "stream", Cause.STREAM, value, data)
        for listener in listeners:
            if request := self._events.ask(session, listener, event):
                self._sounds.follow(session, request)
