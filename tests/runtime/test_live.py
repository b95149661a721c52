"""Live sound through a host: frames in, functions, frames out, the take at the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from reactivex import operators as ops

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.flow.blocks import END, START, Block
from ossicle.flow.injected import ClientRequest
from ossicle.flow.operators import gain, limiter, mono
from ossicle.runtime.host import Connection, Host
from ossicle.runtime.live_line import live_line
from ossicle.runtime.media.limits import Limits
from ossicle.runtime.media.store import Store
from ossicle.runtime.media.tape import TapeClip
from ossicle.runtime.streams.frame import Frame, unpack

from .disks import StandingDisk

RATE = 48_000
HOP = 960


def ramp(first: int, count: int) -> np.ndarray:
    return (np.arange(first, first + count) % 30_000).astype(np.int16)[:, None]


class FrontEnd:
    """A front end that keeps what it is sent and lets tests wait for it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.messages = list[dict[str, Any]]()
        self.frames = list[Frame]()
        self.came = asyncio.Event()
        self.connection: Connection = host.connect(None, 0, self.take)

    def take(self, message: dict[str, Any] | bytes) -> None:
        if isinstance(message, bytes):
            self.frames.append(unpack(message))
        else:
            self.messages.append(message)
        self.came.set()

    @property
    def patches(self) -> list[dict[str, Any]]:
        return [p for m in self.messages for p in m.get("patches", [])]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.came.clear()
                with contextlib.suppress(TimeoutError):  # what threads did is told to nobody
                    await asyncio.wait_for(self.came.wait(), 0.05)

    def act(self, node: Any, act: str, **more: Any) -> None:
        self.connection.receive({"type": "act", "node": node.id, "act": act, **more})

    def record(self, node: Any, frames: int, heard: Any = None) -> None:
        """All at once; `heard` is a node whose first sound is heard as it comes."""
        for at in range(0, frames, HOP):
            flags = START if at == 0 else 0
            count = min(HOP, frames - at)
            frame = Frame(node.id, flags, at // HOP, RATE, at, 0.0, ramp(at, count))
            self.connection.receive_sound(frame.pack())
            if heard:
                self.played(heard, 1)

    def played(self, node: Any, epoch: int, **more: Any) -> None:
        frames = sum(len(f.samples) for f in self.frames if f.time == epoch)
        said = {"type": "played", "node": node.id, "epoch": epoch, "frames": frames}
        self.connection.receive({**said, "underruns": 0, **more})


@pytest_asyncio.fixture
async def serving() -> AsyncIterator[Callable[[oc.Blocks], FrontEnd]]:
    hosts = list[Host]()

    def start(demo: oc.Blocks) -> FrontEnd:
        hosts.append(Host(demo.plan()))
        return FrontEnd(hosts[-1])

    yield start
    for host in hosts:
        await host.close()


Serving = Callable[[oc.Blocks], FrontEnd]
Sound = tuple[int, np.ndarray]


async def test_a_recording_is_heard_in_chunks_and_then_as_a_whole(serving: Serving) -> None:
    """Chunks of the asked length, the remainder, then stop_recording with every sample."""
    heard = list[np.ndarray]()
    whole = list[Sound]()

    def hear(chunk: Sound) -> None:
        heard.append(chunk[1])

    def keep(take: Sound) -> str:
        whole.append(take)
        return "done"

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        done = oc.Textbox()
        mic.stream(hear, mic, None, stream_every=0.1)
        mic.stop_recording(keep, mic, done)
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 10_000)
    page.act(mic, "stop_recording")
    await page.until(lambda: any(p.get("node") == done.id for p in page.patches) and len(heard) > 2)
    assert [len(each) for each in heard] == [4800, 4800, 400]
    np.testing.assert_array_equal(np.concatenate(heard), ramp(0, 10_000)[:, 0])
    assert whole[0][0] == RATE
    np.testing.assert_array_equal(whole[0][1], ramp(0, 10_000)[:, 0])
    shown = [
        p["props"]["value"] for p in page.patches if p["kind"] == "set" and p["node"] == mic.id
    ]
    assert [each["frames"] for each in shown] == [10_000]


