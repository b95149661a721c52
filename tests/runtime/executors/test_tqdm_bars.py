"""Bars of the tqdm package, shown to the user who asked: Progress(track_tqdm=True) (rule R4)."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.model import Kind
from ossicle.flow.notices import Report
from ossicle.testing import Lab

TRACKED = oc.Progress(track_tqdm=True)
Line = list[tuple[str | None, float | None, float | None]]

tqdm: Any = import_module("tqdm").tqdm


def bar(items: Iterable[Any] | None, desc: str, **options: Any) -> Any:
    """One that is redrawn at each step, on no terminal."""
    return tqdm(items, desc=desc, mininterval=0, file=io.StringIO(), **options)


def function(name: str, progress: oc.Progress = TRACKED) -> str:
    for _ in bar(range(2), name):
        for _ in bar("ab", "inner"):
            pass
    return name


def generator(name: str, progress: oc.Progress = TRACKED) -> Iterator[str]:
    for _ in bar(range(2), name):
        yield name
        for _ in bar("ab", "inner"):
            pass


async def coroutine(name: str, progress: oc.Progress = TRACKED) -> str:
    for _ in bar(range(2), name):
        for _ in bar("ab", "inner"):
            await asyncio.sleep(1)
    return name


async def async_generator(name: str, progress: oc.Progress = TRACKED) -> AsyncIterator[str]:
    for _ in bar(range(2), name):
        yield name
        for _ in bar("ab", "inner"):
            await asyncio.sleep(1)


def batch(names: list[str], progress: oc.Progress = TRACKED) -> tuple[list[str]]:
    return ([function(names[0])],)


def app(fn: Callable[..., Any], **options: Any) -> tuple[oc.Blocks, Any, oc.Button]:
    with oc.Blocks() as demo:
        name, go = oc.Textbox(), oc.Button()
        go.click(fn, name, oc.Textbox(), **options)
    return demo, name, go


def told(lab: Any) -> list[Line]:
    """What a user was told, report by report; said twice in a row is once."""
    lines = list[Line]()
    for seen in lab.outcomes:
        if isinstance(seen.value, Report):
            line = [(each.desc, each.value, each.total) for each in seen.value.bars]
            if lines[-1:] != [line]:
                lines.append(line)
    return lines


def nested(name: str) -> list[Line]:
    inner: list[Line] = [[("inner", n, 2)] for n in range(3)]
    first: list[Line] = [[(name, 0, 2)], *([(name, 0, 2), *each] for each in inner)]
    second: list[Line] = [[(name, 1, 2)], *([(name, 1, 2), *each] for each in inner)]
    return [*first, *second, [(name, 2, 2)]]


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("fn", [function, generator, coroutine, async_generator, batch])
def test_r4_bars_reach_who_asked(fn: Callable[..., Any], threads: bool) -> None:
    """R4: each redrawing, the outer bar first, whatever runs the function."""
    demo, name, go = app(fn, batch=fn is batch)
    with Lab(demo, threads=threads) as lab:
        lab.type(name, "outer")
        lab.click(go)
        lab.run(10)
        assert told(lab) == nested("outer")
        assert lab.ends() == [Kind.SUCCEEDED]


@pytest.mark.parametrize("fn", [function, coroutine])
def test_r4_bars_of_concurrent_requests_do_not_mix(fn: Callable[..., Any]) -> None:
    """R4: two users' functions at one time, in threads or on the loop: each is told its own."""
    together = threading.Barrier(2)

    def function(name: str, progress: oc.Progress = TRACKED) -> str:
        for _ in bar(range(2), name):
            together.wait()
            for _ in bar("ab", "inner"):
                together.wait()
        return name

    demo, name, go = app(coroutine if fn is coroutine else function, concurrency_limit=2)
    with Lab(demo, threads=True) as ada:
        bob = ada.session()
        for user, text in ((ada, "ada"), (bob, "bob")):
            user.type(name, text)
        ada.clock.at(1, lambda: (ada.click(go), bob.click(go)))
        ada.run(10)
        by_user = {ada.token: "ada", bob.token: "bob"}
        for user in (ada, bob):
            own = Seen([s for s in ada.outcomes if s.outcome.request.session == user.token])
            assert told(own) == nested(by_user[user.token])


