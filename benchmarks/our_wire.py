"""A minimal client of ossicle's wire: one WebSocket, acts out, patches in."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from .wire import WireError

ACK_EVERY = 0.2
"""Seconds between acknowledgements, as the page does it."""
ENDS = frozenset({"succeeded", "failed", "cancelled", "dropped", "rejected"})


@dataclass(frozen=True, slots=True)
class _Function:
    """A listener as the page knows it: what starts it, what it reads and shows."""

    listener: int
    trigger: tuple[int, str]
    inputs: tuple[int, ...]
    output: int


@dataclass(slots=True)
class _Call:
    output: int
    done: asyncio.Future[None]
    values: int = 0


@dataclass(slots=True)
class OurSession:
    """One session: one tab's socket."""

    socket: ClientWebSocketResponse
    functions: dict[str, _Function]
    shown: dict[int, Any]
    calls: dict[int, _Call] = field(default_factory=dict[int, _Call])
    reader: asyncio.Task[None] | None = None
    acknowledged: float = field(default_factory=time.perf_counter)

    async def echo(self, function: str, text: str) -> str:
        f = self.functions[function]
        await self._act(f.inputs[0], "input", value=text)
        await self._call(f)
        return str(self.shown[f.output])

    async def count(self) -> int:
        return (await self._call(self.functions["count"])).values

    async def close(self) -> None:
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.gather(self.reader, return_exceptions=True)
        await self.socket.close()

    async def _act(self, node: int, act: str, **more: object) -> None:
        await self._send({"type": "act", "node": node, "act": act, **more})

    async def _send(self, message: dict[str, Any]) -> None:
        await self.socket.send_str(json.dumps(message))

    async def _call(self, f: _Function) -> _Call:
        call = _Call(f.output, asyncio.get_running_loop().create_future())
        self.calls[f.listener] = call
        if self.reader is None:
            self.reader = asyncio.create_task(self._read())
        await self._act(*f.trigger)
        await call.done
        return call

    async def _read(self) -> None:
        error = WireError("ossicle: the socket closed")
        try:
            async for frame in self.socket:
                if frame.type is WSMsgType.TEXT:
                    await self._handle(json.loads(frame.data))
        except WireError as e:
            error = e
        for call in self.calls.values():
            call.done.set_exception(error)
        self.calls.clear()

    async def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "patches":
                for patch in message["patches"]:
                    self._apply(patch)
                if time.perf_counter() - self.acknowledged > ACK_EVERY:
                    self.acknowledged = time.perf_counter()
                    await self._send({"type": "ack", "seq": message["seq"]})
            case "refused":
                raise WireError(f"ossicle: refused: {message['message']}")
            case _:
                return

    def _apply(self, patch: dict[str, Any]) -> None:
        match patch["kind"]:
            case "set" if "value" in patch["props"]:
                self.shown[patch["node"]] = patch["props"]["value"]
                for call in self.calls.values():
                    call.values += call.output == patch["node"]
            case "run" if patch["state"] in ENDS:
                call = self.calls.pop(patch["listener"], None)
                if call is None:
                    return
                if patch["state"] == "succeeded":
                    call.done.set_result(None)
                else:
                    call.done.set_exception(WireError(f"ossicle: the call ended {patch}"))
            case _:
                return


async def connect(http: ClientSession, base: str) -> OurSession:
    socket = await http.ws_connect(f"{base}ws", origin=base.rstrip("/"))
    message = json.loads(await socket.receive_str())
    if message["type"] != "open":
        raise WireError(f"ossicle: expected open, got {message['type']}")
    app = message["app"]
    functions = {
        str(x["name"]): _Function(
            int(x["id"]),
            (int(x["triggers"][0][0]), str(x["triggers"][0][1])),
            tuple(map(int, x["inputs"])),
            int(x["outputs"][0]),
        )
        for x in app["listeners"]
    }
    shown = {int(n["id"]): n["props"].get("value") for n in app["nodes"]}
    return OurSession(socket, functions, shown)