async def test_a_take_that_ends_while_another_is_stored_is_waited_for_too(serving: Serving) -> None:
    """What came behind both sees both, in the order in which it was said."""
    seen = list[tuple[int, int]]()
    with oc.Blocks() as demo:
        one, two = oc.Audio(streaming=True), oc.Audio(streaming=True)
        go = oc.Button()

        def look(first: Sound | None, second: Sound | None) -> None:
            seen.append((len(first[1]) if first else 0, len(second[1]) if second else 0))

        go.click(look, [one, two], None)
    page = serving(demo)
    for mic, frames in ((one, 960), (two, 1920)):
        page.act(mic, "start_recording")
        page.record(mic, frames)
    page.act(one, "stop_recording")
    page.act(two, "stop_recording")
    page.act(go, "click")
    await page.until(lambda: bool(seen))
    assert seen == [(960, 1920)]


async def test_live_sound_keeps_its_form_on_the_way_to_a_speaker(serving: Serving) -> None:
    """A block of another rate, or of more channels, is left out and counted; the rest is heard."""

    def change(block: Block) -> Block:
        match block.index // HOP:
            case 2:
                return Block(block.samples, RATE // 2, block.index)
            case 4:
                return Block(block.samples.repeat(2, axis=1), RATE, block.index)
            case _:
                return block

    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(ops.map(change)).to(out)
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 6 * HOP, heard=out)
    (chain,) = page.host.metrics.snapshot()["sessions"][0]["chains"]
    assert (chain["out"], chain["faults"]) == (4, 2)
    assert {(each.rate, each.samples.shape[1]) for each in page.frames} == {(RATE, 1)}
    assert sum(len(each.samples) for each in page.frames) == 4 * HOP


async def test_what_comes_while_a_take_is_stored_waits_its_turn(serving: Serving) -> None:
    """A click right behind the stop sees the take."""
    seen = list[int]()

    def measure(take: Sound) -> str:
        seen.append(len(take[1]))
        return "done"

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        go, done = oc.Button(), oc.Textbox()
        go.click(measure, mic, done)
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 100_000)
    page.act(mic, "stop_recording")
    page.act(go, "click")
    await page.until(lambda: bool(seen))
    assert seen == [100_000]


async def test_what_fails_among_what_waited_for_a_take_stops_nothing_behind_it(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """A component with a fault: the log has it, the user is told, and the next click is heard."""
    seen = list[int]()

    class Fragile(oc.Textbox):
        def from_wire(self, payload: Any, media: Any) -> object:
            raise TypeError("no such case")

    def measure(take: Sound) -> None:
        seen.append(len(take[1]))

    with oc.Blocks() as demo:
        mic, text, go = oc.Audio(streaming=True), Fragile(), oc.Button()
        go.click(measure, mic, None)
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 4800)
    page.act(mic, "stop_recording")
    page.act(text, "input", value="a")
    page.act(go, "click")
    await page.until(lambda: bool(seen))
    assert seen == [4800]
    told = [p["message"] for p in page.patches if p["kind"] == "toast"]
    assert told == ["The server failed on this; its log says why."]
    assert "TypeError: no such case" in caplog.text


