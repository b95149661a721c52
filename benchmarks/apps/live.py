"""The apps of the live benchmark: `python live.py <port> <which> <frame ms> [uvloop]`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import numpy as np

import ossicle as oc
from ossicle.flow.operators import align, compressor, declick, delay, gain, gate, highpass, mono

Sound = tuple[int, np.ndarray]

port, which, frame = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
STALL, STALL_EVERY = 0.2, 3.0  # seconds
WORK = 0.3  # seconds before a speech begins
stalled = [time.monotonic()]


def echo(chunk: Sound) -> Sound:
    return chunk


async def coroutine(chunk: Sound) -> Sound:
    return chunk


def stalling(chunk: Sound) -> Sound:
    """Now and then it takes ten times as long as a chunk lasts."""
    if time.monotonic() - stalled[0] > STALL_EVERY:
        stalled[0] = time.monotonic()
        time.sleep(STALL)
    return chunk


async def speak() -> AsyncIterator[Sound]:
    """Ten seconds at once, and then nothing: what is unheard is there to be cut off."""
    noise = np.random.default_rng(1).integers(1000, 9000, 48_000).astype(np.int16)
    for _ in range(10):
        yield 48_000, noise
    await asyncio.Event().wait()


yielded = list[float]()


async def begin() -> AsyncIterator[Sound]:
    """A second in pieces, as soon as each would be spoken; when the first was there is noted."""
    noise = np.random.default_rng(1).integers(1000, 9000, round(48 * frame)).astype(np.int16)
    if which == "later":
        await asyncio.sleep(WORK)
    yielded.append(1000 * time.time())
    for _ in range(round(1000 / frame)):
        yield 48_000, noise
        await asyncio.sleep(frame / 1000)


def when() -> str:
    return f"{yielded[-1]:.1f}"


with oc.Blocks(title="Live") as demo:
    if which in ("first", "later"):
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        told = oc.Textbox(label="Yielded")
        oc.Button("Speak").click(begin, None, out)
        oc.Button("When").click(when, None, told)
    elif which == "speak":
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        go, stop = oc.Button("Speak"), oc.Button("Quiet")
        speech = go.click(speak, None, out, interrupt=True)
        stop.click(None, None, None, cancels=[speech])
    else:
        way = "webrtc" if which == "webrtc" else "socket"
        microphone = oc.Audio(label="Microphone", streaming=True, frame_ms=frame, transport=way)
        out = oc.Audio(label="Out", streaming=True, interactive=False, transport=way)
        if which == "operators":
            microphone.stream.pipe(
                align(), mono(), gain(-3.0), delay("300 ms", mix=0.3), declick()
            ).to(out)
        elif which == "strip":
            microphone.stream.pipe(
                gain(-3.0), highpass(80.0), gate(-60.0), compressor(), delay("300 ms", mix=0.0)
            ).to(out)
        elif which == "straight":
            microphone.stream.to(out)
        else:
            work = {"stall": stalling, "coroutine": coroutine}.get(which, echo)
            microphone.stream(work, microphone, out, stream_every=frame / 1000)

if "uvloop" not in sys.argv:
    sys.modules["uvloop"] = None  # pyright: ignore[reportArgumentType] # as if it was not installed
demo.launch(server_port=port, quiet=True)
