"""A minimal client of the peer's queue: one POST to join, results over server-sent events."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession

from .wire import WireError


@dataclass(slots=True)
class _Call:
    """A call under way: the values seen, and its end."""

    done: asyncio.Future[str]
    values: int = 0


@dataclass(slots=True)
class PeerSession:
    """One session. The event stream closes when nothing is pending and is opened again by a call,

    because that is the protocol: the server ends it after the last pending event.
    """

    http: ClientSession
    base: str
    functions: dict[str, int]
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    calls: dict[str, _Call] = field(default_factory=dict[str, _Call])
    early: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    reader: asyncio.Task[None] | None = None

    async def echo(self, function: str, text: str) -> str:
        call = await self._join(function, [text])
        return await call.done

    async def count(self) -> int:
        call = await self._join("count", [])
        await call.done
        return call.values

    async def close(self) -> None:
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.gather(self.reader, return_exceptions=True)

    async def _join(self, function: str, data: list[str]) -> _Call:
        body = {"data": data, "fn_index": self.functions[function], "session_hash": self.token}
        async with self.http.post(f"{self.base}/queue/join", json=body) as answer:
            if answer.status != 200:
                raise WireError(f"peer: join answered {answer.status}: {await answer.text()}")
            event = str((await answer.json())["event_id"])
        call = self.calls[event] = _Call(asyncio.get_running_loop().create_future())
        # A stream opened by an earlier call may bring this one's messages before the answer.
        for message in self.early.pop(event, []):
            self._handle(message)
        if self.reader is None or self.reader.done():
            self.reader = asyncio.create_task(self._read())
        return call

    async def _read(self) -> None:
        url = f"{self.base}/queue/data?session_hash={self.token}"
        try:
            while self.calls:
                async with self.http.get(url) as stream:
                    async for line in stream.content:
                        if line.startswith(b"data:"):
                            self._handle(json.loads(line[5:]))
        except Exception as e:
            for call in self.calls.values():
                call.done.set_exception(e)
            self.calls.clear()

    def _handle(self, message: dict[str, Any]) -> None:
        event = message.get("event_id")
        if event is None:
            return
        if event not in self.calls:
            self.early.setdefault(event, []).append(message)
            return
        match message["msg"]:
            case "process_generating":
                self.calls[event].values += 1
            case "process_completed":
                call = self.calls.pop(event)
                if message["success"]:
                    call.done.set_result(message["output"]["data"][0])
                else:
                    call.done.set_exception(WireError(f"peer: the call failed: {message}"))
            case _:
                return


async def connect(http: ClientSession, base: str) -> PeerSession:
    async with http.get(f"{base}config") as answer:
        if answer.status != 200:
            raise WireError(f"peer: config answered {answer.status}")
        config = await answer.json()
    prefix = str(config["api_prefix"]).strip("/")
    functions = {str(d["api_name"]): int(d["id"]) for d in config["dependencies"]}
    return PeerSession(http, f"{base}{prefix}", functions)