async def test_generated_sound_is_sent_as_it_is_made_and_acknowledged(serving: Serving) -> None:
    ended = list[dict[str, Any]]()

    def speak() -> Any:
        for n in range(20):
            yield RATE, ramp(n * 4800, 4800)[:, 0]

    def finished(event: oc.EventData) -> None:
        ended.append({"heard": event.heard, "unheard": event.unheard, "cut": event.interrupted})

    with oc.Blocks() as demo:
        voice = oc.Audio(streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, voice)
        voice.playback_finished(finished, None, None)
    page = serving(demo)
    page.act(go, "click")
    await page.until(lambda: sum(len(f.samples) for f in page.frames) >= 0.6 * RATE)
    start = next(p for p in page.patches if p["kind"] == "stream")
    assert (start["state"], start["rate"], start["channels"]) == ("start", RATE, 1)
    assert sum(len(f.samples) for f in page.frames) <= 0.8 * RATE
    while not page.frames or not page.frames[-1].flags & END:
        page.played(voice, start["epoch"])
        await asyncio.sleep(0)
    page.played(voice, start["epoch"])
    await page.until(lambda: bool(ended))
    np.testing.assert_array_equal(np.concatenate([f.samples for f in page.frames]), ramp(0, 96_000))
    assert ended == [{"heard": 96_000, "unheard": 0, "cut": False}]
    value = page.host.program.sessions[page.connection.session or ""].values[voice.id]
    assert isinstance(value, Clip)
    assert value.frames == 96_000


async def test_long_generated_sound_is_on_disk_and_all_of_it_is_heard(serving: Serving) -> None:
    """As fast as a function makes it: nothing but the seconds under way stays in memory."""

    def speak() -> Any:
        for n in range(40):
            yield RATE, ramp(n * 24_000, 24_000)[:, 0]

    with oc.Blocks() as demo:
        voice = oc.Audio(streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, voice)
    page = serving(demo)
    page.act(go, "click")
    values = page.host.program.sessions[page.connection.session or ""].values
    await page.until(lambda: isinstance(values[voice.id], Clip))
    value = values[voice.id]
    assert isinstance(value, TapeClip)
    sink = page.host.metrics.sessions[1].sinks[voice.id]
    assert sink.waiting > 19 * RATE, "nobody has heard it yet"
    while not page.frames[-1].flags & END:
        page.played(voice, 1)
        await asyncio.sleep(0)
    heard = np.concatenate([f.samples for f in page.frames])
    np.testing.assert_array_equal(heard, ramp(0, 40 * 24_000))
    np.testing.assert_array_equal(value.read(700_000, 700_100), ramp(700_000, 100)[:, 0])


async def test_generated_sound_that_finds_no_room_ends_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was kept is heard to its end; the quota is not passed, and the loss is no secret."""

    def speak() -> Any:
        for n in range(20):
            yield RATE, ramp(n * 24_000, 24_000)[:, 0]

    with oc.Blocks() as demo:
        voice = oc.Audio(label="Voice", streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, voice)
    host = Host(demo.plan(), store=Store(Limits(quota=4 * RATE * 2 + 10)))
    page = FrontEnd(host)
    page.act(go, "click")
    await page.until(lambda: any(p.get("state") == "end" for p in page.patches))
    while not page.frames[-1].flags & END:
        page.played(voice, 1)
        await asyncio.sleep(0)
    heard = np.concatenate([f.samples for f in page.frames])
    np.testing.assert_array_equal(heard, ramp(0, len(heard)))
    assert 2 * RATE < len(heard) <= 4 * RATE  # parts of some two seconds are put away
    (told,) = [p for p in page.patches if p["kind"] == "toast"]
    ends = f"the sound ends after {len(heard) / RATE:.0f} s"
    assert f"{ends}: there is no more room for it" in told["message"]
    assert ends in caplog.text
    await host.close()


async def test_a_disk_that_stands_still_delays_no_frame(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that makes sound waits for it; its page, its cancel and other sessions do not."""
    disk, made = StandingDisk(monkeypatch), list[int]()

    def speak() -> Any:
        while True:
            made.append(RATE * 60)
            yield RATE, ramp(0, made[-1])[:, 0]  # in parts, then

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        voice = oc.Audio(streaming=True, interactive=False)
        echo = oc.Audio(streaming=True, interactive=False)
        go, stop = oc.Button(), oc.Button()
        run = go.click(speak, None, voice)
        stop.click(None, cancels=[run])
        mic.stream.pipe(limiter()).to(echo)
    page = serving(demo)
    other = FrontEnd(page.host)
    page.act(go, "click")
    now = page.host.metrics.snapshot
    await page.until(lambda: now()["disk"].get("waits") == 1)
    assert 8_000_000 < sum(made) * 2 < 24_000_000
    assert now()["disk"]["most_waiting"] > 8_000_000 / (2 * 2 * RATE)
    other.act(mic, "start_recording")
    for _ in range(3):
        heard = len(page.frames)
        page.played(voice, 1)
        assert len(page.frames) > heard
    other.record(mic, 3 * RATE, heard=echo)
    assert sum(len(f.samples) for f in other.frames) > 2.9 * RATE
    other.act(mic, "stop_recording")
    page.act(stop, "click")
    values = [
        page.host.program.sessions[each.connection.session or ""].values for each in (page, other)
    ]
    await page.until(
        lambda: all(isinstance(v[n.id], Clip) for v, n in zip(values, (voice, mic), strict=True))
    )
    spoken = values[0][voice.id]
    assert isinstance(spoken, Clip)
    np.testing.assert_array_equal(spoken.read(0, 10 * RATE), ramp(0, 10 * RATE)[:, 0])
    assert now()["disk"]["waits"] == 1 and made == made[:4]
    disk.moves.set()


