"""The lab: a whole app in virtual time, by the verbs of its users."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.blocks import Block
from ossicle.testing import Kind, Lab, LabError

from .labs import RATE, hello, more, tone


def test_typing_and_clicking() -> None:
    """A verb returns when all that follows from it at once has happened."""
    with oc.Blocks() as demo:
        name, greeting, go = oc.Textbox(), oc.Textbox(), oc.Button("Go")
        greet = go.click(hello, name, greeting)
    with Lab(demo) as lab:
        lab.type(name, "ada")
        lab.click(go)
        assert lab.value(greeting) == "hello ada"
        assert lab.props(greeting)["value"] == "hello ada"
        assert lab.ends(greet) == [Kind.SUCCEEDED]
        assert [each.kind for each in lab.outcomes] == ["started", "yielded", "succeeded"]
        assert lab.seconds == 0.0


def test_a_lab_without_with() -> None:
    """A lab is connected when it is made; `with` only closes it."""
    with oc.Blocks() as demo:
        count, go = oc.Number(0), oc.Button("Go")
        go.click(more, count, count)
    lab = Lab(demo)
    lab.click(go)
    assert lab.value(count) == 1
    lab.close()
    with pytest.raises(LabError, match="takes"):
        Lab(demo, takes={more: -1})


@pytest.mark.parametrize("make", [oc.Radio, oc.Dropdown, oc.CheckboxGroup])
def test_choosing_is_one_act(make: Any) -> None:
    """E4: `select`, `input` and `change` come in this order, and all see the new value."""
    seen = list[tuple[str, object]]()

    def note(port: str, now: object) -> None:
        seen.append((port, now))

    with oc.Blocks() as demo:
        choice = make(["a", "b"], value="b")
        for port in ("change", "input", "select"):
            getattr(choice, port)(partial(note, port), choice)
    with Lab(demo) as lab:
        lab.select(choice, value="a")
        after = ["a", "b"] if make is oc.CheckboxGroup else "a"
        assert seen == [("select", after), ("input", after), ("change", after)]
        with pytest.raises(LabError, match="7 is no choice"):
            lab.select(choice, 7)


def test_every_kind_of_component_takes_input() -> None:
    """`input` takes a value as a function would return it, whatever the component."""
    with oc.Blocks() as demo:
        parts = {
            oc.Textbox(): "x",
            oc.Number(): 4.5,
            oc.Slider(0, 10): 7,
            oc.Dropdown(["a", "b"]): "b",
            oc.Dropdown(["a", "b", "c"], multiselect=True): ["a", "c"],
        }
        heard = list[Any]()
        for part in parts:
            part.input(heard.append, part)
    with Lab(demo) as lab:
        for part, value in parts.items():
            lab.input(part, value)
            assert lab.value(part) == value
    assert heard == list(parts.values())


def test_a_verb_that_no_user_could_do_names_what_there_is() -> None:
    """Errors name the component and its acts."""
    with oc.Blocks() as demo:
        text, go = oc.Textbox(label="Name"), oc.Button("Go")
        audio = oc.Audio(label="Take")
    with oc.Blocks():
        elsewhere = oc.Button()
    with Lab(demo) as lab:
        with pytest.raises(ValueError, match=r"Textbox 'Name': 'click' is no act of it; it has"):
            lab.click(text)
        with pytest.raises(ValueError, match=r"Button .*: 'upload' is no act of it; it has click"):
            lab.act(go, "upload")
        with pytest.raises(LabError, match=r"Textbox 'Name': takes no sound"):
            lab.record(text, tone(1))
        with pytest.raises(LabError, match=r"Audio 'Take' holds no sound"):
            lab.play(audio)
        with pytest.raises(LabError, match="is not a component of this app"):
            lab.click(elsewhere)
        lab.disconnect()
        with pytest.raises(LabError, match="not connected"):
            lab.click(go)
    with pytest.raises(LabError, match="the lab is closed"):
        lab.click(go)


@pytest.fixture
def recorder() -> tuple[oc.Blocks, oc.Audio, list[tuple[float, str, float | None]]]:
    """An app with one Audio, and a log of its events: time, name, seconds of sound."""
    log = list[tuple[float, str, float | None]]()

    def note(name: str) -> Callable[[Any], None]:
        def heard(sound: Any) -> None:
            length = None if sound is None else len(sound[1]) / sound[0]
            log.append((asyncio_seconds(), name, length))

        return heard

    def asyncio_seconds() -> float:
        return current[0].seconds

    with oc.Blocks() as demo:
        audio = oc.Audio(label="Take")
        for name in audio.ports:
            if name != "stream":
                getattr(audio, name)(note(name), audio, trigger_mode="multiple")
    return demo, audio, log


current = list[Lab]()


@pytest.fixture
def taped(
    recorder: tuple[oc.Blocks, oc.Audio, list[tuple[float, str, float | None]]],
) -> Iterator[tuple[Lab, oc.Audio, list[tuple[float, str, float | None]]]]:
    demo, audio, log = recorder
    with Lab(demo) as lab:
        current.insert(0, lab)
        yield lab, audio, log
        current.pop(0)


Taped = tuple[Lab, oc.Audio, list[tuple[float, str, float | None]]]


def test_sound_by_upload_recording_trim_and_clear(taped: Taped) -> None:
    """One law of order (E4), and a recording takes as long as it is."""
    lab, audio, log = taped
    lab.upload(audio, tone(0.5))
    lab.record(audio, tone(2.0))
    lab.trim(audio, 0.5, 1.0)
    lab.undo(audio)
    lab.clear(audio)
    assert log == [
        (0.0, "upload", 0.5),
        (0.0, "input", 0.5),
        (0.0, "change", 0.5),
        (0.0, "start_recording", 0.5),
        (2.0, "stop_recording", 2.0),
        (2.0, "input", 2.0),
        (2.0, "change", 2.0),
        (2.0, "input", 0.5),
        (2.0, "change", 0.5),
        (2.0, "input", 2.0),
        (2.0, "change", 2.0),
        (2.0, "clear", None),
        (2.0, "input", None),
        (2.0, "change", None),
    ]


def test_playing_ends_when_the_sound_does(taped: Taped) -> None:
    """`pause` then `stop` at the end, in virtual time; a pause in between moves the end."""
    lab, audio, log = taped
    lab.upload(audio, tone(2.0))
    log.clear()
    lab.play(audio)
    lab.run(0.5)
    lab.pause(audio)
    lab.run(10)
    lab.play(audio)
    lab.run(10)
    assert [(at, name) for at, name, _ in log] == [
        (0.0, "play"),
        (0.5, "pause"),
        (10.5, "play"),
        (12.0, "pause"),
        (12.0, "stop"),
    ]


def test_sounds_come_in_every_form(taped: Taped, tmp_path: Path) -> None:
    """A Clip, a tuple, a path and bytes are the same sound."""
    import soundfile

    lab, audio, log = taped
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(0.25)[1], RATE)
    for sound in (tone(0.25), oc.Clip.of(*tone(0.25)), path, str(path), path.read_bytes()):
        lab.upload(audio, sound)
        assert lab.value(audio)[0] == RATE
        assert np.array_equal(lab.value(audio)[1], tone(0.25)[1])
    # the same content five times: one change (rule E1)
    assert [name for _, name, _ in log].count("change") == 1


def test_a_long_sound_that_is_yielded_at_once_is_heard_to_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each piece that a page hears asks for the next one, and nothing nests in that."""
    log = list[str]()

    def speak() -> Iterator[tuple[int, Any]]:
        yield tone(30)

    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Audio(streaming=True, interactive=False)
        go.click(speak, None, out)
        out.playback_finished(lambda: log.append("heard"), None, None)
    with Lab(demo) as lab:
        lab.click(go)
        frames = sum(len(each.samples) for each in lab.page.heard[out.id])
        assert (frames, log) == (30 * RATE, ["heard"])
        assert lab.value(out)[1].shape == (30 * RATE,)
    assert not caplog.messages


