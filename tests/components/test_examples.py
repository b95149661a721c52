"""Examples: a click fills inputs, runs the function, or shows what was made beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import ossicle as oc
from ossicle.testing import Kind, Lab

RATE = 8000
TONE = np.arange(800, dtype=np.int16)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    import soundfile

    path = tmp_path / "Grüße aus Köln.wav"
    soundfile.write(path, TONE, RATE)
    return path


def test_a_click_fills_the_inputs(wav: Path) -> None:
    """With stored values of the session, by the program: `change`, never `input` (rule E5)."""
    heard = list[str]()
    with oc.Blocks() as demo:
        sound, name = oc.Audio(), oc.Textbox(label="Name")
        pick = oc.Examples([[wav, "file"], [(RATE, TONE[::-1]), "array"]], [sound, name])
        name.change(lambda: heard.append("change"))
        name.input(lambda: heard.append("input"))
    with Lab(demo) as lab:
        lab.select(pick, 1)
        assert np.array_equal(lab.value(sound)[1] == 0, TONE[::-1] == 0)
        assert (lab.value(name), heard) == ("array", ["change"])
        lab.select(pick, 0)
        assert np.array_equal(lab.value(sound)[1], TONE)
        assert lab.props(sound)["value"]["name"] == wav.name
        user = lab.session()
        user.select(pick, 0)
        handles = [each.props(sound)["value"]["clip"] for each in (lab, user)]
        assert handles[0] != handles[1], "a handle is one session's"
        for index in (-1, 2, True, "0", None):
            with pytest.raises(ValueError, match="sample"):
                lab.select(pick, index)


def test_what_the_page_shows_of_samples(wav: Path) -> None:
    """Files by their names, other values as they are; the inputs' labels above."""
    with oc.Blocks() as demo:
        columns = [oc.Audio(label="Take"), oc.Slider(0, 9), oc.CheckboxGroup(["a", "b"])]
        table = oc.Examples(
            [[wav, 3, ["a", "b"]], [(RATE, TONE), 0.5, None]], columns, examples_per_page=5
        )
        named = oc.Examples([3, 4], columns[1], example_labels=["Soft", "Loud"], label="Levels")
    with Lab(demo) as lab:
        shown = lab.props(table)
        assert shown["headers"] == ["Take", "slider", "checkboxgroup"]
        assert shown["samples"] == [[wav.name, 3, "a, b"], ["audio", 0.5, None]]
        assert (shown["per_page"], shown["label"], shown["value"]) == (5, "Examples", None)
        assert lab.props(named)["samples"] == [["Soft"], ["Loud"]]
        assert lab.props(named)["headers"] == []


def test_a_session_gets_a_copy_of_what_can_be_changed() -> None:
    """What one function does to a sample in place, nobody else sees."""
    with oc.Blocks() as demo:
        data, go = oc.JSON(), oc.Button()
        pick = oc.Examples([[{"a": [1]}], [{"a": [2]}]], data)
        go.click(lambda value: value["a"].append(9), data)  # pyright: ignore
    with Lab(demo) as lab:
        lab.select(pick, 0)
        lab.click(go)
        lab.select(pick, 0)
        assert lab.value(data) == {"a": [1]}


def test_what_is_filled_can_be_entered_too() -> None:
    """Though no listener reads it; unless the app says otherwise."""
    with oc.Blocks() as demo:
        free, fixed = oc.Number(), oc.Number(interactive=False)
        oc.Examples([[1, 2]], [free, fixed])
    with Lab(demo) as lab:
        assert (lab.props(free)["interactive"], lab.props(fixed)["interactive"]) == (True, False)


def test_a_folder_of_files(wav: Path) -> None:
    """All its files in order of their names, hidden ones left out."""
    (wav.parent / "a.wav").write_bytes(wav.read_bytes())
    (wav.parent / ".hidden").write_bytes(b"x")
    with oc.Blocks():
        pick = oc.Examples(wav.parent, oc.Audio())
        assert pick.samples == [[wav.name], ["a.wav"]]


def test_a_click_may_run_the_function() -> None:
    """With the filled inputs, after them; of several clicks the newest counts."""
    with oc.Blocks() as demo:
        number, doubled = oc.Number(), oc.Number()

        def double(value: float) -> float:
            return 2 * value

        pick = oc.Examples([1, 2, 3], number, doubled, double, run_on_click=True)
    with Lab(demo, takes={double: 1.0}) as lab:
        lab.select(pick, 0)
        assert (lab.value(number), lab.value(doubled)) == (1, None)
        lab.run(0.5)
        lab.select(pick, 1)
        lab.select(pick, 2)
        lab.run(5)
        assert (lab.value(number), lab.value(doubled)) == (3, 6)


def plain(value: float) -> float:
    calls.append(value)
    return 2 * value


def steps(value: float) -> Iterator[float]:
    calls.append(value)
    yield value
    yield 2 * value


async def later(value: float) -> float:
    calls.append(value)
    await asyncio.sleep(0)
    return 2 * value


async def later_steps(value: float) -> AsyncIterator[float]:
    calls.append(value)
    yield value
    await asyncio.sleep(0)
    yield 2 * value


calls = list[float]()


@pytest.mark.parametrize("fn", [plain, steps, later, later_steps])
@pytest.mark.parametrize("cache", [True, "eager", "lazy"])
def test_results_are_made_once_for_all(fn: Callable[..., Any], cache: Any) -> None:
    """Eager: when the app starts. Lazy: at the first click by anybody. Then never again."""
    calls.clear()
    with oc.Blocks() as demo:
        number, doubled = oc.Number(), oc.Number()
        pick = oc.Examples([1, 2, 3], number, doubled, fn, cache_examples=cache)
    with Lab(demo) as lab:
        assert calls == ([] if cache == "lazy" else [1, 2, 3])
        for user in (lab, lab.session()):
            user.select(pick, 1)
            assert (user.value(number), user.value(doubled)) == (2, 4)
        assert calls == ([2] if cache == "lazy" else [1, 2, 3])
    with Lab(demo) as lab:  # another start, another store
        lab.select(pick, 1)
        assert lab.value(doubled) == 4


