"""JavaScript of listeners: what runs in the page, when, and where there is no page (rule J1)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.errors import InputError
from ossicle.flow.model import Kind
from ossicle.runtime.host import Host
from ossicle.testing import Lab


def note(log: list[Any], name: str, gives: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes down what it was called with."""

    def noted(*values: Any) -> Any:
        log.append((name, *values))
        return gives(*values)

    return noted


def test_j1_js_runs_before_the_function_and_gives_its_inputs() -> None:
    """J1: it gets the values of inputs and outputs; what it returns is what the function gets."""
    log = list[Any]()
    with oc.Blocks() as app:
        go, text, number, out = oc.Button(), oc.Textbox("a"), oc.Number(2), oc.Textbox("o")
        fn = note(log, "function", times)
        dep = go.click(fn, [text, number], out, js="in the page")
    page = note(log, "page", appended)
    with Lab(app, js={dep: page}) as lab:
        lab.click(go)
        assert log == [("page", "a", 2, "o"), ("function", "ao", 3)]
        assert lab.value(out) == "aoaoao"
        assert lab.value(text) == "a", "what js returns is for the function alone"


def test_j1_state_never_goes_to_the_page() -> None:
    """J1 I4: js gets nothing in its place, and cannot set it."""
    log = list[Any]()
    with oc.Blocks() as app:
        go, state, text = oc.Button(), oc.State("secret"), oc.Textbox("a")
        fn = note(log, "function", nothing)
        dep = go.click(fn, [state, text], js="in the page")
    with Lab(app, js={dep: note(log, "page", forged)}) as lab:
        lab.click(go)
        assert log == [("page", None, "a"), ("function", "secret", "b")]


def test_j1_without_a_function_it_sets_the_outputs() -> None:
    """J1: fn=None: what js returns stands in the outputs, is heard as a change, and is followed."""
    log = list[Any]()
    with oc.Blocks() as app:
        go, text, out, done = oc.Button(), oc.Textbox("a"), oc.Textbox(), oc.Textbox()
        dep = go.click(None, text, out, js="in the page")
        dep.success(lambda: "done", None, done)
        out.change(note(log, "change", nothing), out)
    with Lab(app, js={dep: double}) as lab:
        lab.click(go)
        assert (lab.value(out), lab.value(done)) == ("aa", "done")
        assert log == [("change", "aa")]


def test_j1_without_a_function_the_page_is_alone() -> None:
    """J1: what a user's act starts asks nothing of the server: no request, no slot, no wait. The
    server learns the value, says that it moved, and a later function gets it."""
    log = list[Any]()
    with oc.Blocks() as app:
        go, text, out, later = oc.Button(), oc.Textbox("a"), oc.Textbox(), oc.Button()
        dep = go.click(None, text, out, js="in the page")
        go.click(note(log, "at once", nothing), out)
        out.change(note(log, "change", nothing), out)
        later.click(note(log, "later", nothing), [text, out])
    with Lab(app, js={dep: double}) as lab:
        lab.click(go)
        assert lab.page.props[out.id]["value"] == "aa"
        lab.click(later)
        lab.click(go)
        assert log == [("at once", ""), ("change", "aa"), ("later", "a", "aa"), ("at once", "aa")]
        assert lab.ends(dep) == []
        assert lab.toasts == []


def test_j1_an_input_that_did_not_move_starts_nothing() -> None:
    """J1 E3: as for functions; another one does."""
    log = list[Any]()
    with oc.Blocks() as app:
        slider, out = oc.Slider(0, 10, 5), oc.Number()
        dep = slider.input(None, slider, out, js="in the page")
    with Lab(app, js={dep: note(log, "page", first)}) as lab:
        for value in (5, 6, 6, 7):
            lab.input(slider, value)
        assert log == [("page", 6, None), ("page", 7, 6)]
        assert lab.value(out) == 7