class Seen:
    """Only the outcomes of one user."""

    def __init__(self, outcomes: list[Any]) -> None:
        self.outcomes = outcomes


def test_r4_each_member_of_a_batch_is_told() -> None:
    """R4 B3: all of them wait for the same work."""

    def each(names: list[str], progress: oc.Progress = TRACKED) -> tuple[list[str]]:
        return ([function(name) for name in names],)

    demo, name, go = app(each, batch=True, batch_window=0.5)
    with Lab(demo) as ada:
        bob = ada.session()
        for user in (ada, bob):
            user.type(name, "both")
            user.click(go)
        ada.run(1)
        for user in (ada, bob):
            own = Seen([s for s in ada.outcomes if s.outcome.request.session == user.token])
            assert told(own) == [*nested("both"), *nested("both")]


def test_without_track_tqdm_nothing_is_told() -> None:
    """Bars that nobody asked for stay on the terminal, also after another request asked."""

    def quiet(name: str, progress: oc.Progress = oc.Progress()) -> str:  # noqa: B008
        return function(name)

    for fn in (function, quiet):
        demo, name, go = app(fn)
        with Lab(demo) as lab:
            lab.type(name, "outer")
            lab.click(go)
            assert bool(told(lab)) == (fn is function)


def test_bars_of_both_kinds_nest() -> None:
    """A bar of tqdm inside of the Progress's own stands below it, and the other way round."""

    def both(name: str, progress: oc.Progress = TRACKED) -> str:
        for _ in progress.tqdm("a", desc="own"):
            for _ in bar("b", "theirs"):
                progress(0.5, "now")
        return name

    demo, _, go = app(both)
    with Lab(demo) as lab:
        lab.click(go)
        assert told(lab) == [
            [("own", 0, 1)],
            [("own", 0, 1), ("theirs", 0, 1)],
            [("own", 0, 1), ("theirs", 0, 1), ("now", 0.5, 1.0)],
            [("own", 0, 1), ("theirs", 1, 1)],
            [("own", 1, 1)],
        ]


def test_a_bar_by_hand() -> None:
    """set_description, a total that comes late, parallel bars, and a disabled one."""

    def by_hand(name: str, progress: oc.Progress = TRACKED) -> str:
        one = bar(None, "one", unit="B")
        two = bar(None, "two")
        hidden = bar(None, "hidden", disable=True)
        hidden.update(5)
        one.total = 10
        one.update(4)
        two.set_description("second")
        one.close()
        two.close()
        two.refresh()
        return name

    demo, _, go = app(by_hand)
    with Lab(demo) as lab:
        lab.click(go)
        assert told(lab) == [
            [("one", 0, None)],
            [("one", 0, None), ("two", 0, None)],
            [("one", 4, 10), ("two", 0, None)],
            [("one", 4, 10), ("second", 0, None)],
            [("second", 0, None)],
        ]
        reports = [s.value for s in lab.outcomes if isinstance(s.value, Report)]
        assert {each.bars[0].unit for each in reports} == {"B", "it"}


def test_a_bar_is_followed_into_threads_without_a_context() -> None:
    """tqdm redraws slow bars from a thread of its own."""

    def slow(name: str, progress: oc.Progress = TRACKED) -> str:
        slow = bar(None, "slow")
        slow.n = 7
        redrawing = threading.Thread(target=slow.refresh)
        redrawing.start()
        redrawing.join()
        slow.close()
        return name

    demo, _, go = app(slow)
    with Lab(demo) as lab:
        lab.click(go)
        assert [("slow", 7, None)] in told(lab)


def test_a_bar_that_could_not_be_made_is_the_functions_own_error() -> None:
    """What tqdm raises is what the request fails with."""

    def wrong(name: str, progress: oc.Progress = TRACKED) -> str:
        return tqdm(1, nothing="of the kind")

    demo, _, go = app(wrong)
    with Lab(demo) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        assert "nothing" in str(lab.outcomes[-1].value)


def test_without_tqdm_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the app's package: where there is none there is nothing to follow."""
    monkeypatch.setitem(sys.modules, "tqdm.std", None)

    def fn(name: str, progress: oc.Progress = TRACKED) -> str:
        return name

    demo, name, go = app(fn)
    with Lab(demo) as lab:
        lab.type(name, "outer")
        lab.click(go)
        assert lab.ends() == [Kind.SUCCEEDED]