def test_cached_sound_belongs_to_who_clicks(wav: Path) -> None:
    """It is stored once, has a handle in each session, and outlives the one who was first."""
    with oc.Blocks() as demo:
        source, result = oc.Audio(), oc.Audio()

        def reverse(sound: tuple[int, Any], progress: Any = oc.Progress()) -> Any:  # noqa: B008
            progress(0.5)
            return sound[0], sound[1][::-1]

        pick = oc.Examples([wav], source, result, reverse, cache_examples="lazy")
    with Lab(demo, reconnect_window=1) as lab:
        first = lab.session()
        first.select(pick, 0)
        assert first.props(result)["value"]["frames"] == len(TONE)
        first.disconnect()
        lab.run(5)
        lab.select(pick, 0)
        assert np.array_equal(lab.value(result)[1], TONE[::-1])


def test_cached_streams_are_one_sound() -> None:
    """What a generator streams is joined."""
    with oc.Blocks() as demo:
        count, out = oc.Number(), oc.Audio(streaming=True)

        def pieces(n: float) -> Iterator[Any]:
            for each in range(int(n)):
                yield RATE, np.full(100, each, np.int16)

        pick = oc.Examples([3], count, out, pieces, cache_examples=True)
    with Lab(demo) as lab:
        lab.select(pick, 0)
        assert lab.value(out)[1].tolist() == [0] * 100 + [1] * 100 + [2] * 100


def test_several_outputs_and_a_batch_function() -> None:
    with oc.Blocks() as demo:
        number, one, two = oc.Number(), oc.Number(), oc.Textbox()

        def both(values: list[float]) -> tuple[list[float], list[str]]:
            return [2 * v for v in values], [f"{v:g}" for v in values]

        pick = oc.Examples([5], number, [one, two], both, cache_examples=True, batch=True)
    with Lab(demo) as lab:
        lab.select(pick, 0)
        assert (lab.value(one), lab.value(two)) == (10, "5")


def test_a_sample_that_fails_is_told_when_the_app_starts() -> None:
    """Eager: the app does not start. Lazy: who clicks is told, and may try again."""

    def fail(value: float) -> float:
        calls.append(value)
        if len(calls) == 1:
            raise oc.Error("no luck")
        return value

    def demo(cache: Any) -> tuple[oc.Blocks, oc.Examples, oc.Number]:
        calls.clear()
        with oc.Blocks() as app:
            number, out = oc.Number(), oc.Number()
            pick = oc.Examples([7], number, out, fail, cache_examples=cache, label="Tries")
        return app, pick, out

    with pytest.raises(oc.DeclarationError, match="'Tries': cache_examples: sample 1 .*no luck"):
        Lab(demo("eager")[0])
    app, pick, out = demo("lazy")
    with Lab(app) as lab:
        lab.select(pick, 0)
        assert lab.ends()[-1] is Kind.FAILED and lab.value(out) is None
        lab.select(pick, 0)
        assert lab.value(out) == 7


def test_properties_cannot_be_cached() -> None:
    with oc.Blocks() as demo:
        number = oc.Number()
        oc.Examples([7], number, number, lambda n: oc.update(label="x"), cache_examples=True)  # pyright: ignore
    with pytest.raises(oc.DeclarationError, match="only values can be cached"):
        Lab(demo)


def test_samples_that_cannot_be_read_are_told_when_the_app_starts(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound")
    with oc.Blocks() as demo:
        oc.Examples([path], oc.Audio())
    with pytest.raises(ValueError, match="Examples 'Examples': sample 1: .*not a sound"):
        Lab(demo)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: oc.Examples(["missing.wav"], oc.Audio()), "sample 1: .*missing.wav"),
        (lambda: oc.Examples([1, "z"], oc.Dropdown([1, 2])), "sample 2: .*'z' is not a choice"),
        (lambda: oc.Examples([[1, 2]], oc.Number()), "sample 1 has 2 values for 1 inputs"),
        (lambda: oc.Examples([], oc.Number()), "no samples"),
        (lambda: oc.Examples([1], []), "inputs is empty"),
        (lambda: oc.Examples([1], oc.State()), "never shown"),
        (lambda: oc.Examples("missing", oc.Audio()), "is not a folder"),
        (lambda: oc.Examples(".", [oc.Audio(), oc.Audio()]), "for one input"),
        (lambda: oc.Examples([1], oc.Number(), cache_examples=True), "needs fn and outputs"),
        (lambda: oc.Examples([1], oc.Number(), run_on_click=True), "needs fn and outputs"),
        (
            lambda: oc.Examples([1], oc.Number(), cache_examples=cast(Any, "soon")),
            "choose True, False",
        ),
        (
            lambda: oc.Examples([1], oc.Number(), oc.State(), plain, cache_examples=True),
            "cannot be cached",
        ),
        (lambda: oc.Examples([1], oc.Number(), examples_per_page=0), "1 or more"),
        (lambda: oc.Examples([1], oc.Number(), example_labels=["a", "b"]), "2 example_labels"),
    ],
)
def test_what_cannot_work_is_refused_when_written(make: Any, words: str) -> None:
    with pytest.raises(oc.DeclarationError, match=words):
        make()