async def test_a_cancel_tells_the_page_to_be_silent_and_what_was_heard(serving: Serving) -> None:
    ended = list[tuple[int, int, bool]]()
    going = asyncio.Event()

    async def speak() -> Any:
        for n in range(3):
            yield RATE, ramp(n * 48_000, 48_000)[:, 0]
        going.set()
        await asyncio.Event().wait()
        yield None

    def note(event: oc.EventData) -> None:
        ended.append((event.heard, event.unheard, event.interrupted))

    with oc.Blocks() as demo:
        voice = oc.Audio(streaming=True, interactive=False)
        go, stop = oc.Button(), oc.Button()
        run = go.click(speak, None, voice, interrupt=True)
        stop.click(None, None, None, cancels=[run])
        voice.playback_finished(note, None, None)
    page = serving(demo)
    page.act(go, "click")
    await page.until(lambda: bool(page.frames))
    async with asyncio.timeout(10):
        await going.wait()
    page.act(stop, "click")
    await page.until(lambda: any(p.get("state") == "flush" for p in page.patches))
    sent = len(page.frames)
    page.connection.receive(
        {"type": "played", "node": voice.id, "epoch": 1, "frames": 1000, "flushed": True}
    )
    await page.until(lambda: bool(ended))
    assert ended == [(1000, 143_000, True)]
    assert len(page.frames) == sent


async def test_a_cancel_reaches_sound_whose_maker_is_done(serving: Serving) -> None:
    """Speech is made much faster than it is heard: what is not heard yet is cut off too."""
    ended = list[tuple[int, int, bool]]()

    def speak() -> Any:
        yield RATE, ramp(0, 144_000)[:, 0]

    def note(event: oc.EventData) -> None:
        ended.append((event.heard, event.unheard, event.interrupted))

    with oc.Blocks() as demo:
        voice = oc.Audio(streaming=True, interactive=False)
        go, stop = oc.Button(), oc.Button()
        run = go.click(speak, None, voice)
        stop.click(None, None, None, cancels=[run])
        voice.playback_finished(note, None, None)
    page = serving(demo)
    page.act(go, "click")
    await page.until(lambda: any(p.get("state") == "end" for p in page.patches))
    page.act(stop, "click")
    await page.until(lambda: any(p.get("state") == "flush" for p in page.patches))
    page.connection.receive(
        {"type": "played", "node": voice.id, "epoch": 1, "frames": 1000, "flushed": True}
    )
    await page.until(lambda: bool(ended))
    assert ended == [(1000, 143_000, True)]


