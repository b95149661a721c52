"""A server that is behind finds several frames in one read, and works on them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle import sound
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import END, START
from ossicle.flow.operators.operator import Form, Kernel
from ossicle.flow.operators.operator import sound as operator
from ossicle.runtime.host import Host
from ossicle.runtime.streams.frame import Frame, FrameError
from ossicle.runtime.streams.joining import LONGEST
from ossicle.runtime.streams.live import Live

from .test_live import HOP, RATE, FrontEnd, Sound, ramp

Start = Callable[..., FrontEnd]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    hosts = list[Host]()

    def begin(demo: oc.Blocks, **more: Any) -> FrontEnd:
        hosts.append(Host(demo.plan(), **more))
        return FrontEnd(hosts[-1])

    yield begin
    for host in hosts:
        await host.close()


def wired(*operators: Any) -> tuple[oc.Blocks, oc.Audio, oc.Audio]:
    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(*operators).to(out)
    return demo, mic, out


def frames(node: oc.Audio, places: Sequence[int], end: bool = False) -> list[Frame]:
    """Frames of 20 ms; place 7 is captured at 7 * 20 ms."""
    made = list[Frame]()
    for n in places:
        flags = (START if n == 0 else 0) | (END if end and n == places[-1] else 0)
        made.append(Frame(node.id, flags, n, RATE, n * HOP, 1000.0 + 20 * n, ramp(n * HOP, HOP)))
    return made


def read(page: FrontEnd, together: Sequence[Frame]) -> None:
    """One read of the socket brings all of them."""
    for n, each in enumerate(together):
        page.connection.receive_sound(each.pack(), more=n + 1 < len(together))


def heard(page: FrontEnd) -> np.ndarray:
    return np.concatenate([each.samples for each in page.frames])


def figures(page: FrontEnd) -> dict[str, Any]:
    (session,) = page.host.metrics.snapshot()["sessions"]
    return session


OPERATORS = sound.align, sound.mono, sound.limiter, lambda: sound.delay("30 ms", mix=0.5)


async def test_what_comes_together_is_one_block_with_the_same_samples(start: Start) -> None:
    """Twelve frames in one read are three blocks of a tenth of a second at most: sample for sample
    what they would be one by one, and every frame of the wire is counted."""
    (one, mic, _), (other, other_mic, _) = (wired(*(make() for make in OPERATORS)) for _ in "12")
    alone, together = start(one), start(other)
    for each in frames(mic, range(12), end=True):
        read(alone, [each])
    read(together, frames(other_mic, range(12), end=True))
    np.testing.assert_array_equal(heard(together), heard(alone))
    assert [each.seq for each in together.frames] == [each.seq for each in alone.frames[::5]]
    one_by_one, at_once = figures(alone), figures(together)
    assert (one_by_one["chains"][0]["blocks"], at_once["chains"][0]["blocks"]) == (12, 3)
    for name in ("pieces", "received", "lost", "repeated", "late"):
        assert at_once["sources"][0][name] == one_by_one["sources"][0][name]
    for name in ("total", "sent", "dropped"):
        assert at_once["sinks"][0][name] == one_by_one["sinks"][0][name]


async def test_a_loss_a_repetition_and_a_refusal_stay_what_they_are(start: Start) -> None:
    """Only what goes on without a gap is put together; what is refused disturbs nothing else."""
    demo, mic, _ = wired()
    page = start(demo)
    came = frames(mic, [0, 1, 1, 2, 5, 6])
    refused = Frame(mic.id, 0, 0, 8000, 3 * HOP, 0.0, ramp(0, HOP))
    for n, each in enumerate([*came[:4], refused, *came[4:]]):
        if each is refused:
            with pytest.raises(FrameError, match="8000 Hz"):
                page.connection.receive_sound(each.pack(), more=True)
        else:
            page.connection.receive_sound(each.pack(), more=n < 6)
    assert [(each.index, len(each.samples)) for each in page.frames] == [
        (0, 3 * HOP),
        (3 * HOP, 2 * HOP),
    ]
    np.testing.assert_array_equal(
        heard(page), np.concatenate((ramp(0, 3 * HOP), ramp(5 * HOP, 2 * HOP)))
    )
    assert [each.seq for each in page.frames] == [10_000, 11_000]
    source = figures(page)["sources"][0]
    assert (source["lost"], source["repeated"], source["refused"]) == (2 * HOP, HOP, 1)


async def test_one_that_is_refused_last_lets_go_of_those_before_it(start: Start) -> None:
    """They do not wait for a frame that is none."""
    demo, mic, _ = wired()
    page = start(demo)
    for each in frames(mic, range(2)):
        page.connection.receive_sound(each.pack(), more=True)
    assert page.frames == []
    with pytest.raises(FrameError, match="shorter than its header"):
        page.connection.receive_sound(b"none", more=False)
    assert [len(each.samples) for each in page.frames] == [2 * HOP]


async def test_two_recordings_in_one_read_stay_two(start: Start) -> None:
    """Another microphone's frame, and one that begins anew, are blocks of their own."""
    with oc.Blocks() as demo:
        mics = [oc.Audio(streaming=True) for _ in "12"]
        outs = [oc.Audio(streaming=True, interactive=False) for _ in "12"]
        for mic, out in zip(mics, outs, strict=True):
            mic.stream.to(out)
    page = start(demo)
    one, two = mics
    read(page, [*frames(one, [0, 1]), *frames(two, [0, 1]), *frames(one, [0, 1, 2])])
    assert [(each.node, len(each.samples) // HOP) for each in page.frames] == [
        (outs[0].id, 2),
        (outs[1].id, 2),
        (outs[0].id, 3),
    ]
    assert [each.seq for each in page.frames] == [10_000] * 3
    page.frames.clear()
    read(page, frames(two, [2, 3]))
    read(page, [*frames(one, [3]), *frames(two, [4, 5]), *frames(one, [4])])  # 4 is where 3 ends
    ways = [(outs.index(out), each) for each in page.frames for out in outs if out.id == each.node]
    lengths = [(way, len(each.samples) // HOP) for way, each in ways]
    assert lengths == [(1, 2), (0, 1), (1, 2), (0, 1)]
    for way, began in ((0, 3), (1, 2)):
        later = np.concatenate([each.samples for on, each in ways if on == way])
        np.testing.assert_array_equal(later, ramp(began * HOP, len(later)))


async def test_a_take_has_all_of_it(start: Start) -> None:
    """The clip of a recording is the same sound, whichever way it came."""
    demo, mic, _ = wired(sound.limiter())
    page = start(demo)
    page.act(mic, "start_recording")
    read(page, frames(mic, range(30), end=True))
    page.act(mic, "stop_recording")
    values = page.host.program.sessions[page.connection.session or ""].values
    await page.until(lambda: values[mic.id] is not None)
    take = values[mic.id]
    assert isinstance(take, Clip) and take.frames == 30 * HOP
    np.testing.assert_array_equal(take.int16().reshape(-1, 1), ramp(0, 30 * HOP))


class Counting(Kernel):
    """Notes how much it is given at once."""

    def __init__(self, seen: list[int]) -> None:
        self.seen = seen

    def process(self, samples: np.ndarray) -> np.ndarray:
        self.seen.append(len(samples))
        return samples


def counting(seen: list[int]) -> Any:
    def make(_: Form) -> Counting:
        return Counting(seen)

    return operator("counting", make)


async def test_who_can_tell_blocks_apart_gets_them_as_they_came(start: Start) -> None:
    """An author's own operator, a branch, a function for each block, or a tap."""
    seen = list[int]()
    with oc.Blocks() as tapped:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.to(out)
    page = start(tapped, tap=list[object]().append)
    read(page, frames(mic, range(4)))
    assert [len(each.samples) for each in page.frames] == [HOP] * 4
    demo, mic, _ = wired(counting(seen), sound.limiter())
    read(start(demo), frames(mic, range(4)))
    assert seen == [HOP] * 4
    del seen[:]
    demo, mic, _ = wired(sound.tee(into=lambda each: seen.append(each.frames)))
    read(start(demo), frames(mic, range(4)))
    assert seen == [HOP] * 4


@pytest.mark.parametrize(("every", "together"), [(0.1, [5, 5, 2]), (0.04, [1] * 12)])
async def test_chunks_are_asked_for_one_by_one(
    start: Start, every: float, together: list[int]
) -> None:
    """A joined block ends one chunk at most: where chunks are shorter, nothing is joined."""
    heard = list[np.ndarray]()

    def hear(chunk: Sound) -> None:
        heard.append(chunk[1])

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.to(out)
        mic.stream(hear, mic, None, stream_every=every)
    page = start(demo)
    page.act(mic, "start_recording")
    read(page, frames(mic, range(12), end=True))
    assert [len(each.samples) // HOP for each in page.frames] == together
    page.act(mic, "stop_recording")
    await page.until(lambda: sum(map(len, heard)) == 12 * HOP)
    assert {len(each) for each in heard[:-1]} == {round(every * RATE)}
    np.testing.assert_array_equal(np.concatenate(heard), ramp(0, 12 * HOP)[:, 0])


def test_what_is_too_late_is_a_block_of_its_own() -> None:
    """A block is all late or all in time: what is left out of a stall ends where it would one by
    one. It tells the time and the age of its first frame."""

    def joins(node: int, longest: float) -> bool:
        return node == mic.id and longest == LONGEST

    live = Live(lambda _: True, now=lambda: 5.0)
    with oc.Blocks():
        mic = oc.Audio(streaming=True)
    sent = frames(mic, range(30))
    for each in sent[1:]:  # the first was quick; of the others the eighth waited 210 ms
        each.time -= 370
    assert live.frame(sent[0].pack())
    came = list[tuple[int, int, float]]()
    for each in sent[1:]:
        for stream, _, block in live.frames(each.pack(), each is not sent[-1], joins):
            came.append((block.index // HOP, block.frames // HOP, round(1000 * stream.given[2])))
    assert came[:4] == [(1, 5, 350), (6, 3, 250), (9, 5, 190), (14, 5, 90)]
    assert live.incoming[mic.id].counters.late == 8
    assert sum(count for _, count, _ in came) == 29
