"""Traces: what happened, why it did, in pictures, in files, and again."""

import asyncio
import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reactivex.operators as ops
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import ossicle as oc
from ossicle import sound
from ossicle.flow.described import described
from ossicle.flow.marbles import MarbleError, parse
from ossicle.flow.trace_picture import BADGE
from ossicle.testing import Lab, Trace, TraceError, replay

RATE = 8000


class App:
    """One of everything that a trace must tell of."""

    def __init__(self) -> None:
        with oc.Blocks() as self.blocks:
            self.name, self.out = oc.Textbox(label="Name"), oc.Textbox(label="Out")
            self.take = oc.Microphone(label="Take", streaming=True)
            self.count, self.items = oc.Number(0, label="Count"), oc.State([])
            self.go, self.stop = oc.Button("Go", label="Go"), oc.Button("Stop", label="Stop")
            self.greet = self.name.submit(greet, self.name, self.out)
            self.greet.then(remember, self.items, self.items)
            self.greet.failure(apology, None, self.out)
            self.out.change(length, self.out, self.count)
            self.run = self.go.click(steps, None, self.count)
            self.stop.click(None, None, None, cancels=[self.run])
            self.take.stop_recording(heard, self.take, self.out)
            self.take.stream(loudness, self.take, self.count)
            self.name.change.pipe(ops.debounce(0.3))(waited, None, self.out)
            self.timer = oc.Timer(1.0)
            self.timer.tick(tick)


def greet(name: str) -> str:
    if name == "bad":
        raise oc.Error("no such name")
    return f"hello {name}"


def remember(items: list[int]) -> list[int]:
    items.append(len(items))  # in place: the trace must have kept what was
    return items


def apology() -> str:
    return "sorry"


def length(text: str) -> int:
    return len(text)


def steps() -> Iterator[int]:
    yield from range(5)


def heard(sound: tuple[int, Any]) -> str:
    return f"{len(sound[1])} samples"


def loudness(sound: tuple[int, Any]) -> int:
    return int(np.max(sound[1]))


def waited() -> str:
    return "waited"


async def tick() -> None:
    await asyncio.sleep(0.05)


def story(app: App, lab: Lab) -> None:
    lab.takes(steps, [0.5, 1.0])
    lab.takes(heard, 0.25)
    lab.submit(app.name, "ada")
    lab.run(1)
    lab.click(app.go)
    lab.click(app.go)
    lab.run(1.75)
    lab.click(app.stop)
    guest = lab.session()
    guest.submit(app.name, "bad")
    lab.record(app.take, (RATE, np.arange(RATE, dtype=np.int16)))
    acts: dict[str, Callable[[], object]] = {
        "a": lambda: guest.click(app.go),
        "b": lambda: guest.click(app.stop),
    }
    lab.perform("a-(ab)--a-", acts)
    guest.disconnect()
    lab.run(5)
    guest.reconnect()
    guest.disconnect()
    lab.run(70)


@pytest.fixture(scope="module")
def told() -> tuple[App, Lab]:
    app = App()
    with Lab(app.blocks) as lab:
        story(app, lab)
    return app, lab


def ended(lab: Lab, listener: str, kind: str, nth: int = 0) -> Any:
    found = [each for each in lab.outcomes if each.listener == listener and each.kind == kind]
    return found[nth].outcome


# -- why ---------------------------------------------------------------------------------------


def test_why_a_chain_ran(told: tuple[App, Lab]) -> None:
    """X1: Back from a written value over the function that wrote it to the user's act."""
    _, lab = told
    assert lab.trace.why(ended(lab, "length", "succeeded")).splitlines() == [
        "length (request 2) succeeded at 0 s, 0 s after its start",
        "  asked for by Textbox 'Out'.change at 0 s, written by greet (request 1)",
        "  which was asked for by Textbox 'Name'.submit at 0 s, by the user",
    ]


def test_why_a_follower_ran(told: tuple[App, Lab]) -> None:
    """A follower names the request whose end it follows, and which end."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "apology", "succeeded")).splitlines()
    assert "asked for by the end of greet (request" in lines[1]
    assert lines[1].endswith("(.failure)")
    assert lines[2].startswith("  which was asked for by Textbox 'Name'.submit at 2.75 s")


def test_a_follower_of_a_change_is_no_further_change() -> None:
    """What follows a run is told of the event that began it, which did not happen again."""
    with oc.Blocks() as app:
        text, up, out = oc.Textbox(label="Text"), oc.Textbox(label="Up"), oc.Textbox(label="Out")
        text.change(str.upper, text, up).then(str.lower, up, out)
        up.change(str.title, up, out)
    with Lab(app) as user:
        user.type(text, "a")
        user.run(0.3)
        user.type(text, "b")
        assert user.trace.to_marbles("change", until=0.5).splitlines() == [
            "Textbox 'Text'.change  a--b-",
            "Textbox 'Up'.change    a--b-",
        ]


def test_why_it_failed(told: tuple[App, Lab]) -> None:
    """The error is told in its own words."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "greet", "failed")).splitlines()
    assert lines[1] == "  because of Error: no such name"


