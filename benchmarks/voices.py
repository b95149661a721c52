"""`python -m benchmarks.voices <port> <wire> <sessions> <frame ms>`: many front ends, one process.

They speak the wire by hand over bare sockets, so that what is measured is the server: frames at
their times, spread evenly, acknowledgements as a player gives them, and how late each frame came
back. The process is told on its input what to do, a line each: `talk <seconds>`, `quit`; and
answers each with a line of JSON. `wire` is `bare` for a server that sends back what it gets.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import struct
import sys
import time
from typing import Any

import numpy as np

from ossicle.runtime.streams.frame import HEADER

RATE = 48_000
TOLD = 0.1
"""Seconds between acknowledgements, as the page's player gives them."""
SETTLE = 0.4
"""Seconds after the last frame in which it may still come back."""
_LENGTH = struct.Struct(">H")


class Voice(asyncio.Protocol):
    """One front end."""

    def __init__(self, port: int, bare: bool, frame: float) -> None:
        self.bare = bare
        self.size = round(RATE * frame / 1000)
        self.sent = self.heard = self.underway = 0
        self.trips = list[float]()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = ""
        self._port = port
        self._samples = np.random.default_rng(1).integers(-9000, 9000, self.size)
        self._bytes = self._samples.astype("<i2").tobytes()
        self._buffer = bytearray()
        self._shaken = bare
        self._node = 0
        self._out = 0
        self._epoch = -1
        self._played = -1
        self._seen = 0
        self._told = 0.0

    # -- the socket ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"127.0.0.1:{self._port}"
        self._shaken = False
        self.transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = str(exc or "closed by the server")
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(self.lost))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._shaken:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in buffer[:20]:
                self.opened.set_exception(ConnectionError(buffer[:end].decode("latin-1")))
                return
            del buffer[: end + 4]
            self._shaken = True
            if self.bare:
                self.opened.set_result(None)
        at = 0
        while len(buffer) - at >= 2:
            length, head = buffer[at + 1] & 127, 2
            if length == 126:
                length, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            if len(buffer) - at < head + length:
                break
            code = buffer[at] & 15
            if code == 2:
                self._sound(buffer, at + head, length)
            elif code == 1:
                self._said(json.loads(buffer[at + head : at + head + length]))
            elif code == 9:
                self._send(10, bytes(buffer[at + head : at + head + length]))
            at += head + length
        del buffer[:at]

    def _send(self, code: int, data: bytes) -> None:
        # A mask of zeros changes nothing here and costs the server what any other would.
        length = len(data)
        head = bytes((128 | code, 128 | length)) if length < 126 else bytes((128 | code, 254))
        size = b"" if length < 126 else _LENGTH.pack(length)
        self.transport.write(head + size + b"\0\0\0\0" + data)

    # -- what is said ----------------------------------------------------------------------------

    def _said(self, message: dict[str, Any]) -> None:
        if message["type"] == "open":
            nodes = message["app"]["nodes"]
            self._node, self._out = nodes[0]["id"], nodes[1]["id"]
            self._say({"type": "act", "node": self._node, "act": "start_recording"})
            self.opened.set_result(None)
        elif message["type"] == "patches":
            self._say({"type": "ack", "seq": message["seq"]})
        elif message["type"] == "refused":
            self.lost = message["message"]

    def _say(self, message: dict[str, Any]) -> None:
        self._send(1, json.dumps(message).encode())

    def talk(self) -> None:
        """The next frame."""
        now = (time.perf_counter() % 100_000) * 1000
        flags = 0 if self.sent else 1
        head = HEADER.pack(
            1, 1, 1, 1, self._node, flags, self.sent, RATE, self.sent * self.size, now
        )
        self.sent += 1
        self.underway += 1
        self._send(2, head + self._bytes)

    def _sound(self, buffer: bytearray, at: int, length: int) -> None:
        now = time.perf_counter()
        _, _, _, _, _, _, seq, _, index, stamp = HEADER.unpack_from(buffer, at)
        size = (length - HEADER.size) // 2
        self.heard += size
        if self.bare:
            self.trips.append(now % 100_000 - stamp / 1000)
            return
        if seq:
            self.trips.append(((now % 100_000) * 10_000 - seq) % (1 << 32) / 10_000)
        self._epoch = round(stamp)
        if now - self._told >= TOLD:
            self._told = now
            frames = index + size
            self._say(
                {"type": "played", "node": self._out, "epoch": self._epoch, "frames": frames,
                 "underruns": 0}
            )  # fmt: skip


async def talk(voices: list[Voice], frame: float, seconds: float) -> dict[str, Any]:
    """All of them for so long: one loop paces them, because a timer for each would cost as much
    as the frames."""
    for voice in voices:
        voice.trips.clear()
    before = [(v.sent, v.heard) for v in voices]
    many = len(voices)
    total = round(1000 * seconds / frame) * many
    begin = time.perf_counter()
    step = frame / 1000 / many
    late = 0.0
    for n in range(total):
        due = begin + n * step
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        late = max(late, -left)
        voices[n % many].talk()
    await asyncio.sleep(SETTLE)
    sent = sum(v.sent - s for v, (s, _) in zip(voices, before, strict=True))
    heard = sum(v.heard - h for v, (_, h) in zip(voices, before, strict=True))
    trips = np.concatenate([np.array(v.trips) for v in voices])
    worst = {v.lost for v in voices if v.lost}
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "sent": sent,
        "heard": heard / voices[0].size,
        "trips": [float(p) * 1000 for p in np.percentile(trips, [50, 95, 99, 100])]
        if len(trips)
        else [],
        "late": late * 1000,
        "lost": sorted(worst),
        "cpu": own.ru_utime + own.ru_stime,
    }


async def main() -> None:
    port, wire, sessions, frame = (
        int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    voices = list[Voice]()
    for _ in range(sessions):
        _, voice = await loop.create_connection(
            lambda: Voice(port, wire == "bare", frame), "127.0.0.1", port
        )
        await voice.opened
        voices.append(voice)
    print(json.dumps({"ready": len(voices)}), flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).split():
        if line[0] == "quit":
            break
        print(json.dumps(await talk(voices, frame, float(line[1]))), flush=True)
    for voice in voices:
        voice.transport.close()


if __name__ == "__main__":
    asyncio.run(main())
