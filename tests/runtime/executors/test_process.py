"""Functions in processes: isolated, kept warm, killable, and honest about how they ended."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import chores
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.flow.calls import Call, Member
from ossicle.flow.cancel import CancelToken
from ossicle.flow.model import ENDS, Cause, Event, Kind, Outcome, Request
from ossicle.flow.notices import Report
from ossicle.flow.patches import Toast
from ossicle.runtime.executors.pool import AHEAD, Pool
from ossicle.runtime.executors.process import Worker, Workers, process_executor
from ossicle.runtime.host import Connection, Host


class Running:
    """An app with one text in, one text out and one function, and what became of its requests."""

    def __init__(self, fn: Any, **options: Any) -> None:
        with oc.Blocks() as demo:
            self.box, self.out = oc.Textbox(), oc.Textbox()
            self.go, self.stop = oc.Button(), oc.Button()
            run = self.go.click(fn, self.box, self.out, **options)
            self.stop.click(None, None, None, cancels=[run])
        self.outcomes = list[Outcome]()
        self.toasts = list[str]()
        self.came = asyncio.Event()
        self.host = Host(demo.plan(), tap=self._hear)
        self.line: Connection = self.host.connect(None, 0, lambda _: None)

    def _hear(self, said: object) -> None:
        if isinstance(said, Outcome):
            self.outcomes.append(said)
        elif isinstance(said, Toast):
            self.toasts.append(said.notice.message)
        self.came.set()

    def type(self, text: str) -> None:
        self.act(self.box, "input", value=text)

    def act(self, node: Any, act: str, **more: Any) -> None:
        self.line.receive({"type": "act", "node": node.id, "act": act, **more})

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.came.clear()
                await self.came.wait()

    async def call(self, text: str) -> Outcome:
        """Type, click, and wait for the end."""
        before = len(self.ends)
        self.type(text)
        self.act(self.go, "click")
        await self.until(lambda: len(self.ends) > before)
        return self.ends[-1]

    @property
    def ends(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.kind in ENDS and o.request.listener.outputs]

    @property
    def shown(self) -> Any:
        return self.host.program.sessions[self.line.session or ""].values[self.out.id]


@pytest_asyncio.fixture
async def running() -> AsyncIterator[Callable[..., Running]]:
    made = list[Running]()

    def start(fn: Any, **options: Any) -> Running:
        made.append(Running(fn, **options))
        return made[-1]

    yield start
    for each in made:
        await each.host.close()


Start = Callable[..., Running]


async def test_a_worker_is_another_process_and_stays_warm(running: Start) -> None:
    app = running(chores.pid_and_calls)
    await app.call("a")
    first = app.shown.split()
    await app.call("b")
    second = app.shown.split()
    assert first[0] == second[0] != str(os.getpid())
    assert (first[1], second[1]) == ("1", "2")
    assert chores.calls == 0


async def test_a_generator_shows_each_step_and_notices_arrive(running: Start) -> None:
    """R2, R4: in processes too."""
    app = running(chores.count)
    end = await app.call("3")
    assert end.kind is Kind.SUCCEEDED
    assert len([o for o in app.outcomes if o.kind is Kind.YIELDED]) == 3
    assert app.shown == "2"
    assert app.toasts == ["closed"]


async def test_an_exception_keeps_its_type_and_attributes(running: Start) -> None:
    app = running(chores.fail)
    end = await app.call("7")
    assert end.kind is Kind.FAILED
    assert isinstance(end.value, chores.OddError)
    assert end.value.code == 7


async def test_a_process_that_dies_is_no_failed_function(running: Start) -> None:
    """The call is not repeated, and the next one gets a new process."""
    app = running(chores.die)
    end = await app.call("3")
    assert end.kind is Kind.FAILED
    assert "exit code 3" in str(end.value)
    end = await app.call("4")
    assert "exit code 4" in str(end.value)


async def test_c3_interrupt_kills_the_process(running: Start, tmp_path: Path) -> None:
    """C3: cancelled while it hangs, the process is gone, and the slot is free for the next."""
    mark = tmp_path / "pid"
    app = running(chores.hang, interrupt=True)
    app.type(str(mark))
    app.act(app.go, "click")
    await asyncio.to_thread(_wait_for, mark)
    pid = int(mark.read_text())
    app.act(app.stop, "click")
    await app.until(lambda: bool(app.ends))
    assert app.ends[0].kind is Kind.CANCELLED
    await asyncio.to_thread(_wait_gone, pid)


class Slow(Workers):
    """Processes take as long to begin as the test likes."""

    begun = threading.Event()
    go_on = threading.Event()

    def take(self) -> Worker:
        worker = super().take()
        self.begun.set()
        self.go_on.wait()
        return worker


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    monkeypatch.setattr("ossicle.runtime.executors.process.Workers", Slow)
    Slow.begun.clear()
    Slow.go_on.clear()
    return Slow


async def test_c3_a_cancel_while_its_process_begins_is_not_lost(
    running: Start, slow: type[Slow], tmp_path: Path
) -> None:
    """C3: nobody may hang for ever in a process that was still being made when it was cancelled."""
    app = running(chores.hang, interrupt=True)
    app.type(str(tmp_path / "first"))
    app.act(app.go, "click")
    await asyncio.to_thread(slow.begun.wait)
    app.act(app.stop, "click")
    slow.go_on.set()
    app.type(str(tmp_path / "second"))
    app.act(app.go, "click")
    await asyncio.to_thread(_wait_for, tmp_path / "second")
    assert not (tmp_path / "first").exists()
    app.act(app.stop, "click")
    await app.until(lambda: len(app.ends) == 2)
    assert [each.kind for each in app.ends] == [Kind.CANCELLED, Kind.CANCELLED]


async def test_c2_a_generator_cancelled_while_its_process_begins_never_runs(
    running: Start, slow: type[Slow]
) -> None:
    """C2: and the process serves the next call."""
    app = running(chores.count)
    app.type("1000000000")
    app.act(app.go, "click")
    await asyncio.to_thread(slow.begun.wait)
    app.act(app.stop, "click")
    slow.go_on.set()
    end = await app.call("2")
    assert end.kind is Kind.SUCCEEDED
    assert app.shown == "1"
    assert app.toasts == ["closed"]


async def test_a_generator_waits_for_those_who_hear_it(tmp_path: Path) -> None:
    """However fast it is, a bounded number of steps is under way, and a cancel still reaches it."""
    posted = list[str]()
    ended = threading.Event()

    class Deaf(Pool):
        def post(self, action: Callable[..., None], *args: object) -> None:
            posted.append(action.__name__)
            if action.__name__ == "on_completed":
                ended.set()

    mark = tmp_path / "n"
    with oc.Blocks() as demo:
        go, box, out = oc.Button(), oc.Textbox(str(mark)), oc.Textbox()
        go.click(chores.many, box, out)
    (listener,) = demo.plan().listeners
    event = Event(1, "s", go.id, "click", Cause.USER, 0.0)
    member = Member(Request(1, "s", listener, event), (str(mark),), (box,), (out,), go)
    pool, cancel = Deaf(asyncio.get_running_loop()), CancelToken()
    process_executor(pool, chores.many)(Call(listener, (member,)), cancel).subscribe()
    await asyncio.to_thread(_wait_for, mark, lambda text: int(text) > AHEAD + 20)
    assert len(posted) <= AHEAD
    cancel.request()
    await asyncio.to_thread(ended.wait)
    assert len(posted) <= AHEAD + 2
    pool.close()


async def test_r4_what_is_said_after_a_call_is_not_said_to_the_next(running: Start) -> None:
    """R4: a thread that goes on in the process belongs to who asked first, and they have gone."""
    app = running(chores.say_late)
    await app.call("to the first")
    await app.call("to the second")
    assert app.toasts == []


async def test_r3_an_error_tells_where_in_its_process_it_was_raised(running: Start) -> None:
    """R3: a traceback cannot travel; its text does."""
    app = running(chores.fail)
    end = await app.call("7")
    assert isinstance(end.value, chores.OddError)
    assert "chores.py" in "".join(end.value.__notes__) and "in fail" in "".join(end.value.__notes__)


async def test_r4_bars_of_tqdm_in_a_process_arrive(running: Start) -> None:
    """R4: Progress(track_tqdm=True) in another process."""
    app = running(chores.bars)
    await app.call("outer")
    reports = [o.value for o in app.outcomes if isinstance(o.value, Report)]
    drawn = {tuple((b.desc, b.value) for b in each.bars) for each in reports}
    assert (("outer", 1), ("inner", 2)) in drawn and (("outer", 2),) in drawn


async def test_a_cancelled_generator_is_closed_in_its_process(running: Start) -> None:
    """C2: its `finally` runs there, once."""
    app = running(chores.count)
    app.type("1000000000")
    app.act(app.go, "click")
    await app.until(lambda: app.shown != "")
    app.act(app.stop, "click")
    await app.until(lambda: bool(app.ends))
    end = await app.call("2")
    assert end.kind is Kind.SUCCEEDED
    assert app.shown == "1"


async def test_the_end_of_the_app_ends_its_processes(running: Start) -> None:
    app = running(chores.pid_and_calls)
    await app.call("a")
    pid = int(app.shown.split()[0])
    await app.host.close()
    await asyncio.to_thread(_wait_gone, pid)


def test_ctrl_c_is_its_apps_to_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """A terminal interrupts all its processes. A worker ends when its app says so."""
    workers = Workers(chores.pid_and_calls.address)
    worker = workers.take()
    worker.begin(("a",), {})
    assert [worker.line.recv()[0], worker.line.recv()[0]] == ["value", "end"]
    assert worker.process.pid
    os.kill(worker.process.pid, signal.SIGINT)
    worker.begin(("a",), {})
    assert [worker.line.recv()[0], worker.line.recv()[0]] == ["value", "end"]
    workers.give_back(worker)
    workers.close()
    assert capfd.readouterr().err == ""


async def test_a_part_made_anew_keeps_the_process() -> None:
    """`in_process` called where a part is made marks the same function, not another one."""
    with oc.Blocks() as demo:
        count, out = oc.Number(0), oc.Textbox()

        @oc.render(inputs=count)
        def _(_n: float) -> None:
            oc.Button().click(oc.in_process(chores.pid_and_calls.fn), count, out)

    came, ends = asyncio.Event(), list[Outcome]()

    def hear(said: object) -> None:
        if (
            isinstance(said, Outcome)
            and said.kind in ENDS
            and out.id in said.request.listener.outputs
        ):
            ends.append(said)
        came.set()

    host = Host(demo.plan(), tap=hear)
    page = host.connect(None, 0, lambda _: None)
    session = host.program.sessions[page.session or ""]

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                came.clear()
                await came.wait()

    answers = list[str]()
    for turn in range(2):
        last = max(session.values)
        page.receive({"type": "act", "node": count.id, "act": "input", "value": turn + 1})
        await until(lambda last=last: max(session.values) > last)
        page.receive({"type": "act", "node": max(session.values), "act": "click"})
        # Not until its value is there: that comes before its process is free again.
        await until(lambda turn=turn: len(ends) > turn)
        answers.append(str(session.values[out.id]))
    await host.close()
    assert [answer.split()[1] for answer in answers] == ["1", "2"]
    assert answers[0].split()[0] == answers[1].split()[0]


def test_a_function_that_no_process_could_find_is_refused() -> None:
    def inner() -> None: ...

    with pytest.raises(ValueError, match="top of its module"):
        oc.in_process(inner)


def test_called_directly_it_runs_here() -> None:
    assert chores.pid_and_calls(None).startswith(f"{os.getpid()} ")
    chores.calls = 0


def _wait_for(mark: Path, enough: Callable[[str], bool] = bool) -> None:
    """Until the file has its content; the file system tells nobody by itself."""
    while not (mark.exists() and (text := mark.read_text()) and enough(text)):
        os.sched_yield()


def _wait_gone(pid: int) -> None:
    """Until the process is gone and its parent has seen it."""
    while Path(f"/proc/{pid}").exists():
        os.sched_yield()
