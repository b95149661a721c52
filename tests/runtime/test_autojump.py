"""The loop whose time jumps: exact times, real threads, clear ends."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ossicle.testing import AutojumpLoop, StuckError


@pytest.fixture
def loop() -> Iterator[AutojumpLoop]:
    made = AutojumpLoop()
    yield made
    made.close()


def test_sleeping_takes_no_time(loop: AutojumpLoop) -> None:
    """An hour of sleep passes at once, and the clock has moved by exactly an hour."""
    begun = time.perf_counter()
    loop.run_until_complete(asyncio.sleep(3600))
    assert loop.time() == 3600.0
    assert time.perf_counter() - begun < 5.0


def test_jumps_land_on_the_very_time_asked_for(loop: AutojumpLoop) -> None:
    """No sum of differences: a timer at 0.1 * n sees 0.1 * n, to the last bit."""
    seen = list[float]()
    wanted = [0.1 * n for n in range(1, 1000)]
    for when in wanted:
        loop.call_at(when, lambda: seen.append(loop.time()))
    loop.run_until(1000.0)
    assert seen == wanted
    assert loop.time() == 1000.0


def test_cancelled_timers_do_not_stop_time(loop: AutojumpLoop) -> None:
    """A jump passes over what was cancelled."""
    seen = list[float]()
    handles = [loop.call_at(t, lambda: seen.append(loop.time())) for t in (1.0, 2.0, 3.0, 3.5)]
    handles[0].cancel()
    handles[2].cancel()
    loop.run_until(10.0)
    assert seen == [2.0, 3.5]


def test_timers_of_one_instant_run_in_the_order_they_were_set(loop: AutojumpLoop) -> None:
    """As on the virtual clock; asyncio's own heap promises no order."""
    seen = list[int]()
    for n in range(100):
        loop.call_at(1.0, seen.append, n)
    loop.call_at(1.0, lambda: second.cancel())
    second = loop.call_at(1.0, seen.append, -1)
    loop.run_until(1.0)
    assert seen == list(range(100))


def test_a_hop_skips_the_loop_only_if_nothing_is_due(loop: AutojumpLoop) -> None:
    """Steady pace at little cost: never past a timer, past what is ready, or past the limit."""
    hops = list[bool]()

    def steady() -> None:
        hops.append(loop.hop(2.0))
        loop.call_soon(lambda: None)
        hops.append(loop.hop(2.5))

    def later() -> None:
        hops.append(loop.hop(5.0))  # a timer is due then
        hops.append(loop.hop(4.5))
        hops.append(loop.hop(4.0))  # time does not run backwards

    loop.call_at(1.0, steady)
    loop.call_at(3.0, later)
    loop.call_at(5.0, lambda: hops.append(loop.hop(11.0)))
    loop.run_until(10.0)
    assert hops == [True, False, False, True, False, False]


def test_a_pace_gives_in_a_row_what_nothing_comes_between(loop: AutojumpLoop) -> None:
    """Each at its own time, and whatever else is due in its place between them."""
    seen = list[tuple[float, str]]()
    rows = list[list[str]]()

    def give(due: Iterator[str]) -> None:
        rows.append([])
        for each in due:
            rows[-1].append(each)
            seen.append((loop.time(), each))

    loop.call_at(2.5, lambda: seen.append((loop.time(), "timer")))
    loop.pace(zip((1.0, 2.0, 3.0, 4.0, 5.0), "abcde", strict=True), give)
    loop.run_until(4.0)
    loop.run_until(10.0)
    assert seen == [(1, "a"), (2, "b"), (2.5, "timer"), (3, "c"), (4, "d"), (5, "e")]
    assert rows == [["a", "b"], ["c", "d"], ["e"]]


def test_run_until_does_all_that_is_due_then_and_no_more(loop: AutojumpLoop) -> None:
    """What is due at the limit, and what follows from it at once, has happened; nothing later."""
    seen = list[str]()

    def first() -> None:
        seen.append("first")
        loop.call_soon(lambda: seen.append("then"))
        loop.call_later(0.0, lambda: seen.append("at once"))
        loop.call_later(0.001, lambda: seen.append("later"))

    loop.call_at(1.0, first)
    loop.run_until(1.0)
    assert seen == ["first", "then", "at once"]
    assert loop.time() == 1.0
    loop.settle()
    assert seen == ["first", "then", "at once"]
    loop.run_until(2.0)
    assert seen[-1] == "later"


def test_threads_hold_time(loop: AutojumpLoop) -> None:
    """While a thread works, time stands, and its result comes before the next timer."""
    go = threading.Event()
    order = list[str]()

    async def main() -> None:
        loop.call_later(5.0, lambda: order.append(f"timer at {loop.time():g}"))
        threading.Timer(0.05, go.set).start()
        assert await asyncio.to_thread(go.wait, 10)
        order.append(f"thread at {loop.time():g}")
        await asyncio.sleep(6)

    loop.run_until_complete(main())
    assert order == ["thread at 0", "timer at 5"]


def test_a_thread_that_waits_for_time_is_told_of() -> None:
    """Time waits for the thread and the thread for time: an error, not a test that hangs."""
    made = AutojumpLoop(patience=0.05)
    go = threading.Event()

    async def main() -> None:
        made.call_later(1.0, go.set)
        await asyncio.to_thread(go.wait, 10)

    try:
        with pytest.raises(StuckError, match="time stands at 0 s because a thread"):
            made.run_until_complete(main())
    finally:
        go.set()
        made.run_until(0.0)
        made.close()


def test_waiting_for_nothing_is_told_of() -> None:
    """A future that nobody will set ends the test with an error."""

    async def main() -> None:
        await asyncio.sleep(2)
        await made.create_future()

    made = AutojumpLoop(patience=0.05)
    task = made.create_task(main())
    with pytest.raises(StuckError, match="nothing will ever happen after 2 s"):
        made.run_until_complete(task)
    task.cancel()
    made.run_until(2.0)
    made.close()
    assert task.cancelled()


def test_going_on_without_waiting_is_told_of(
    loop: AutojumpLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callback that calls itself forever is no reason to hang."""
    monkeypatch.setattr("ossicle.runtime.testing.autojump.MOST_AT_ONCE", 1_000)

    def again() -> None:
        loop.call_soon(again)

    again()
    with pytest.raises(StuckError, match="no time passes at 0 s"):
        loop.run_until(1.0)


def test_sockets_are_heard(loop: AutojumpLoop) -> None:
    """A real socket beside virtual timers: what has arrived is read before time jumps."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    heard = list[tuple[float, bytes]]()
    with ours, theirs:
        loop.add_reader(ours, lambda: heard.append((loop.time(), ours.recv(10))))
        loop.call_at(1.0, lambda: theirs.send(b"x"))
        loop.call_at(2.0, lambda: theirs.send(b"y"))
        loop.run_until(10.0)
        loop.remove_reader(ours)
    assert heard == [(1.0, b"x"), (2.0, b"y")]


def test_calls_from_unannounced_threads_arrive(loop: AutojumpLoop) -> None:
    """A thread that nobody told the loop of can still wake it, when nothing else is due."""

    async def main() -> str:
        done = loop.create_future()
        wake = threading.Timer(0.05, loop.call_soon_threadsafe, (done.set_result, "woken"))
        wake.start()
        return await done

    assert loop.run_until_complete(main()) == "woken"
    assert loop.time() == 0.0
