"""The lab's time: timers, work that takes a while, threads, and what can never go on."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest

import ossicle as oc
from ossicle.flow.errors import InputError
from ossicle.testing import Kind, Lab, LabError, StuckError

from .labs import hello, more, saw, tone


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
