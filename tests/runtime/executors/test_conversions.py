"""Where values of async functions are converted: the loop waits for no long sound and no file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

import ossicle as oc
from ossicle.components.chunks import SHORT
from ossicle.flow.blocks import START
from ossicle.flow.model import Kind, Outcome
from ossicle.runtime.executors.pool import Pool
from ossicle.runtime.host import Host
from ossicle.runtime.media.tape import Scribe
from ossicle.runtime.streams.frame import Frame

from ..disks import StandingDisk

RATE = 48_000
Sound = tuple[int, np.ndarray]


class Watched:
    """An app that runs, the threads in which its sounds are converted, and what it was told."""

    def __init__(self, demo: oc.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here = list[bool]()
        """Of each conversion, whether it was on the loop's thread."""
        self.ended = asyncio.Event()
        self.outcomes = list[Outcome]()
        loop = threading.get_ident()
        for name in ("preprocess", "postprocess"):
            plain = getattr(oc.Audio, name)

            def watched(*args: Any, plain: Callable[..., Any] = plain) -> Any:
                self.here.append(threading.get_ident() == loop)
                return plain(*args)

            monkeypatch.setattr(oc.Audio, name, watched)
        self.host = Host(demo.plan(), tap=self._hear)
        self.front = self.host.connect(None, 0, lambda message: None)

    def _hear(self, said: object) -> None:
        if isinstance(said, Outcome) and said.kind in (Kind.SUCCEEDED, Kind.FAILED):
            self.outcomes.append(said)
            self.ended.set()

    async def told(self) -> Outcome:
        async with asyncio.timeout(30):
            await self.ended.wait()
        return self.outcomes[-1]

    def record(self, node: Any, frames: int) -> None:
        """A recording of one frame, which goes on."""
        self.front.receive({"type": "act", "node": node.id, "act": "start_recording"})
        samples = np.arange(frames, dtype=np.int16)[:, None]
        self.front.receive_sound(Frame(node.id, START, 0, RATE, 0, 0.0, samples).pack())


@pytest_asyncio.fixture
async def watch(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Callable[[oc.Blocks], Watched]]:
    open_apps = list[Watched]()

    def start(demo: oc.Blocks) -> Watched:
        open_apps.append(Watched(demo, monkeypatch))
        return open_apps[-1]

    yield start
    for each in open_apps:
        await each.host.close()


Watch = Callable[[oc.Blocks], Watched]


@pytest.mark.parametrize("kind", ["numpy", "filepath"])
@pytest.mark.parametrize("frames", [SHORT, SHORT + 1])
async def test_a_short_chunk_needs_no_thread(watch: Watch, frames: int, kind: Any) -> None:
    """Both ways: what comes in, and what is returned for a stream that goes on."""
    got = list[Any]()

    async def echo(chunk: Any) -> tuple[Any, str]:
        got.append(chunk)
        return (chunk if kind == "numpy" else (RATE, np.zeros(frames, np.int16))), "heard"

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True, type=kind)
        out, said = oc.Audio(streaming=True), oc.Textbox()
        mic.stream(echo, mic, [out, said], stream_every=frames / RATE)
    app = watch(demo)
    app.record(mic, frames)
    assert (await app.told()).kind is Kind.SUCCEEDED
    assert len(got) == 1
    if kind == "numpy":
        np.testing.assert_array_equal(got[0][1], np.arange(frames, dtype=np.int16))
    short = frames <= SHORT
    assert app.here == [short and kind == "numpy", short]


@pytest.mark.parametrize(
    "returned, here",
    [
        (None, True),
        ((RATE, np.zeros(SHORT, np.float32)), True),
        ((RATE, np.zeros((SHORT, 2), np.int16)), False),
        ("in.wav", False),
    ],
    ids=["nothing", "short", "long", "a file"],
)
async def test_what_is_returned_is_converted_where_it_takes_no_time(
    watch: Watch, returned: Any, here: bool
) -> None:
    async def make() -> Any:
        return returned

    with oc.Blocks() as demo:
        go = oc.Button()
        go.click(make, None, oc.Audio())
    app = watch(demo)
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    outcome = await app.told()
    assert (outcome.kind is Kind.FAILED) == (returned == "in.wav")  # there is no such file
    assert app.here == [here]


