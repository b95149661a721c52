"""The app of the soak: `python soak.py <port> <frame ms>`; for each line that it reads it tells how
it is, for "trim" after it gave back what its heap holds free.

A live chain, a function on chunks with State, generated speech: what apps with sound are made of.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Iterator

import numpy as np

import ossicle as oc
from ossicle.flow.operators import Level, compressor, gain, gate, highpass, level, limiter

Sound = tuple[int, np.ndarray]

port, frame = int(sys.argv[1]), float(sys.argv[2])
KEPT = 10  # chunks


def remember(chunk: Sound, kept: list[np.ndarray]) -> tuple[list[np.ndarray], str]:
    kept = [*kept, chunk[1]][-KEPT:]
    return kept, f"{sum(len(each) for each in kept)} samples"


def show(reading: Level) -> str:
    return f"{reading.decibels:.1f} dB"


def speak() -> Iterator[Sound]:
    for n in range(10):
        yield 24_000, np.full(2400, 100 * n, np.int16)


class Mallinfo(ctypes.Structure):
    """struct mallinfo2 of glibc, see mallinfo(3)."""

    NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]


def heap() -> dict[str, float]:
    """MB that the C heap has lent out and that it holds free, and thousands of Python's blocks."""
    gc.collect()  # what waits for a collection is no growth
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = Mallinfo
    told = ask()
    return {
        "used": (told.uordblks + told.hblkhd) / 1e6,
        "free": told.fordblks / 1e6,
        "blocks": sys.getallocatedblocks() / 1000,
    }


with oc.Blocks(title="Soak") as demo:
    microphone = oc.Audio(label="Microphone", streaming=True, frame_ms=frame)
    out = oc.Audio(label="Out", streaming=True, interactive=False)
    go = oc.Button("Speak")
    said = oc.Textbox(label="Kept")
    meter = oc.Textbox(label="Level")
    voice = oc.Audio(label="Voice", streaming=True, interactive=False)
    kept = oc.State([])
    chain = microphone.stream.pipe(gain(-3.0), highpass(80.0), gate(-60.0), compressor(), limiter())
    chain.to(out)
    chain.pipe(level("100 ms"))(show, microphone, meter)
    microphone.stream(remember, [microphone, kept], [kept, said], stream_every=0.5)
    go.click(speak, None, voice)

launched = demo.launch(server_port=port, quiet=True, prevent_thread_lock=True, reconnect_window=5.0)
assert launched is not None
for line in sys.stdin:
    if line.strip() == "trim":
        ctypes.CDLL(None).malloc_trim(0)
    print(json.dumps(launched.metrics() | {"heap": heap()}), flush=True)
launched.close()
