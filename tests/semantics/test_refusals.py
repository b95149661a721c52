"""What cannot work is said where it is written, and what a function does wrong stays its own."""

from __future__ import annotations

import asyncio
import math
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError, ResultError
from ossicle.flow.model import Kind
from ossicle.testing import Lab


def nothing() -> None: ...


def one(value: object) -> object:
    return value


def joined(a: str, b: str) -> str:
    return a + b


def longer(texts: list[str]) -> tuple[list[str], list[str]]:
    return texts, [*texts, "more"]


class App:
    """An app in which a listener is declared."""

    def __init__(self) -> None:
        with oc.Blocks() as other:
            self.theirs = oc.Textbox(label="Theirs")
        self.other = other
        self.blocks = oc.Blocks()
        with self.blocks:
            self.go = oc.Button("Go")
            self.text, self.out = oc.Textbox(label="Text"), oc.Textbox(label="Out")


SECONDS = "must be a number of seconds, at least 0.001"


def option(name: str, value: object) -> Callable[[App], object]:
    given: dict[str, Any] = {name: value}
    return lambda app: app.go.click(nothing, None, None, **given)


WORDS: Any = ["click"]
BAD: Callable[[object], Any] = lambda given: given  # noqa: E731  # what types would refuse
REFUSED: list[tuple[str, Callable[[App], object], str]] = [
    *(
        (f"{name}={value}", option(name, value), SECONDS)
        for name in ("every", "time_limit", "stream_every")
        for value in (0, -1, math.nan, math.inf, True, "1")
    ),
    *(
        (f"{name}=5", option(name, 5), "must be True")
        for name in ("queue", "batch", "preprocess", "postprocess", "interrupt", "show_api")
    ),
    ("a half batch", lambda a: a.go.click(one, a.text, batch=True, max_batch_size=1.5), "whole"),
    ("api_name", lambda a: a.go.click(nothing, api_name=5), "must be a text; False hides it"),
    ("line", lambda a: a.go.click(nothing, concurrency_id=3), "concurrency_id=3 must be a text"),
    ("no line", lambda a: a.go.click(nothing, concurrency_id=""), "must be a text"),
    ("a list as mode", option("trigger_mode", ["once"]), "trigger_mode=['once'] is unknown"),
    ("no limit at all", option("concurrency_limit", [1]), "must be a whole number, 1 or more"),
    ("queue=1", option("queue", 1), "queue=1 must be True, False or None"),
    ("a thread to stop", option("interrupt", True), "cannot stop nothing(), because it runs in a"),
    ("the call", lambda a: a.go.click(None, a.text, a.out), "written to Textbox 'Out'; give"),
    ("no batch", lambda a: a.go.click(None, a.text, batch=True), "batch=True needs a function"),
    ("nothing to stop", lambda a: a.go.click(None, interrupt=True), "interrupt=True needs a func"),
    ("no batch waits", option("batch_window", 1), "batch_window=1 needs batch=True"),
    ("decorates 5", lambda a: a.go.click(inputs=a.text)(cast("Any", 5)), "callable, not 5"),
    ("no operator", lambda a: a.go.click.pipe(cast("Any", 5)), ".pipe(): 5 is no operator"),
    (
        "a port is no input",
        lambda a: a.go.click(one, BAD(a.text.change)),
        "<Textbox 'Text'.change>",
    ),
    ("on a component", lambda a: oc.on(BAD(a.go), nothing), "<Button 'Go'> is no trigger"),
    ("on a number", lambda a: oc.on(BAD(5), nothing), "on(): 5 is no trigger"),
    ("on nothing", lambda a: oc.on([], nothing), "on(): give at least one trigger"),
    ("on inputs", lambda a: oc.on(None, one, BAD(["a"])), "on(): inputs must be components"),
    ("on takes", lambda a: oc.on(None, joined, a.text), "on(): joined() takes 2 inputs"),
    ("js", lambda a: a.go.click(None, js=True), "js=True must be JavaScript as a text"),
    ("empty js", lambda a: a.go.click(None, js=" "), "js=' ' must be JavaScript"),
    (
        "cancels a function",
        lambda a: a.go.click(nothing, cancels=nothing),
        "nothing is no listener",
    ),
    ("cancels words", lambda a: a.go.click(nothing, cancels="run"), "'run' is no listener"),
    ("a word as trigger", lambda a: oc.on(WORDS, nothing), "'click' is no trigger"),
    ("a batch of nothing", lambda a: a.go.click(nothing, None, a.out, batch=True), "needs inputs"),
    ("their input", lambda a: a.go.click(one, a.theirs), "inputs: Textbox 'Theirs' belongs to"),
    ("their output", lambda a: a.go.click(one, a.text, a.theirs), "outputs: Textbox 'Theirs'"),
    ("two outputs", lambda a: a.go.click(one, a.text, [a.out, a.out]), "'Out' is named twice"),
]