def test_why_it_was_dropped(told: tuple[App, Lab]) -> None:
    """What was pending, and the mode."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "steps", "dropped")).splitlines()
    pending = ended(lab, "steps", "started").request.id
    assert lines[1] == (
        f"  because request {pending} of steps was pending, and its trigger mode is once"
    )


def test_why_it_was_cancelled(told: tuple[App, Lab]) -> None:
    """The listener that cancels, and what asked for it; or the user; or the session's end."""
    _, lab = told
    lines = lab.trace.why(ended(lab, "steps", "cancelled")).splitlines()
    assert lines[0].endswith("was cancelled at 2.75 s, 1.75 s after its start")
    assert "cancels it, since Button 'Stop'.click at 2.75 s" in lines[1]
    again = App()
    with Lab(again.blocks, takes={steps: 1.0}, reconnect_window=2) as fresh:
        fresh.click(again.go)
        fresh.cancel(again.run)
        fresh.run(2)
        fresh.click(again.go)
        fresh.disconnect()
        fresh.run(5)
    assert "because the user cancelled it at 0 s" in fresh.trace.why(
        ended(fresh, "steps", "cancelled")
    )
    assert "because its session ended at 4 s" in fresh.trace.why(
        ended(fresh, "steps", "cancelled", 1)
    )


def test_why_a_timer_or_an_operator(told: tuple[App, Lab]) -> None:
    """Ticks and operators are told as what they are."""
    _, lab = told
    assert "Timer" in (told_of := lab.trace.why(ended(lab, "tick", "succeeded")))
    assert told_of.endswith("a tick of a timer")
    lines = lab.trace.why(ended(lab, "waited", "succeeded")).splitlines()
    assert lines[2].startswith("  made by operators of Textbox 'Name'.change at 0 s")


def test_why_nothing(told: tuple[App, Lab]) -> None:
    """A request that never was is no reason to guess."""
    _, lab = told
    with pytest.raises(TraceError, match="no request 99999"):
        lab.trace.why(99999)
    with pytest.raises(TraceError, match="'greet' is no outcome, and no request's id"):
        lab.trace.why("greet")  # type: ignore[arg-type]  # as a user may try
    assert lab.trace.why(lab.outcomes[-1]) == lab.trace.why(lab.outcomes[-1].outcome)


# -- pictures ----------------------------------------------------------------------------------


def test_marbles_show_ports_and_listeners() -> None:
    """X1: Letters for events; q s y | # ^ x r for requests; a row by itself can be read."""
    with oc.Blocks() as demo:
        go, out = oc.Button("Go", label="Go"), oc.Number()
        go.click(steps, None, out, trigger_mode="always_last")
        out.change(len_of, out)
    with Lab(demo, takes={steps: [0.2, 0.1]}) as lab:
        acts: dict[str, Callable[[], object]] = {"a": lambda: lab.click(go)}
        lab.perform("-aa-(aa)-", acts)
        lab.run(1.5)
    picture = lab.trace.to_marbles("Button", "steps", steps=False)
    assert picture.splitlines() == [
        "Button 'Go'.click  -ab-(cd)---   ------",
        "steps              -s--(xx)--(|s)-----|",
    ]
    for line in lab.trace.to_marbles(steps=False).splitlines():
        parse(line.split("  ", 1)[1])


def len_of(number: int) -> int:
    return number


def test_a_row_that_cannot_be_is_told_with_those_there_are(told: tuple[App, Lab]) -> None:
    """X1: in text and in SVG; an empty picture would look as if nothing had happened."""
    _, lab = told
    for draw in (lab.trace.to_marbles, lab.trace.to_svg):
        with pytest.raises(
            TraceError, match=r"no row 'stesp'; there are\n  s1 Textbox 'Name'\.sub"
        ):
            draw("steps", "stesp")
        with pytest.raises(TraceError, match="named by a text, .* not by <Button 'Go'>"):
            draw(told[0].go)  # type: ignore[arg-type]  # as a user may try
    with pytest.raises(MarbleError, match=r"frame=-1 must be the seconds of one character"):
        lab.trace.to_marbles(frame=-1)