@pytest.mark.parametrize("frames", [SHORT, SHORT + 1])
async def test_what_is_returned_by_component_is_looked_at_one_by_one(
    watch: Watch, frames: int
) -> None:
    async def make() -> dict[Any, object]:
        return {said: "there", out: (RATE, np.zeros(frames, np.int16))}

    with oc.Blocks() as demo:
        go, said, out = oc.Button(), oc.Textbox(), oc.Audio()
        go.click(make, None, [out, said])
    app = watch(demo)
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    assert (await app.told()).kind is Kind.SUCCEEDED
    assert app.here == [frames <= SHORT]


async def test_what_a_batch_returns_is_converted_in_a_thread(watch: Watch) -> None:
    """It is many sounds, however short each is."""

    async def make(names: list[str]) -> tuple[list[Sound]]:
        return ([(RATE, np.zeros(10, np.int16)) for _ in names],)

    with oc.Blocks() as demo:
        go = oc.Button()
        go.click(make, oc.Textbox("a"), oc.Audio(), batch=True, max_batch_size=8)
    app = watch(demo)
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    assert (await app.told()).kind is Kind.SUCCEEDED
    assert app.here == [False]


@pytest.mark.parametrize("returned", [oc.skip(), oc.flush(), (oc.flush(), "silent")])
async def test_what_is_no_value_needs_no_thread(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, returned: Any
) -> None:
    """Silence is wanted at once."""

    async def make() -> Any:
        return returned

    async def run(pool: Pool, work: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(Pool, "run", run)
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Audio(streaming=True, interactive=False)
        go.click(make, None, [out, oc.Textbox()] if isinstance(returned, tuple) else out)
    app = watch(demo)
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    assert (await app.told()).kind is Kind.SUCCEEDED


async def test_a_generator_needs_a_thread_where_the_disk_is_behind(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it waits, and the loop does not; all that was yielded is the value."""
    monkeypatch.setattr("ossicle.runtime.media.share.BEHIND", 1000)
    disk, rate = StandingDisk(monkeypatch), 8000
    loop, waits, plain = asyncio.get_running_loop(), asyncio.Event(), Scribe.waited

    def waited(scribe: Scribe) -> None:
        plain(scribe)
        loop.call_soon_threadsafe(waits.set)

    monkeypatch.setattr(Scribe, "waited", waited)
    made = np.arange(10 * rate, dtype=np.int16)

    async def speak() -> AsyncIterator[Sound]:
        for second in np.split(made, 10):
            yield rate, second

    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Audio(streaming=True, interactive=False)
        go.click(speak, None, out)
    app = watch(demo)
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    async with asyncio.timeout(30):
        await waits.wait()
    assert app.here and all(app.here) and not app.ended.is_set()
    disk.moves.set()
    assert (await app.told()).kind is Kind.SUCCEEDED
    assert len(app.here) == 10 and not all(app.here)
    value: Any = app.host.program.sessions[app.front.session or ""].values[out.id]
    np.testing.assert_array_equal(value.samples(), made)


class Tensor:
    """What other libraries have for arrays."""

    def size(self) -> tuple[int, ...]:
        return (3,)

    def __repr__(self) -> str:
        return "Tensor()"


@pytest.mark.parametrize(
    "returned",
    [
        (RATE, [1, 2]),
        (RATE,),
        (1.5, np.zeros(3, np.int16)),
        (RATE, np.zeros(0)),
        (RATE, Tensor()),
    ],
)
async def test_what_is_no_sound_is_said_as_anywhere(watch: Watch, returned: Any) -> None:
    async def make() -> Any:
        return returned

    def plain() -> Any:
        return returned

    said = list[str]()
    for fn in (make, plain):
        with oc.Blocks() as demo:
            go = oc.Button()
            go.click(fn, None, oc.Audio(label="Out"))
        app = watch(demo)
        app.front.receive({"type": "act", "node": go.id, "act": "click"})
        outcome = await app.told()
        assert outcome.kind is Kind.FAILED
        said.append(str(outcome.value).replace("plain()", "make()"))
    assert said[0] == said[1] and "Audio 'Out'" in said[0]


async def test_a_whole_sound_is_converted_in_a_thread(watch: Watch) -> None:
    lengths = list[int]()

    async def measure(sound: Sound) -> None:
        lengths.append(len(sound[1]))

    with oc.Blocks() as demo:
        sound = oc.Audio((RATE, np.zeros(100, np.int16)))
        go = oc.Button()
        go.click(measure, sound, None)
    app = watch(demo)
    await app.host.begin()
    app.here.clear()
    app.front.receive({"type": "act", "node": go.id, "act": "click"})
    assert (await app.told()).kind is Kind.SUCCEEDED
    assert lengths == [100]
    assert app.here == [False]