@pytest.mark.parametrize(
    ("declare", "says"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_t6_what_cannot_work_is_refused_when_it_is_declared(
    declare: Callable[[App], object], says: str
) -> None:
    """T6: by a text that names the event, the option, its value and what may be written."""
    app = App()
    with app.blocks, pytest.raises(DeclarationError) as said:
        declare(app)
    assert says in str(said.value)
    assert "Button 'Go'.click" in str(said.value) or "on()" in str(said.value)


ELSEWHERE: list[tuple[Callable[[App], object], str]] = [
    (lambda a: a.blocks.load(nothing, every=1, queue=False), "Blocks.load: every=1 needs the"),
    (lambda a: a.blocks.unload(nothing, every=1), "Blocks.unload: every=1 runs while a session"),
    (
        lambda a: oc.Audio(label="Mic").stream(one, every=1),
        "Audio 'Mic'.stream: every=1 and a live",
    ),
    (
        lambda a: oc.Audio(label="Mic").stream.pipe()(one, stream_every=1),
        "Audio 'Mic'.stream.pipe(...): stream_every=1 cuts a `stream` itself",
    ),
    (lambda a: oc.Textbox(BAD(one), label="Now"), "Textbox 'Now' value: one() takes 1 input"),
    (
        lambda a: oc.Textbox(nothing, label="Now", inputs=BAD(5)),
        "inputs must be components, not int",
    ),
    (lambda a: oc.State(one), "State: one() takes 1 input (value), but is given no inputs"),
    (
        lambda a: oc.render(inputs=BAD(5))(nothing),
        "render() of nothing(): inputs must be components",
    ),
    (
        lambda a: oc.render(inputs=a.text)(nothing),
        "render() of nothing(): nothing() takes no inputs",
    ),
    (lambda a: oc.render(None, BAD([5]))(nothing), "render() of nothing(): 5 is no trigger"),
    (lambda a: oc.render(BAD(nothing)), "render(): write @render() over nothing()"),
    (lambda a: oc.Interface(BAD(None), "text", "text"), "Interface: fn must be callable, not None"),
]


@pytest.mark.parametrize(("declare", "says"), ELSEWHERE, ids=[says for _, says in ELSEWHERE])
def test_t6_where_no_event_is_named_the_error_names_what_stands_there(
    declare: Callable[[App], object], says: str
) -> None:
    """T6: a component whose value is a function, a part, the page."""
    app = App()
    with app.blocks, pytest.raises(DeclarationError) as said:
        declare(app)
    assert says in str(said.value)


REMARKED: list[tuple[Callable[[App], object], str]] = [
    (option("max_batch_size", 8), "Button 'Go'.click: max_batch_size=8 does nothing without batch"),
    (option("stream_every", 0.1), "Button 'Go'.click: stream_every=0.1 does nothing here: only a"),
    (option("time_limit", 3), "Button 'Go'.click: time_limit=3 does nothing here: it ends the"),
    (option("scroll_to_output", True), "Button 'Go'.click: scroll_to_output=True does nothing"),
    (
        lambda a: a.go.click(nothing, queue=False, concurrency_limit=2),
        "Button 'Go'.click: concurrency_limit=2 does nothing with queue=False",
    ),
    (
        lambda a: a.go.click(nothing, queue=False, concurrency_id="gpu"),
        "Button 'Go'.click: concurrency_id='gpu' does nothing with queue=False",
    ),
    (
        lambda a: a.go.click(inputs=a.text, max_batch_size=8)(one),
        "Button 'Go'.click: max_batch_size=8",
    ),
    (lambda a: a.go.click(nothing).then(nothing, time_limit=3), "nothing.then: time_limit=3 does"),
    (
        lambda a: oc.on([a.go.click, a.text.submit], nothing, stream_every=1),
        "Button 'Go'.click: stream_every=1 does nothing here",
    ),
    (
        lambda a: oc.Textbox("x", label="Now", every=1),
        "Textbox 'Now' value: every=1 does nothing here: it says when a function is called",
    ),
    (
        lambda a: oc.Textbox("x", label="Now", inputs=a.text),
        "Textbox 'Now' value: inputs=(<Textbox 'Text'>,) does nothing here",
    ),
    (
        lambda a: oc.Interface(one, "text", "text", time_limit=60),
        "Interface: time_limit=60 does nothing here; write live=True",
    ),
    (
        lambda a: oc.Interface(one, "text", "text", max_batch_size=8),
        "Button 'Submit'.click: max_batch_size=8 does nothing",
    ),
]


@pytest.mark.parametrize(("declare", "says"), REMARKED, ids=[says for _, says in REMARKED])
def test_t6_what_the_peer_takes_and_does_nothing_is_told_once_and_the_app_runs(
    declare: Callable[[App], object], says: str
) -> None:
    """T6: with the line of the app that wrote it, not with one of ours."""
    app = App()
    with app.blocks, pytest.warns(oc.OptionWarning) as said:
        declare(app)
    (told,) = said
    assert str(told.message).startswith(says)
    assert told.filename == __file__
    Lab(app.blocks).close()


def test_t6_what_has_its_effect_is_no_remark() -> None:
    """T6: the defaults, written out, and what the peer's users write beside them."""
    app = App()
    with app.blocks, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        app.go.click(one, app.text, app.out, max_batch_size=4, stream_every=0.5, time_limit=None)
        app.go.click(one, app.text, app.out, queue=False, concurrency_limit=None)
        app.go.click(longer, app.text, [app.out, app.text], batch=True, max_batch_size=8)
        oc.Audio().stream(one, app.text, app.out, stream_every=0.1, time_limit=3)
        oc.Audio().stream.pipe()(one, app.text, app.out, time_limit=3)
        oc.Interface(one, "text", None)
        oc.Interface(one, oc.Audio(streaming=True), "text", live=True, time_limit=3)
    assert said == []


def test_t6_a_misspelt_event_is_told_with_those_there_are() -> None:
    """T6: by the component and its label."""
    with pytest.raises(AttributeError, match=r"Button 'Go' has no attribute 'clik'; its events"):
        _ = BAD(App().go).clik


def test_q2_the_peers_word_for_no_default_is_understood() -> None:
    """Q2: it is what stands there when it is left out."""
    with oc.Blocks() as app:
        oc.Button().click(nothing)
    app.queue(default_concurrency_limit="not_set")
    assert app.plan().listeners[0].limit == 1


def test_r1_outputs_as_a_set_are_in_the_order_of_their_making() -> None:
    """R1 I3: a set has none of its own, and a tuple must go the same way in every run."""
    with oc.Blocks() as app:
        go = oc.Button()
        outs = [oc.Number(label=str(n)) for n in range(20)]
        go.click(lambda: tuple(range(20)), None, BAD(frozenset(reversed(outs))))
    with Lab(app) as lab:
        lab.click(go)
        assert [lab.value(each) for each in outs] == list(range(20))


def test_t6_what_one_input_gives_twice_is_no_mistake() -> None:
    """A function may take the same value at two places."""
    app = App()
    with app.blocks:
        app.go.click(joined, [app.text, app.text], app.out)
    with Lab(app.blocks) as lab:
        lab.type(app.text, "x")
        lab.click(app.go)
        assert lab.value(app.out) == "xx"


@pytest.mark.parametrize("given", [{"max_size": 1.5}, {"max_size": "a"}, {"max_size": -1}])
def test_q4_a_size_that_is_none_is_refused(given: dict[str, Any]) -> None:
    """Q4: a whole number, or None."""
    with pytest.raises(DeclarationError, match="whole number, 0 or more"):
        oc.Blocks().queue(**given)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "a", True])