async def test_after_a_lost_line_sound_goes_on_from_what_was_heard(serving: Serving) -> None:
    def speak() -> Any:
        yield RATE, ramp(0, 48_000)[:, 0]

    with oc.Blocks() as demo:
        voice = oc.Audio(streaming=True, interactive=False)
        go = oc.Button()
        go.click(speak, None, voice)
    page = serving(demo)
    page.act(go, "click")
    await page.until(lambda: sum(len(f.samples) for f in page.frames) >= 0.6 * RATE)
    page.connection.receive(
        {"type": "played", "node": voice.id, "epoch": 1, "frames": 10_000, "underruns": 0}
    )
    token = page.connection.session
    page.connection.close()
    page.frames.clear()
    page.connection = page.host.connect(token, page.messages[-1]["seq"], page.take)
    assert page.frames[0].index == 10_000
    np.testing.assert_array_equal(page.frames[0].samples[0], ramp(10_000, 1)[0])


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_component_that_takes_no_live_sound_refuses_it(
    serving: Serving, streaming: bool
) -> None:
    with oc.Blocks() as demo:
        node = oc.Textbox() if streaming else oc.Audio()
    page = serving(demo)
    with pytest.raises(ValueError, match="no live sound"):
        page.record(node, 100)
    with pytest.raises(ValueError, match="no live sound"):
        page.connection.receive_sound(Frame(999, 0, 0, RATE, 0, 0.0, ramp(0, 1)).pack())


async def test_stopping_a_recording_that_never_began_is_told_clearly(serving: Serving) -> None:
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
    page = serving(demo)
    page.act(mic, "start_recording")
    with pytest.raises(ValueError, match="nothing was recorded"):
        page.act(mic, "stop_recording")


def echo(chunk: Sound) -> Sound:
    return chunk


def echoing(every: float = 0.02) -> tuple[oc.Blocks, oc.Audio, oc.Audio]:
    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream(echo, mic, out, stream_every=every)
    return demo, mic, out


async def test_an_echo_comes_back_with_the_time_of_its_capture(serving: Serving) -> None:
    """The front end gets its own stamps back, in tenths of a millisecond."""
    demo, mic, out = echoing()
    page = serving(demo)
    page.act(mic, "start_recording")
    for n in range(3):
        flags = START if n == 0 else 0
        frame = Frame(mic.id, flags, n, RATE, n * HOP, 1000.0 + 20 * n, ramp(n * HOP, HOP))
        page.connection.receive_sound(frame.pack())
        await page.until(lambda n=n: len(page.frames) > n)
    start = next(p for p in page.patches if p["kind"] == "stream")
    assert start["live"] is True
    assert [f.seq for f in page.frames] == [10_000, 10_200, 10_400]
    page.act(mic, "stop_recording")
    await page.until(lambda: any(p.get("state") == "end" for p in page.patches))
    heard = np.concatenate([f.samples for f in page.frames if f.node == out.id])
    np.testing.assert_array_equal(heard, ramp(0, 3 * HOP))


async def test_live_sound_that_nobody_hears_is_dropped_and_told(serving: Serving) -> None:
    """A front end that acknowledges nothing gets 0.6 s, and then what is newest."""
    demo, mic, out = echoing()
    page = serving(demo)
    page.act(mic, "start_recording")
    for n in range(100):
        frame = Frame(mic.id, 0, n, RATE, n * HOP, 20.0 * n, ramp(n * HOP, HOP))
        page.connection.receive_sound(frame.pack())
        async with asyncio.timeout(10):
            while made(page, out) <= n:  # nothing more is sent that could be waited for
                await asyncio.sleep(0.001)
    sent = sum(len(f.samples) for f in page.frames)
    assert 0.6 * RATE <= sent < 0.7 * RATE
    page.played(out, 1)
    after = page.frames[-1]
    assert sum(len(f.samples) for f in page.frames) == sent + round(0.2 * RATE)
    assert after.index + len(after.samples) == 100 * HOP
    first = next(f for f in page.frames if f.index >= sent)
    assert first.index == 100 * HOP - round(0.2 * RATE)


def made(page: FrontEnd, out: oc.Audio) -> int:
    """Chunks that came back so far."""
    sound = page.host.lines[page.connection.session or ""].live_sound
    stream = sound.outgoing.get(out.id) if sound else None
    return stream.total // HOP if stream else 0


