"""What a test that uses the lab may rely on."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import ossicle as oc
from ossicle import testing
from ossicle.testing import Kind, Lab, LabError, Toast

from .labs import more


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
