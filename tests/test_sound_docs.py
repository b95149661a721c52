"""docs/operators.md and the docstrings of `ossicle.sound`: complete, and true."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from reactivex import operators as ops

import ossicle as oc
from ossicle import sound

TEXT = (Path(__file__).parents[1] / "docs" / "operators.md").read_text("utf-8")
LIVE = (Path(__file__).parents[1] / "docs" / "live.md").read_text("utf-8")
NAMES: dict[str, Any] = {"show": print, "Phaser": object, "Reverb": object}
"""What docstrings take for granted."""
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

PUBLIC = {
    name: value
    for name, value in vars(sound).items()
    if inspect.isfunction(value) and not name.startswith("_")
}


class Network:
    """Takes and gives what Silero's network does: names, shapes, types."""

    def __init__(self, path: str) -> None:
        assert path.endswith(".onnx")

    def run(self, names: None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        forms = {name: (each.shape, each.dtype.name) for name, each in given.items()}
        assert forms == {
            "input": ((1, 576), "float32"), "state": ((2, 1, 128), "float32"), "sr": ((), "int64"),
        }  # fmt: skip
        return [np.array([[0.7]], np.float32), given["state"] + 1]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_examples_run(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block by itself, its asserts too; the first one is a line out of an app."""
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=Network))  # pyright: ignore[reportArgumentType]  80 MB that nothing else needs
    source = BLOCKS[number]
    given: dict[str, Any] = {"__name__": "example"}
    if "microphone.stream" in source and "microphone =" not in source:
        import ossicle as oc

        with oc.Blocks():
            given["microphone"] = oc.Audio(streaming=True)
            exec(compile(source, f"operators.md, example {number}", "exec"), given)
        return
    exec(compile(source, f"operators.md, example {number}", "exec"), given)


@pytest.mark.parametrize("source", re.findall(r"```python\n(.*?)```", LIVE, re.DOTALL))
def test_what_live_md_writes_can_be_written(source: str) -> None:
    """Each block makes a plan: components, functions and operators are as they are called there."""

    def speak(question: str) -> Any:
        yield None

    def transcribe(chunk: Any, state: list[str]) -> Any:
        return "", state

    with oc.Blocks() as app:
        recorder = {name: oc.Audio(streaming=True) for name in ("mic", "microphone")}
        player = {n: oc.Audio(streaming=True, interactive=False) for n in ("voice", "speaker")}
        others = {"text": oc.Textbox(), "question": oc.Textbox(), "track": oc.Audio()}
        moved = {name: oc.Slider(-40, 6, 0) for name in ("voice_slider", "music_slider")}
        asked = {name: oc.Button() for name in ("ask", "stop")}
        given: dict[str, Any] = (
            recorder | player | others | moved | asked | {"oc": oc, "sound": sound, "ops": ops}
        )
        given |= dict.fromkeys(("keep", "react", "note", "echo"), print)
        exec(compile(source, "live.md", "exec"), given | {"speak": speak, "transcribe": transcribe})
    assert app.plan().nodes


def test_every_function_is_in_the_document() -> None:
    """What `ossicle.sound` has is named in docs/operators.md, and is explained by a docstring."""
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    named = set(re.findall(r"\b([a-z_]+)\b", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert sorted(set(PUBLIC) - named) == []
    assert [name for name, each in PUBLIC.items() if not (each.__doc__ or "").strip()] == []


def test_what_the_document_names_is_there() -> None:
    """Each operator of the tables exists; nothing is promised that is not there."""
    rows = re.findall(r"^\| (`.+?`) \|", TEXT, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([a-z_]+)\(?", row)}
    assert len(names) > 40
    assert sorted(name for name in names if not hasattr(sound, name)) == []


LATENCIES = [
    (sound.resample(16_000), 51), (sound.limiter(), 240), (sound.denoise(), 1023),
    (sound.tempo(1.0), 1800), (sound.loudness(), 4799), (sound.onset(), 719),
    (sound.frame(512), 511), (sound.gain(0.0), 0), (sound.reverb(), 0),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "frames"), LATENCIES, ids=lambda x: str(x))
def test_the_tables_latencies_are_the_declared_ones(
    operator: sound.Operator[Any, Any], frames: int
) -> None:
    """The numbers of the document at 48 kHz; a contract test measures what is declared."""
    assert operator.latency(48_000) == frames
    (row,) = re.findall(rf"^\| `{operator.name}\(.*$", TEXT, re.MULTILINE)[:1]
    cell = row.split("|")[3].replace(",", "")
    assert frames == 0 or operator.name == "frame" or str(frames) in cell


def test_examples_in_docstrings_run() -> None:
    """A call in `quotes` in a function's own docstring can be made as it stands there."""
    found: list[str] = []
    for name, each in PUBLIC.items():
        for example in re.findall(rf"`({name}\(.+?\))`", each.__doc__ or ""):
            eval(compile(example, f"{name}'s docstring", "eval"), {**vars(sound), **NAMES})
            found.append(name)
    assert {"tee", "pedalboard"} <= set(found)


def test_the_figures_that_live_md_names_are_there() -> None:
    """Each name in the table of metrics is a key of a snapshot."""
    from ossicle.flow.figures import Chain
    from ossicle.runtime.media.store import Store
    from ossicle.runtime.streams.chunked import CallMetrics
    from ossicle.runtime.streams.metrics import Metrics

    metrics = Metrics()
    session = metrics.open()
    session.source(1, 48_000, 1)
    session.sink(2, 48_000, 1, True)
    session.calls[1, 0] = CallMetrics("f", 1)
    session.chains = [Chain("a.pipe(...)", 1, 2, [sound.gain(0.0)])]
    made = metrics.snapshot()
    (one,) = made["sessions"]
    (chain,) = one["chains"]
    made["disk"] = Store().writing()
    keys = {"sessions", *made, *made["disk"], *made["loop"], *made["totals"], *one, *one["link"]}
    keys |= {*one["sources"][0], *one["sinks"][0], *one["calls"][0]}
    keys |= {*chain, *chain["operators"][0]}
    rows = LIVE[LIVE.index("| what | in the JSON |") : LIVE.index("`sources`, `sinks`, `link`")]
    cells = " ".join(row.split("|")[2] for row in rows.strip().splitlines())
    named = set(re.findall(r"\b([a-z_0-9]+)\b", " ".join(re.findall(r"`([^`]+)`", cells))))
    assert len(named) > 45
    assert sorted(named - keys) == []
    for page in ("sources", "sinks", "link", "chains", "calls"):
        assert page in one
