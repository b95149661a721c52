"""The lab: a whole app in virtual time, by the verbs of its users."""

import asyncio
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import ossicle as oc
from ossicle import testing
from ossicle.flow.errors import InputError
from ossicle.testing import Kind, Lab, LabError, StuckError, Toast

RATE = 8000


def hello(who: str) -> str:
    return f"hello {who}"


def more(number: int) -> int:
    return number + 1


def saw(number: int) -> str:
    return f"saw {number}"


def tone(seconds: float) -> tuple[int, Any]:
    return RATE, np.ones(int(seconds * RATE), np.int16)


# -- verbs -------------------------------------------------------------------------------------


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


# -- time --------------------------------------------------------------------------------------


def test_durations_of_plain_functions() -> None:
    """`takes` is the time from a function's start to its result; its slot is held meanwhile."""
    started = list[float]()
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Number()

        def slow() -> int:
            started.append(lab.seconds)
            return len(started)

        run = go.click(slow, None, out, trigger_mode="multiple")
    with Lab(demo, takes={slow: 1.5}) as lab:
        lab.click(go)
        lab.click(go)
        assert (lab.value(out), started) == (None, [0.0])
        lab.run(1.4)
        assert lab.value(out) is None
        lab.run_until(1.5)
        assert (lab.value(out), started) == (1, [0.0, 1.5])
        lab.takes(run, [7.0])
        lab.run_until(3.0)
        assert lab.value(out) == 2
        lab.click(go)
        lab.run(6.9)
        assert lab.value(out) == 2
        lab.run(0.2)
        assert lab.value(out) == 3


def test_durations_in_turn() -> None:
    """A sequence is one duration for each call; of a generator, for each step."""
    seen = list[tuple[float, str]]()

    def steps() -> Iterator[str]:
        yield from "abc"

    def plain() -> str:
        return "p"

    with oc.Blocks() as demo:
        one, two, out = oc.Button(), oc.Button(), oc.Textbox()
        one.click(steps, None, out)
        two.click(plain, None, out, trigger_mode="multiple")

        def note(text: str) -> None:
            seen.append((lab.seconds, text))

        out.change(note, out, trigger_mode="multiple")
    with Lab(demo, takes={steps: [1, 2], plain: [3, 0.5]}) as lab:
        lab.click(one)
        lab.run_until(10)
        lab.click(two)
        lab.run_until(13)
        lab.type(out, "")
        lab.click(two)
        lab.run_until(20)
    assert seen == [(1, "a"), (3, "b"), (5, "c"), (13, "p"), (13, ""), (13.5, "p")]


def test_async_functions_take_virtual_time_by_themselves() -> None:
    """`await asyncio.sleep` in functions and generators is virtual."""
    with oc.Blocks() as demo:
        go, out, more = oc.Button(), oc.Textbox(), oc.Textbox()

        async def later() -> str:
            await asyncio.sleep(100)
            return f"at {lab.seconds:g}"

        async def steps() -> AsyncIterator[str]:
            for n in range(3):
                await asyncio.sleep(1000)
                yield f"step {n}"

        go.click(later, None, out)
        go.click(steps, None, more)
    with Lab(demo) as lab:
        lab.click(go)
        lab.run_until(2000)
        assert (lab.value(out), lab.value(more)) == ("at 100", "step 1")
        with pytest.raises(LabError, match=r"is async; await asyncio\.sleep"):
            lab.takes(later, 3)
        lab.run_until(math.inf)
        assert (lab.value(more), lab.seconds) == ("step 2", 3000.0)


def test_takes_knows_the_functions_of_its_app() -> None:
    """A duration that nothing would ever ask for is a mistake, and is told with those there are."""
    with oc.Blocks() as demo, oc.Blocks():
        theirs = oc.Button().click(more, oc.Number(1))
    with demo:
        go, number = oc.Button(), oc.Number(1)
        go.click(more, number, number)
        dep = go.click(saw, number, oc.Textbox())
        stop = go.click(None, cancels=dep)
    with Lab(demo) as lab:
        tries: list[tuple[Any, str]] = [
            (hello, r"no listener of this app calls hello\(\); they call more\(\), saw\(\)\."),
            ("more", "no listener of this app calls 'more'; they call"),
            (lambda: None, r"calls <lambda>\(\)"),
            (theirs, "more is no listener of this app"),
            (stop, "cancel has no function"),
        ]
        for what, says in tries:
            with pytest.raises(LabError, match=says):
                lab.takes(what, 1)
        for seconds in (-1, math.nan, math.inf, "1", [], [1, -1], None):
            with pytest.raises(LabError, match="must be seconds, 0 or more, or a list of them"):
                lab.takes(more, seconds)  # type: ignore[arg-type]  # as a user may try