def test_j1_what_only_the_server_sees_it_starts() -> None:
    """J1: a change, a page that opens, a tick, a chain, a cancel: the page answers."""
    with oc.Blocks() as app:
        go, text, out, timer = oc.Button(), oc.Textbox("a"), oc.Textbox(), oc.Timer(1)
        sources = [text.change, app.load, timer.tick, go.click(lambda: "b", None, text).then]
        deps = [each(None, text, out, js="in the page") for each in sources]
        deps.append(go.click(None, text, out, js="in the page", cancels=[deps[0]]))
        chained = go.click(None, text, out, js="in the page")
        chained.then(nothing)
    with Lab(app, js=dict.fromkeys([*deps, chained], double)) as lab:
        lab.click(go)
        lab.run(1.5)
        assert [lab.ends(each) for each in [*deps, chained]] == [[Kind.SUCCEEDED]] * 6
        assert lab.value(out) == "bb"


def test_j1_what_the_page_cannot_set_is_said_and_what_stands_is_shown_again() -> None:
    """J1 R3: an error of the code, or a value that the output cannot take."""
    with oc.Blocks() as app:
        go, bad, out = oc.Button(), oc.Button(), oc.Textbox("stands")
        failing = go.click(None, None, out, js="in the page")
        wrongly = bad.click(None, None, out, js="in the page")
    with Lab(app, js={failing: raises, wrongly: wrong}) as lab:
        lab.click(go)
        assert [toast.message for toast in lab.toasts] == ["no such element"]
        with pytest.raises(InputError, match="must be a string"):
            lab.click(bad)
        assert (lab.value(out), lab.page.props[out.id]["value"]) == ("stands", "stands")


def test_r3_js_before_a_function_that_fails_is_logged_with_its_name_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """J1 R3: the line begins with the event and the listener; the rest says what went wrong."""
    with oc.Blocks() as app:
        go, text = oc.Button("Go"), oc.Textbox("a")
        dep = go.click(nothing, text, js="in the page", api_name="scripted")
    with Lab(app, js={dep: raises}) as lab:
        lab.click(go)
        assert lab.ends(dep) == [Kind.FAILED]
        (line,) = caplog.messages
        assert line == "Button 'Go'.click → scripted: its js failed: no such element"
        (toast,) = lab.toasts
        assert toast.message == "scripted: its js failed: no such element"


def test_j1_a_page_sets_nothing_but_what_its_code_may() -> None:
    """J1: the outputs of such listeners; a page that says others is refused."""
    with oc.Blocks() as app:
        go, text, out = oc.Button(), oc.Textbox("a"), oc.Textbox("b")
        dep = go.click(None, text, out, js="in the page")
        go.click(nothing, None, text)
    with Lab(app, js={dep: double}) as lab:
        with pytest.raises(InputError, match="'js' is no act of it"):
            lab.act(text, "js", "forged")
        assert lab.value(text) == "a"


def test_j1_in_a_part_the_page_runs_it_alone_too() -> None:
    """J1 P1: as elsewhere, on nodes of the part and of the app, and of the part that came after."""
    with oc.Blocks() as app:
        outer, count = oc.Textbox("a", label="Outer"), oc.Number(1)

        @oc.render(inputs=count)
        def made(n: int) -> None:
            text, out = oc.Textbox(f"{n}", label="Text"), oc.Textbox(label="Out")
            oc.Button("Go").click(None, text, [out, outer], js="in the page")

    def twice_thrice(text: str, *_: Any) -> list[str]:
        return [text * 2, text * 3]

    with Lab(app, js={"js": twice_thrice}) as lab:
        for n in (1, 2):
            lab.input(count, n)
            nodes = {each["props"].get("value"): each["id"] for each in lab.page.app["nodes"]}
            (inner,) = [each for each in lab.page.app["listeners"] if each["js"]]
            assert inner["alone"] == [[nodes["Go"], "click", False]]
            session = lab.host.program.sessions[lab.token]
            lab.click(session.node(nodes["Go"]))
            assert session.values[inner["outputs"][0]] == f"{n}" * 2
            assert lab.value(outer) == f"{n}" * 3
        assert [each.kind for each in lab.outcomes if each.listener == "js"] == []


