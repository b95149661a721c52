"""Audio: what functions get and may return, what pages may send, and every argument's meaning."""

from __future__ import annotations

import inspect
import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from ossicle.components.audio import Audio
from ossicle.components.microphone import Microphone
from ossicle.components.waveform import WaveformOptions
from ossicle.flow.audio import Clip, ClipError
from ossicle.flow.errors import DeclarationError, InputError
from ossicle.runtime.media.session import Session
from ossicle.runtime.media.store import Store

RATE = 8000
SOUND = (np.sin(np.arange(4000) / 9) * 9000).astype(np.int16)


def file(folder: Path, samples: Any, name: str = "a.wav", **more: Any) -> Path:
    path = folder / name
    sf.write(str(path), samples, RATE, **more)  # pyright: ignore[reportUnknownMemberType]
    return path


def got(audio: Audio, value: object, media: Session) -> Any:
    """What a function gets for what another returned."""
    return audio.preprocess(audio.postprocess(value, media), media)


# -- what functions get -------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2])
def test_numpy_is_int16_whatever_the_file(
    media: Session, tmp_path: Path, subtype: str, channels: int
) -> None:
    """(rate, int16), (samples,) or (samples, channels); within one step of the file's depth."""
    exact = np.sin(np.arange(2000) / 9)
    samples = exact if channels == 1 else np.stack([exact, -exact], axis=1)
    rate, array = got(Audio(), file(tmp_path, samples * 0.9, subtype=subtype), media)
    assert (rate, array.dtype, array.shape) == (RATE, np.int16, samples.shape)
    step = 256 if subtype == "PCM_U8" else 1
    assert np.abs(array - samples * 0.9 * 32768).max() <= step


def test_a_function_may_write_into_its_array(media: Session, tmp_path: Path) -> None:
    """The value itself does not change."""
    for value in ((RATE, SOUND), file(tmp_path, SOUND)):
        stored = Audio().postprocess(value, media)
        _, array = Audio().preprocess(stored, media)  # pyright: ignore
        array[:] = 0
        assert np.array_equal(Audio().preprocess(stored, media)[1], SOUND)  # pyright: ignore


@pytest.mark.parametrize(
    ("format", "suffix", "kind"),
    [
        ("wav", ".wav", "WAV"),
        ("MP3", ".mp3", "MP3"),
        ("flac", ".flac", "FLAC"),
        (None, ".wav", "WAV"),
    ],
)
def test_filepath_is_a_file_in_the_format(
    media: Session, format: str | None, suffix: str, kind: str
) -> None:
    """A `str` path with the right suffix and the right content."""
    path = got(Audio(type="filepath", format=format), (RATE, SOUND), media)
    assert isinstance(path, str)
    assert Path(path).suffix == suffix
    assert sf.info(path).format == kind  # pyright: ignore


def test_filepath_as_it_came(media: Session, tmp_path: Path) -> None:
    """format=None hands on the very bytes, whatever the format."""
    path = file(tmp_path, SOUND, "a.aiff", subtype="PCM_24")
    handed = got(Audio(type="filepath", format=None), path, media)
    assert Path(handed).name == "a.aiff"
    assert Path(handed).read_bytes() == path.read_bytes()


def test_none_is_none(media: Session) -> None:
    """No sound, in every direction."""
    audio = Audio()
    assert audio.preprocess(None, media) is None
    assert audio.postprocess(None, media) is None
    assert audio.to_wire(None, media) is None
    assert audio.from_wire(None, media) is None
    assert audio.content(None) is None


# -- what functions may return ------------------------------------------------------------------


def test_forms_of_one_sound(media: Session, tmp_path: Path) -> None:
    """Array, path, bytes, AudioSegment and Clip are the same sound, and no `change` between."""
    pydub: Any = import_module("pydub")
    path = file(tmp_path, SOUND)
    segment = pydub.AudioSegment(SOUND.tobytes(), frame_rate=RATE, sample_width=2, channels=1)
    data = path.read_bytes()
    forms = [(RATE, SOUND), path, str(path), data, bytearray(data), memoryview(data), segment]
    forms.append(Clip.of(RATE, SOUND))
    stored = [Audio().postprocess(form, media) for form in forms]
    assert {Audio().content(clip) for clip in stored} == {Clip.of(RATE, SOUND).id}