def test_a_row_that_was_asked_for_is_there_though_nothing_happened() -> None:
    """X1: that a listener never ran can be read, not only looked for in vain."""
    with oc.Blocks() as demo:
        go, stop = oc.Button("Go"), oc.Button("Stop")
        go.click(len_of, oc.Number(0))
        stop.click(waited)
    with Lab(demo) as lab:
        lab.perform("-a-", {"a": lambda: lab.click(go)})
    assert lab.trace.to_marbles("Go", "waited", until=0.4).splitlines() == [
        "Button 'Go'.click  -a--",
        "waited             ----",
    ]


def test_every_is_no_event_of_its_trigger() -> None:
    """M1 X1: the page opened once, though what hangs on that ran again and again."""
    with oc.Blocks() as demo:
        demo.load(waited, every=0.2)
        oc.Timer(0.3).tick(apology)
    with Lab(demo) as lab:
        lab.run(0.5)
    picture = lab.trace.to_marbles("load", "tick", "waited", steps=False, until=0.6)
    assert picture.splitlines() == [
        "Blocks.load   a   --   --   -",
        "Timer 1.tick  -   --   a-   -",
        "waited        (s|)-(s|)-(s|)-",
    ]


def test_what_stands_in_a_part_has_its_name() -> None:
    """X1 P1: in pictures its ports stand above all listeners, and why() tells of no number."""
    with oc.Blocks() as demo:
        count = oc.Number(1, label="Count")

        @oc.render(inputs=count)
        def part(_: int) -> None:
            oc.Button("Inner").click(waited, api_name="inner")
            oc.Button("Unheard")

    with Lab(demo) as lab:
        lab.click(lab.find("Inner"))
        lab.input(count, 2)
        lab.perform("-a-", {"a": lambda: lab.click(lab.find("Inner"))})
    assert lab.trace.to_marbles("inner", "Inner", "part", steps=False, until=0.3).splitlines() == [
        "Button 'Inner'.click  a     b   -",
        "part                  (s|s|)-   -",
        "inner                 (s|)  (s|)-",
    ]
    assert "asked for by Button 'Inner'.click at 0.1 s" in lab.trace.why(lab.outcomes[-1])
    assert lab.trace.to_svg("inner").count("<rect") == 4, "two runs, each with a bar"
    with pytest.raises(TraceError, match=r"no row 'Unheard'; [^|]*\n  Button 'Inner'\.click\n"):
        lab.trace.to_marbles("Unheard")


def test_svg_is_an_image_in_the_pages_colour(told: tuple[App, Lab]) -> None:
    """Well-formed, a row for each name, no colour of its own."""
    _, lab = told
    text = lab.trace.to_svg()
    root = ElementTree.fromstring(text)
    labels = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "s1 steps" in labels
    assert "s1 Button 'Go'.click" in labels
    assert "currentColor" in text
    assert re.search(r'(fill|stroke)="#', text) is None