def test_time_that_is_no_time_is_told() -> None:
    """Time goes forward; what is over, or is no number, is a mistake of the test."""
    with oc.Blocks() as demo:
        oc.Audio(label="Mic", streaming=True)
        oc.Textbox(label="Name")
    with Lab(demo) as lab:
        lab.run(3)
        mic, name = lab.find("Mic"), lab.find("Name")
        wrong, nothing = cast("Any", "1"), cast("Any", None)
        tries: list[tuple[Callable[[], object], str]] = [
            (lambda: lab.run(wrong), "run: '1' must be seconds, 0 or more"),
            (lambda: lab.run_until(2), "run_until: 2 must be seconds, 3 or more; time goes for"),
            (lambda: lab.run_until(wrong), "run_until: '1' must be seconds, 3 or more"),
            (lambda: lab.run_until(math.nan), "run_until: nan must be seconds"),
            (lambda: lab.feed(mic, [], -1), "feed: every=-1 must be seconds, more than 0"),
            (lambda: lab.feed(name, [], 1), "feed: Textbox 'Name' has no stream"),
            (
                lambda: lab.perform("a", {"a": wrong}),
                r"acts\['a'\] must be a function, like lambda",
            ),
            (lambda: lab.record(mic, nothing), "a sound is a Clip, .* not NoneType"),
            (lambda: Lab(demo, reconnect_window=-1), "reconnect_window=-1 must be seconds, 0 or"),
            (lambda: Lab(wrong), "a lab runs an app, a Blocks or an Interface, and not '1'"),
        ]
        for act, says in tries:
            with pytest.raises(LabError, match=says):
                act()
        assert lab.seconds == 3


def test_js_stands_for_listeners_that_have_it() -> None:
    """Another one's name, or what is no function, would never be asked."""
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Textbox()
        plain = go.click(hello, out, out)
        go.click(None, out, out, js="() => 'x'", api_name="scripted")
    for js, says in (
        ({"scrpted": hello}, "'scrpted' is no listener of this app with js; there are scripted"),
        ({plain: hello}, "<Dependency hello> is no listener of this app with js"),
        ({"scripted": 5}, "what stands for 'scripted' must be a function, not 5"),
    ):
        wrong: Any = js
        with pytest.raises(LabError, match=says):
            Lab(demo, js=wrong)


def test_what_is_not_on_the_page_takes_no_acts() -> None:
    """A State, to begin with; a timer is there for no user."""
    with oc.Blocks() as demo:
        state, timer = oc.State(0), oc.Timer(1)
    with Lab(demo) as lab:
        with pytest.raises(LabError, match=r"State 1: is not on the page"):
            lab.act(state, "input", 1)
        with pytest.raises(InputError, match=r"Timer 2: 'tick' is no act of it; it has none\."):
            lab.act(timer, "tick")


