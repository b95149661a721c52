"""`Interface` as its users have it, in virtual time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

import ossicle as oc
from ossicle.components.base import Component
from ossicle.testing import Kind, Lab

RATE = 8000
TONE = np.arange(-400, 400, dtype=np.int16)


def double(number: float) -> float:
    return 2 * number


def find(demo: oc.Blocks, kind: type[Any], text: str) -> Any:
    """The placed node of that kind with this label or value."""
    found = [
        n
        for n in demo.nodes
        if isinstance(n, kind) and text in (getattr(n, "label", None), getattr(n, "value", None))
    ]
    assert len(found) == 1, f"{kind.__name__} {text!r}: {found}"
    return found[0]


def parts(demo: oc.Interface) -> tuple[list[Component], list[Component]]:
    return demo.input_components, demo.output_components


# -- running -----------------------------------------------------------------------------------


def test_submit_runs_and_clear_empties() -> None:
    demo = oc.Interface(double, "number", "number", title="Twice", article="*The end.*")
    (number,), (out,) = parts(demo)
    with Lab(demo) as lab:
        lab.input(number, 4)
        assert lab.value(out) is None
        lab.click(find(demo, oc.Button, "Submit"))
        assert lab.value(out) == 8
        lab.click(find(demo, oc.Button, "Clear"))
        assert (lab.value(number), lab.value(out)) == (None, None)
    find(demo, oc.Markdown, "# Twice")
    find(demo, oc.Markdown, "*The end.*")


def test_live_runs_on_each_change_and_the_newest_wins() -> None:
    """No Submit; while it runs, the last change waits (always_last)."""
    demo = oc.Interface(double, "number", "number", live=True)
    (number,), (out,) = parts(demo)
    with Lab(demo, takes={double: 1.0}) as lab:
        for value in (1, 2, 3):
            lab.input(number, value)
        lab.run(1)
        assert lab.value(out) == 2
        lab.run(1)
        assert lab.value(out) == 6
        assert lab.ends() == [Kind.DROPPED, Kind.SUCCEEDED, Kind.SUCCEEDED]
    assert not [n for n in demo.nodes if isinstance(n, oc.Button) and n.value == "Submit"]


def test_live_with_a_microphone_runs_on_each_chunk() -> None:
    lengths = list[int]()

    def hear(sound: tuple[int, Any]) -> str:
        lengths.append(len(sound[1]))
        return str(sum(lengths))

    demo = oc.Interface(hear, oc.Microphone(streaming=True), "text", live=True, stream_every=0.5)
    (mic,), (out,) = parts(demo)
    with Lab(demo) as lab:
        lab.record(mic, (RATE, np.ones(RATE, np.int16)))
        assert lengths == [RATE // 2, RATE // 2]
        assert lab.value(out) == str(RATE)


def test_a_generator_shows_stop_while_it_runs() -> None:
    """Stop cancels it, keeps what it yielded, and Submit is back."""

    def count(n: float) -> Iterator[float]:
        yield from range(int(n))

    demo = oc.Interface(count, "number", "number", stop_btn=oc.Button("Halt", render=False))
    (number,), (out,) = parts(demo)
    submit, halt = find(demo, oc.Button, "Submit"), find(demo, oc.Button, "Halt")
    with Lab(demo, takes={count: 1.0}) as lab:
        assert (lab.props(submit)["visible"], lab.props(halt)["visible"]) == (True, False)
        lab.input(number, 100)
        lab.click(submit)
        lab.run(2.5)
        assert (lab.props(submit)["visible"], lab.props(halt)["visible"]) == (False, True)
        lab.click(halt)
        lab.run(5)
        assert lab.value(out) == 1
        assert (lab.props(submit)["visible"], lab.props(halt)["visible"]) == (True, False)


def test_without_inputs_there_is_generate() -> None:
    demo = oc.Interface(lambda: 7, None, "number")
    with Lab(demo) as lab:
        lab.click(find(demo, oc.Button, "Generate"))
        assert lab.value(demo.output_components[0]) == 7


def test_buttons_may_be_given_and_left_out() -> None:
    go = oc.Button("Mix", variant="stop", render=False)
    demo = oc.Interface(double, "number", "number", submit_btn=go, clear_btn=None)
    assert [n.value for n in demo.nodes if isinstance(n, oc.Button)] == ["Mix"]
    with Lab(demo) as lab:
        lab.input(demo.input_components[0], 3)
        lab.click(go)
        assert lab.value(demo.output_components[0]) == 6


def test_additional_inputs_come_last_in_an_accordion() -> None:
    def add(a: float, b: float) -> float:
        return a + b

    demo = oc.Interface(
        add, "number", "number", additional_inputs=[oc.Slider(0, 9, 4)],
        additional_inputs_accordion="More",
    )  # fmt: skip
    accordion = find(demo, oc.Accordion, "More")
    assert not accordion.open
    (number, slider), (out,) = parts(demo)
    assert (number.label, slider.label) == ("a", "b")
    places = {place.node: place for place in walk(demo.layout)}
    assert [child.node for child in places[accordion].children] == [slider]
    with Lab(demo) as lab:
        lab.input(number, 1)
        lab.click(find(demo, oc.Button, "Submit"))
        assert lab.value(out) == 5


def walk(place: Any) -> Iterator[Any]:
    yield place
    for child in place.children:
        yield from walk(child)


# -- examples ----------------------------------------------------------------------------------


def test_examples_fill_the_inputs_and_may_run() -> None:
    for run, made in ((False, None), (True, 10)):
        demo = oc.Interface(double, "number", "number", [4, 5], run_examples_on_click=run)
        (number,), (out,) = parts(demo)
        with Lab(demo) as lab:
            lab.select(find(demo, oc.Examples, "Examples"), 1)
            assert (lab.value(number), lab.value(out)) == (5, made)


def test_examples_with_a_state_leave_it_alone() -> None:
    def add(total: list[float], number: float) -> tuple[list[float], float]:
        total.append(number)
        return total, sum(total)

    def interface(**more: Any) -> oc.Interface:
        return oc.Interface(add, [oc.State([1.0]), "number"], ["state", "number"], [[4]], **more)

    demo = interface(run_examples_on_click=True)
    with Lab(demo) as lab:
        lab.select(find(demo, oc.Examples, "Examples"), 0)
        assert lab.value(demo.output_components[1]) == 5
    with pytest.raises(oc.DeclarationError, match="leave the cache out"):
        interface(cache_examples=True)


def test_cached_examples_show_their_results() -> None:
    demo = oc.Interface(
        double, "number", "number", examples=[4, 5], cache_examples=True, examples_per_page=1
    )
    (number,), (out,) = parts(demo)
    with Lab(demo) as lab:
        pick = find(demo, oc.Examples, "Examples")
        lab.select(pick, 0)
        assert (lab.value(number), lab.value(out)) == (4, 8)
        assert lab.props(pick)["per_page"] == 1


# -- flagging ----------------------------------------------------------------------------------


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_nothing_is_written_unless_asked_for(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    demo = oc.Interface(double, "number", "number")
    with Lab(demo) as lab:
        lab.input(demo.input_components[0], 4)
        lab.click(find(demo, oc.Button, "Submit"))
    assert list(tmp_path.iterdir()) == []


def test_flags_go_to_a_log_with_copies_of_the_sounds(tmp_path: Path) -> None:
    """A row for each click, sounds as files, each once; and the user is told."""

    def reverse(sound: tuple[int, Any], note: str) -> Any:
        return sound[0], sound[1][::-1]

    folder = tmp_path / "flags"
    demo = oc.Interface(
        reverse,
        [oc.Audio(label="Take"), "text"],
        "audio",
        flagging_mode="manual",
        flagging_options=["good", ("odd", "x")],
        flagging_dir=folder,
    )
    (take, note), (out,) = parts(demo)
    with Lab(demo) as lab:
        assert not folder.exists()
        lab.upload(take, (RATE, TONE))
        lab.type(note, "=SUM(A1)")
        lab.click(find(demo, oc.Button, "Submit"))
        lab.click(find(demo, oc.Button, "Flag as good"))
        lab.click(find(demo, oc.Button, "Flag as odd"))
        assert [toast.title for toast in lab.toasts] == ["Flagged", "Flagged"]
        assert lab.value(out)[1][0] == TONE[-1]
    header, first, second = rows(folder / "dataset1.csv")
    assert header == ["Take", "note", "output", "flag", "timestamp"]
    assert (first[:3], first[1], first[3], second[3]) == (second[:3], "'=SUM(A1)", "good", "x")
    assert first[4].endswith("+00:00")
    assert [Path(first[n]).relative_to(folder).parts[0] for n in (0, 2)] == ["Take", "output"]
    for place, samples in ((0, TONE), (2, TONE[::-1])):
        read, rate = soundfile.read(first[place], dtype="int16")
        assert rate == RATE and np.array_equal(read, samples)


def test_auto_keeps_each_run_that_succeeded(tmp_path: Path) -> None:
    def risky(number: float) -> float:
        if number < 0:
            raise oc.Error("no")
        return number

    demo = oc.Interface(
        risky, "number", "number", flagging_mode="auto", flagging_dir=tmp_path / "flags"
    )
    with Lab(demo) as lab:
        for value in (1, -1, 2):
            lab.input(demo.input_components[0], value)
            lab.click(find(demo, oc.Button, "Submit"))
        assert [toast.level for toast in lab.toasts] == ["error"]
    assert [row[:2] for row in rows(tmp_path / "flags" / "dataset1.csv")[1:]] == [
        ["1", "1"],
        ["2", "2"],
    ]


def test_other_columns_begin_another_log(tmp_path: Path) -> None:
    for label in ("a", "b", "a"):
        demo = oc.Interface(
            double,
            oc.Number(label=label),
            "number",
            flagging_mode="manual",
            flagging_dir=tmp_path,
        )
        with Lab(demo) as lab:
            lab.input(demo.input_components[0], 4)
            lab.click(find(demo, oc.Button, "Flag"))
    assert len(rows(tmp_path / "dataset1.csv")) == 3
    assert len(rows(tmp_path / "dataset2.csv")) == 2


def test_other_files_are_copied_as_they_came(tmp_path: Path) -> None:
    demo = oc.Interface(
        lambda files: {"n": len(files)},  # pyright: ignore
        oc.File(file_count="multiple", label="In"),
        "json",
        flagging_mode="manual",
        flagging_dir=tmp_path / "flags",
    )
    note = tmp_path / "note.html"
    note.write_bytes(b"<b>")
    with Lab(demo) as lab:
        lab.upload(demo.input_components[0], [note, b"x"])
        lab.click(find(demo, oc.Button, "Submit"))
        lab.click(find(demo, oc.Button, "Flag"))
        assert lab.ends()[-1] is Kind.SUCCEEDED
    row = rows(tmp_path / "flags" / "dataset1.csv")[1]
    first, second = map(Path, json.loads(row[0]))
    assert first.read_bytes() == b"<b>" and first.name == "note.html"
    assert second.read_bytes() == b"x" and second.is_relative_to(tmp_path / "flags" / "In")
    assert row[1] == '{"n": 2}'


def test_a_mode_that_is_unknown_is_refused() -> None:
    with pytest.raises(oc.DeclarationError, match="choose manual, never or auto"):
        oc.Interface(double, "number", "number", flagging_mode=cast(Any, "always"))


def test_cached_examples_in_a_part_of_the_page() -> None:
    """A part is made while a user waits: its results are made at the first click, eager or not."""
    calls = list[float]()

    def count(number: float) -> float:
        calls.append(number)
        return 2 * number

    with oc.Blocks() as demo:

        @oc.render()
        def part() -> None:
            oc.Interface(count, "number", "number", examples=[[4], [5]], cache_examples=True)

    with Lab(demo) as lab:
        for _ in range(2):
            lab.act(lab.find("Examples"), "select", data={"index": 1})
        assert lab.value(lab.find("output")) == 10
        assert calls == [5]