def test_svg_marks_stand_beside_each_other() -> None:
    """However close two instants are: the picture grows, and no line runs through a letter."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        go.click(ignored, trigger_mode="multiple")
    with Lab(app) as lab:
        for at in (0.0, 0.1, 0.2, 5.0):
            lab.run_until(at)
            lab.click(go)
        root = ElementTree.fromstring(lab.trace.to_svg())
    space = "{http://www.w3.org/2000/svg}"
    rows = dict[str, list[tuple[float, float]]]()
    for each in root.iter(f"{space}rect"):
        x, width = float(each.attrib["x"]), float(each.attrib["width"])
        if each.attrib.get("fill") == "none":
            rows.setdefault(each.attrib["y"], []).append((x, x + width))
    assert [len(badges) for badges in rows.values()] == [4, 4]
    lines = [each.attrib for each in root.iter(f"{space}line")]
    for top, badges in rows.items():
        for (_, end), (begin, _) in pairwise(badges):
            assert end < begin
        middle = float(top) + BADGE
        mine = [(float(a["x1"]), float(a["x2"])) for a in lines if a["y1"] == f"{middle:g}"]
        assert len(mine) == 3
        assert not [b for b in badges for a in mine if a[0] < b[1] - 0.01 and b[0] + 0.01 < a[1]]


def ignored() -> None: ...


# -- files and replay --------------------------------------------------------------------------


def test_a_trace_survives_its_file(told: tuple[App, Lab], tmp_path: Path) -> None:
    """Saved and loaded it is equal, answers the same, and each line is JSON."""
    _, lab = told
    path = tmp_path / "told.jsonl"
    lab.trace.save(path)
    loaded = Trace.load(path)
    assert loaded == lab.trace
    assert loaded.to_marbles() == lab.trace.to_marbles()
    request = ended(lab, "length", "succeeded").request.id
    assert loaded.why(request) == lab.trace.why(request)
    for line in path.read_text().splitlines():
        json.loads(line)


def bringing() -> tuple[oc.Blocks, list[oc.Audio | oc.File | oc.Image]]:
    with oc.Blocks() as app:
        heard_in, out = list[oc.Audio | oc.File | oc.Image](), oc.Textbox()
        for node in (oc.Audio(), oc.Microphone(streaming=True), oc.File(), oc.Image()):
            node.change(told_of, node, out)
            heard_in.append(node)
    return app, heard_in


def told_of(value: Any) -> str:
    return type(value).__name__


PIXEL = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA=")


@pytest.mark.parametrize("left", [False, True], ids=["the lab ends", "the user has gone"])
def test_what_users_put_in_outlives_its_session(left: bool, tmp_path: Path) -> None:
    """X1: files of sounds, long takes, files and pictures lie in the session's own folder, which is
    gone when the trace is saved; the trace has them all the same, and replays."""
    note = tmp_path / "note.txt"
    note.write_text("a note")
    app, (take, mic, file, image) = bringing()
    with Lab(app, reconnect_window=1, connect=False) as lab:
        user = lab.session()
        wav = tmp_path / "tone.wav"
        soundfile.write(wav, np.sin(np.arange(RATE) / 9), RATE)
        user.upload(take, wav)
        user.record(mic, (RATE, np.arange(5 * RATE, dtype=np.int16)))
        user.upload(file, note)
        user.upload(image, PIXEL)
        if left:
            user.disconnect()
            lab.run(2)
            lab.trace.save(tmp_path / "trace.jsonl")
    if not left:
        lab.trace.save(tmp_path / "trace.jsonl")
    loaded = Trace.load(tmp_path / "trace.jsonl")
    assert loaded == lab.trace
    for trace in (lab.trace, loaded):
        assert replay(bringing()[0], trace, reconnect_window=1) == trace
    loaded.save(tmp_path / "again.jsonl")
    both = [(tmp_path / f"{name}.jsonl").read_bytes() for name in ("trace", "again")]
    assert both[0] == both[1]


def speaking() -> tuple[oc.Blocks, dict[str, Any]]:
    """Sound that goes out: past an operator, for each chunk, out of generators of both kinds."""

    def pieces() -> Iterator[tuple[int, Any]]:
        for _ in range(4):
            yield RATE, np.ones(RATE // 2, np.int16)

    async def more() -> AsyncIterator[tuple[int, Any]]:
        for _ in range(50):
            await asyncio.sleep(0.1)
            yield RATE, np.ones(RATE // 4, np.int16)

    def again(chunk: Any) -> Any:
        return chunk

    def counted(n: int) -> int:
        return n + 1

    with oc.Blocks() as app:
        has = {name: oc.Button(name) for name in ("go", "more", "stop")}
        mic, heard, count = oc.Audio(streaming=True), oc.Audio(streaming=True), oc.Number(0)
        out = oc.Audio(streaming=True)
        mic.stream.pipe(sound.gain(2)).to(heard)
        mic.stream(again, mic, out, stream_every=0.1)
        runs = [
            has["go"].click(pieces, None, out),
            has["more"].click(more, None, heard, trigger_mode="restart"),
        ]
        has["stop"].click(None, cancels=runs)
        for each in (heard, out):
            each.playback_finished(counted, count, count)
    return app, {**has, "mic": mic, "count": count, "pieces": pieces}


def test_sound_that_went_out_replays() -> None:
    """X1: who heard how much of it, and when that was told: in the midst of its end, after a take,
    at a cancel, and while nobody was there."""
    app, has = speaking()
    with Lab(app, takes={has["pieces"]: 0.2}) as lab:
        lab.record(has["mic"], (RATE, np.arange(RATE // 2, dtype=np.int16)))
        lab.click(has["go"])
        lab.run(3)
        for name in ("more", "more", "stop", "go"):
            lab.click(has[name])
            lab.run(0.9)
        lab.disconnect()
        lab.run(1)
        lab.reconnect()
        lab.run(5)
        assert lab.value(has["count"]) > 3
    assert replay(speaking()[0], lab.trace) == lab.trace


def test_a_trace_of_another_app_is_told(told: tuple[App, Lab]) -> None:
    """X1: where the trace has an act at a component that this app has not there."""
    with oc.Blocks() as other:
        oc.Number()
    with pytest.raises(
        TraceError, match="of another app: it has Textbox 'Name' where this one has"
    ):
        replay(other, told[1].trace)


def test_a_session_replays(told: tuple[App, Lab], tmp_path: Path) -> None:
    """X1: What was done is done again, to a new app, with the same trace: the test of a bug."""
    _, lab = told
    assert replay(App().blocks, lab.trace) == lab.trace
    path = tmp_path / "told.jsonl"
    lab.trace.save(path)
    assert replay(App().blocks, path) == Trace.load(path)


def test_a_replay_tells_where_it_parts(told: tuple[App, Lab]) -> None:
    """An app that behaves otherwise is seen at the first entry that differs."""
    _, lab = told
    other = App()
    with oc.Blocks():
        pass
    listener = next(each for each in other.blocks.listeners if each.name == "length")
    listener.fn = lambda text: 0  # pyright: ignore[reportUnknownLambdaType]
    difference = replay(other.blocks, lab.trace).difference(lab.trace)
    assert difference.startswith("entry ")
    assert "\n- " in difference
    assert "\n+ " in difference


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    """A file of something else is named."""
    path = tmp_path / "x.jsonl"
    for text in ("", "{}", "[1]", '{"trace": 99, "names": {}}', "not json"):
        path.write_text(text)
        with pytest.raises(TraceError, match=r"x\.jsonl: is no trace"):
            Trace.load(path)


def test_two_runs_are_equal_and_sessions_have_plain_names() -> None:
    """Tokens are random; their names in the trace are not."""
    traces = list[Trace]()
    for _ in range(2):
        app = App()
        with Lab(app.blocks) as lab:
            story(app, lab)
        traces.append(lab.trace)
    assert traces[0] == traces[1]
    assert {entry.session for entry in traces[0]} == {"s1", "s2"}


def test_values_are_described_the_same_in_every_run() -> None:
    """JSON stays; sound is its content; foreign objects are their repr without addresses."""
    clip = oc.Clip.of(RATE, np.ones(RATE, np.int16))
    assert described([1, None, {"a": (True, "x")}]) == [1, None, {"a": [True, "x"]}]
    assert described(float("nan")) == {"float": "nan"}
    assert described(clip) == {"clip": clip.id, "seconds": 1.0, "rate": RATE}
    assert described(object()) == {"repr": "<object object>"}
    assert described(ValueError("x")) == {"error": "ValueError", "message": "x"}
    assert described(np.zeros(3)) == described(np.zeros(3)) != described(np.ones(3))
    assert described({oc.Clip: 1}) == {repr(oc.Clip): 1}


def test_values_are_as_they_were_though_they_change_later(told: tuple[App, Lab]) -> None:
    """A list that a function appends to is told as it was at each time."""
    _, lab = told
    appended = [
        write["value"]
        for entry in lab.trace
        if entry.facts.get("outcome") == "yielded" and entry.session == "s1"
        for write in entry.facts["value"]
        if isinstance(write.get("value"), list)
    ]
    assert appended == [[0]]


ACTS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["go", "stop", "name", "submit", "record", "leave", "come"]),
        st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.5]),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=30, deadline=None)
@given(ACTS)
def test_whatever_is_done_replays(acts: list[tuple[int, str, float]]) -> None:
    """X1: Any acts at any times, of two users, give the same trace when they are done again."""
    app = App()
    sound = (RATE, np.arange(RATE // 10, dtype=np.int16))
    with Lab(app.blocks, takes={steps: [0.5, 1.0], heard: 0.25, greet: 0.1}) as lab:
        users = [lab, lab.session()]
        for who, what, wait in acts:
            user = users[who]
            if what == "leave" and user.connected:
                user.disconnect()
            elif what == "come" and not user.connected:
                user.reconnect()
            elif user.connected:
                match what:
                    case "go":
                        user.click(app.go)
                    case "stop":
                        user.click(app.stop)
                    case "name":
                        user.type(app.name, str(wait))
                    case "submit":
                        user.submit(app.name, "bad" if wait else "ada")
                    case "record":
                        user.record(app.take, sound)
                    case _:
                        pass
            lab.run(wait)
    new = replay(App().blocks, lab.trace)
    assert new.difference(lab.trace) == ""
