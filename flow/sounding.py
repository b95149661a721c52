"""Sound that goes out to a node, piece by piece, and becomes its value when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from .calls import Write
from .errors import OssicleError, WorldError
from .events import Events
from .graph import Node
from .model import Event, Kind, Outcome, Request
from .patches import Fault, Origin, Sound
from .results import FLUSH
from .session import Passing, Session, Sounding

if TYPE_CHECKING:
    from .audio import Clip
    from .blocks import Block
    from .tape import Tape

Apply = Callable[[Session, Request | None, tuple[Write, ...]], None]
"""Stores what was written and shows it."""


class Sounds:
    """One stream of sound at a time for each node of a session."""

    def __init__(self, events: Events, apply: Apply) -> None:
        self._events, self._apply = events, apply

    def follow(self, session: Session, request: Request) -> None:
        """A chunk goes to a listener; what that returns for a streaming output is live sound."""
        listener, node = request.listener, request.event.node
        passing = session.passing.get(listener.id)
        if passing is None:
            outputs = tuple(
                id for id in listener.outputs if id != node and session.node(id).streaming
            )
            if not outputs:
                return
            passing = session.passing[listener.id] = Passing(node, listener.id, outputs)
        passing.pending += 1
        session.chunk_of[request.id] = passing

    def before(self, session: Session, request: Request) -> Mapping[int, object] | None:
        """For a chunk's call: what its live outputs sounded last."""
        passing = session.chunk_of.get(request.id)
        if passing is None:
            return None
        found = {id: session.sounding.get(id) for id in passing.outputs}
        return {
            id: each.last if each and each.source is passing else None for id, each in found.items()
        }

    def more(self, session: Session, request: Request, write: Write) -> None:
        """One more piece of what a function streams to a node, or no more of it."""
        if write.piece is FLUSH:
            self._flush(session, write.node, request)
            return
        passing = session.chunk_of.get(request.id)
        origin = _origin(request.event) if passing else None
        try:
            self.piece(session, passing or request.id, write.node, write.piece, origin)
        except OssicleError as error:  # calls beside each other did not know of each other's form
            where = f"{request.listener.name} → {session.node(write.node).where}"
            self._events.show(Fault(session.id, write.node, where, error, 1))

    def piece(
        self,
        session: Session,
        source: int | Passing,
        node: int,
        piece: object,
        origin: Origin | None,
    ) -> None:
        """One more piece from one source; whatever another one streamed there is over.

        Raises BlockError for live sound of another rate or channel count than it began with, and
        for a Block with NaN or infinity in it.
        """
        playing = session.sounding.get(node)
        if (
            playing is not None
            and playing.onward
            and playing.source is source
            and piece is not None
        ):
            self._onward(playing, piece, origin)  # nearly always, where sound is live
            return
        if isinstance(source, Passing) and piece is not None:
            _looked_at(piece)  # before anything else is over because of it
        if playing is None or playing.source != source:
            if playing:
                self._events.show(Sound(session.id, node, playing.epoch, "flush"))
            session.epochs += 1
            session.sounded[node] = session.epochs
            playing = session.sounding[node] = Sounding(source, session.epochs, [])
        if piece is None:
            return
        playing.last = piece
        live = isinstance(source, Passing)
        if playing.tape is None:
            playing.tape = session.node(node).tape(piece, session.media, live)
        tape, pcm = playing.tape, None
        sound: Any = piece  # a Block or a Clip, where there is a tape
        if tape is None:
            playing.pieces.append(piece)
        elif tape.fits(sound):
            full = tape.untaken > 0
            pcm = tape.take(sound)
            if tape.untaken and not live:  # what is not kept cannot be sent
                if not full:
                    self._events.show(_too_long(session, node, tape))
                return
        else:
            raise _other_form(sound, tape)
        onward = self._events.show(
            Sound(
                session.id, node, playing.epoch, "more", piece, live, origin, pcm,
                None if live else tape, tape.clipping if tape else None,
            )
        )  # fmt: skip
        if live and tape:
            playing.onward = onward

    def _onward(self, playing: Sounding, piece: Any, origin: Origin | None) -> None:
        tape, onward = playing.tape, playing.onward
        assert tape and onward
        if piece.rate != tape.rate or piece.channels != tape.channels:
            raise _other_form(piece, tape)
        pcm = tape.take(piece)
        playing.last = piece
        try:
            onward(pcm, origin)
        except Exception as error:  # as in `Events.show`
            self._events.on_error(error)

    # -- ends ----------------------------------------------------------------------------------

    def request_ended(self, session: Session, outcome: Outcome) -> None:
        """What a request streamed ends with it; a chunk's is followed by the next chunk's.

        After a cancel the listener hears no more of what a generator streamed.
        """
        request = outcome.request
        if session.sounding:
            stage = "flush" if outcome.kind is Kind.CANCELLED else "end"
            self._end(session, request.id, stage, request)
        passing = session.chunk_of.pop(request.id, None)
        if passing:
            passing.pending -= 1
            if passing.over and not passing.pending:
                self._end(session, passing, "end")

    def recording_ended(self, session: Session, node: Node) -> None:
        """A recording is over: what goes out of it ends with its last chunk."""
        for passing in [each for each in session.passing.values() if each.node == node.id]:
            self.listener_gone(session, passing.listener, "end")

    def listener_gone(self, session: Session, key: int, stage: Literal["end", "flush"]) -> None:
        """Nothing more comes through this listener, or this stream straight into a node."""
        if passing := session.passing.pop(key, None):
            passing.over = True
            if not passing.pending:
                self._end(session, passing, stage)

    def node_gone(self, session: Session, node: int) -> None:
        """A node of a part is there no more: silence at once."""
        session.sounded.pop(node, None)
        if playing := session.sounding.pop(node, None):
            self._events.show(Sound(session.id, node, playing.epoch, "flush"))

    def _flush(self, session: Session, node: int, request: Request) -> None:
        """Silence at once, whoever streams to the node or did; what follows is a new stream."""
        playing = session.sounding.pop(node, None)
        if node in session.sounded:
            epoch = session.sounded[node]
            self._events.show(Sound(session.id, node, epoch, "flush"))
        if playing:
            self._keep(session, node, playing, request)

    def _end(
        self,
        session: Session,
        source: int | Passing,
        stage: Literal["end", "flush"],
        request: Request | None = None,
    ) -> None:
        """What was streamed from one source becomes the value."""
        for id in [id for id, each in session.sounding.items() if each.source == source]:
            playing = session.sounding.pop(id)
            self._events.show(Sound(session.id, id, playing.epoch, stage))
            if request and stage == "end":
                session.spoken.setdefault(request.listener.id, {})[id] = playing.epoch
            self._keep(session, id, playing, request)

    def _keep(self, session: Session, id: int, playing: Sounding, request: Request | None) -> None:
        value = None
        if playing.pieces:
            value = session.node(id).joined(playing.pieces)
        elif playing.tape and playing.tape.frames:
            try:
                value = playing.tape.clip("stream")
            except OssicleError as error:  # what the disk said; the sound itself was heard
                self._events.on_error(error)
        if value is not None:
            self._apply(session, request, (Write(id, value),))


def _looked_at(piece: object) -> None:
    from .blocks import Block, checked  # numpy is loaded by apps that stream, not by all

    if isinstance(piece, Block):
        checked(piece)


def _too_long(session: Session, node: int, tape: Tape) -> Fault:
    seconds = tape.frames / tape.rate
    text = f"the sound ends after {seconds:.0f} s: there is no more room for it, or it is too long"
    return Fault(session.id, node, session.node(node).where, WorldError(text), 1)


def _other_form(piece: Block | Clip, tape: Tape) -> OssicleError:
    from .blocks import BlockError  # numpy is loaded by apps that stream, not by all

    return BlockError(
        f"{piece.rate} Hz with {piece.channels} channels came in a stream of {tape.rate} Hz with"
        f" {tape.channels}; a stream keeps both: put resample() or mono() last"
    )


def _origin(event: Event) -> Origin | None:
    index = (event.data or {}).get("index")
    rate = getattr(event.value, "rate", None)
    return (event.node, index / rate) if isinstance(index, int) and rate else None