async def test_what_is_left_out_before_operators_is_counted_and_told(serving: Serving) -> None:
    """The take has every sample; the microphone's badge learns how much operators did not get."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(limiter()).to(out)
    page = serving(demo)
    page.act(mic, "start_recording")
    for n in range(60):  # all but the first are half a second late, and more than a stall's second
        flags, captured = (START, 10_000.0) if n == 0 else (0, 9_500.0)
        frame = Frame(mic.id, flags, n, RATE, n * HOP, captured, ramp(n * HOP, HOP))
        page.connection.receive_sound(frame.pack())
    await page.until(lambda: any(p["kind"] == "overload" for p in page.patches))
    (told,) = [p for p in page.patches if p["kind"] == "overload"]
    (session,) = page.host.metrics.snapshot()["sessions"]
    (source,), (chain,) = session["sources"], session["chains"]
    assert source["dropped"] == chain["dropped"] == 9 * HOP
    assert told == {"kind": "overload", "node": mic.id, "ms": 180}
    page.act(mic, "stop_recording")
    key = page.connection.session
    assert key is not None
    await page.until(lambda: page.host.program.sessions[key].values[mic.id] is not None)
    take = page.host.program.sessions[key].values[mic.id]
    assert isinstance(take, Clip) and take.frames == 60 * HOP


async def test_a_ping_is_answered_at_once(serving: Serving) -> None:
    with oc.Blocks() as demo:
        oc.Textbox()
    page = serving(demo)
    page.connection.receive({"type": "ping", "at": 125})
    assert page.messages[-1] == {"type": "pong", "at": 125}
    with pytest.raises(ValueError, match="at must be a whole number"):
        page.connection.receive({"type": "ping", "at": "now"})


async def test_a_passed_budget_is_told_counted_and_shown(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """The page says how late sound is; beyond the budget the log names the shares, once."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(limiter()).to(out, budget="60 ms")
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 4800)
    await page.until(lambda: any(p["kind"] == "stream" for p in page.patches))
    start = next(p for p in page.patches if p["kind"] == "stream")
    assert start["budget"] == 60
    for late in (40.5, 83.2, 90.0):
        page.played(out, start["epoch"], latency=late, worst=late + 5)
    (told,) = [r.getMessage() for r in caplog.records]
    assert told.endswith(
        "sound is 83 ms late and its budget is 60 ms: frames of Audio 1 20 ms, limiter 5 ms, and 58"
        " ms for the line, functions and the player"
    )
    (sink,) = page.host.metrics.snapshot()["sessions"][0]["sinks"]
    found = {name: sink[name] for name in ("latency_ms", "worst_ms", "budget_ms", "over_budget")}
    assert found == {"latency_ms": 90, "worst_ms": 95, "budget_ms": 60, "over_budget": 2}
    for wrong in (-1, "late", True, float("nan")):
        with pytest.raises(ValueError, match="milliseconds"):
            page.played(out, start["epoch"], latency=wrong, worst=1)
    assert live_line(page.host.metrics.snapshot()).startswith(
        "live 1 in 1 out, 1 open · late 90 ms, most 95 · load "
    )
    assert live_line(page.host.metrics.snapshot()).endswith("over budget 2×")


NO_SOUND: dict[str, tuple[Callable[[int, Any], Any], str]] = {
    "nan": (lambda rate, samples: (rate, np.full(960, np.nan)), "NaN or infinite"),
    "rate": (lambda rate, samples: (44_100, samples), "44100 Hz"),
    "channels": (lambda rate, samples: (rate, np.stack((samples, samples), 1)), "2 channels"),
    "dtype": (lambda rate, samples: (rate, samples.astype(np.complex128)), "complex128"),
    "bare": (lambda rate, samples: samples, "a bare array came"),
}


