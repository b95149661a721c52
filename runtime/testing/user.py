"""One user of an app in a Lab: a page made of Python, and verbs for what people do with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

from reactivex.abc import DisposableBase

from ...components.audio import Audio
from ...components.base import Component
from ...components.button import Button
from ...components.checkbox import Checkbox
from ...components.choices import Choosing
from ...flow.audio import Clip
from ...flow.blocks import Block
from ...flow.graph import Node
from ...flow.injected import ClientRequest
from ...flow.model import ENDS, Cause, Kind, Outcome
from ...flow.results import UNSET
from ...flow.said import Act
from ...flow.session import Session
from ...flow.sources import Dependency
from ...flow.units import Seconds
from ..host import Connection
from .page import Message, Page, Toast
from .rig import LabError, Rig, Seen

T = TypeVar("T")
BLOCK: Seconds = 0.02
"""What a page's microphone sends at once."""
CHANGING = ("click", "input", "clear", "submit", "start_recording")
"""What a user can do only to a component that is interactive, beside acts that lead to `input`."""
MOST_TOLD = 10
"""Choices that an error names."""
Sound = Clip | tuple[int, Any] | str | Path | bytes
"""What stands for a sound: a Clip, (rate in Hz, array), a file's path, or a file's bytes."""


class User:
    """What one user does and sees. Each verb returns when all that is ready has happened.

    No time passes in a verb unless it says so. A verb that this component cannot take raises
    InputError with the acts that it has. Verbs may be called from inside the loop too (scheduled by
    `perform`); they then only begin what they do.
    """

    def __init__(self, rig: Rig, client: ClientRequest | None = None) -> None:
        self._rig = rig
        self._client = client
        self._connection: Connection | None = None
        self._playing = dict[int, tuple[Seconds, Seconds, DisposableBase]]()
        self._stopped_at = dict[int, Seconds]()
        self._held: object = None
        self._replies = deque[Message]()
        self.page = Page(rig.run_js)

    # -- coming and going ----------------------------------------------------------------------

    def connect(self) -> None:
        """Open the page: a new session."""
        self._do(lambda: self._connect(None))

    def disconnect(self) -> None:
        """Lose the line, as when a laptop closes. The reconnect window begins."""
        connection = self._connection
        if connection is None:
            raise LabError("disconnect: this user is not connected.")
        self._connection = self.page.reply = None
        self._do(connection.close)

    def reconnect(self) -> None:
        """Take the line up again, with what was missed. `page.gone` if the session is over."""
        if self._connection is not None:
            raise LabError("reconnect: this user is connected; call disconnect() first.")
        if self.page.session is None:
            raise LabError("reconnect: this user never was connected; use lab.session().")
        self._do(lambda: self._connect(self.page.session))

    @property
    def connected(self) -> bool:
        """Whether the page is open and its line holds."""
        return self._connection is not None

    @property
    def token(self) -> str:
        """The session's name. Raises LabError before the first connection."""
        if self.page.session is None:
            raise LabError("this user never was connected.")
        return self.page.session

    def _connect(self, token: str | None) -> None:
        connection = self._rig.host.connect(token, self.page.seq, self.page.receive, self._client)
        if connection.session is None:
            return
        self._connection, self.page.reply = connection, self._reply
        connection.receive({"type": "ack", "seq": self.page.seq})
        self.page.answer_js()

    def _reply(self, message: Message) -> None:
        """What the page says by itself; a session that is just ending does not hear it.

        One after the other: the answer to sound that was heard is more sound, an hour of it.
        """
        self._replies.append(message)
        if len(self._replies) > 1:
            return
        try:
            while self._replies:
                if self._connection and self._rig.host.knows(self.token):
                    self._connection.receive(self._replies[0])
                self._replies.popleft()
        finally:
            self._replies.clear()

    # -- acts ----------------------------------------------------------------------------------

    def act(self, node: Node, act: str, value: object = UNSET, data: Message | None = None) -> None:
        """Send one act as the page does. `value`: as JSON, left out by default.

        Raises InputError for an act or a value that this component does not take.
        """
        id = self._id(node)
        if self._connection:
            _check_within_reach(node, act, self._props(node))
        message: Message = {"type": "act", "node": id, "act": act}
        if value is not UNSET:
            message["value"] = value
        if data is not None:
            message["data"] = data
        self._do(lambda: self._said(message))

    def _said(self, message: Message) -> None:
        self._send(message)
        for own in self.page.run_alone(message):
            self._send(own)

    def click(self, button: Node) -> None:
        """Press a button, or click at whatever has a `click`."""
        self.act(button, "click")

    def focus(self, node: Node) -> None:
        """Go into a field."""
        self.act(node, "focus")

    def blur(self, node: Node) -> None:
        """Leave a field."""
        self.act(node, "blur")

    def release(self, slider: Node) -> None:
        """Let go of a slider."""
        self.act(slider, "release")

    def select(self, node: Node, index: object = None, value: object = None, **data: Any) -> None:
        """Choose a part of a component: what SelectData then carries.

        Of a component with choices, the one at `index`, or whose value is `value`; of several a
        second time takes it back. A Checkbox is ticked or unticked.
        """
        own = self._session.find(self._id(node))
        if isinstance(own, Checkbox):
            ticked = not self.stored(own)
            self.act(node, "select", ticked, {"index": 0, "value": own.label, "selected": ticked})
        elif isinstance(own, Choosing):
            after, told = own.pick(self.stored(own), self._choice(own, index, value))
            self.act(node, "select", after, {**told, **data})
        else:
            self.act(node, "select", data={"index": index, "value": value, **data})

    def input(self, component: Component, value: object) -> None:
        """Change a component's value by hand. `value`: as a function would return it."""
        self.act(component, "input", self._wire(component, value))

    def type(self, textbox: Component, text: str) -> None:
        """Replace what stands in a text field."""
        self.act(textbox, "input", text)

    def submit(self, component: Component, value: object = UNSET) -> None:
        """Press Enter, after typing `value` if it is given."""
        if value is not UNSET:
            self.input(component, value)
        self.act(component, "submit")

    def clear(self, component: Component) -> None:
        """Empty a component, as its own clear button does."""
        self.act(component, "clear")

    def cancel(self, what: Seen | Outcome | Dependency | int) -> None:
        """Press cancel: on the run of an outcome or request id, or on all runs of a listener."""
        if isinstance(what, Dependency):
            live = self._live(what)
            if not live:
                raise LabError(f"cancel: no run of {what.name} is pending.")
        elif isinstance(what, Seen | Outcome | int):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            live = [_request(what)]
        else:
            raise LabError(
                f"cancel: {what!r} is no run; give what declaring a listener returned, or an"
                " outcome."
            )
        self._do(lambda: [self._send({"type": "cancel", "request": id}) for id in live])

    # -- sound ---------------------------------------------------------------------------------

    def upload(self, component: Component, file: Sound | list[str | Path | bytes]) -> None:
        """Choose a file: a sound, or for File and Image a path or bytes; a list of several."""
        self.act(component, "upload", self._wire(component, file))

    def record(self, microphone: Component, sound: Sound) -> None:
        """Record: `start_recording`, the sound's duration passes, `stop_recording` with it.

        A streaming microphone sends its blocks meanwhile, as the page does.
        """
        clip = self._clip(microphone, sound)
        if self._props(microphone).get("streaming"):
            self._record_live(microphone, clip)
            return
        wire = self._wire(microphone, clip)
        self.act(microphone, "start_recording")
        self._rig.after(clip.duration, lambda: self.act(microphone, "stop_recording", wire))

    def _record_live(self, microphone: Component, clip: Clip) -> None:
        from ...flow.blocks import END, START
        from ..streams.frame import Frame

        samples = clip.int16().reshape(clip.frames, -1)
        size, begun = round(BLOCK * clip.rate), self._rig.seconds

        def frames() -> Iterator[tuple[Seconds, bytes]]:
            for n, at in enumerate(range(0, clip.frames, size)):
                part = samples[at : at + size]
                flags = 0 if n else START
                if at + size >= clip.frames:
                    flags |= END
                end = (at + len(part)) / clip.rate
                captured = 1000 * (begun + at / clip.rate)
                frame = Frame(microphone.id, flags, n, clip.rate, at, captured, part)
                yield begun + end, frame.pack()

        def send(frames: Iterator[bytes]) -> None:
            for frame in frames:
                if self._connection:
                    self._connection.receive_sound(frame)

        self.act(microphone, "start_recording")
        self._rig.loop.pace(frames(), send)
        self._rig.after(clip.duration, lambda: self.act(microphone, "stop_recording"))

    def feed(self, component: Component, chunks: Iterable[object], every: Seconds) -> None:
        """Let chunks come on the component's `stream`, one at the end of each `every` seconds.

        Sound comes as `Block`s, anything else as it is. Returns at once; `run` lets the time pass.
        Without a line nothing comes. Raises LabError for a component without a `stream`.
        """
        if "stream" not in component.ports:
            raise LabError(f"feed: {component.where} has no stream.")
        if not every > 0:
            raise LabError(f"feed: every={every!r} must be seconds, more than 0.")
        program, session = self._rig.host.program, self.token
        node, begun = self._id(component), self._rig.seconds

        def give(due: Iterator[object]) -> None:
            program.sounds(session, node, blocks(due))

        def blocks(due: Iterator[object]) -> Iterator[Block]:
            for chunk in due:
                if self._connection is None:
                    continue
                if isinstance(chunk, Block):
                    yield chunk
                else:
                    program.receive(Act(session, node, "stream", chunk, cause=Cause.STREAM))

        times = (begun + n * every for n in count(1))
        self._rig.loop.pace(zip(times, chunks, strict=False), give)

    def play(self, audio: Component) -> None:
        """Press play. When the rest of the sound has passed it ends: `pause`, then `stop`.

        Returns at once; `run` lets the time pass. A looping sound never ends.
        """
        clip = self.stored(audio)
        if not isinstance(clip, Clip):
            raise LabError(f"play: {audio.where} holds no sound.")
        if audio.id in self._playing:
            raise LabError(f"play: {audio.where} is playing already.")
        position = self._stopped_at.pop(audio.id, 0.0)
        self.act(audio, "play", data={"playback_position": position})
        if self._props(audio).get("loop"):
            return
        begun = self._rig.seconds
        end = self._rig.clock.at(begun + clip.duration - position, lambda: self._end(audio))
        self._playing[audio.id] = (begun, position, end)

    def pause(self, audio: Component) -> None:
        """Press pause; the next `play` goes on from here."""
        playing = self._playing.pop(audio.id, None)
        if playing:
            begun, position, end = playing
            end.dispose()
            self._stopped_at[audio.id] = position + self._rig.seconds - begun
        stopped = self._stopped_at.get(audio.id, 0.0)
        self.act(audio, "pause", data={"playback_position": stopped})

    def _end(self, audio: Component) -> None:
        del self._playing[audio.id]
        if self.connected:
            clip = self.stored(audio)
            length = clip.duration if isinstance(clip, Clip) else 0.0
            self.act(audio, "end", data={"playback_position": length})

    def trim(self, audio: Component, start: Seconds, end: Seconds) -> None:
        """Keep the part from `start` to `end`, in seconds."""
        clip = self.stored(audio)
        if not isinstance(clip, Clip):
            raise LabError(f"trim: {audio.where} holds no sound.")
        if not all(isinstance(each, int | float) for each in (start, end)):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            raise LabError(f"trim: {start!r} and {end!r} must be seconds.")
        frames = {"start": round(start * clip.rate), "end": round(end * clip.rate)}
        self.act(audio, "trim", frames)

    def undo(self, audio: Component) -> None:
        """Take the last trim back."""
        self.act(audio, "undo")

    # -- what there is -------------------------------------------------------------------------

    def value(self, component: Component) -> Any:
        """A component's value as a function would get it."""
        node = self._session.nodes.get(self._id(component), component)
        return node.preprocess(self.stored(component), self._session.media)

    def stored(self, component: Component) -> Any:
        """A component's value as the session keeps it: for Audio a `Clip`."""
        return self._session.values[self._id(component)]

    def find(self, label: str) -> Component:
        """The component of that label on this user's page; parts made by `render` have their own.

        A button may be found by its text. Raises LabError if there is none, or more than one.
        """
        nodes = [self._session.find(id) for id in self.page.props]
        here = [node for node in nodes if isinstance(node, Component)]
        found = [each for each in here if label in (each.label, _text(each))]
        if len(found) == 1:
            return found[0]
        if found:
            raise LabError(f"find: {len(found)} components of this page are called {label!r}.")
        names = dict.fromkeys(each.label or _text(each) for each in here)
        known = ", ".join(repr(each) for each in names if each) or "none that is called anything"
        raise LabError(f"find: no component of this page is called {label!r}; there are {known}.")

    def props(self, node: Node) -> Message:
        """What the page shows: properties and, as JSON, `value`. A copy."""
        return dict(self._props(node))

    @property
    def toasts(self) -> list[Toast]:
        """All that popped up, errors of runs included."""
        return list(self.page.toasts)

    @property
    def outcomes(self) -> list[Seen]:
        """All stations of this user's requests, in order."""
        return [each for each in self._rig.seen if each.outcome.request.session == self.token]

    def ends(self, of: Dependency | str | None = None) -> list[Kind]:
        """How requests ended, in the order of their ends: of one listener, or of all.

        of: what declaring it returned, or its name. Raises LabError for a name that none has.
        """
        if isinstance(of, str):
            known = dict.fromkeys(each.name for each in self._rig.host.plan.listeners)
            known |= dict.fromkeys(each.listener for each in self.outcomes)  # in parts, too
            if of not in known:
                raise LabError(f"no listener is called {of!r}; there are {', '.join(known)}.")
            return [e.kind for e in self.outcomes if e.kind in ENDS and e.listener == of]
        wanted = None if of is None else of.declared.id
        return [
            each.kind
            for each in self.outcomes
            if each.kind in ENDS and wanted in (None, each.outcome.request.listener.id)
        ]

    def _live(self, of: Dependency) -> list[int]:
        live = dict[int, None]()
        for each in self.outcomes:
            if each.outcome.request.listener.id == of.declared.id:
                if each.kind in ENDS:
                    live.pop(each.request_id, None)
                else:
                    live[each.request_id] = None
        return list(live)

    @property
    def _session(self) -> Session:
        session = self._rig.host.program.sessions.get(self.token)
        if session is None:
            raise LabError("this session is over; it has no values any more.")
        return session

    def _props(self, node: Node) -> Message:
        found = self.page.props.get(self._id(node))
        if found is None:
            raise LabError(f"{node.where}: is not on the page.")
        return found

    def _id(self, node: Node) -> int:
        if not isinstance(node, Node):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            way = f"; find({node!r}) gives the one of that label" if isinstance(node, str) else ""
            raise LabError(f"{node!r} is no component{way}.")
        if node.graph is None or not node.graph.sees(self._rig.app):
            raise LabError(f"{node.where}: is not a component of this app.")
        if node.graph is not self._rig.app:
            own = self._session.find(node.id)
            if own is None or own.graph is not node.graph:
                raise LabError(f"{node.where}: its part was made anew, or is another user's.")
        return node.id

    def _choice(self, node: Choosing, index: object, value: object) -> int:
        values: list[object] = [each[1] for each in node.choices]
        if index is None and value in values:
            return values.index(value)
        if isinstance(index, int) and 0 <= index < len(values):
            return index
        wanted = value if index is None else index
        known = ", ".join(map(repr, values[:MOST_TOLD])) or "none"
        more = f" and {len(values) - MOST_TOLD} more" if len(values) > MOST_TOLD else ""
        raise LabError(f"{node.where}: {wanted!r} is no choice; there are {known}{more}.")

    def _clip(self, component: Component, sound: Sound) -> Clip:
        if not isinstance(component, Audio):
            raise LabError(f"{component.where}: takes no sound; it is no Audio.")
        if isinstance(sound, Clip):
            return sound
        if isinstance(sound, tuple) and len(sound) == 2:
            return Clip.of(*sound)
        if not isinstance(sound, str | Path | bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  # tests are not always typed
            raise LabError(
                f"{component.where}: a sound is a Clip, (rate, array), a path or the bytes of a"
                f" file, not {type(sound).__name__}."
            )
        return self._rig.host.media(self.token).open(sound)

    def _wire(self, component: Component, value: object) -> object:
        """A value as the page would send it."""
        media: Any = self._session.media
        if isinstance(component, Audio) and value is not None:
            value = self._clip(component, cast(Sound, value))
        # a session forgets sounds and files that nobody holds
        self._held = stored = component.postprocess(value, media)
        return component.to_wire(stored, media)

    # -- the loop ------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        if self._connection is None:
            raise LabError("this user is not connected; call reconnect().")
        self._connection.receive(message)

    def _do(self, work: Callable[[], T]) -> T:
        return self._rig.do(work)


def _check_within_reach(node: Node, act: str, shown: Mapping[str, object]) -> None:
    """Raises LabError for what no user could do: the page has it hidden, or greyed out."""
    if shown.get("visible", True) is not True:
        raise LabError(f"{node.where}: {act!r}: it is not visible, so no user can do that.")
    moves = act in CHANGING or "input" in node.acts.get(act, ())
    if moves and shown.get("interactive", True) is False:
        raise LabError(f"{node.where}: {act!r}: it is not interactive, so no user can do that.")


def _text(node: Component) -> object:
    return node.value if isinstance(node, Button) else None


def _request(what: Seen | Outcome | int) -> int:
    if isinstance(what, int):
        return what
    return what.request.id if isinstance(what, Outcome) else what.request_id