def test_j1_what_a_former_part_set_is_still_taken() -> None:
    """J1 P3: its page ran it before it heard of the new part."""
    with oc.Blocks() as app:
        outer, count = oc.Textbox("a", label="Outer"), oc.Number(1)

        @oc.render(inputs=count)
        def made(n: int) -> None:
            if n == 1:
                oc.Button("Go").click(None, None, outer, js="in the page")

    with Lab(app) as lab:
        lab.input(count, 2)
        lab.act(outer, "js", "late")
        assert lab.value(outer) == "late"


def test_j1_a_part_cannot_follow_what_pages_run_alone() -> None:
    """J1 H1: it would never hear of its end; outside of parts the server then runs it."""
    with oc.Blocks() as app:
        go, text, count = oc.Button("Go"), oc.Textbox("a"), oc.Number(1)
        dep = go.click(None, None, text, js="in the page")

        @oc.render(inputs=count)
        def made(n: int) -> None:
            if n == 2:
                dep.then(nothing)

    with Lab(app) as lab:
        lab.input(count, 2)
        error = str(lab.outcomes[-1].value)
        assert "js.then: pages run js by themselves, and this part would not hear of it" in error


def raises(*_: Any) -> Any:
    raise ValueError("no such element")


def too_few(*_: Any) -> list[Any]:
    return []


def wrong(*_: Any) -> list[Any]:
    return [7]


def first(value: object, _: object) -> list[object]:
    return [value]


def double(text: str, out: str) -> list[str]:
    return [text * 2]


def same(text: str, out: str = "") -> list[str]:
    return [text]


def appended(text: str, number: float, out: str) -> list[Any]:
    return [text + out, number + 1]


def times(text: str, number: int) -> str:
    return text * number


def forged(state: object, text: str) -> list[str]:
    return ["forged", "b"]


def nothing(*_: Any) -> None: ...


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (raises, "no such element"),
        (too_few, "it has 0"),
        (wrong, "must be a string"),
    ],
)
def test_j1_what_goes_wrong_in_the_page_fails_the_request(page: Any, says: str) -> None:
    """J1 R3: an error, too few values, or one that the input cannot take; the function is not
    called, and the next request is served."""
    called = list[Any]()
    with oc.Blocks() as app:
        go, text = oc.Button(), oc.Textbox("a")
        dep = go.click(called.append, text, js="in the page")
    with Lab(app, js={dep: page}) as lab:
        lab.click(go)
        lab.click(go)
        assert lab.ends() == [Kind.FAILED, Kind.FAILED]
        assert says in str(lab.outcomes[-1].value)
        assert called == []


def test_j1_pages_of_a_batch_answer_side_by_side_and_fail_each_for_itself() -> None:
    """J1 B3: one page whose code fails, and one that never answers, leave the others their results,
    half a minute after the start and not half a minute for each."""
    called = list[list[str]]()

    def page(text: str, _: str) -> list[str]:
        if text == "fails":
            raise ValueError("no such element")
        return [text.upper()]

    def together(texts: list[str]) -> tuple[list[str]]:
        called.append(texts)
        return (texts,)

    with oc.Blocks() as app:
        text, out = oc.Textbox(), oc.Textbox()
        dep = text.submit(
            together, text, out, js="in the page", batch=True, batch_window=1, max_batch_size=5
        )
    with Lab(app, js={dep: page}, reconnect_window=100, connect=False) as lab:
        users = [lab.session() for _ in range(5)]
        for user, word in zip(users, ("a", "silent", "fails", "mute", "b"), strict=True):
            user.submit(text, word)
            if word in ("silent", "mute"):
                user.disconnect()
        lab.run(29.9)
        assert called == []
        lab.run(0.1)
        assert called == [["A", "B"]]
        ends = [Kind.SUCCEEDED, Kind.FAILED, Kind.FAILED, Kind.FAILED, Kind.SUCCEEDED]
        assert [user.ends(dep) for user in users] == [[end] for end in ends]
        assert [users[0].value(out), users[4].value(out)] == ["A", "B"]
        assert lab.host.program.idle


