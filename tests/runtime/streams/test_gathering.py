"""Sound gathers while there is much of it, and the loop rests when there is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, cast

from ossicle.runtime.executors.pool import Pool
from ossicle.runtime.streams.gathering import ENOUGH, LONGEST, MANY, OFTEN, PAUSE, Gathering
from ossicle.runtime.streams.metrics import Lag
from ossicle.runtime.streams.watch import Watch


class Turns:
    """A loop whose turns are taken by hand."""

    def __init__(self) -> None:
        self.soon = list[Callable[[], object]]()

    def call_soon(self, call: Callable[[], object]) -> None:
        self.soon.append(call)

    def turn(self) -> None:
        due, self.soon = self.soon, []
        for call in due:
            call()


def gathering() -> tuple[Turns, list[float], Gathering]:
    turns, held = Turns(), list[float]()
    return turns, held, Gathering(cast("Any", turns), Lag(), held.append)


def test_a_few_microphones_are_heard_without_any_pause() -> None:
    """Below the rate nothing is ever put into the loop."""
    turns, held, few = gathering()
    few.pace(OFTEN - 1)
    assert not turns.soon
    assert not held


def test_a_crowd_is_heard_every_other_turn() -> None:
    """A pause, a turn in which what came is taken, a pause; and none are left when it is quiet."""
    turns, held, crowd = gathering()
    crowd.pace(OFTEN)
    crowd.pace(OFTEN)  # once is enough
    for _ in range(6):
        turns.turn()
    assert held == [PAUSE] * 3
    crowd.pace(0)
    for _ in range(2):
        turns.turn()
    assert not turns.soon
    assert len(held) == 3
    crowd.pace(OFTEN)  # and again
    turns.turn()
    assert len(held) == 4


def test_a_loop_that_has_enough_to_do_is_not_held() -> None:
    """So many frames in one turn: there is no time to lose."""
    turns, held, crowd = gathering()
    crowd.pace(OFTEN)
    turns.turn()
    for _ in range(4):
        crowd.frames += ENOUGH
        turns.turn()
        turns.turn()
    assert len(held) == 1
    crowd.frames += ENOUGH - 1
    turns.turn()
    turns.turn()
    assert len(held) == 2


def test_the_larger_the_crowd_the_longer_it_gathers() -> None:
    """A pause grows with the frames, up to a bound, and so does what is enough to have none."""
    turns, held, crowd = gathering()
    crowd.pace(2 * MANY)
    turns.turn()
    crowd.frames += 2 * ENOUGH - 1
    turns.turn()
    turns.turn()
    assert held == [2 * PAUSE] * 2
    crowd.frames += 2 * ENOUGH
    turns.turn()
    turns.turn()
    assert len(held) == 2
    crowd.pace(1000 * MANY)
    turns.turn()
    turns.turn()
    assert held[2:] == [LONGEST]


async def test_what_a_thread_gives_ends_a_pause() -> None:
    """Also where it gave it before the pause began; the next pause waits again."""
    loop = asyncio.get_running_loop()
    held = list[bool]()

    def hold(_: float) -> None:
        held.append(crowd.woken.wait(5 if len(held) < 2 else 0))

    crowd = Gathering(loop, Lag(), hold)
    crowd.pace(OFTEN)
    threading.Timer(0.01, crowd.woken.set).start()
    await asyncio.sleep(0)  # the first pause
    await asyncio.sleep(0)  # the turn that it was for
    crowd.woken.set()
    while len(held) < 3:
        await asyncio.sleep(0)
    crowd.pace(0)
    assert held == [True, True, False]


async def test_async_functions_do_not_wait_for_pauses() -> None:
    """One that ends at once and begins the next, as a queue does: fifty take fifty turns."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    held = list[bool]()
    crowd = Gathering(loop, Lag(), lambda _: held.append(crowd.woken.wait(5)))
    pool = Pool(loop)
    pool.posted = crowd.woken.set

    async def function(left: int) -> None:
        if left:
            pool.begin(function(left - 1))
        else:
            crowd.pace(0)
            done.set()

    crowd.pace(OFTEN)
    pool.begin(function(50))
    await done.wait()
    pool.close()
    assert len(held) > 20 and all(held)


async def test_pauses_begin_with_the_crowd_and_end_with_it() -> None:
    """On a real loop: counted while frames come often, and nothing is left running after them."""
    lag = Lag()
    watch = Watch(asyncio.get_running_loop(), lag)
    async with asyncio.timeout(20):
        while not lag.pauses:
            for _ in range(50):
                watch.sounds()
            await asyncio.sleep(0.001)
        assert watch.gathering.on
        while watch.ticking:
            await asyncio.sleep(0)
        assert not watch.gathering.on
        for _ in range(3):
            await asyncio.sleep(0)
        seen = lag.pauses
        for _ in range(10):
            await asyncio.sleep(0)
    assert lag.pauses == seen
    assert lag.snapshot()["pauses"] == seen
