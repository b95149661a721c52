"""Traces in files, and what is written down done again."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import ossicle as oc
from ossicle import sound
from ossicle.flow.described import described
from ossicle.testing import Lab, Trace, TraceError, replay

from .traced import RATE, App, ended, greet, heard, steps, story


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
