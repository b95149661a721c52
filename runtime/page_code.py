"""JavaScript of listeners: the page runs it before the function; its values become the inputs.

Rule J1. One round trip to the page of the session that asked, while the job holds its slot;
bounded, because a page may never answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ..components.base import Component
from ..flow.calls import Call, Member, Write
from ..flow.cancel import CancelToken
from ..flow.errors import InputError, WorldError
from ..flow.model import Fault, Request
from ..flow.program import Execute
from ..flow.shapes import is_listing
from .sessions import Message

PATIENCE = 30.0
"""Seconds that a page may take: a prompt that a person answers still fits."""


class PageCode:
    """Asks pages to run listeners' js, and takes their answers.

    send: shows one patch to a session's page.
    """

    def __init__(self, send: Callable[[str, Message], None]) -> None:
        self._send = send
        self._asked = dict[int, tuple[str, asyncio.Future[list[Any]]]]()

    def around(self, execute: Execute) -> Execute:
        """The same executor, with the page's turn first where a listener has js."""

        def with_page(call: Call, cancel: CancelToken) -> Observable[Any]:
            if call.listener.options.js is None:
                return execute(call, cancel)
            return self._observe(call, cancel, execute)

        return with_page

    def answer(self, session: str, message: Mapping[str, Any]) -> None:
        """Take a page's answer. Raises InputError if it was not asked, or if it is malformed."""
        request = message.get("request")
        asked = self._asked.get(request) if isinstance(request, int) else None
        if asked is None or asked[0] != session:
            raise InputError(f"no js of request {request!r} is awaited.")
        error, values = message.get("error"), message.get("values")
        if asked[1].done():
            return
        if error is not None:
            asked[1].set_exception(WorldError(str(error)[:500]))
        elif is_listing(values):
            asked[1].set_result(list(values))
        else:
            raise InputError(f"values must be a list, not {values!r}.")

    def _observe(self, call: Call, cancel: CancelToken, execute: Execute) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], _: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            async def turn() -> None:
                try:
                    steps = await asyncio.gather(*(self._turn(each) for each in call.members))
                except asyncio.CancelledError:
                    observer.on_completed()
                except Exception as error:  # whatever it is: nobody else would end the job
                    observer.on_error(error)
                else:
                    if any(steps):
                        observer.on_next(tuple(steps))
                    call.alive = [n for n, step in enumerate(steps) if not isinstance(step, Fault)]
                    execute(call, cancel).subscribe(observer)

            task = asyncio.get_running_loop().create_task(turn())
            cancel.on_request(task.cancel)
            return Disposable()

        return Observable(subscribe)

    async def _turn(self, member: Member) -> tuple[Write, ...] | Fault | None:
        """One member's page, beside those of the others: one that fails, fails for itself alone."""
        listener = member.request.listener
        try:
            values = await self._ask(member.request)
            if listener.fn is None:
                return _writes(member, values)
            member.inputs = _inputs(member, values)
        except Exception as error:
            if not listener.batch:
                raise
            return Fault(error)
        return None

    async def _ask(self, request: Request) -> list[Any]:
        future = asyncio.get_running_loop().create_future()
        self._asked[request.id] = (request.session, future)
        self._send(
            request.session,
            {"kind": "js", "listener": request.listener.id, "request": request.id},
        )
        try:
            async with asyncio.timeout(PATIENCE):
                return await future
        except WorldError as error:
            raise WorldError(f"{request.listener.name}: its js failed: {error}") from None
        except TimeoutError as error:
            raise WorldError(
                f"{request.listener.name}: the page did not run the listener's js within"
                f" {PATIENCE:.0f} s."
            ) from error
        finally:
            del self._asked[request.id]


def _inputs(member: Member, values: list[Any]) -> tuple[object, ...]:
    nodes = member.input_nodes
    if len(values) < len(nodes):
        raise InputError(
            f"{member.request.listener.name}: its js must return a list with a value for each of"
            f" the {len(nodes)} inputs; it has {len(values)}."
        )
    return tuple(
        kept if node.server_only or not isinstance(node, Component) else _taken(node, value, member)
        for node, value, kept in zip(nodes, values, member.inputs, strict=False)
    )


def _writes(member: Member, values: list[Any]) -> tuple[Write, ...]:
    shown = [n for n in member.output_nodes if not n.server_only]
    return tuple(
        Write(node.id, _taken(node, value, member))
        for node, value in zip(shown, values, strict=False)
        if isinstance(node, Component)
    )


def _taken(node: Component, value: Any, member: Member) -> object:
    return node.from_wire(value, member.media)