@pytest.mark.parametrize(("width", "dtype"), [(1, "i1"), (2, "i2"), (4, "i4")])
def test_audio_segments(media: Session, width: int, dtype: str) -> None:
    """Every sample width and channel count of pydub."""
    pydub: Any = import_module("pydub")
    top = 2 ** (8 * width - 1) - 1
    samples = np.array([[0, top], [-top, top // 2]], dtype)
    segment = pydub.AudioSegment(
        samples.tobytes(), frame_rate=44_100, sample_width=width, channels=2
    )
    rate, array = got(Audio(), segment, media)
    assert (rate, array.shape) == (44_100, (2, 2))
    assert np.abs(array / 32768 - samples / (top + 1)).max() < 1e-4


def test_float_follows_normalize(media: Session) -> None:
    """ "peak" fills the scale, "clip" keeps the level, "never" refuses what is too loud."""
    quiet = (RATE, np.array([0.25, -0.5]))
    assert got(Audio(), quiet, media)[1].tolist() == [16384, -32767]
    assert got(Audio(normalize="clip"), quiet, media)[1].tolist() == [8192, -16384]
    with pytest.raises(ClipError, match="^Audio 'Voice': 1 of 1 samples lie beyond"):
        Audio(label="Voice", normalize="never").postprocess((RATE, np.array([2.0])), media)


RETURNS: list[tuple[str, object, str]] = [
    ("dict", {"sound": 1}, "a dict came; return .rate, numpy array., a path"),
    ("number", 5, "an int came; return"),
    ("list", [RATE, SOUND], "a list came; return"),
    ("bare array", SOUND, "a bare array came; return"),
    ("triple", (RATE, SOUND, 1), "a tuple of 3 came; return"),
    ("list in tuple", (RATE, [0, 1]), r"numpy array, but \[0, 1\] \(list\) came"),
    ("swapped", (SOUND, RATE), "swap the two"),
    ("nan", (RATE, np.array([np.nan])), "NaN or infinite"),
    ("empty array", (RATE, SOUND[:0]), "0 samples came"),
    ("channels first", (RATE, np.zeros((2, 500))), "pass array.T"),
    ("0 Hz", (0, SOUND), "0 Hz is impossible"),
    ("missing path", "/no/such/sound.wav", "'/no/such/sound.wav' does not exist"),
    ("empty path", " ", "an empty path came"),
    ("a folder", Path(__file__).parent, "is not a file"),
    ("not sound", Path(__file__), "'test_audio.py' is not a sound file"),
    ("empty bytes", b"", "is empty"),
    ("garbage bytes", b"garbage" * 100, "is not a sound file"),
    ("private URL", "http://127.0.0.1:9/a.wav", "is not a public address"),
]


@pytest.mark.parametrize(("value", "text"), [r[1:] for r in RETURNS], ids=[r[0] for r in RETURNS])
def test_what_no_sound_is(store: Store, media: Session, value: object, text: str) -> None:
    """The error names the component, what came and the way out; nothing stays on disk."""
    with pytest.raises(ClipError, match=text) as raised:
        Audio(label="Voice").postprocess(value, media)
    assert str(raised.value).startswith("Audio 'Voice': ")
    assert store.used == 0


# -- what pages may send ------------------------------------------------------------------------


def uploaded(store: Store, folder: Path, samples: Any = SOUND) -> dict[str, Any]:
    upload = store.receive("a", "mine.wav")
    upload.write(file(folder, samples).read_bytes())
    return {"clip": upload.finish()["clip"]}


@pytest.mark.parametrize("act", ["upload", "stop_recording"])
def test_an_upload_becomes_the_value(
    store: Store, media: Session, tmp_path: Path, act: str
) -> None:
    """The act brings the handle; the page knows the rest already, so there is no echo."""
    received = Audio().receive(act, uploaded(store, tmp_path), None, None, media)
    assert isinstance(received.value, Clip)
    assert np.array_equal(received.value.int16(), SOUND)
    assert not received.echo
    assert Audio.acts[act] == (act, "input")


PAYLOADS: list[object] = [
    None,
    {},
    {"clip": None},
    {"clip": 5},
    {"clip": "1-unknown"},
    {"clip": "../../etc/passwd"},
    {"path": "/etc/passwd"},
    {"url": "http://127.0.0.1/"},
    "/etc/passwd",
    "http://127.0.0.1/a.wav",
    [],
    5,
    True,
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=repr)
def test_no_path_comes_from_the_wire(media: Session, payload: Any) -> None:
    """Only a handle of this session does anything at all."""
    with pytest.raises(InputError, match="^Audio: "):
        Audio().receive("upload", payload, None, None, media)


def test_no_handle_of_another_session(store: Store, media: Session, tmp_path: Path) -> None:
    """Knowing it does not help."""
    payload: Any = uploaded(store, tmp_path)
    with pytest.raises(InputError, match="no longer here"):
        Audio().from_wire(payload, store.session("b"))
    assert isinstance(Audio().from_wire(payload, media), Clip)


@given(st.integers(0, 3999), st.integers(1, 4000))
def test_trim_and_undo(start: int, length: int) -> None:
    """Frames of what is there now, exactly; undo gives back the very same object."""
    media: Any = None  # neither act needs it
    now, end = Clip.of(RATE, SOUND), min(4000, start + length)
    received = Audio().receive("trim", {"start": start, "end": end}, None, now, media)
    cut = received.value
    assert isinstance(cut, Clip) and received.echo
    assert np.array_equal(cut.int16(), SOUND[start:end])
    back = Audio().receive("undo", None, None, cut, media)
    assert back.value is now and back.echo
    assert (Audio().content(cut) == Audio().content(now)) == (cut is now)


@pytest.mark.parametrize(
    "payload",
    [None, {}, [0, 5], {"start": 0}, {"start": 5, "end": 5}, {"start": -1, "end": 5}]
    + [{"start": 0, "end": 4001}, {"start": "0", "end": 5}, {"start": 0, "end": 5.0}],
    ids=repr,
)
def test_trims_that_cannot_be(media: Session, payload: Any) -> None:
    """A clear refusal; the value stays."""
    with pytest.raises(InputError, match="^Audio: .*(start|trim)"):
        Audio().receive("trim", payload, None, Clip.of(RATE, SOUND), media)


def test_nothing_to_trim(media: Session) -> None:
    """Without a sound there is nothing to cut or to undo."""
    for act in ("trim", "undo"):
        with pytest.raises(InputError, match=f"there is no sound to {act}"):
            Audio().receive(act, {"start": 0, "end": 1}, None, None, media)


def test_a_trim_of_a_sound_whose_file_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Refused in words where it was asked for; without them the page would wait for ever."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store()
    media = store.session("a")
    now = Audio().from_wire(uploaded(store, tmp_path), media)
    for blobs in tmp_path.glob("*/blobs"):
        shutil.rmtree(blobs)
    with pytest.raises(InputError, match="^Audio: the file of 'mine.wav' is gone"):
        Audio().receive("trim", {"start": 0, "end": 1000}, None, now, media)
    store.close()


def test_clear_and_other_acts(media: Session) -> None:
    """Clear leaves None; what the player does moves no value; what no act is, is refused."""
    now = Clip.of(RATE, SOUND)
    assert Audio().receive("clear", None, None, now, media).value is None
    for act in ("play", "pause", "end", "start_recording", "pause_recording"):
        assert not isinstance(Audio().receive(act, None, None, now, media).value, Clip)
    for act in ("change", "stream", "stop", "nonsense"):
        with pytest.raises(InputError, match="is no act"):
            Audio().receive(act, None, None, now, media)
    assert Audio.acts["end"] == ("pause", "stop")


def test_length_limits_hold_on_the_server(store: Store, media: Session, tmp_path: Path) -> None:
    """Uploads, trims and inputs of functions, with the length, the limit and the name."""
    payload: Any = uploaded(store, tmp_path)  # 0.5 s
    short, long = Audio(min_length=0.6), Audio(max_length=0.4)
    with pytest.raises(InputError, match="'mine.wav' is 0.5 s long, but max_length is 0.4 s"):
        long.receive("upload", payload, None, None, media)
    now = Clip.of(RATE, SOUND)
    with pytest.raises(InputError, match="0.5 s long, but min_length is 0.6 s"):
        short.preprocess(now, media)
    with pytest.raises(InputError, match="0.125 s long, but min_length is 0.2 s"):
        Audio(min_length=0.2).receive("trim", {"start": 0, "end": 1000}, None, now, media)
    assert Audio(min_length=0.5, max_length=0.5).preprocess(now, media) is not None


def test_file_size_limit_holds_on_the_server(store: Store, media: Session, tmp_path: Path) -> None:
    """max_file_size in bytes or words."""
    payload: Any = uploaded(store, tmp_path)  # 8,044 bytes
    with pytest.raises(InputError, match="has 8044 bytes, but max_file_size is 7168"):
        Audio(max_file_size="7 KB").from_wire(payload, media)
    assert Audio(max_file_size=8044).from_wire(uploaded(store, tmp_path), media) is not None


def test_what_goes_to_the_page(media: Session) -> None:
    """The description of the sound as JSON, downloaded in the component's format."""
    audio = Audio(format="mp3")
    clip = audio.postprocess((RATE, SOUND), media)
    wire: Any = audio.to_wire(clip, media)
    assert json.loads(json.dumps(wire)) == wire
    assert (wire["rate"], wire["channels"], wire["frames"]) == (RATE, 1, 4000)
    assert media.sound(wire["clip"]).format == "mp3"
    assert audio.from_wire(wire, media) is clip


# -- arguments ----------------------------------------------------------------------------------

DOCUMENTED: dict[str, Any] = {
    "value": None,
    "sources": None,
    "type": "numpy",
    "label": None,
    "every": None,
    "show_label": None,
    "container": True,
    "scale": None,
    "min_width": 160,
    "interactive": None,
    "visible": True,
    "streaming": False,
    "elem_id": None,
    "elem_classes": None,
    "render": True,
    "format": "wav",
    "autoplay": False,
    "show_download_button": None,
    "show_share_button": None,
    "editable": True,
    "min_length": None,
    "max_length": None,
    "waveform_options": None,
}


def test_documented_defaults() -> None:
    """Every argument of the documented page, with its default."""
    parameters = inspect.signature(Audio).parameters
    assert {name: parameters[name].default for name in DOCUMENTED} == DOCUMENTED


def test_documented_events() -> None:
    """Every listener of the documented page, and one of ours: the listener has heard the end."""
    assert set(Audio.ports) == {
        *("stream", "change", "clear", "play", "pause", "stop", "start_recording"),
        *("pause_recording", "stop_recording", "upload", "input"),
        "playback_finished",
    }


def test_sources() -> None:
    """Both, or the microphone alone where it streams or is a Microphone."""
    assert Audio().sources == ["upload", "microphone"]
    assert Audio(streaming=True).sources == ["microphone"]
    assert Audio(sources="upload").sources == ["upload"]
    assert Microphone().sources == ["microphone"]
    assert Microphone(label="Voice").type == "audio"


def test_properties_are_json() -> None:
    """What the page is told, without the value."""
    props = Audio(
        (RATE, SOUND), waveform_options={"skip_length": 2}, max_file_size="1.5 MB"
    ).props()
    assert json.loads(json.dumps(props)) == props
    assert props["max_file_size"] == 1_572_864
    assert props["waveform_options"] == {
        "waveform_color": None,
        "waveform_progress_color": None,
        "trim_region_color": None,
        "show_recording_waveform": True,
        "show_controls": False,
        "skip_length": 2,
        "sample_rate": None,
    }
    assert "value" not in props


def test_properties_can_be_changed() -> None:
    """A changed copy has the other arguments as they were written."""
    audio = Microphone(label="Voice", max_length=5)
    changed = audio.with_props({"label": "Mic", "interactive": False})
    assert isinstance(changed, Microphone)
    assert (changed.label, changed.interactive, changed.max_length) == ("Mic", False, 5)
    assert changed.sources == ["microphone"]


ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"sources": ["upload", "webcam"]}, "sources has 'webcam'; choose upload and microphone"),
    ({"sources": ["upload"], "streaming": True}, "streaming=True needs the microphone"),
    ({"type": "bytes"}, "type='bytes' is unknown; choose numpy or filepath"),
    ({"format": "aiff"}, "format='aiff' is unknown; choose wav or mp3 or flac or ogg"),
    ({"format": 3}, "format=3 is unknown"),
    ({"normalize": "loud"}, "normalize='loud' is unknown; choose peak or clip or never"),
    ({"min_length": -1}, "min_length=-1 must be 0 seconds or more"),
    ({"max_length": "5"}, "max_length must be a number, not '5'"),
    ({"max_length": float("nan")}, "max_length must be a finite number"),
    ({"min_length": 3, "max_length": 2}, "min_length=3 is above max_length=2"),
    ({"playback_position": -1}, "playback_position=-1 must be"),
    ({"autoplay": "yes"}, "autoplay='yes' must be True or False"),
    ({"show_download_button": 1}, "show_download_button=1 must be"),
    ({"waveform_options": {"colour": "red"}}, "waveform_options has no 'colour'; choose waveform_"),
    ({"waveform_options": {"skip_length": 0}}, "skip_length=0 must be seconds above 0"),
    ({"waveform_options": {"waveform_color": 7}}, "waveform_color=7 must be a CSS colour"),
    ({"waveform_options": {"sample_rate": 5}}, "sample_rate=5 must be"),
    ({"waveform_options": 5}, "waveform_options must be a dict"),
    ({"buttons": ["print"]}, "buttons has 'print'; choose download, share or a Button"),
    ({"max_file_size": "big"}, "max_file_size='big' must be bytes above 0, or text like \"5 MB\""),
    ({"max_file_size": 0}, "max_file_size=0"),
    ({"device": 3}, "device=3 must be a name or None"),
    ({"subtitles": "none.srt"}, "subtitles='none.srt' cannot be read"),
    ({"subtitles": [{"text": "a"}]}, r"subtitles\[0\] must be"),
    ({"value": "no/such.wav"}, "value='no/such.wav' is not a file"),
    ({"value": [RATE, SOUND]}, "value is a list; pass a tuple"),
    ({"visible": "maybe"}, "visible='maybe' is unknown"),
]