def test_what_is_greyed_out_or_hidden_takes_no_acts() -> None:
    """As on the page, where a function may change it; what moves no value still can be done."""
    with oc.Blocks() as demo:
        go, text = oc.Button("Go"), oc.Textbox("a", label="Text")
        out, mic, heard = oc.Textbox(label="Out"), oc.Audio(tone(1), label="Mic"), oc.Textbox()
        run = go.click(lambda: oc.Button(interactive=False), None, go)
        text.submit(lambda: oc.Textbox(visible=False), None, text)
        text.focus(hello, text, heard)
        mic.play(lambda: "played", None, out)
        out.copy(lambda: "copied", None, heard)
        mic.change(lambda: None, None, mic)
    with Lab(demo) as lab:
        lab.click(go)
        tries: list[tuple[Callable[[], object], str]] = [
            (lambda: lab.click(go), "Button 'Go': 'click': it is not interactive, so no user can"),
            (lambda: lab.type(out, "b"), "Textbox 'Out': 'input': it is not interactive"),
            (lambda: lab.upload(mic, tone(2)), "Audio 'Mic': 'upload': it is not interactive"),
            (lambda: lab.record(mic, tone(2)), "Audio 'Mic': 'start_recording': it is not inter"),
            (lambda: lab.clear(mic), "Audio 'Mic': 'clear': it is not interactive"),
        ]
        for act, says in tries:
            with pytest.raises(LabError, match=says):
                act()
        lab.submit(text)
        with pytest.raises(LabError, match="Textbox 'Text': 'submit': it is not visible"):
            lab.submit(text)
        lab.play(mic)
        lab.act(out, "copy")
        assert (lab.value(out), lab.value(heard)) == ("played", "copied")
        assert lab.ends(run) == [Kind.SUCCEEDED]


def test_threads_take_their_own_time() -> None:
    """A duration for them would do nothing; it is refused, also where the lab is made."""
    with oc.Blocks() as demo:
        oc.Button().click(more, oc.Number(1))
    with pytest.raises(LabError, match="with threads=True functions take the time that they take"):
        Lab(demo, threads=True, takes={more: 1})


def test_takes_may_name_what_a_part_will_have() -> None:
    """A part of the page brings functions of its own, which no lab knows beforehand."""
    with oc.Blocks() as demo:
        number = oc.Number(1, label="N")

        @oc.render(inputs=number)
        def part(_: int) -> None:
            oc.Button("Go", key="go").click(hello, oc.Textbox("ada"), oc.Textbox(label="Out"))

    with Lab(demo, takes={hello: 2}) as lab:
        lab.click(lab.find("Go"))
        lab.run(1.9)
        assert lab.value(lab.find("Out")) == ""
        lab.run(0.1)
        assert lab.value(lab.find("Out")) == "hello ada"
        with pytest.raises(LabError, match="no listener of this app calls 'hello'"):
            lab.takes("hello", 1)  # type: ignore[arg-type]  # as a user may try


def test_inputs_are_as_of_the_event_for_every_listener() -> None:
    """No function runs before all listeners of its event were asked, as with threads (I1)."""
    with oc.Blocks() as demo:
        go, number, seen = oc.Button(), oc.Number(1), oc.Textbox()
        go.click(more, number, number)
        go.click(saw, number, seen)
    with Lab(demo) as lab:
        lab.click(go)
        assert (lab.value(number), lab.value(seen)) == (2, "saw 1")


def test_plain_functions_see_no_running_loop() -> None:
    """As in a thread, `asyncio.run` works in them, generators included."""

    async def value() -> int:
        return 7

    def steps() -> Iterator[int]:
        yield asyncio.run(value())
        yield asyncio.run(value()) + 1

    with oc.Blocks() as demo:
        go, out, more = oc.Button(), oc.Number(), oc.Number()
        go.click(lambda: asyncio.run(value()), None, out)
        go.click(steps, None, more)
    with Lab(demo) as lab:
        lab.click(go)
        assert (lab.value(out), lab.value(more)) == (7, 8)


def test_generators_are_closed_once_at_their_step() -> None:
    """A cancelled generator ends at its present step, and its `finally` runs once (C2)."""
    log = list[Any]()

    def steps() -> Iterator[int]:
        try:
            for n in range(10):
                log.append(n)
                yield n
        finally:
            log.append("closed")

    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Number()
        run = go.click(steps, None, out)
    with Lab(demo, takes={steps: 1.0}) as lab:
        lab.click(go)
        lab.run(2.5)
        lab.cancel(run)
        assert lab.ends() == [Kind.CANCELLED]
        lab.run(10)
        assert (lab.value(out), log) == (1, [0, 1, 2, "closed"])
        with pytest.raises(LabError, match="no run of steps is pending"):
            lab.cancel(run)


