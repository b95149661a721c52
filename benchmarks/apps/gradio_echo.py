"""The quickest echo of the peer's own streaming: `python gradio_echo.py <module> <port> <ms>`.

A function per chunk puts it in a line, a generator that never ends takes it out: what a function
returns for a streaming output by itself would be a sound of its own each time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from queue import Queue
from typing import Any

kit: Any = import_module(sys.argv[1])
waiting = Queue[tuple[int, Any]]()


def put(chunk: tuple[int, Any] | None) -> None:
    if chunk is not None:
        waiting.put(chunk)


def speak() -> Iterator[tuple[int, Any]]:
    while True:
        yield waiting.get()


with kit.Blocks(title="Echo") as demo:
    microphone = kit.Audio(sources=["microphone"], streaming=True, label="Microphone")
    out = kit.Audio(streaming=True, autoplay=True, label="Out")
    go = kit.Button("Go")
    microphone.stream(put, microphone, None, stream_every=float(sys.argv[3]) / 1000)
    go.click(speak, None, out)

if __name__ == "__main__":
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]))