def test_a_streaming_microphone_sends_chunks() -> None:
    """Whole chunks while it records, the remainder before the end, then the whole take (E7)."""
    log = list[tuple[float, str, float]]()

    def heard(sound: tuple[int, Any]) -> None:
        log.append((lab.seconds, "chunk", len(sound[1]) / sound[0]))

    def stopped(sound: tuple[int, Any]) -> None:
        log.append((lab.seconds, "take", len(sound[1]) / sound[0]))

    with oc.Blocks() as demo:
        mic = oc.Microphone(streaming=True)
        mic.stream(heard, mic)
        mic.stop_recording(stopped, mic)
    with Lab(demo) as lab:
        lab.record(mic, tone(1.2))
    assert log == [
        (0.5, "chunk", 0.5),
        (1.0, "chunk", 0.5),
        (1.2, "chunk", pytest.approx(0.2)),
        (1.2, "take", 1.2),
    ]


def test_chunks_may_be_fed_as_they_come() -> None:
    """Any values, at any pace, through operators on the app's clock (E8)."""
    import reactivex.operators as ops

    with oc.Blocks() as demo:
        mic, count = oc.Microphone(streaming=True), oc.Number()
        counted = mic.stream.pipe(ops.buffer_with_time(1.0), ops.map(len))

        def show(event: oc.EventData) -> int:
            return event.value

        counted(show, None, count)
    with Lab(demo) as lab:
        lab.feed(mic, range(100), every=0.02)
        lab.run(1.01)  # the chunk of 1.0 s comes after the window that ends then
        assert lab.value(count) == 49
        lab.run(1)
        assert lab.value(count) == 50
        lab.disconnect()
        lab.run(5)
        assert lab.value(count) == 0


def test_sound_may_be_fed_block_by_block() -> None:
    """Each block is heard at its time, also by a part that comes and goes meanwhile."""
    heard = list[tuple[str, int, float]]()

    with oc.Blocks() as demo:
        count, mic = oc.Number(0), oc.Audio(streaming=True)

        def hear(who: str, event: oc.EventData) -> None:
            heard.append((who, event.index, round(lab.seconds, 3)))

        mic.stream(partial(hear, "app"), None, None, stream_every=0.02)

        @oc.render(inputs=count)
        def _(n: float) -> None:
            if n == 1:
                mic.stream(partial(hear, "part"), None, None, stream_every=0.02)

    silence = np.zeros(160, np.float32)
    with Lab(demo) as lab:
        lab.feed(mic, (Block.of(RATE, silence, 160 * n) for n in range(6)), every=0.02)
        for turn in range(3):
            lab.input(count, turn)
            lab.run(0.041)
    app = [(index, at) for who, index, at in heard if who == "app"]
    assert app == [(160 * n, round(0.02 * (n + 1), 3)) for n in range(6)]
    assert [index for who, index, _ in heard if who == "part"] == [320, 480]
