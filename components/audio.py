"""Audio: a sound that people record, upload, trim, play and save."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from ..flow.audio import Clip, ClipError, Media, Normalize, root_of, trimmed, untrimmed
from ..flow.errors import DeclarationError, InputError
from ..flow.sources import event
from . import audio_arguments as arguments
from . import chunks, clips
from .arguments import choice, flag, maybe, seconds
from .audio_arguments import SOURCES, TYPES, Source
from .base import Component, Json, Received, Visible, byte_size, number
from .button import Button
from .subtitles import subtitles as read_subtitles
from .waveform import WaveformOptions, waveform

if TYPE_CHECKING:
    from ..flow.chunks import Chunk
    from ..flow.tape import Tape


class Audio(Component):
    """A sound: uploaded, recorded or returned by a function.

    Functions get, by `type`:
    - "numpy": (rate in Hz, int16 array), (samples,) for mono or (samples, channels), whatever the
      file's depth; deeper samples are rounded, nothing is resampled;
    - "filepath": the `str` path of a file of their own in `format`, there until the session ends;
    - None where there is no sound.

    Functions return (rate, array), the path or URL of a sound file, bytes of one, a pydub
    AudioSegment, a Clip or None. Integer samples stay as they are at 16 bit; see `normalize`.

    value: the first value, in any form that a function may return; a callable is called whenever a
        page loads, and `every` so many seconds, and when one of `inputs` changes.
    sources: "upload", "microphone" or a list of both; the first is shown first. None is both, or
        the microphone alone with streaming=True.
    streaming: send what is recorded while it is recorded (`stream`).
    format: "wav", "mp3", "flac" or "ogg": what type="filepath" gives and what a download gives.
        None keeps a file as it came, and saves arrays as wav.
    autoplay: play each answer at once, an equal one too unless it is still being played; browsers
        allow it after the first click on the page.
    show_download_button: None shows it where the sound cannot be changed. show_share_button: the
        browser's own sharing. buttons: in place of the two a list of "download", "share" and of
        `Button`s, which stand in the sound's head and fire their own `click`.
    editable: whether users may trim an interactive sound.
    min_length, max_length: seconds that a user's sound must and may have; a recording stops there.
    max_file_size: bytes, or text like "5 MB" (of 1024 kB), that an upload may have.
    waveform_options: `WaveformOptions` or a dict of its fields.
    loop: start again at the end. playback_position: seconds; where the player stands. A function
        moves it by returning `Audio(playback_position=...)`, and reads it from a parameter that is
        annotated with `Audio`, or from the EventData of play, pause and stop.
    recording: start the recorder at once; the browser may ask the user first.
    subtitles: a .srt, .vtt or .json path, or [{"text": ..., "timestamp": [start, end]}].
    raw: the microphone's sound as it is: no echo cancelling, noise suppression or automatic gain.
    frame_ms: milliseconds of sound that a streaming microphone sends at once, 3 to 100; 10 is as
        quick as browsers are, 20 costs half of it.
    transport: the way of live sound. "webrtc" suits networks that lose: what is lost is a gap, and
        nothing waits for it (docs/live.md); it needs `pip install "ossicle[webrtc]"`.
    device: the microphone to begin with, by (a part of) its name; None is the browser's choice.
    normalize: what happens to float samples: "peak" divides by the peak, always, so that nothing
        can clip; "clip" takes them as they are and cuts beyond -1..1; "never" raises there instead.
    The other arguments are those of every component. Raises DeclarationError for what cannot work.
    """

    type = "audio"
    heavy = True
    shown = (
        "sources",
        "streaming",
        "format",
        "autoplay",
        "show_download_button",
        "show_share_button",
        "editable",
        "min_length",
        "max_length",
        "waveform_options",
        "loop",
        "playback_position",
        "recording",
        "subtitles",
        "buttons",
        "max_file_size",
        "raw",
        "device",
        "frame_ms",
        "transport",
    )
    acts = {
        "upload": ("upload", "input"),
        "stop_recording": ("stop_recording", "input"),
        "clear": ("clear", "input"),
        "trim": ("input",),
        "undo": ("input",),
        "end": ("pause", "stop"),
        "moved": (),
    }
    passive = frozenset({"change", "stream", "input", "stop"})
    default_sources: ClassVar[tuple[Source, ...]] = SOURCES

    stream = event("A chunk of the recording came while it went on.")
    clear = event("The user cleared the sound.")
    play = event("Playback started, at `playback_position` seconds.")
    pause = event("Playback stopped for any reason, at `playback_position` seconds.")
    stop = event("Playback reached the end, at `playback_position` seconds.")
    start_recording = event("The user started recording.")
    pause_recording = event("The user paused recording.")
    stop_recording = event("The user finished a recording, and the value is it.")
    playback_finished = event(
        "The listener has heard the end of a streamed sound, or was cut off: `heard` and `unheard`"
        " in frames, `interrupted`."
    )
    upload = event("The user's file is here, and the value is it.")
    input = event("The user changed the sound: upload, recording, trim, undo, clear.")

    def __init__(
        self,
        value: Any = None,
        *,
        sources: list[Source] | Source | None = None,
        type: Literal["numpy", "filepath"] = "numpy",
        label: str | None = None,
        every: float | None = None,
        inputs: Component | Iterable[Component] | None = None,
        show_label: bool | None = None,
        container: bool = True,
        scale: int | None = None,
        min_width: int | None = 160,
        interactive: bool | None = None,
        visible: Visible = True,
        streaming: bool = False,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        format: str | None = "wav",
        autoplay: bool = False,
        show_download_button: bool | None = None,
        show_share_button: bool | None = None,
        editable: bool = True,
        min_length: float | None = None,
        max_length: float | None = None,
        waveform_options: WaveformOptions | Mapping[str, Any] | None = None,
        loop: bool = False,
        subtitles: str | Path | list[dict[str, Any]] | None = None,
        playback_position: float = 0,
        recording: bool = False,
        buttons: Sequence[Literal["download", "share"] | Button] | None = None,
        key: int | str | None = None,
        max_file_size: int | str | None = None,
        raw: bool = True,
        device: str | None = None,
        frame_ms: float = 20,
        transport: Literal["socket", "webrtc"] = "socket",
        normalize: Normalize = "peak",
        info: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.label = label  # before the checks: it is how errors name this one
        self.kind = choice(self.where, "type", type, TYPES)
        self.format = arguments.file_format(self.where, format)
        self.normalize: Normalize = arguments.normalizing(self.where, normalize)
        self._bound(min_length, max_length, max_file_size)
        self.editable = flag(self.where, "editable", editable)
        self.streaming = flag(self.where, "streaming", streaming)
        self.sources = self._sources(sources)
        self.recording = flag(self.where, "recording", recording)
        self.raw = flag(self.where, "raw", raw)
        self.device = arguments.device(self.where, device)
        self.frame_ms = arguments.frame_ms(self.where, frame_ms)
        self.transport = arguments.transport(self.where, transport)
        self.autoplay = flag(self.where, "autoplay", autoplay)
        self.loop = flag(self.where, "loop", loop)
        self.playback_position = seconds(self.where, "playback_position", playback_position) or 0
        self.waveform_options = waveform(self.where, waveform_options)
        self.subtitles = read_subtitles(self.where, subtitles)
        self.own_buttons, self.buttons = arguments.buttons(self.where, buttons)
        self.show_download_button = maybe(self.where, "show_download_button", show_download_button)
        self.show_share_button = maybe(self.where, "show_share_button", show_share_button)
        arguments.check_first(self.where, value)
        super().__init__(
            value,
            label=label,
            info=info,
            every=every,
            inputs=inputs,
            show_label=show_label,
            container=container,
            scale=scale,
            min_width=min_width,
            interactive=interactive,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            render=render,
            key=key,
            **kwargs,
        )

    def _bound(
        self, min_length: float | None, max_length: float | None, max_file_size: int | str | None
    ) -> None:
        self.min_length = seconds(self.where, "min_length", min_length)
        self.max_length = seconds(self.where, "max_length", max_length)
        if self.max_length is not None and (self.min_length or 0) > self.max_length:
            raise DeclarationError(
                f"{self.where}: min_length={min_length!r} is above max_length={max_length!r}."
            )
        self.max_file_size = byte_size(self.where, max_file_size)

    def _sources(self, given: object) -> list[str]:
        return arguments.sources(self.where, given, self.streaming, self.default_sources)

    # -- its own buttons -----------------------------------------------------------------------

    def place(self) -> Self:
        super().place()
        if self.own_buttons and self.graph is not None:
            self.graph.enter(self)
            for button in self.own_buttons:
                if self.graph.stands(button):
                    self.graph.move(button)  # it was made before, or inside of the list
                else:
                    self.graph.place(button)
            self.graph.leave()
        return self

    def with_props(self, props: Mapping[str, object]) -> Self:
        made = super().with_props(props)
        for button in made.own_buttons:
            if button not in self.own_buttons:
                raise ValueError(
                    f"{self.where}: buttons has {button!r}, which nobody could listen to;"
                    " give a Button of your own where the app is written."
                )
        return made

    # -- values --------------------------------------------------------------------------------

    def preprocess(self, value: Any, media: Media) -> object:
        """A Clip as the function gets it; see the class. What operators made of it, as it is."""
        if not isinstance(value, Clip):
            return value
        clip = value
        try:
            if clip.name != chunks.NAME:  # the bounds are of a whole sound
                self._check_length(clip)
            if self.kind == "filepath":
                return str(media.file(clip, self.format or clips.own_format(clip)))
            return clips.writable(clip)
        except ClipError as error:
            raise self._said(error) from error

    def postprocess(self, value: Any, media: Media) -> object:
        """What a function returned, as a Clip. Raises ClipError naming what came."""
        try:
            return clips.clip_of(value, media, self.normalize)
        except ClipError as error:
            raise self._said(error) from error

    def to_wire(self, value: Any, media: Media) -> Json:
        return None if value is None else cast(Json, media.describe(value, format=self.format))

    def from_wire(self, payload: Any, media: Media) -> object:
        """{"clip": handle} as the clip of this session; nothing else of it is looked at."""
        if payload is None:
            return None
        handle: object = (
            cast("dict[str, object]", payload).get("clip") if isinstance(payload, dict) else None
        )
        if not isinstance(handle, str):
            raise InputError(f"{self.where}: a sound comes as its handle, after the upload.")
        try:
            clip = media.clip(handle)
        except KeyError:
            raise InputError(
                f"{self.where}: that sound is no longer here; record or upload it again."
            ) from None
        self.check_upload(clip)
        return clip

    def check_upload(self, value: object) -> None:
        """Raise InputError for a sound beyond `max_file_size`, `min_length` or `max_length`."""
        if not isinstance(value, Clip):
            return
        if self.max_file_size is not None and (value.size or 0) > self.max_file_size:
            raise InputError(
                f"{self.where}: {value.name!r} has {value.size} bytes, "
                f"but max_file_size is {self.max_file_size}; send a shorter or compressed file."
            )
        self._check_length(value)

    def content(self, value: object) -> object:
        return value.id if isinstance(value, Clip) else value

    def again(self, old: Any, new: Any) -> bool:
        return (
            isinstance(old, Clip)
            and isinstance(new, Clip)
            and (old.rate, old.frames, old.name, old.format, old.size)
            == (new.rate, new.frames, new.name, new.format, new.size)
            and old.id == new.id
        )

    # -- streams -------------------------------------------------------------------------------

    def chunk(self, block: Any) -> Clip:
        """A Block of a live recording as a Clip, at 16 bit, bit for bit what was sent."""
        return chunks.clip_of(block)

    def quick(self, value: object) -> bool:
        return chunks.quick(value, self.kind)

    def cut(self, chunk: Chunk) -> Clip:
        return chunks.cut(chunk)

    def append(self, value: Any, before: Any, media: Media) -> Clip | None:
        """One more piece of streamed sound. Never normalised: that would make the level pump."""
        piece = self._piece(value, before, media)
        if not isinstance(piece, Clip):
            return None
        if before is not None and (piece.rate, piece.channels) != (before.rate, before.channels):
            raise InputError(
                f"{self.where}: a chunk of {piece.rate} Hz with {piece.channels} channels came in"
                f" a stream of {before.rate} Hz with {before.channels}; a stream keeps both."
            )
        return piece

    def _piece(self, value: Any, before: Any, media: Media) -> object:
        try:
            value = chunks.given(value)
            if isinstance(value, bytes | bytearray | memoryview):
                return media.piece(bytes(cast(bytes, value)), before)
        except ClipError as error:
            raise self._said(error) from error
        return self.postprocess(value, media)

    def parts(self, piece: Any) -> Iterator[Clip] | None:
        """Long sound in parts, at 16 bit: whoever sends and keeps it has never much at once."""
        return chunks.parts(piece)

    def tape(self, piece: Any, media: Media | None, live: bool) -> Tape:
        """Blocks or Clips in a row are kept as samples, and long ones on disk."""
        return chunks.tape(piece, media, live)

    def joined(self, pieces: Any) -> Clip:
        """Clips that a function gave, or Blocks that came through operators alone, as one Clip."""
        return chunks.joined(pieces)

    def heard(self, port: str) -> None:
        """Who listens to `stream` wants the sound while it is recorded, as if streaming=True."""
        if port != "stream" or self.streaming:
            return
        if self.given().get("streaming") is False:
            raise DeclarationError(
                f"{self.where}: streaming=False, so `stream` never fires; leave one of them out."
            )
        self.streaming = True
        self.sources = self._sources(self.given().get("sources"))
        self.default(streaming=True)

    def warm(self, value: object) -> None:
        if isinstance(value, Clip):  # both read every sample once
            _ = value.id, value.peak

    def receive(
        self, act: str, payload: Json, data: Mapping[str, object] | None, now: Any, media: Media
    ) -> Received:
        if act in ("upload", "stop_recording", "input"):
            value = self.from_wire(payload, media)
            if value is None:
                raise InputError(f"{self.where}: {act} needs a sound; send `clear` for none.")
            return Received(value, data, component=self._at(0))
        if act == "clear":
            return Received(self.cleared, data, component=self._at(0))
        if act in ("play", "pause", "end", "moved") and data:
            position = number(self.where, "playback_position", data.get("playback_position"))
            if position < 0:
                raise InputError(f"{self.where}: playback_position={position!r} lies before 0.")
            return Received(data=data, component=self._at(position))
        if act in ("trim", "undo"):
            if not isinstance(now, Clip):
                raise InputError(f"{self.where}: there is no sound to {act}.")
            return Received(
                untrimmed(now) if act == "undo" else self._trim(now, payload), data, True
            )
        return super().receive(act, payload, data, now, media)

    def _at(self, position: float) -> Audio | None:
        """This component with its play head there; None if it is there already."""
        if position == self.playback_position:
            return None
        made = copy.copy(self)
        made.set("playback_position", position)
        return made

    def _trim(self, now: Clip, payload: Json) -> Clip:
        if not isinstance(payload, dict):
            raise InputError(f'{self.where}: trim needs {{"start": frame, "end": frame}}.')
        try:
            clip = trimmed(now, cast(int, payload.get("start")), cast(int, payload.get("end")))
            self._check_length(clip)
            root_of(now).read(0, 1)  # its file may be gone
        except ClipError as error:
            raise InputError(f"{self.where}: {error}") from error
        return clip

    def _check_length(self, clip: Clip) -> None:
        least, most = self.min_length, self.max_length
        if least is not None and clip.duration < least:
            bound = f"min_length is {least:g} s"
        elif most is not None and clip.duration > most + _SLACK:
            bound = f"max_length is {most:g} s"
        else:
            return
        raise InputError(f"{self.where}: {clip.name!r} is {clip.duration:.3g} s long, but {bound}.")

    def _said(self, error: ClipError) -> ClipError:
        return ClipError(f"{self.where}: {error}")


_SLACK = 0.05  # seconds; a recorder that stops at the limit delivers whole blocks