def test_a_generator_without_an_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no time and never ends: an error that says so, not a test that hangs."""
    monkeypatch.setattr("ossicle.runtime.testing.autojump.MOST_AT_ONCE", 5_000)

    def endless() -> Iterator[int]:
        while True:
            yield 1

    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Number()
        go.click(endless, None, out)
    lab = Lab(demo)
    lab.connect()
    with pytest.raises(StuckError, match=r"no time passes at 0 s.*lab\.takes.*At work: "):
        lab.click(go)
    lab.close()


def test_perform_draws_acts() -> None:
    """A picture of acts: groups are one instant, before anything that follows from them."""
    with oc.Blocks() as demo:
        go, name, out = oc.Button(), oc.Textbox(), oc.Textbox()

        def when(text: str) -> str:
            return f"{text} at {lab.seconds:g}"

        go.click(when, name, out, trigger_mode="multiple")
    with Lab(demo) as lab:
        acts: dict[str, Callable[[], object]] = {
            "a": lambda: lab.type(name, "a"),
            "b": lambda: lab.type(name, "b"),
            "c": lambda: lab.click(go),
        }
        lab.perform("(ac)--(bc)-", acts)
        assert lab.value(out) == "b at 0.3"
        assert [each.at for each in lab.outcomes if each.kind is Kind.YIELDED] == [0.0, 0.3]
        assert lab.seconds == pytest.approx(0.5)
        with pytest.raises(LabError, match="has 'x', but acts has none"):
            lab.perform("-x", acts)


# -- people ------------------------------------------------------------------------------------


def test_users_are_apart() -> None:
    """Each session has its own values, toasts and outcomes; the lab sees all outcomes."""
    with oc.Blocks() as demo:
        text, out = oc.Textbox(), oc.Textbox()

        def shout(said: str) -> str:
            if not said:
                raise oc.Error("say something", title="Empty")
            oc.Info(f"heard {said}")
            return said.upper()

        text.submit(shout, text, out)
    with Lab(demo) as lab:
        other = lab.session()
        lab.submit(text, "a")
        other.submit(text)
        assert (lab.value(out), other.value(out)) == ("A", "")
        assert lab.toasts == [Toast("info", "heard a", "Info", 10)]
        assert other.toasts == [Toast("error", "say something", "Empty", 10)]
        assert other.ends() == [Kind.FAILED]
        assert len(lab.outcomes) > len(other.outcomes) > 0


def test_a_request_tells_who_asks() -> None:
    """A session may come with headers and a user name, as functions see them."""
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Textbox()

        def who(request: oc.Request) -> str:
            return f"{request.username} {request.headers['x']}"

        go.click(who, None, out)
    with Lab(demo, connect=False) as lab:
        user = lab.session(oc.Request(username="ada", headers={"x": "y"}))
        user.click(go)
        assert user.value(out) == "ada y"


def test_lines_are_lost_and_found() -> None:
    """Within the reconnect window all that was missed comes; beyond it the session is gone (C5)."""
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Number()

        async def count() -> AsyncIterator[int]:
            for n in range(100):
                await asyncio.sleep(1)
                yield n

        go.click(count, None, out)
    with Lab(demo, reconnect_window=20) as lab:
        lab.click(go)
        lab.run(2.5)
        lab.disconnect()
        lab.run(10)
        assert lab.props(out)["value"] == 1
        lab.reconnect()
        assert lab.props(out)["value"] == lab.value(out) == 11
        lab.disconnect()
        lab.run(30)
        assert lab.ends() == [Kind.CANCELLED]
        lab.reconnect()
        assert lab.page.gone
        assert not lab.connected
        with pytest.raises(LabError, match="session is over"):
            lab.value(out)


def test_js_has_a_stand_in() -> None:
    """A lab has no JavaScript: Python stands for it, and its lack is an error with the way out."""
    with oc.Blocks() as demo:
        text, out, go = oc.Textbox("a"), oc.Textbox("b"), oc.Button()
        given = go.click(hello, text, out, js="(x, y) => x + y")

    def together(x: str, y: str) -> list[str]:
        return [x + y]

    with Lab(demo, js={given: together}) as lab:
        lab.click(go)
        assert lab.value(out) == "hello ab"
    with Lab(demo) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        assert "say what it does" in str(lab.toasts[0].message)


# -- trust -------------------------------------------------------------------------------------


def test_real_threads_can_be_had() -> None:
    """With threads=True plain functions run as in production, and time stands meanwhile."""
    names = list[str]()
    with oc.Blocks() as demo:
        go, out, timer, ticks = oc.Button(), oc.Textbox(), oc.Timer(1.0), oc.Number(0)

        def work() -> Iterator[str]:
            names.append(threading.current_thread().name)
            for n in range(3):
                threading.Event().wait(0.01)
                yield f"{n} at {lab.seconds:g}"

        go.click(work, None, out)
        timer.tick(more, ticks, ticks)
    with Lab(demo, threads=True) as lab:
        lab.run(3.5)
        lab.click(go)
        assert lab.value(out) == "2 at 3.5"
        assert lab.value(ticks) == 3
    assert names[0].startswith("ossicle")


def test_broken_callbacks_are_raised() -> None:
    """What asyncio would only log fails the test."""
    with oc.Blocks() as demo:
        oc.Button()
    lab = Lab(demo)
    lab.connect()
    lab.loop.call_later(1.0, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lab.run(2)
    lab.close()


async def test_async_tests_are_told() -> None:
    """A lab runs its own loop; inside another it says so."""
    with oc.Blocks() as demo:
        oc.Button()
    with pytest.raises(LabError, match="plain `def` test"):
        Lab(demo)


def test_ends_may_be_asked_by_a_name() -> None:
    """As pictures are; a name that no listener has is told with those there are."""
    with oc.Blocks() as demo:
        go = oc.Button("Go")
        go.click(lambda: None, api_name="work")
    with Lab(demo) as lab:
        lab.click(go)
        assert lab.ends("work") == [Kind.SUCCEEDED]
        with pytest.raises(LabError, match="no listener is called 'wrok'; there are work"):
            lab.ends("wrok")


def test_what_is_no_component_and_no_run_is_told() -> None:
    """By what was given, and what may be."""
    with oc.Blocks() as demo:
        go = oc.Button("Go")
        go.click(lambda: None)
    wrong: Any = "Go"
    with Lab(demo) as lab:
        with pytest.raises(LabError, match=r"'Go' is no component; find\('Go'\) gives"):
            lab.value(wrong)
        with pytest.raises(LabError, match="cancel: <Button 'Go'> is no run; give what declaring"):
            lab.cancel(go)  # pyright: ignore[reportArgumentType]  # what is tried
        with pytest.raises(LabError, match="run: -1 must be seconds, 0 or more"):
            lab.run(-1)


def test_failures_are_logged_as_in_production(caplog: pytest.LogCaptureFixture) -> None:
    """A function's bug is a failed outcome and an error in the log, with the path."""
    with oc.Blocks() as demo:
        go = oc.Button("Go")
        go.click(lambda: 1 / 0)
    with caplog.at_level(logging.ERROR), Lab(demo) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        assert lab.toasts == [Toast("error", None, "Error", 10)]
    assert "click → lambda: ZeroDivisionError: division by zero" in caplog.text