def test_q2_a_default_limit_that_is_none_is_refused(limit: Any) -> None:
    """Q2: 1 or more, or None."""
    with pytest.raises(DeclarationError, match="whole number, 1 or more"):
        oc.Blocks().queue(default_concurrency_limit=limit)


def test_c1_what_skips_the_queue_cannot_be_cancelled() -> None:
    """C1 Q5: whether the listener says so or the whole app; queue=True there mends it."""
    for own in (None, True):
        with oc.Blocks() as app:
            go, stop = oc.Button("Go"), oc.Button("Stop")
            run = go.click(one, oc.Textbox(), queue=own)
            stop.click(None, cancels=run)
        app.queue(enabled=False)
        if own:
            app.plan()
        else:
            with pytest.raises(
                DeclarationError, match=r"cancel: cancels: one skips the queue.*=True"
            ):
                app.plan()
    with oc.Blocks(), pytest.raises(DeclarationError, match="one has queue=False"):
        oc.Button().click(nothing, cancels=oc.Button().click(one, oc.Textbox(), queue=False))


def close(value: object) -> Iterator[object]:
    try:
        yield value
        yield value
    finally:
        raise ValueError("in finally")


async def aclose(value: object) -> AsyncIterator[object]:
    try:
        yield value
        await asyncio.sleep(1)
        yield value
    finally:
        raise ValueError("in finally")


def holds(value: object) -> Iterator[object]:
    for _ in range(2):  # how often it must be told to close
        try:
            while True:
                yield value
        except GeneratorExit:
            pass


