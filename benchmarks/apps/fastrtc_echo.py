"""The echo of fastrtc, as its documentation has one: `python fastrtc_echo.py <module> <port>`."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any

kit: Any = import_module(sys.argv[1])
RATE = 48_000


Handler: Any = kit.AsyncStreamHandler


class Echo(Handler):
    def __init__(self) -> None:
        Handler.__init__(self, "mono", output_sample_rate=RATE, input_sample_rate=RATE)
        self.waiting = asyncio.Queue[Any]()

    def copy(self) -> Echo:
        return Echo()

    async def start_up(self) -> None:
        """Nothing is to be made ready."""

    async def receive(self, frame: Any) -> None:
        self.waiting.put_nowait(frame)

    async def emit(self) -> Any:
        return await self.waiting.get()


if __name__ == "__main__":
    stream = kit.Stream(Echo(), modality="audio", mode="send-receive")
    stream.ui.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]))
