"""`python -m benchmarks.voices <port> <wire> <sessions> <frame ms>`: many front ends, one process.

They speak the wire by hand over bare sockets, so that what is measured is the server: frames at
their times, spread evenly, acknowledgements as a player gives them, and how late each frame came
back. The process is told on its input what to do, a line each: `talk <seconds>`, `quit`; and
answers each with a line of JSON. `wire` is `ours`; or of a server that sends back what it gets,
`told` where it is acknowledged as well and `bare` where it is not.
"""

from __future__ import annotations

import base64
import json
import math
import os
import resource
import selectors
import socket
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
TICK = 0.001
"""Seconds from one look at the sockets to the next, where there are `MANY`: that is in the figures.
Who waits for each frame is woken for each, by the server, and at its cost: front ends elsewhere are
not."""
MANY = 20
_LENGTH = struct.Struct(">H")
_MOST = 1 << 18


class Voice:
    """One front end."""

    def __init__(self, port: int, wire: str, frame: float) -> None:
        self.bare, self._tells = wire != "ours", wire != "bare"
        self.size = round(RATE * frame / 1000)
        self.sent = self.heard = 0
        self.trips = list[float]()
        self.ready = False
        self.lost = ""
        samples = np.random.default_rng(1).integers(-9000, 9000, self.size).astype("<i2")
        # A mask of zeros changes nothing here and costs the server what any other would.
        length = HEADER.size + samples.nbytes
        self._message = bytearray((130, 254)) + _LENGTH.pack(length) + bytes(4 + HEADER.size)
        self._message += samples.tobytes()
        self._got = bytearray()
        self._unsent = bytearray()
        self._node = 0
        self._out = 0
        self._epoch = -1
        self._told = 0.0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._shake(port)

    # -- the socket ------------------------------------------------------------------------------

    def _shake(self, port: int) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"127.0.0.1:{port}"
        self.socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while (end := self._got.find(b"\r\n\r\n")) < 0:
            self._got += self.socket.recv(_MOST) or b"\r\n\r\n"
        if b" 101 " not in self._got[:20]:
            raise ConnectionError(self._got[:end].decode("latin-1"))
        del self._got[: end + 4]
        self.ready = self.bare
        self._parse()
        while not self.ready:
            self.read()
        self.socket.setblocking(False)

    def read(self) -> None:
        """What is there now."""
        try:
            data = self.socket.recv(_MOST)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError(self.lost or "closed by the server")
        self._got += data
        self._parse()

    def _parse(self) -> None:
        got, at = self._got, 0
        while len(got) - at >= 2:
            length, head = got[at + 1] & 127, 2
            if length == 126:
                length, head = int.from_bytes(got[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(got[at + 2 : at + 10], "big"), 10
            if len(got) - at < head + length:
                break
            code = got[at] & 15
            if code == 2:
                self._sound(got, at + head, length)
            elif code == 1:
                self._said(json.loads(got[at + head : at + head + length]))
            elif code == 9:
                self._send(10, bytes(got[at + head : at + head + length]))
            at += head + length
        del got[:at]

    def _send(self, code: int, data: bytes) -> None:
        length = len(data)
        head = bytes((128 | code, 128 | length)) if length < 126 else bytes((128 | code, 254))
        size = b"" if length < 126 else _LENGTH.pack(length)
        self._write(head + size + b"\0\0\0\0" + data)

    def _write(self, data: bytes | bytearray) -> None:
        """What the server does not take now goes before the next."""
        if self._unsent:
            self._unsent += data
            data = self._unsent
        try:
            taken = self.socket.send(data)
        except BlockingIOError:
            taken = 0
        if taken < len(data) or data is self._unsent:
            self._unsent = bytearray(memoryview(data)[taken:])

    # -- what is said ----------------------------------------------------------------------------

    def _said(self, message: dict[str, Any]) -> None:
        if message["type"] == "open":
            nodes = message["app"]["nodes"]
            self._node, self._out = nodes[0]["id"], nodes[1]["id"]
            self._say({"type": "act", "node": self._node, "act": "start_recording"})
            self.ready = True
        elif message["type"] == "patches":
            self._say({"type": "ack", "seq": message["seq"]})
        elif message["type"] == "refused":
            self.lost = message["message"]

    def _say(self, message: dict[str, Any]) -> None:
        self._send(1, json.dumps(message).encode())

    def talk(self) -> None:
        """The next frame."""
        now = (time.perf_counter() % 100_000) * 1000
        first = 0 if self.sent else 1
        HEADER.pack_into(
            self._message, 8, 1, 1, 1, 1, self._node, first, self.sent, RATE,
            self.sent * self.size, now,
        )  # fmt: skip
        self.sent += 1
        self._write(self._message)

    def _sound(self, buffer: bytearray, at: int, length: int) -> None:
        now = time.perf_counter()
        _, _, _, _, _, _, seq, _, index, stamp = HEADER.unpack_from(buffer, at)
        size = (length - HEADER.size) // 2
        self.heard += size
        if self.bare:
            self.trips.append(now % 100_000 - stamp / 1000)
        elif seq:
            self.trips.append(((now % 100_000) * 10_000 - seq) % (1 << 32) / 10_000)
        self._epoch = round(stamp)
        if self._tells and now - self._told >= TOLD:
            self._told = now
            frames = index + size
            self._say(
                {"type": "played", "node": self._out, "epoch": self._epoch, "frames": frames,
                 "underruns": 0}
            )  # fmt: skip


class Crowd:
    """All of them in one loop, without asyncio: what they cost is taken from the server, because
    two threads of one core share it."""

    def __init__(self, voices: list[Voice]) -> None:
        self.voices = voices
        self._many = len(voices) >= MANY
        self._ready = selectors.DefaultSelector()
        for voice in voices:
            self._ready.register(voice.socket, selectors.EVENT_READ, voice.read)

    def until(self, due: float) -> float:
        """Read until then; the seconds that it got later."""
        while (left := due - time.perf_counter()) > 0:
            if self._many:
                time.sleep(min(left, TICK))
                left = 0
            for key, _ in self._ready.select(left):
                key.data()
        return -left

    def told(self) -> str:
        """The next line of standard input; what comes meanwhile is read."""
        lines = list[str]()
        self._ready.register(
            sys.stdin, selectors.EVENT_READ, lambda: lines.append(sys.stdin.readline())
        )
        while not lines:
            self.until(time.perf_counter() + 0.1)
        self._ready.unregister(sys.stdin)
        return lines[0]

    def talk(self, frame: float, seconds: float) -> dict[str, Any]:
        """All of them for so long, spread evenly."""
        voices = self.voices
        for voice in voices:
            voice.trips.clear()
        before = [(v.sent, v.heard) for v in voices]
        many = len(voices)
        begin = time.perf_counter()
        step = frame / 1000 / many
        late = 0.0
        for n in range(round(1000 * seconds / frame) * many):
            due = n * step
            if self._many:
                due = math.ceil(due / TICK) * TICK
            late = max(late, self.until(begin + due))
            voices[n % many].talk()
        self.until(time.perf_counter() + SETTLE)
        sent = sum(v.sent - s for v, (s, _) in zip(voices, before, strict=True))
        heard = sum(v.heard - h for v, (_, h) in zip(voices, before, strict=True))
        trips = np.concatenate([np.array(v.trips) for v in voices])
        own = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "sent": sent,
            "heard": heard / voices[0].size,
            "trips": [float(p) * 1000 for p in np.percentile(trips, [50, 95, 99, 100])]
            if len(trips)
            else [],
            "late": late * 1000,
            "lost": sorted({v.lost for v in voices if v.lost}),
            "cpu": own.ru_utime + own.ru_stime,
        }


def main() -> None:
    port, wire, sessions, frame = (
        int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    )  # fmt: skip
    crowd = Crowd([Voice(port, wire, frame) for _ in range(sessions)])
    print(json.dumps({"ready": sessions}), flush=True)
    while line := crowd.told().split():
        if line[0] == "quit":
            break
        print(json.dumps(crowd.talk(frame, float(line[1]))), flush=True)
    for voice in crowd.voices:
        voice.socket.close()


if __name__ == "__main__":
    main()