@pytest.mark.parametrize("name", list(NO_SOUND))
async def test_a_function_that_gives_no_sound_fails_alone_and_is_logged_seldom(
    serving: Serving, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """From its second chunk on it gives what cannot be heard: the others hear nothing of it."""
    wrong, says = NO_SOUND[name]
    broken = set[str]()

    def echo(chunk: Sound, request: oc.Request) -> Any:
        first = request.session_hash not in broken and request.query_params.get("bad")
        broken.update([request.session_hash] if first else [])
        bad = request.query_params.get("bad") and not first
        return wrong(*chunk) if bad else chunk

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream(echo, mic, out, stream_every=0.02, on_overload="block")
    bad = serving(demo)
    bad.connection = bad.host.connect(None, 0, bad.take, ClientRequest(query_params={"bad": "1"}))
    good = FrontEnd(bad.host)
    for page in (bad, good):
        page.act(mic, "start_recording")
        page.record(mic, 20 * HOP)
        page.act(mic, "stop_recording")
    await bad.until(lambda: sum(p.get("state") == "failed" for p in bad.patches) == 19)
    await good.until(lambda: sum(len(f.samples) for f in good.frames) == 20 * HOP)
    assert sum(len(f.samples) for f in bad.frames) == HOP
    lines = [each.getMessage() for each in caplog.records if "echo" in each.getMessage()]
    assert len(lines) == 2
    assert says in lines[0] and "failed 10 times in this recording" in lines[1]


async def test_a_session_leaves_nothing_to_the_garbage_collector() -> None:
    """Neither its beginning nor its end: a collection holds up all others, and until one comes the
    seconds of sound that its tapes have in memory would stay there."""
    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out = oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(limiter(), mono()).to(out)
    host = Host(demo.plan(), reconnect_window=0)
    left: list[list[object]] = []
    for count in (1, 3):  # the first loads what all need
        gc.collect()
        gc.disable()
        gc.freeze()  # what other tests left behind is not looked at
        try:
            for _ in range(count):
                page = FrontEnd(host)
                page.act(mic, "start_recording")
                page.record(mic, 5 * HOP)
                assert len(page.frames) >= 4
                page.connection.close()
                del page.connection  # which knows the page
                del page
            async with asyncio.timeout(10):
                while host.lines:
                    await asyncio.sleep(0)
            await asyncio.sleep(0)
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left.append(
                [each for each in gc.garbage if type(each).__module__.startswith("ossicle")]
            )
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.unfreeze()
            gc.enable()
    assert left[1] == []
    await host.close()


async def test_what_is_cut_at_full_scale_is_counted_for_each_sink(serving: Serving) -> None:
    """Of operators and of functions, over the whole stream, and told to who looks."""

    def loud(chunk: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
        samples = np.zeros(len(chunk[1]), np.float32)
        samples[:3] = 1.5, -1.5, 1.0
        return chunk[0], samples

    with oc.Blocks() as demo:
        mic = oc.Audio(streaming=True)
        out, made = (oc.Audio(streaming=True, interactive=False) for _ in range(2))
        mic.stream.pipe(gain(6.0)).to(out)
        mic.stream(loud, mic, made, stream_every=0.02)
    page = serving(demo)
    page.act(mic, "start_recording")
    page.record(mic, 20 * HOP)
    now = page.host.metrics.snapshot

    def clipped() -> list[int]:
        return [sink["clipped"] for sink in now()["sessions"][0]["sinks"]]

    # A ramp of 20 * 960 steps, nearly doubled: what came above 16,422 is beyond full scale.
    beyond = int(np.count_nonzero(ramp(0, 20 * HOP) * 10 ** (6 / 20) > 32_768))
    assert 0 < beyond < 20 * HOP
    await page.until(lambda: clipped() == [beyond, 20 * 2])
    assert now()["totals"]["out"]["clipped"] == beyond + 40
    assert f"clipped {beyond + 40}" in live_line(now())
    page.connection.receive({"type": "figures", "node": out.id})
    await page.until(lambda: page.messages[-1]["type"] == "figures")
    assert page.messages[-1]["clipped"] == beyond