@pytest.mark.parametrize(("arguments", "text"), ARGUMENTS, ids=[str(a[0])[:40] for a in ARGUMENTS])
def test_arguments_that_cannot_work(arguments: dict[str, Any], text: str) -> None:
    """Told when it is written, with the component, the value and what may be written."""
    with pytest.raises(DeclarationError, match=text) as raised:
        given: dict[str, Any] = {"label": "Voice", **arguments}
        Audio(**given)
    assert str(raised.value).startswith(("Audio 'Voice': ", "WaveformOptions: "))


def test_waveform_options_as_an_object() -> None:
    """The same fields, checked when they are written."""
    options = Audio(waveform_options=WaveformOptions(waveform_color="#07f")).waveform_options
    assert options["waveform_color"] == "#07f"
    with pytest.raises(DeclarationError, match="show_controls='no' must be"):
        WaveformOptions(show_controls="no")  # pyright: ignore[reportArgumentType]


SRT = (
    "1\r\n00:00:01,500 --> 00:00:02,25\r\n<i>Hello</i>\r\nthere\r\n\r\n"
    "2\r\n01:00:00,000 --> 01:00:01,000\r\nEnd\r\n"
)
VTT = (
    "WEBVTT\n\nNOTE none\n\nintro\n00:01.500 --> 00:02.250 align:start\nHello\nthere\n\n"
    "1:00:00.000 --> 1:00:01.000\nEnd\n"
)
LINES = [
    {"text": "Hello\nthere", "timestamp": [1.5, 2.25]},
    {"text": "End", "timestamp": [3600.0, 3601.0]},
]


@pytest.mark.parametrize(
    ("name", "text"), [("a.srt", SRT), ("a.vtt", VTT), ("a.json", json.dumps(LINES))]
)
def test_subtitles(tmp_path: Path, name: str, text: str) -> None:
    """SubRip with commas, WebVTT with dots and without hours, JSON: one form."""
    (tmp_path / name).write_bytes(text.encode())
    assert Audio(subtitles=tmp_path / name).subtitles == LINES
    assert Audio(subtitles=LINES).subtitles == LINES


@pytest.mark.parametrize(
    ("name", "text"), [("a.srt", "no times"), ("a.json", "{"), ("b.json", "{}")]
)
def test_subtitles_that_are_none(tmp_path: Path, name: str, text: str) -> None:
    """Told when the app is written."""
    (tmp_path / name).write_text(text)
    with pytest.raises(DeclarationError, match=r"^Audio: subtitles"):
        Audio(subtitles=str(tmp_path / name))