@pytest.mark.parametrize("fn", [close, aclose, holds])
def test_c2_a_generator_that_will_not_close_well_is_cancelled_all_the_same(
    fn: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """C2 R3: what it raises then is logged with its name; the slot is free, others never notice."""
    with oc.Blocks() as app:
        go, stop, other, text = oc.Button(), oc.Button(), oc.Button(), oc.Textbox("a")
        run = go.click(fn, text, oc.Textbox())
        stop.click(None, cancels=run)
        fine = other.click(one, text, oc.Textbox())
    with Lab(app, takes={fn: 0.2} if fn in (close, holds) else {}) as lab:
        lab.click(go)
        lab.run(0.3)
        lab.click(stop)
        lab.click(other)
        lab.run(2)
        assert (lab.ends(run), lab.ends(fine)) == ([Kind.CANCELLED], [Kind.SUCCEEDED])
        where = f"{go.where}.click → {fn.__name__}, after all who asked for it had gone: "
        assert where in caplog.text
        assert lab.host.program.idle, "the slot is free"


async def later(value: object) -> object:
    return value


def call(value: object) -> object:
    return later(value)


def call_steps(value: object) -> object:
    return aclose(value)


@pytest.mark.parametrize("fn", [call, call_steps])
def test_r1_a_call_that_nobody_awaits_is_no_value(fn: Callable[..., Any]) -> None:
    """R1: it would be shown as `<coroutine object ...>`."""
    with oc.Blocks() as app:
        go, text, out = oc.Button(), oc.Textbox("a"), oc.Textbox()
        go.click(fn, text, out)
    with Lab(app) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        error = lab.outcomes[-1].value
        assert isinstance(error, ResultError)
        assert f"{fn.__name__}() returned a call of an async function" in str(error)
        assert lab.value(out) == ""


def test_b2_the_error_names_the_output_whose_list_is_wrong() -> None:
    """B2: of several the one, what came and what was expected."""
    with oc.Blocks() as app:
        go, text = oc.Button(), oc.Textbox("a")
        outs = [oc.Textbox(label="First"), oc.Textbox(label="Second")]
        go.click(longer, text, outs, batch=True)
    with Lab(app) as lab:
        lab.click(go)
        error = str(lab.outcomes[-1].value)
        assert "returned a list of 2 for Textbox 'Second'" in error
        assert "each with 1 value." in error


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def mute() -> None:
    raise Mute


def wrapped() -> None:
    raise oc.Error(BAD(ValueError("inner")), title=BAD(5))


def half(progress: oc.Progress = oc.Progress()) -> None:  # noqa: B008  # as users write it
    progress(BAD("half"))


def endless(progress: oc.Progress = oc.Progress()) -> None:  # noqa: B008  # as users write it
    progress(math.nan)


FAILING: list[tuple[Callable[..., Any], str]] = [
    (mute, "Mute: (its __str__ raised RuntimeError)"),
    (wrapped, "inner"),
    (half, "progress: 'half' must be a number, (done, total), or None."),
    (endless, "progress: nan must be a number"),
    (lambda: oc.Info("x", duration=BAD("5")), "Info: duration='5' must be seconds, or None"),
    (lambda: oc.update(label=object()), "is nothing that a page can be told."),
    (lambda: oc.update(info=BAD(math.inf)), "Textbox 'Out': info=inf is nothing"),
]


@pytest.mark.parametrize(("fn", "says"), FAILING, ids=[says for _, says in FAILING])
def test_r3_whatever_a_function_does_its_user_is_told(
    fn: Callable[..., Any], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R3: a text that cannot be made, or sent, must not keep the page waiting for ever."""
    with oc.Blocks() as app:
        go, out = oc.Button("Go"), oc.Textbox(label="Out")
        go.click(fn, None, out)
    with Lab(app, show_error=True) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        (told,) = lab.toasts
        assert says in str(told.message)
        assert says in caplog.text
        assert "Button 'Go'.click" in caplog.text
        assert lab.host.program.idle


def test_r4_what_is_no_text_is_told_as_one() -> None:
    """R4: numpy counts, and exceptions, as people pass them on."""

    def tell(progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008  # as users write it
        progress(BAD((np.int64(1), np.float32(2))))
        oc.Info(BAD(5))
        oc.Warning(BAD(ValueError("loud")))
        return "done"

    with oc.Blocks() as app:
        go, out = oc.Button("Go"), oc.Textbox(label="Out")
        go.click(tell, None, out)
    with Lab(app) as lab:
        lab.click(go)
        assert [each.message for each in lab.toasts] == ["5", "loud"]
        assert lab.value(out) == "done"