ROOT = Path(__file__).parent.parent.parent


def test_the_same_trace_under_every_hash_seed() -> None:
    """Sets, dicts and ids leave no trace: a process's hash seed changes nothing."""

    def trace(seed: str) -> str:
        env = dict(os.environ, PYTHONHASHSEED=seed)
        run = [sys.executable, "-m", "benchmarks.lab", "--trace"]
        done = subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
        return done.stdout

    with ThreadPoolExecutor(os.cpu_count()) as waiting:  # some at once, where there are cores
        traces = set(waiting.map(trace, ("0", "1", "12345")))
    assert len(traces) == 1
    assert len(traces.pop().splitlines()) > 1000


def test_every_public_name_is_there() -> None:
    """`ossicle.testing` loads each of its names when it is asked for."""
    assert {name for name in testing.__all__ if getattr(testing, name) is None} == set()
    assert set(testing.__all__) <= set(dir(testing))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        testing.nothing  # noqa: B018  # pyright: ignore


def test_an_hour_is_quick() -> None:
    """A virtual hour takes no hour; benchmarks/lab.py measures what it takes."""
    with oc.Blocks() as demo:
        count = oc.Number(0)
        oc.Timer(1.0).tick(more, count, count)
    begun = time.perf_counter()
    with Lab(demo) as lab:
        lab.run_until(3600)
        assert lab.value(count) == 3600
    assert time.perf_counter() - begun < 60