class Fragile(oc.Textbox):
    """A component of an app's own, with a fault in it."""

    def from_wire(self, payload: Any, media: Any) -> object:
        raise TypeError("no such case")


def test_j1_a_component_that_fails_on_what_js_returned_fails_the_request() -> None:
    """J1 R3: with whatever error; the slot is free, and the next request is served."""
    with oc.Blocks() as app:
        go, text = oc.Button(), Fragile("a")
        dep = go.click(nothing, text, js="in the page")
    with Lab(app, js={dep: same}) as lab:
        lab.click(go)
        lab.click(go)
        assert lab.ends() == [Kind.FAILED, Kind.FAILED]
        assert isinstance(lab.outcomes[-1].value, TypeError)


def test_j1_a_page_that_is_away_is_waited_for_and_no_longer_than_half_a_minute() -> None:
    """J1 Q3: the request keeps its slot; the page answers when it is back, or the request fails."""
    for back, ends in ((11.0, Kind.SUCCEEDED), (None, Kind.FAILED)):
        with oc.Blocks() as app:
            go, text, out = oc.Button(), oc.Textbox("a"), oc.Textbox()
            first = go.click(slow)
            dep = first.then(str.upper, text, out, js="in the page")
        with Lab(app, js={dep: same}, reconnect_window=100) as lab:
            lab.takes(slow, 1)
            lab.click(go)
            lab.run(0.5)
            lab.disconnect()
            if back:
                lab.run_until(back)
                assert lab.ends(dep) == []
                lab.reconnect()
                assert lab.value(out) == "A"
            lab.run_until(50)
            assert lab.ends(dep) == [ends]
            ended = next(s for s in lab.outcomes if s.kind is ends and s.listener == dep.name)
            assert ended.at == (back or 31.0)


def test_j1_a_listener_of_its_own_may_ask_the_page_so_that_no_line_waits() -> None:
    """J1 Q3 Q5: what docs/semantics.md says: where the page is asked with queue=False, and the work
    hangs on its success, a page that never answers holds nobody up."""
    for alone in (True, False):
        with oc.Blocks() as app:
            go, text, asked, out = oc.Button(), oc.Textbox("a"), oc.Textbox(), oc.Textbox()
            if alone:
                dep = go.click(str.strip, text, asked, js="in the page", queue=False)
                dep.success(str.upper, asked, out)
            else:
                dep = go.click(str.upper, text, out, js="in the page")
        with Lab(app, js={dep: same}, reconnect_window=100) as lab:
            other = lab.session()
            lab.click(go)  # answered: the next one is not
            acts: dict[str, Callable[[], object]] = {"a": partial(lab.click, go)}
            lab.perform("(ab)", acts | {"b": lab.disconnect})
            lab.run(1)
            other.click(go)
            assert other.value(out) == ("A" if alone else "")
            lab.run(30)
            assert other.value(out) == "A"


def slow() -> None: ...


async def test_j1_a_front_end_without_javascript_says_so_and_leaves_them_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """J1: when the app is built for it, by name; the other listeners of the same event run."""
    ran = list[str]()
    with oc.Blocks() as app:
        go, text = oc.Button(), oc.Textbox("a")
        go.click(lambda: ran.append("plain"))
        go.click(ran.append, text, js="in the page", api_name="scripted")
        oc.on(text.input.pipe(), ran.append, text, js="in the page", api_name="derived")
    outcomes = list[Any]()
    with caplog.at_level(logging.WARNING):
        host = Host(app.plan(), page_code=False, tap=outcomes.append)
    for name in ("scripted", "derived"):
        assert f"{name}: needs JavaScript" in caplog.text
    line = host.connect(None, 0, lambda _: None)
    line.receive({"type": "act", "node": go.id, "act": "click"})
    line.receive({"type": "act", "node": text.id, "act": "input", "value": "b"})
    asked = {each.listener.name for each in outcomes if type(each).__name__ == "Request"}
    assert asked == {"lambda"}
    await host.close()
