"""What `operators` of live.py does, written out for this one case: `python by_hand.py <port>`.

aiohttp and numpy, and none of ours: frames in and out, a gain and an echo, both takes kept on disk,
and how far each listener is. No gap is looked for, nothing else is counted, bounded or measured, no
number can move, and whoever is slow is waited for: so it tells what the work costs by itself, and
is no way to write an app.
"""

from __future__ import annotations

import json
import queue
import struct
import sys
import tempfile
import threading
from typing import Any, BinaryIO

import numpy as np
from aiohttp import WSMsgType, web
from numpy.typing import NDArray

HEAD = struct.Struct("<BBBBHHIIQd")
RATE, PART = 48_000, 96_000
STEP, MOST = np.float32(1 / 32768), 32767 / 32768
GAIN = np.float32(10 ** (-3 / 20))
FEEDBACK, MIX = np.float32(0.4), np.float32(0.3)

away = queue.SimpleQueue[tuple[BinaryIO, NDArray[np.int16]]]()


def write() -> None:
    while True:
        file, part = away.get()
        file.write(part.data)


class Take:
    """Two seconds in memory, the rest on disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)
        self._part: NDArray[np.int16] = np.empty(PART, np.int16)
        self._at = np.random.default_rng().integers(PART // 2)  # not all at the same time

    def append(self, samples: NDArray[np.int16]) -> None:
        end = self._at + len(samples)
        if end > PART:
            away.put((self._file, self._part[: self._at]))
            self._part = np.empty(PART, np.int16)
            self._at, end = 0, len(samples)
        self._part[self._at : end] = samples
        self._at = end


async def talk(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, heartbeat=20.0)
    await socket.prepare(request)
    recorded, played = Take(), Take()
    ring: NDArray[np.float32] = np.zeros(round(0.3 * RATE), np.float32)
    at = heard = 0
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            heard = max(heard, json.loads(message.data)["frames"])
            continue
        if message.type is not WSMsgType.BINARY:
            continue
        data: bytes = message.data
        head: tuple[Any, ...] = HEAD.unpack_from(data)
        samples: NDArray[np.int16] = np.frombuffer(data, "<i2", offset=HEAD.size)
        recorded.append(samples)
        sound = samples * STEP
        sound *= GAIN
        echo = ring[at : at + len(sound)]
        wet = echo * MIX
        echo *= FEEDBACK
        echo += sound
        at = (at + len(sound)) % len(ring)
        wet += sound
        if max(wet.max(), -wet.min()) > MOST:
            wet = wet.clip(-1, MOST)
        made = np.rint(wet * 32768).astype(np.int16)
        played.append(made)
        await socket.send_bytes(HEAD.pack(*head) + made.tobytes())
    return socket


threading.Thread(target=write, daemon=True).start()
app = web.Application()
app.router.add_get("/ws", talk)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
